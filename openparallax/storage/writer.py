"""The connection that writes, its thread, and the group commit.

A *unit of work* is a function that runs its statements on the writing connection. Units that wait
at the same time share one transaction; as soon as one of them fails, each has a savepoint of its
own. A unit has happened when, and only when, an explicit COMMIT has returned; only then is its
caller told.

Beware of SQLite here. FULL, IOERR and NOMEM may roll back the *whole* transaction, after which
releasing a savepoint would commit alone and a COMMIT would "succeed" with nothing in it. So after
every error the connection is asked whether the transaction is still open; if it is not, the whole
group has failed and everyone in it is told so. An error that leaves it open fails its unit alone.
"""

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.storage.trouble import Trouble
from openparallax.storage.unit import SQLITE_ERRORS, Connection, Unit, as_ours, is_disks, name_of

T = TypeVar("T")

GROUP_UNITS = 256
"""Most units in one commit, so that a flood cannot hold the loop for long."""
PATIENCE_MS = 2000
"""How long the writer waits for whoever else has the file open."""
WAL_LOOK_EVERY = 64
"""Commits between two looks at the log's size."""


class Writer:
    """Runs units of work in groups, and between two groups what takes its time.

    Statements of a unit run on the loop; COMMIT, and what may wait or take its time, on the thread.
    One of the two has the connection at any moment: the loop hands it over with a job, and has it
    back with that job's last call.

    Attributes:
        is_closing: Nothing more is taken on.
        on_failure: Called on the loop whenever a unit did not happen.
        on_trouble: Called on the loop when the disk refused.
    """

    def __init__(
        self, *, trouble: Trouble, log: Logger, mind_the_log: Callable[[Connection], None]
    ) -> None:
        """``mind_the_log`` is called on the thread, now and then, to see that it stays short."""
        self._trouble = trouble
        self._log = log
        self._mind_the_log = mind_the_log
        self.is_closing = False
        self.on_failure: list[Callable[[], None]] = []
        self.on_trouble: list[Callable[[], None]] = []
        self._waiting: deque[Unit] = deque()
        self._aside: deque[tuple[Callable[[Connection], Any], asyncio.Future[Any]]] = deque()
        self._group: list[Unit] = []
        self._busy = False
        self._commits = 0
        self._changes = 0
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self, connection: Connection) -> None:
        """Have ``connection``, and nobody else, from now on; on the loop."""
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._thread = threading.Thread(target=self._run_jobs, name="writer", daemon=True)
        self._thread.start()

    async def finished(self) -> None:
        """Wait until nothing is under way and nothing waits."""
        await self._idle.wait()

    async def stop(self, close: Callable[[Connection], None]) -> None:
        """Have the thread ``close`` the connection and end; nothing may be under way."""
        self._jobs.put(lambda: close(self._connection))
        self._jobs.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    def unit(
        self, work: Callable[[Connection], T], then: Callable[[T], None] | None
    ) -> "asyncio.Future[T]":
        """As `Database.unit`."""
        future: asyncio.Future[T] = self._loop.create_future()
        if self.is_closing:
            future.set_exception(NotStored("the daemon is stopping"))
            return future
        self._waiting.append(Unit(work, then, future))
        self._begin_soon()
        return future

    async def aside(self, work: Callable[[Connection], T]) -> T:
        """As `Database.aside`."""
        if self.is_closing:
            raise NotStored("the daemon is stopping")
        future: asyncio.Future[T] = self._loop.create_future()
        self._aside.append((work, future))
        self._begin_soon()
        return await future

    # -- a group --------------------------------------------------------------------------------

    def _begin_soon(self) -> None:
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        """Start the next thing: what was asked to run aside, or a group of units."""
        if self._aside:
            work, future = self._aside.popleft()
            self._jobs.put(lambda: self._run_aside(work, future))
            return
        if not self._waiting:
            self._busy = False
            self._idle.set()
            return
        count = min(len(self._waiting), GROUP_UNITS)
        self._group = [self._waiting.popleft() for _ in range(count)]
        if self._trouble.is_on:
            self._changes = self._connection.total_changes
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except SQLITE_ERRORS:
            # Perhaps somebody looks into the file with a tool of their own: wait on the thread.
            self._jobs.put(self._begin_patiently)
            return
        self._run_group()

    def _begin_patiently(self) -> None:
        failed: BaseException | None = None
        try:
            self._connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            self._connection.execute("BEGIN IMMEDIATE")
        except SQLITE_ERRORS as error:
            failed = error
        with suppress(*SQLITE_ERRORS):
            self._connection.execute("PRAGMA busy_timeout = 0")
        if failed is None:
            self._loop.call_soon_threadsafe(self._run_group)
        else:
            self._loop.call_soon_threadsafe(self._ended, failed)

    def _run_group(self) -> None:
        """Run the group's units, at first without savepoints, which cost an eighth of a message.

        Where a unit fails, all is rolled back and the group runs again, each unit in a savepoint of
        its own, so that only those fail that must.
        """
        connection = self._connection
        try:
            for unit in self._group:
                unit.result = unit.work(connection)
                if not connection.in_transaction:
                    raise sqlite3.OperationalError("the transaction is gone")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - whatever it was, it will come again below
            self._drop_caches()
            if len(self._group) == 1:
                self._group[0].error = error
                self._ended(error)
                return
            try:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
            except SQLITE_ERRORS as worse:
                self._ended(worse)
                return
            self._run_group_carefully()
            return
        self._jobs.put(self._commit)

    def _run_group_carefully(self) -> None:
        connection = self._connection
        run = connection.execute
        for unit in self._group:
            unit.result = None
            try:
                run("SAVEPOINT unit")
                unit.result = unit.work(connection)
                run("RELEASE unit")
            except Exception as error:  # noqa: BLE001 - whatever it was, it is this unit's outcome
                unit.error = error
                self._drop_caches()
                if not connection.in_transaction:
                    self._ended(error)
                    return
                if is_disks(error):
                    self._tell_of(error, 1)
                try:
                    run("ROLLBACK TO unit")
                    run("RELEASE unit")
                except SQLITE_ERRORS as worse:
                    self._ended(worse)
                    return
        self._jobs.put(self._commit)

    def _commit(self) -> None:
        """On the thread: the only place where a group becomes real."""
        failed: BaseException | None = None
        try:
            self._connection.execute("COMMIT")
        except SQLITE_ERRORS as error:
            failed = error
        self._commits += 1
        if self._commits % WAL_LOOK_EVERY == 0:
            self._mind_the_log(self._connection)
        # Last: from here on the loop uses the connection again.
        self._loop.call_soon_threadsafe(self._ended, failed)

    def _ended(self, failed: BaseException | None) -> None:
        """On the loop: tell everyone in the group, then go on."""
        if failed is not None:
            self._group_failed(failed)
        elif self._trouble.is_on and self._connection.total_changes != self._changes:
            self._trouble.passed()
        group, self._group = self._group, []
        for unit in group:
            surprise = unit.tell(failed)
            if surprise is not None:
                self._log.error("after_commit_failed", exc_info=surprise)
        self._begin()

    def _group_failed(self, failed: BaseException) -> None:
        with suppress(*SQLITE_ERRORS):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._drop_caches()
        if isinstance(failed, SQLITE_ERRORS):
            self._tell_of(failed, len(self._group))

    # -- between two groups ---------------------------------------------------------------------

    def _run_aside(self, work: Callable[[Connection], Any], future: "asyncio.Future[Any]") -> None:
        result: Any = None
        failed: Exception | None = None
        try:
            self._connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            result = work(self._connection)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            failed = error
        with suppress(*SQLITE_ERRORS):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.execute("PRAGMA busy_timeout = 0")

        def tell() -> None:
            if not future.done():
                if failed is None:
                    future.set_result(result)
                else:
                    future.set_exception(as_ours(failed))
            self._begin()

        self._loop.call_soon_threadsafe(tell)

    def _run_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _tell_of(self, error: BaseException, count: int) -> None:
        self._trouble.happened(name_of(error), count)
        for mend in self.on_trouble:
            mend()

    def _drop_caches(self) -> None:
        for drop in self.on_failure:
            drop()
