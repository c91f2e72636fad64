"""What a transaction is made of: single statements, and units of work."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from openparallax.errors import NotStored, Stale

Connection = sqlite3.Connection


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
    return cast("str", getattr(error, "sqlite_errorname", type(error).__name__))


def is_own(error: BaseException | None) -> bool:
    """Whether a unit failed for its own sake before the group failed."""
    return error is not None and not isinstance(error, sqlite3.OperationalError)


def as_ours(error: BaseException) -> BaseException:
    """What a caller is told: an error of SQLite's becomes `NotStored`."""
    if isinstance(error, sqlite3.Error):
        return NotStored(f"the database refused ({name_of(error)})")
    return error
