"""Files that nobody has open: whether one is a whole database of ours, and putting it back."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from openparallax.errors import Refusal, StartError
from openparallax.storage import copies, room, telling
from openparallax.storage.database import Connection
from openparallax.storage.lock import Lock
from openparallax.storage.migrations import APPLICATION_ID, newest, what_is_foreign
from openparallax.storage.unit import name_of


def verify(path: Path) -> int:
    """See that a file is a whole database of ours; its schema.

    Reads all of it.

    Raises:
        Refusal: It is none, or it is damaged, or a newer OpenParallax made it, or somebody put
            into it what would be run by us.
    """
    try:
        if not path.is_file():
            raise Refusal(f"{path} is no file.")
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            return _verify(file, path)
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from None
    except sqlite3.Error as error:
        raise Refusal(f"{path} is no database, or is damaged ({name_of(error)}).") from None


def _verify(file: Connection, path: Path) -> int:
    (application,) = file.execute("PRAGMA application_id").fetchone()
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or version < 1:
        raise Refusal(f"{path} is no database of OpenParallax.")
    if version > newest():
        raise Refusal(
            f"{path} has schema {version}, this program knows {newest()}: it was made by a newer "
            "OpenParallax. Install that one, then restore."
        )
    # A file from elsewhere may have statements in it, which SQLite would run for us.
    file.execute("PRAGMA trusted_schema = OFF")
    if foreign := what_is_foreign(file):
        raise Refusal(
            f"{path} has something in it that OpenParallax did not make, or lacks something: "
            f"{', '.join(map(repr, foreign[:5]))}. It is not used; take another backup."
        )
    found = file.execute("PRAGMA quick_check(1)").fetchone()
    if found != ("ok",):
        raise Refusal(f"{path} is damaged. Take another backup.")
    return int(version)


class Restored(NamedTuple):
    """What became of the database that was there.

    Attributes:
        aside: Where it stands now; None if there was none.
        was_told: What it knows of privacy is known in the restored one (`telling`); False if it
            could not be read.
    """

    aside: Path | None
    was_told: bool


def restore(
    backup: Path, database: Path, *, on_progress: Callable[[], None] = lambda: None
) -> Restored:
    """Put a backup in the place of a database; whatever fails, the database stays as it was.

    What was there is kept beside it for a week, as one of the copies (`copies`).

    A restored file knows nothing of what came after it was made. So the daemon takes up what was
    unfinished then: messages that waited are answered, and parts that were being sent are sent,
    even if both happened since; nothing after a day, since the customer service window has closed.
    What was acknowledged to Meta since is not brought again, and not answered again if it is.
    Whoever is off the record in the file that is replaced is so in the restored one. Words that
    were forgotten since are back, since nobody remembers whose they were: forget them again. The
    mark of a running process in it is that of the time of the backup, which is treated as one
    that was killed at that moment.

    Args:
        backup: Is not changed.
        database: Where it is to stand; it need not exist.
        on_progress: Called about once a second.

    Returns:
        What became of the database that was there.

    Raises:
        Refusal: The backup is not usable; the database is in use (75); there is no room (75).
    """
    verify(backup)
    lock = Lock(database)
    try:
        database.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        lock.take()
    except StartError:
        raise Refusal(
            f"{database} is in use: stop the daemon (or the other command) first.", exit_code=75
        ) from None
    except OSError as error:
        raise Refusal(f"cannot write to {database.parent}: {error.strerror}.") from None
    try:
        new = copies.restoring(database)
        copies.remove_unfinished(database)
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as source:
            copies.make(source, database, new, on_progress=on_progress)
        was_told = not _is_lost(database) and (not database.exists() or telling.tell(database, new))
        aside = _move_aside(database)
        new.rename(database)
        copies.sync_folder(database.parent)
    except room.NoRoomError as error:
        raise Refusal(str(error), exit_code=75) from None
    except (OSError, sqlite3.Error) as error:
        name = name_of(error) if isinstance(error, sqlite3.Error) else error.strerror
        raise Refusal(f"{database} could not be replaced ({name}).", exit_code=75) from None
    finally:
        with suppress(OSError):
            copies.remove_unfinished(database)
        lock.release()
    return Restored(aside, was_told)


def _is_lost(database: Path) -> bool:
    """Whether one was here of which nothing is left, or no more than its log."""
    if database.exists():
        return database.stat().st_size == 0
    return copies.log_of(database).exists()


def _move_aside(database: Path) -> Path | None:
    """Have the present database under the name of a copy too, with its log written home."""
    if not database.exists():
        # SQLite would write a log that was left alone into the restored file.
        copies.remove(database)
        return None
    aside = copies.of_replaced(database, time.time())
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as present:
        # Closed as the last one, it deletes its log; a damaged file keeps it.
        present.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        present.execute("PRAGMA journal_mode = DELETE")
    # Both names until the other file takes the one over: at no time is there no database.
    try:
        os.link(database, aside)
    except OSError:
        shutil.copyfile(database, copies.unfinished(database))
        copies.unfinished(database).chmod(0o600)
        copies.unfinished(database).rename(aside)
    os.utime(aside)
    for end in ("-wal", "-shm"):
        # The log of one file would be written into the other.
        with suppress(FileNotFoundError):
            Path(f"{database}{end}").rename(f"{aside}{end}")
    return aside
