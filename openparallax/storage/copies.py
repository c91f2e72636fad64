"""Whole copies of the file that lie beside it for a week: before a migration, before a restore.

They hold words, so what is forgotten is scrubbed in them too (`erasing`).
"""

import errno
import os
import re
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from openparallax.storage.room import check_room

KEPT_S = 7 * 86400
STEP_PAGES = 2048
PROGRESS_EVERY_S = 1.0
_KINDS = r"\.(?:schema-\d+|replaced-\d+)\.copy"


def of_schema(database: Path, version: int) -> Path:
    """Where the copy stands that was made when schema ``version`` was left."""
    return Path(f"{database}.schema-{version}.copy")


def latest_of_schemas(database: Path, newest: int) -> Path | None:
    """The copy of the highest schema up to ``newest`` that is kept; None if none is."""
    kept = {
        int(found[1]): one
        for one in all_of(database)
        if (found := re.search(r"\.schema-(\d+)\.copy$", one.name))
    }
    return max(((n, one) for n, one in kept.items() if n <= newest), default=(0, None))[1]


def of_replaced(database: Path, now: float) -> Path:
    """Where a database is to stand that gives way to a restored one at ``now``, unix seconds."""
    at = int(now)
    while (path := Path(f"{database}.replaced-{at}.copy")).exists():
        at += 1
    return path


def unfinished(database: Path) -> Path:
    """Where a copy stands while it is being made."""
    return Path(f"{database}.unfinished")


def restoring(database: Path) -> Path:
    """Where a restored database stands, whole, before it takes its place."""
    return Path(f"{database}.restoring")


def rehearsing(database: Path) -> Path:
    """Where a copy stands on which a migration is tried."""
    return Path(f"{database}.rehearsal")


def remove_unfinished(database: Path) -> None:
    """Delete what a process left that was killed while it made a copy; may be repeated.

    Nobody else may use the database meanwhile.
    """
    remove(unfinished(database))
    remove(restoring(database))
    remove(rehearsing(database))
    for copy in all_of(database):
        # Killed while one file took the other's place: both names are still the database's.
        if database.exists() and copy.samefile(database):
            for end in ("-wal", "-shm"):
                if not Path(f"{database}{end}").exists():
                    with suppress(FileNotFoundError):
                        Path(f"{copy}{end}").rename(f"{database}{end}")
            remove(copy)


def tidy(database: Path) -> None:
    """Let no words stand beside the copies: what was killed at work in one is undone.

    That is SQLite's doing as soon as a copy is opened that has a journal. What belongs to a copy
    that is there no more goes. May be repeated; nobody else may work with the copies meanwhile.
    """
    beside = re.compile(f"({re.escape(database.name)}{_KINDS})-(?:journal|wal|shm)")
    for file in sorted(database.parent.iterdir()):
        found = beside.fullmatch(file.name)
        if found is None:
            continue
        copy = file.with_name(found[1])
        if not copy.exists():
            file.unlink(missing_ok=True)
        elif file.name.endswith("-journal"):
            _roll_back(copy, file)


def _roll_back(copy: Path, journal: Path) -> None:
    was = copy.stat()
    # A copy that cannot be opened keeps it: whoever scrubs it finds that out, and says so.
    with suppress(sqlite3.Error):
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        # One that was not complete, and nothing of it in the copy yet, SQLite leaves there.
        journal.unlink(missing_ok=True)
    with suppress(OSError):  # somebody else's: it only counts as younger, and nothing waits for it
        os.utime(copy, (was.st_atime, was.st_mtime))


def all_of(database: Path) -> list[Path]:
    """Every copy of a database, by name."""
    ours = re.compile(re.escape(database.name) + _KINDS)
    return sorted(one for one in database.parent.iterdir() if ours.fullmatch(one.name))


def remove(copy: Path) -> None:
    """Delete a copy and what SQLite may have left beside it; may be repeated."""
    for end in ("-journal", "-wal", "-shm", ""):
        Path(f"{copy}{end}").unlink(missing_ok=True)


def remove_old(database: Path, now: float) -> list[Path]:
    """Delete the copies that are older than a week by their time of change; return them."""
    gone = []
    for copy in all_of(database):
        with suppress(FileNotFoundError):
            if now - copy.stat().st_mtime > KEPT_S:
                remove(copy)
                gone.append(copy)
    return gone


def behind_links(path: Path) -> Path:
    """The file itself; a link if links lead in a circle."""
    return Path(os.path.realpath(path))  # `resolve` raises there, until Python 3.13


def log_of(database: Path) -> Path:
    """Where SQLite has a database's log: beside the file itself, not beside a link to it."""
    return Path(f"{behind_links(database)}-wal")


def size_of(database: Path) -> int:
    """Bytes of a database and its log."""
    size = 0
    for file in (database, log_of(database)):
        with suppress(FileNotFoundError):
            size += file.stat().st_size
    return size


def make(
    source: sqlite3.Connection,
    database: Path,
    copy: Path,
    *,
    on_progress: Callable[[], None] = lambda: None,
) -> None:
    """Write what ``source`` shows to ``copy``, which is whole or as it was before.

    An older copy of that name is replaced: what lies in the database now is what its owner would
    want back.

    Args:
        source: Nobody else may write to its file meanwhile.
        database: Beside which the copy is to lie.
        copy: Its name.
        on_progress: Called about once a second while it takes its time.

    Raises:
        NoRoomError: The disk has no room for it.
        OSError: It could not be written.
        sqlite3.Error: The same.
    """
    (pages,) = source.execute("PRAGMA page_count").fetchone()
    (page_size,) = source.execute("PRAGMA page_size").fetchone()
    check_room(database.parent, pages * page_size)
    new = unfinished(database)
    remove(new)
    tick = ticking(on_progress)
    file = create(new)
    try:
        with closing(open_target(new)) as target:
            source.backup(target, pages=STEP_PAGES, progress=lambda *_: tick())
        finish(file)
        new.rename(copy)
    except BaseException:
        remove(new)
        raise
    finally:
        os.close(file)
    sync_folder(database.parent)


def create(path: Path) -> int:
    """Make an empty file that only its owner may read; its descriptor."""
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    give_to_owner_of(path.parent, file)
    return file


def open_own(path: Path) -> int:
    """Open a file of ours that stays, and make it where it is missing; its descriptor.

    Raises:
        OSError: It is a link, or no file, or a second name of somebody else's.
    """
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    file = os.open(path, flags, 0o600)
    try:
        _see_no_trap(os.fstat(file), path)
        give_to_owner_of(path.parent, file)
    except BaseException:
        os.close(file)
        raise
    return file


def see_no_traps(database: Path) -> None:
    """See that root, in the folder of another user, is not led elsewhere by a database's name.

    What it led to would become readable to that user, or be spoilt. Anybody else may have their
    database behind a link of their own.

    Raises:
        OSError: One of the database's names is a link, or no file, or of somebody else's.
    """
    if os.geteuid() != 0 or database.parent.stat().st_uid == 0:
        return
    for end in ("", "-wal", "-shm", "-journal"):
        path = Path(f"{database}{end}")
        with suppress(FileNotFoundError):
            _see_no_trap(path.lstat(), path)


def _see_no_trap(found: os.stat_result, path: Path) -> None:
    is_shared = found.st_nlink != 1 and found.st_uid != path.parent.stat().st_uid
    if not stat.S_ISREG(found.st_mode) or is_shared:
        raise OSError(errno.ELOOP, f"{path.name} is a link, or no file")


def give_to_owner_of(folder: Path, file: int) -> None:
    """What root makes in somebody's folder is theirs: their daemon is to open it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def open_target(path: Path) -> sqlite3.Connection:
    """A connection to write a copy through, which makes no other file beside it."""
    target = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    target.execute("PRAGMA journal_mode = OFF")
    target.execute("PRAGMA synchronous = OFF")
    target.execute("PRAGMA schema_version").fetchone()  # opens the file
    return target


def finish(file: int) -> None:
    """Have a copy on disk, as one file that needs no log beside it.

    Source:
        SQLite file format, "File format version numbers": 1 is a file with a rollback journal.
    """
    os.pwrite(file, b"\x01\x01", 18)
    os.fsync(file)


def sync_folder(folder: Path) -> None:
    """Have what was renamed in a folder on disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def ticking(on_progress: Callable[[], None]) -> Callable[[], None]:
    """To be called often; calls ``on_progress`` at once, and then about every second."""
    last = float("-inf")

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_EVERY_S:
            last = time.monotonic()
            on_progress()

    return tick
