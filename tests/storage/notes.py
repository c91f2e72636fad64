"""A real database with one table to write to, looked at from outside, and what may befall it."""

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from openparallax.storage import Connection, Database
from tests.pipeline.doubles import RecordedLog

TABLES = """
CREATE TABLE notes (n INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT;
CREATE TABLE refused (n INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER everything_goes BEFORE INSERT ON refused
BEGIN SELECT RAISE(ROLLBACK, 'made up'); END;
CREATE TABLE promises (n INTEGER REFERENCES notes (n) DEFERRABLE INITIALLY DEFERRED) STRICT;
"""

Work = Callable[[Connection], object]


def note(n: int, size: int = 10) -> Work:
    """A unit that writes one row."""

    def work(connection: Connection) -> int:
        connection.execute("INSERT INTO notes VALUES (?, ?)", (n, "x" * size))
        return n

    return work


class Notes:
    """The database, `RecordedLog` and all, between ``async with`` and its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = RecordedLog()
        self.dropped = 0
        self.database = Database(path, log=self.log)

    async def __aenter__(self) -> Self:
        await self.database.open()
        self.database.on_failure(self._drop)
        self.connection = self.database._writer._connection
        self.connection.executescript(TABLES)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.database.close()

    def _drop(self) -> None:
        self.dropped += 1

    @property
    def on_disk(self) -> list[int]:
        """What another connection sees, which sees only what was committed."""
        with closing(sqlite3.connect(self.path)) as other:
            return [n for (n,) in other.execute("SELECT n FROM notes ORDER BY n")]

    @property
    def log_length(self) -> int:
        """Bytes of SQLite's log."""
        return Path(f"{self.path}-wal").stat().st_size

    async def together(self, *works: Work) -> list[object]:
        """Run ``works`` as units of one group; each one's result, or its error."""
        units = [self.database.unit(work) for work in works]
        return list(await asyncio.gather(*units, return_exceptions=True))

    @contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Every statement that the writing connection runs meanwhile."""
        seen: list[str] = []
        self.connection.set_trace_callback(seen.append)
        try:
            yield seen
        finally:
            self.connection.set_trace_callback(None)


def leave_pages(connection: Connection, pages: int | None) -> None:
    """Let the file grow by so many pages and no more; None: by as many as it likes."""
    (now,) = connection.execute("PRAGMA page_count").fetchone()
    most = 4_294_967_294 if pages is None else now + pages
    connection.execute(f"PRAGMA max_page_count = {most}")


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Have writes of this process beyond ``size`` bytes of a file fail, as on a broken disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Another program that writes and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
