"""The file while this process has it open: units of work, reads, and what takes its time.

Who writes, and what a group commit is: see `writer`. Reads have a connection and a thread of their
own. A reader keeps SQLite's log from being cut, so one that comes meanwhile is held back.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from openparallax.errors import NotStored, Refusal, StartError
from openparallax.logs import Logger
from openparallax.storage.file import DatabaseFile
from openparallax.storage.trouble import Trouble
from openparallax.storage.unit import SQLITE_ERRORS, Connection, Write, execute, name_of
from openparallax.storage.writer import Writer

__all__ = ["Connection", "Database", "Write", "execute"]

T = TypeVar("T")


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
        self._writer = Writer(trouble=self.trouble, log=log, mind_the_log=self._mind_the_log)
        self._readers_may_read = threading.Lock()
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
        connection = await self._loop.run_in_executor(None, self._file.open)
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
            await self._loop.run_in_executor(None, self._file.close, connection)
            raise
        self._writer.start(connection)

    async def close(self) -> None:
        """Finish what waits, write the log home and let the file go; may be called twice."""
        if self._writer.is_closing:
            return
        self._writer.is_closing = True
        async with self._copying:
            await self._writer.finished()
        await self._loop.run_in_executor(self._readers, self._reader.close)
        self._readers.shutdown()
        await self._writer.stop(self._file.close)

    # -- what others call -----------------------------------------------------------------------

    def announce(self, socket: Path | None) -> None:
        """Say where this process answers the command line, for `holder_of`; None: nowhere.

        Raises:
            OSError: It could not be written down.
        """
        self._file.lock.announce(socket)

    def on_failure(self, drop: Callable[[], None]) -> None:
        """Have ``drop`` called whenever a unit did not happen: caches must not know better."""
        self._writer.on_failure.append(drop)

    def on_trouble(self, mend: Callable[[], None]) -> None:
        """Have ``mend`` called when the disk refused.

        Words of what did not happen may be in the log all the same, so it is to be truncated.
        """
        self._writer.on_trouble.append(mend)

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
        return self._writer.unit(work, then)

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

        if self._writer.is_closing:
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
        return await self._writer.aside(work)

    async def truncate_log(self) -> bool:
        """Write the log home and cut it, so that deleted words are in no file; True if done."""
        return await self.aside(self._cut_log)

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

    # -- on the writer's thread -----------------------------------------------------------------

    def _cut_log(self, connection: Connection) -> bool:
        with self._readers_may_read:
            row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return bool(row[0] == 0)

    def _mind_the_log(self, connection: Connection) -> None:
        """Past its limit it is written home, whoever would read meanwhile."""
        if self._file.wal_is_long():
            with suppress(*SQLITE_ERRORS):
                self._cut_log(connection)
