"""Bringing an older file to today's schema: a copy first, then the steps, then what they left."""

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from openparallax import __version__
from openparallax.errors import StartError
from openparallax.storage import copies, meta, names, room
from openparallax.storage.migrations import migrate, newest

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
    version = see_that_it_is_known(connection, path)
    copy = None
    try:
        if 0 < version < newest():
            copy = copies.of_schema(path, version)
            copies.make(connection, path, copy, on_progress=on_progress)
        now = bring_up_to_date(connection, path, on_progress)
    except room.NoRoomError as error:
        raise StartError(
            f"storage.url: {path} is of an older OpenParallax and is copied before it is changed. "
            f"{error}",
            exit_code=75,
        ) from None
    meta.sign(connection)
    if copy is None:
        return None
    return Upgraded(version, now, time.monotonic() - began, copy)


def bring_up_to_date(
    connection: sqlite3.Connection, path: Path, on_progress: Callable[[], None]
) -> int:
    """Take the steps, and mend what they left; the schema that the file has then.

    Args:
        connection: To the file, or to a copy of it on which this is rehearsed.
        path: Of the file.
        on_progress: As for `upgrade`.

    Raises:
        NoRoomError: It is to be rewritten, and there is no room.
        sqlite3.Error: The disk is full, or the file is broken.
    """
    now = migrate(connection)
    _rewrite(connection, path, on_progress)
    connection.set_progress_handler(copies.ticking(on_progress), _STEPS_OF_SQLITE)
    try:
        names.put_in_place(connection)
    finally:
        connection.set_progress_handler(None, 0)
    return now


def see_that_it_is_known(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file's schema, which this program knows; 0 if it is new.

    Raises:
        StartError: It is a newer program's (78); says which one's, and the way back.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version <= newest():
        return int(version)
    raise StartError(f"storage.url: {_newer(connection, path, version)}", exit_code=78)


def _newer(connection: sqlite3.Connection, path: Path, version: int) -> str:
    try:
        program = meta.signature(connection)
    except sqlite3.Error:  # who knows what a later schema has made of it
        program = ""
    said = (
        f"{path} has schema {version}, and this program ({__version__}) knows {newest()}: it was "
        f"used by a newer OpenParallax{f', {program}' if program else ''}. Install that one again; "
        "the file is unchanged."
    )
    copy = copies.latest_of_schemas(path, newest())
    if copy is None:
        return f"{said} The other way back is a backup from before: openparallax restore FILE."
    at = datetime.fromtimestamp(copy.stat().st_mtime, UTC).astimezone()
    return (
        f"{said} The other way back is the copy that was kept of {at:%Y-%m-%d %H:%M}, without what "
        f"came since: openparallax restore {copy}"
    )


def _rewrite(connection: sqlite3.Connection, path: Path, on_progress: Callable[[], None]) -> None:
    """Make rows of the first schema as long as they will be, and leave no trace of moving them.

    Only so can they be scrubbed in their place; see ``0003_forgetting.sql``.
    """
    mark = "SELECT 1 FROM meta WHERE key = 'has_short_rows'"
    if connection.execute(mark).fetchone() is None:
        return
    room.check_room(path.parent, 2 * copies.size_of(path))
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
