"""Bringing an older file to today's schema: a copy first, then the steps, then what they left."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from openparallax.errors import StartError
from openparallax.storage import copies, names
from openparallax.storage.migrations import migrate, newest, version_of

_ROWS_A_STEP = 5000
_STEPS_OF_SQLITE = 100_000


class Upgraded(NamedTuple):
    """What was done to a file.

    Attributes:
        before: The schema that it had.
        now: The schema that it has.
        seconds: How long it took.
        copy: Where the file stands as it was before.
    """

    before: int
    now: int
    seconds: float
    copy: Path


def upgrade(
    connection: sqlite3.Connection, path: Path, on_progress: Callable[[], None]
) -> Upgraded | None:
    """Make the schema today's; None if nothing was to be done, or the file is new.

    A file of an older schema is copied first. May be repeated after any failure.

    Args:
        connection: To the file, which no other process uses.
        path: Of the file.
        on_progress: Called about once a second while it takes its time.

    Raises:
        StartError: The file is a newer program's and is left as it is, or there is no room.
        sqlite3.Error: The disk is full, or the file is broken.
    """
    began = time.monotonic()
    version = version_of(connection)
    copy = None
    try:
        if 0 < version < newest():
            copy = copies.of_schema(path, version)
            copies.make(connection, path, copy, on_progress=on_progress)
        now = migrate(connection)
        _rewrite(connection, path, on_progress)
        connection.set_progress_handler(copies.ticking(on_progress), _STEPS_OF_SQLITE)
        try:
            names.put_in_place(connection)
        finally:
            connection.set_progress_handler(None, 0)
    except copies.NoRoomError as error:
        raise StartError(
            f"storage.url: {path} is of an older OpenParallax and is copied before it is changed. "
            f"{error}",
            exit_code=75,
        ) from None
    if copy is None:
        return None
    return Upgraded(version, now, time.monotonic() - began, copy)


def _rewrite(connection: sqlite3.Connection, path: Path, on_progress: Callable[[], None]) -> None:
    """Make rows of the first schema as long as they will be, and leave no trace of moving them.

    Only so can they be scrubbed in their place; see ``0003_forgetting.sql``.
    """
    mark = "SELECT 1 FROM meta WHERE key = 'has_short_rows'"
    if connection.execute(mark).fetchone() is None:
        return
    copies.check_room(path.parent, 2 * copies.size_of(path))
    tick = copies.ticking(on_progress)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM transcript").fetchone()
    for above in range(0, last, _ROWS_A_STEP):
        connection.execute(
            "UPDATE transcript SET hash = hash WHERE id > ? AND id <= ?",
            (above, above + _ROWS_A_STEP),
        )
        tick()
    connection.set_progress_handler(tick, _STEPS_OF_SQLITE)
    # A file may be larger than the memory; SQLite's own temporary file has no name.
    connection.execute("PRAGMA temp_store = FILE")
    try:
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.set_progress_handler(None, 0)
    connection.execute("DELETE FROM meta WHERE key = 'has_short_rows'")
