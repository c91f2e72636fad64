"""What bringing a file up to date would do, found out by doing it to a copy of the file.

The copy holds words. So it lies in the folder of the file, for its owner alone, has no name while
it is worked on, and goes with this process.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from openparallax.errors import Refusal, StartError
from openparallax.storage import copies, room
from openparallax.storage.lock import Lock
from openparallax.storage.migrations import APPLICATION_ID, newest
from openparallax.storage.unit import SQLITE_ERRORS, name_of
from openparallax.storage.upgrading import bring_up_to_date, see_that_it_is_known

_PIECE_BYTES = 1024 * 1024
_HEADER = slice(60, 72)
"""The user version, four bytes that do not matter here, the application id; all big-endian.

Source: SQLite file format, "The Database Header"."""


class Rehearsal(NamedTuple):
    """What a start would do to a file.

    Attributes:
        before: The schema that it has.
        now: The schema that it would have; as before, if nothing is to be done.
        size: Of the file and its log, in bytes.
        copy: Where it would be kept as it is.
        room: Bytes that a start wants to have free beside it.
        free: Bytes that are free.
        seconds: How long the steps took on the copy, and the copying.
    """

    before: int
    now: int
    size: int
    copy: Path
    room: int
    free: int
    seconds: float


def schema_of(database: Path) -> int:
    """The schema that stands in the file's header; reads nothing else.

    Raises:
        Refusal: It is no database of ours, or cannot be read.
    """
    try:
        with database.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise Refusal(f"{database} cannot be read: {error.strerror}.") from None
    numbers = header[_HEADER]
    if not header.startswith(b"SQLite format 3\0") or _number(numbers[8:]) != APPLICATION_ID:
        raise Refusal(f"{database} is no database of OpenParallax.")
    return _number(numbers[:4])


def rehearse(
    database: Path,
    pieces: Iterable[bytes] | None = None,
    *,
    on_progress: Callable[[], None] = lambda: None,
) -> Rehearsal:
    """Find out what a start would do to a file; the file is not changed.

    Args:
        database: The file.
        pieces: Of it, as the daemon that has it hands it out; None: nobody has it.
        on_progress: Called about once a second while it takes its time.

    Raises:
        Refusal: It is none of ours or damaged; it is in use (75); there is no room, or the disk
            failed (75).
        StartError: It is a newer program's (78).
    """
    began = time.monotonic()
    before = schema_of(database)
    size = copies.size_of(database)
    scratch = copies.rehearsing(database)
    plan = Rehearsal(
        before=before,
        now=max(before, newest()),
        size=size,
        copy=copies.of_schema(database, before),
        # The copy that is kept; and the rows of the first schema are written anew.
        room=room.with_margin(size * (3 if before == 1 else 1)),
        free=room.free_in(database.parent),
        seconds=0.0,
    )
    if before == newest():
        return plan
    if before > newest():
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as file:
            see_that_it_is_known(file, database)
    try:
        room.check_room(database.parent, size)
        copies.remove(scratch)
        try:
            if pieces is None:
                _copy_alone(database, scratch)
            else:
                _write(scratch, pieces)
            now = _try(scratch, database, on_progress)
        finally:
            copies.remove(scratch)
    except room.NoRoomError as error:
        raise Refusal(f"the migration cannot be tried. {error}", exit_code=75) from None
    except OSError as error:
        raise Refusal(
            f"the migration of {database} could not be tried: {error.strerror}.", exit_code=75
        ) from None
    except SQLITE_ERRORS as error:
        raise Refusal(
            f"{database} cannot be brought up to date ({name_of(error)}): it is damaged, or the "
            "disk failed. It is unchanged."
        ) from None
    return plan._replace(now=now, seconds=time.monotonic() - began)


def _copy_alone(database: Path, scratch: Path) -> None:
    """Copy the file and its log byte by byte: SQLite would write the log home."""
    lock = Lock(database)
    try:
        lock.take()
    except StartError as error:
        raise Refusal(str(error), exit_code=75) from None
    try:
        _write(scratch, _read(copies.behind_links(database)))
        log = copies.log_of(database)
        if log.exists():
            _write(copies.log_of(scratch), _read(log))
    finally:
        lock.release()


def _try(scratch: Path, database: Path, on_progress: Callable[[], None]) -> int:
    with closing(sqlite3.connect(scratch, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # what is in the log comes in by that
        connection.execute("PRAGMA synchronous = OFF")
        copies.remove(scratch)
        see_that_it_is_known(connection, database)
        now = bring_up_to_date(connection, database, on_progress)
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise Refusal(f"{database} is damaged. It is unchanged; restore a backup.")
    return now


def _read(file: Path) -> Iterable[bytes]:
    with file.open("rb") as source:
        while piece := source.read(_PIECE_BYTES):
            yield piece


def _write(file: Path, pieces: Iterable[bytes]) -> None:
    descriptor = copies.create(file)
    with os.fdopen(descriptor, "wb") as out:
        for piece in pieces:
            out.write(piece)


def _number(four: bytes) -> int:
    return int.from_bytes(four, "big")
