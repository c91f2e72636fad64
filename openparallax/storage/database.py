"""The file, the one connection that writes, and the group commit.

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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from openparallax.errors import NotStored, Refusal, StartError
from openparallax.logs import Logger
from openparallax.storage.file import DatabaseFile
from openparallax.storage.trouble import Trouble
from openparallax.storage.unit import (
    SQLITE_ERRORS,
    Connection,
    Unit,
    Write,
    as_ours,
    execute,
    is_disks,
    is_own,
    name_of,
)

__all__ = ["Connection", "Database", "Write", "execute"]

T = TypeVar("T")

GROUP_UNITS = 256
"""Most units in one commit, so that a flood cannot hold the loop for long."""
PATIENCE_MS = 2000
"""How long the writer waits for whoever else has the file open."""
WAL_LOOK_EVERY = 64
"""Commits between two looks at the log's size: past its limit readers are held back until it has
been written home."""


class Steps(Protocol):
    """Work on the writing connection that is done step by step."""

    def step(self, connection: Connection) -> bool:
        """Do a step; True if that was the last."""
        ...

    def abandon(self) -> None:
        """Have no hold on the connection any more, whatever is missing."""
        ...


class Database:
    """One SQLite file, owned by this process while it is open."""

    def __init__(
        self, path: Path, *, log: Logger, on_progress: Callable[[], None] = lambda: None
    ) -> None:
        """``on_progress`` is called about once a second while opening takes its time."""
        self._file = DatabaseFile(path, on_progress)
        self._log = log
        self.trouble = Trouble(path, log)
        self._changes = 0
        self._waiting: deque[Unit] = deque()
        self._aside: deque[tuple[Callable[[Connection], Any], asyncio.Future[Any]]] = deque()
        self._group: list[Unit] = []
        self._busy = False
        self._closing = False
        self._commits = 0
        self._on_failure: list[Callable[[], None]] = []
        self._on_trouble: list[Callable[[], None]] = []
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._readers_may_read = threading.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._copying = asyncio.Lock()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._file.path

    # -- opening and closing --------------------------------------------------------------------

    async def open(self) -> None:
        """Open the file and start the thread that commits.

        Raises:
            StartError: The file cannot be used; the text says why and what to do.
        """
        self._loop = asyncio.get_running_loop()
        self._connection = await self._loop.run_in_executor(None, self._file.open)
        if upgraded := self._file.upgraded:
            self._log.info(
                "database_migrated",
                state=f"schema {upgraded.before} to {upgraded.now}",
                seconds=round(upgraded.seconds, 1),
                path=str(upgraded.copy),
            )
        self._readers = ThreadPoolExecutor(1, "reader")
        try:
            self._reader = await self._loop.run_in_executor(self._readers, self._file.open_reader)
        except StartError:
            self._readers.shutdown()
            await self._loop.run_in_executor(None, self._file.close, self._connection)
            raise
        self._thread = threading.Thread(target=self._run_jobs, name="writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish what waits, write the log home and let the file go; may be called twice."""
        if self._closing:
            return
        self._closing = True
        async with self._copying:
            await self._idle.wait()
        await self._loop.run_in_executor(self._readers, self._reader.close)
        self._readers.shutdown()
        self._jobs.put(lambda: self._file.close(self._connection))
        self._jobs.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    # -- what others call -----------------------------------------------------------------------

    def announce(self, socket: Path | None) -> None:
        """Say where this process answers the command line, for `holder_of`; None: nowhere.

        Raises:
            OSError: It could not be written down.
        """
        self._file.lock.announce(socket)

    def on_failure(self, drop: Callable[[], None]) -> None:
        """Have ``drop`` called whenever a unit did not happen: caches must not know better."""
        self._on_failure.append(drop)

    def on_trouble(self, mend: Callable[[], None]) -> None:
        """Have ``mend`` called when the disk refused.

        Words of what did not happen may be in the log all the same, so it is to be truncated.
        """
        self._on_trouble.append(mend)

    def unit(
        self, work: Callable[[Connection], T], then: Callable[[T], None] | None = None
    ) -> "asyncio.Future[T]":
        """Run ``work`` as one unit; the future is done when it is on disk.

        Args:
            work: Runs on the loop, inside the transaction, with no other unit in between. Runs a
                second time, after a rollback, where another unit of its group has failed.
            then: Called on the loop with the result as soon as it is on disk, in the order of the
                units, before the future is done.

        Raises:
            NotStored: Through the future: nothing of it is on disk.
            Stale: Through the future: a row had left the expected state; nothing is on disk.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closing:
            future.set_exception(NotStored("the daemon is stopping"))
            return future
        self._waiting.append(Unit(work, then, future))
        self._begin_soon()
        return future

    async def write(self, *writes: Write) -> None:
        """Run ``writes`` in one transaction; they are on disk when this returns.

        Raises:
            NotStored: Nothing is on disk; may be repeated.
            Stale: A row had left the expected state; nothing is on disk.
        """

        def work(connection: Connection) -> None:
            for write in writes:
                execute(connection, write)

        await self.unit(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work``, which fetches all that it needs, on the reading connection and thread.

        Raises:
            NotStored: The file could not be read now; may be repeated.
        """

        def locked() -> T:
            with self._readers_may_read:
                return work(self._reader)

        if self._closing:
            raise NotStored("the daemon is stopping")

        try:
            return await self._loop.run_in_executor(self._readers, locked)
        except SQLITE_ERRORS as error:
            self.trouble.happened(name_of(error), 1)
            raise NotStored(
                f"the database could not be read ({name_of(error)})", reason=name_of(error)
            ) from None

    async def aside(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on the writer's thread between two groups; for what takes its time.

        Units wait meanwhile. ``work`` opens and closes its own transactions, if any.
        """
        if self._closing:
            raise NotStored("the daemon is stopping")
        future: asyncio.Future[T] = self._loop.create_future()
        self._aside.append((work, future))
        self._begin_soon()
        return await future

    async def truncate_log(self) -> bool:
        """Write the log home and cut it, so that deleted words are in no file; True if done."""

        def work(connection: Connection) -> bool:
            with self._readers_may_read:
                row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(row[0] == 0)

        return await self.aside(work)

    async def copy_to(self, steps: Steps) -> None:
        """Copy the file step by step, each between two groups.

        Raises:
            Refusal: A copy is being made.
            NotStored: The disk refused, or the daemon stops.
        """
        if self._copying.locked():
            raise Refusal("a copy of the database is being made; wait for that one.", exit_code=75)
        async with self._copying:
            try:
                while not await self.aside(steps.step):
                    pass
            finally:
                await self._loop.run_in_executor(None, steps.abandon)

    # -- the group commit -----------------------------------------------------------------------

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
        if self.trouble.is_on:
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
                    self._trouble(error, 1)
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
            self._mind_the_log()
        # Last: from here on the loop uses the connection again.
        self._loop.call_soon_threadsafe(self._ended, failed)

    def _mind_the_log(self) -> None:
        if self._file.wal_is_long():
            with suppress(*SQLITE_ERRORS), self._readers_may_read:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _ended(self, failed: BaseException | None) -> None:
        """On the loop: tell everyone in the group, then go on."""
        if failed is not None:
            self._group_failed(failed)
        elif self.trouble.is_on and self._connection.total_changes != self._changes:
            self.trouble.passed()
        group, self._group = self._group, []
        for unit in group:
            error = unit.error if failed is None or is_own(unit.error) else failed
            if error is not None:
                if not unit.future.done():
                    unit.future.set_exception(as_ours(error))
                    unit.future.exception()  # whoever does not look, has been told by the log
                continue
            if unit.then is not None:
                try:
                    unit.then(unit.result)
                except Exception as surprise:  # noqa: BLE001 - it is on disk; the others go on
                    self._log.error("after_commit_failed", exc_info=surprise)
            if not unit.future.done():
                unit.future.set_result(unit.result)
        self._begin()

    def _group_failed(self, failed: BaseException) -> None:
        with suppress(*SQLITE_ERRORS):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._drop_caches()
        if isinstance(failed, SQLITE_ERRORS):
            self._trouble(failed, len(self._group))

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

    def _trouble(self, error: BaseException, count: int) -> None:
        self.trouble.happened(name_of(error), count)
        for mend in self._on_trouble:
            mend()

    def _drop_caches(self) -> None:
        for drop in self._on_failure:
            drop()
