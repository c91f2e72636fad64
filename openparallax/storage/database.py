"""The file, the one connection that writes, and the group commit.

A *unit of work* is a function that runs its statements on the writing connection. Units that wait
at the same time share one transaction, and as soon as one of them fails each has a savepoint. A unit has happened when, and only
when, an explicit COMMIT has returned; only then is its caller told.

Beware of SQLite here. FULL, IOERR and NOMEM may roll back the *whole* transaction, after which
releasing a savepoint would commit alone and a COMMIT would "succeed" with nothing in it. So after
every error the connection is asked whether the transaction is still open; if it is not, the whole
group has failed and everyone in it is told so. An error that leaves it open fails its unit alone.
"""

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from openparallax.errors import NotStored, OpenParallaxError, Stale, StartError
from openparallax.logs import Logger
from openparallax.storage.migrations import migrate

Connection = sqlite3.Connection
T = TypeVar("T")

GROUP_UNITS = 256
"""Most units in one commit, so that a flood cannot hold the loop for long."""
WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""Past this size of the log readers are held back until it has been written home."""
WAL_LOOK_EVERY = 64
"""Commits between two looks at the log's size."""


class Write(NamedTuple):
    """One statement of a transaction.

    Attributes:
        sql: With ``?`` for every value.
        values: In order.
        expect: Number of rows that must be changed; None for any.
    """

    sql: str
    values: tuple[Any, ...] = ()
    expect: int | None = None


class _Unit:
    """One unit of work and whom to tell."""

    __slots__ = ("error", "future", "result", "then", "work")

    def __init__(
        self,
        work: Callable[[Connection], Any],
        then: Callable[[Any], None] | None,
        future: "asyncio.Future[Any]",
    ) -> None:
        self.work = work
        self.then = then
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None


def execute(connection: Connection, write: Write) -> None:
    """Run one statement inside a unit.

    Raises:
        Stale: It changed another number of rows than ``write.expect``.
    """
    changed = connection.execute(write.sql, write.values).rowcount
    if write.expect is not None and changed != write.expect:
        raise Stale


class Database:
    """One SQLite file, owned by this process while it is open."""

    def __init__(self, path: Path, *, log: Logger) -> None:
        self.path = path
        self._log = log
        self._waiting: deque[_Unit] = deque()
        self._aside: deque[tuple[Callable[[Connection], Any], asyncio.Future[Any]]] = deque()
        self._group: list[_Unit] = []
        self._busy = False
        self._closing = False
        self._commits = 0
        self._on_failure: list[Callable[[], None]] = []
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._readers_may_read = threading.Lock()
        self._lock_file: int | None = None

    # -- opening and closing --------------------------------------------------------------------

    async def open(self) -> None:
        """Lock, create or migrate the file, and start the thread that commits.

        Raises:
            StartError: The folder or file cannot be used, another process has it, or it is no
                database of ours; the text says which and what to do.
        """
        self._loop = asyncio.get_running_loop()
        await self._loop.run_in_executor(None, self._open)
        self._readers = ThreadPoolExecutor(1, "reader", initializer=self._open_reader)
        self._thread = threading.Thread(target=self._run_jobs, name="writer", daemon=True)
        self._thread.start()

    def _open(self) -> None:
        try:
            if not self.path.parent.exists():
                self.path.parent.mkdir(parents=True, mode=0o700)
            self._take_lock()
            # SQLite gives the log and its index the mode of the file; so make the file first.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self.path.chmod(0o600)
        except OSError as error:
            raise StartError(
                f"storage.url: cannot use {self.path}: {error.strerror}", exit_code=78
            ) from None
        try:
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            for pragma in (
                "busy_timeout = 5000",
                "journal_mode = WAL",
                "synchronous = FULL",
                "secure_delete = ON",
                "temp_store = MEMORY",
                "cache_size = -16000",
                "wal_autocheckpoint = 4000",
                f"journal_size_limit = {WAL_LIMIT_BYTES}",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
            migrate(self._connection)
            # From here on statements run on the loop and must not wait there for a lock.
            self._connection.execute("PRAGMA busy_timeout = 0")
        except sqlite3.DatabaseError as error:
            self._release_lock()
            raise StartError(
                f"storage.url: {self.path} cannot be opened as a database ({error}). "
                "It is left as it is; move it away or restore a copy.",
                exit_code=78,
            ) from None
        except OpenParallaxError:
            self._release_lock()
            raise

    def _take_lock(self) -> None:
        lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise StartError(
                f"another process is using {self.path}. Only one daemon may use a database: "
                "stop the other one, or give this one its own storage.url.",
                exit_code=75,
            ) from None
        self._lock_file = lock

    def _release_lock(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _open_reader(self) -> None:
        self._reader = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._reader.execute("PRAGMA query_only = ON")
        self._reader.execute("PRAGMA busy_timeout = 5000")

    async def close(self) -> None:
        """Finish what waits, write the log home and let the file go; may be called twice."""
        if self._closing:
            return
        while self._busy or self._waiting or self._aside:
            await asyncio.sleep(0.001)
        self._closing = True
        await self._loop.run_in_executor(self._readers, self._close_reader)
        self._readers.shutdown()
        self._jobs.put(self._close)
        self._jobs.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    def _close_reader(self) -> None:
        self._reader.close()

    def _close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        self._release_lock()

    # -- what others call -----------------------------------------------------------------------

    def on_failure(self, drop: Callable[[], None]) -> None:
        """Have ``drop`` called whenever a unit did not happen: caches must not know better."""
        self._on_failure.append(drop)

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
        self._waiting.append(_Unit(work, then, future))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._begin)
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

        try:
            return await self._loop.run_in_executor(self._readers, locked)
        except sqlite3.Error as error:
            raise NotStored(f"the database could not be read ({_name(error)})") from None

    async def aside(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on the writer's thread between two groups; for what takes its time.

        Units wait meanwhile. ``work`` opens and closes its own transactions, if any.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._aside.append((work, future))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._begin)
        return await future

    async def truncate_log(self) -> bool:
        """Write the log home and cut it, so that deleted words are in no file; True if done."""

        def work(connection: Connection) -> bool:
            with self._readers_may_read:
                row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(row[0] == 0)

        return await self.aside(work)

    # -- the group commit -----------------------------------------------------------------------

    def _begin(self) -> None:
        """Start the next thing: what was asked to run aside, or a group of units."""
        if self._aside:
            work, future = self._aside.popleft()
            self._jobs.put(lambda: self._run_aside(work, future))
            return
        if not self._waiting:
            self._busy = False
            return
        count = min(len(self._waiting), GROUP_UNITS)
        self._group = [self._waiting.popleft() for _ in range(count)]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            # Perhaps somebody looks into the file with a tool of their own: wait on the thread.
            self._jobs.put(self._begin_patiently)
            return
        self._run_group()

    def _begin_patiently(self) -> None:
        failed: sqlite3.Error | None = None
        try:
            self._connection.execute("PRAGMA busy_timeout = 2000")
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            failed = error
        with suppress(sqlite3.Error):
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
            except sqlite3.Error as worse:
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
                try:
                    run("ROLLBACK TO unit")
                    run("RELEASE unit")
                except sqlite3.Error as worse:
                    self._ended(worse)
                    return
        self._jobs.put(self._commit)

    def _commit(self) -> None:
        """On the thread: the only place where a group becomes real."""
        failed: sqlite3.Error | None = None
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            failed = error
        self._commits += 1
        if self._commits % WAL_LOOK_EVERY == 0:
            self._mind_the_log()
        # Last: from here on the loop uses the connection again.
        self._loop.call_soon_threadsafe(self._ended, failed)

    def _mind_the_log(self) -> None:
        with suppress(OSError, sqlite3.Error):
            if Path(f"{self.path}-wal").stat().st_size > WAL_LIMIT_BYTES:
                with self._readers_may_read:
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _ended(self, failed: BaseException | None) -> None:
        """On the loop: tell everyone in the group, then go on."""
        if failed is not None:
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            self._drop_caches()
            if isinstance(failed, sqlite3.Error):
                self._log.error("storage_failed", reason=_name(failed), count=len(self._group))
        group, self._group = self._group, []
        for unit in group:
            error = unit.error if failed is None or _is_own(unit.error) else failed
            if error is not None:
                if not unit.future.done():
                    unit.future.set_exception(_as_ours(error))
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

    def _run_aside(self, work: Callable[[Connection], Any], future: "asyncio.Future[Any]") -> None:
        result: Any = None
        failed: Exception | None = None
        try:
            self._connection.execute("PRAGMA busy_timeout = 2000")
            result = work(self._connection)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            failed = error
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.execute("PRAGMA busy_timeout = 0")

        def tell() -> None:
            if not future.done():
                if failed is None:
                    future.set_result(result)
                else:
                    future.set_exception(_as_ours(failed))
            self._begin()

        self._loop.call_soon_threadsafe(tell)

    def _run_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _drop_caches(self) -> None:
        for drop in self._on_failure:
            drop()


def _name(error: BaseException) -> str:
    """SQLite's own name of the error, such as ``SQLITE_FULL``; never its text."""
    return cast("str", getattr(error, "sqlite_errorname", type(error).__name__))


def _is_own(error: BaseException | None) -> bool:
    """Whether a unit failed for its own sake before the group failed."""
    return error is not None and not isinstance(error, sqlite3.OperationalError)


def _as_ours(error: BaseException) -> BaseException:
    if isinstance(error, sqlite3.Error):
        return NotStored(f"the database refused ({_name(error)})")
    return error
