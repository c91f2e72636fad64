"""What a transaction is made of: single statements, and units of work."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from openparallax.errors import NotStored, Stale

Connection = sqlite3.Connection

SQLITE_ERRORS = (sqlite3.Error, MemoryError)
"""What the driver raises. Where SQLite finds no memory it is Python's own error, and like FULL and
IOERR it may have rolled the whole transaction back."""


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


class Unit:
    """One unit of work and whom to tell of it."""

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

    def tell(self, failed: BaseException | None) -> Exception | None:
        """Tell its caller how it ended.

        Args:
            failed: Why the whole group failed; None: it is on disk.

        Returns:
            What went wrong while that was being heard, which undoes nothing.
        """
        future = self.future
        error = self.error if failed is None or is_own(self.error) else failed
        if error is not None:
            if not future.done():
                future.set_exception(as_ours(error))
                future.exception()  # whoever does not look, has been told by the log
            return None
        surprise: Exception | None = None
        if self.then is not None:
            try:
                self.then(self.result)
            except Exception as raised:  # noqa: BLE001 - it is on disk, and the others go on
                surprise = raised
        if not future.done():
            future.set_result(self.result)
        return surprise


def execute(connection: Connection, write: Write) -> None:
    """Run one statement inside a unit.

    Raises:
        Stale: It changed another number of rows than ``write.expect``.
    """
    changed = connection.execute(write.sql, write.values).rowcount
    if write.expect is not None and changed != write.expect:
        raise Stale


def name_of(error: BaseException) -> str:
    """SQLite's own name of the error, such as ``SQLITE_FULL``; never its text."""
    if isinstance(error, MemoryError):
        return "SQLITE_NOMEM"
    return cast("str", getattr(error, "sqlite_errorname", type(error).__name__))


def is_disks(error: BaseException) -> bool:
    """Whether the disk, the file or the memory refused, and not what was to be written.

    Damage comes as the driver's general error; what a unit does wrong has a class of its own.
    """
    return (
        isinstance(error, (sqlite3.OperationalError, MemoryError))
        or type(error) is sqlite3.DatabaseError
    )


def is_own(error: BaseException | None) -> bool:
    """Whether a unit failed for its own sake before the group failed."""
    return error is not None and not is_disks(error)


def as_ours(error: BaseException) -> BaseException:
    """What a caller is told: an error of SQLite's becomes `NotStored`."""
    if isinstance(error, SQLITE_ERRORS):
        name = name_of(error)
        return NotStored(f"the database refused ({name})", reason=name)
    return error
