"""A copy of the file for elsewhere, made while it is in use; its check; and putting it back.

A backup is copied in steps by the connection that writes, each step between two groups. So nobody
waits longer than for a step, SQLite itself adds what is written meanwhile (a change by any other
connection would make it begin anew), no reader holds the log back, and the copy is the file as it
was at its end.
"""

import asyncio
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

from openparallax.errors import NotStored, Refusal, StartError
from openparallax.storage import copies
from openparallax.storage.database import Connection, Database
from openparallax.storage.lock import Lock
from openparallax.storage.migrations import APPLICATION_ID, newest
from openparallax.storage.unit import name_of

STEP_PAGES = 256
PIECE_BYTES = 1024 * 1024


class Backup:
    """A finished copy, read in pieces. It has no name, so that it goes with whoever reads it.

    Attributes:
        size: In bytes.
    """

    def __init__(self, file: int) -> None:
        self._file: int | None = file
        self._at = 0
        self.size = os.fstat(file).st_size

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._file is None:
            raise StopAsyncIteration
        piece = await asyncio.to_thread(os.pread, self._file, PIECE_BYTES, self._at)
        if not piece:
            self.close()
            raise StopAsyncIteration
        self._at += len(piece)
        return piece

    async def aclose(self) -> None:
        """Let the copy go; may be called twice."""
        self.close()

    def close(self) -> None:
        """Let the copy go; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()


async def make(database: Database) -> Backup:
    """Copy an open database; to be read in pieces.

    Raises:
        Refusal: The disk has no room (75), or failed.
        NotStored: The database was closed meanwhile.
    """
    path = copies.unfinished(database.path)
    try:
        copies.check_room(path.parent, copies.size_of(database.path))
        copies.remove(path)
        file = copies.create(path)
        try:
            try:
                target = copies.open_target(path)
            finally:
                path.unlink()  # from here on no crash leaves words behind
            steps = _Steps(target)
            try:
                await database.copy_to(steps)
            except NotStored:
                if steps.failed is not None:
                    raise steps.failed from None
                raise
            finally:
                await asyncio.to_thread(target.close)
            await asyncio.to_thread(copies.finish, file)
        except BaseException:
            os.close(file)
            raise
    except copies.NoRoomError as error:
        raise Refusal(str(error), exit_code=75) from None
    except (OSError, sqlite3.Error) as error:
        name = name_of(error) if isinstance(error, sqlite3.Error) else error.strerror
        raise Refusal(f"no copy of {database.path} could be made ({name})", exit_code=75) from None
    return Backup(file)


class _AbandonedError(Exception):
    """The copy is not wanted any more."""


class _Steps:
    """Copies step by step: SQLite's call runs on a thread, and waits for leave before each step.

    Attributes:
        failed: What was in the way.
    """

    def __init__(self, target: Connection) -> None:
        self._target = target
        self._leave = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._is_abandoned = False
        self._is_over = False
        self.failed: BaseException | None = None
        self._thread: threading.Thread | None = None

    def step(self, source: Connection) -> bool:
        """Copy some pages; True if that was all. Nothing else may use ``source`` meanwhile."""
        with self._lock:
            if self._is_abandoned:
                return True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(source,), name="backup")
                self._thread.start()
            self._leave.release()
        self._back.acquire()
        if self.failed is not None:
            raise self.failed
        return self._is_over

    def abandon(self) -> None:
        """End it; nothing uses ``source`` any more when this returns. May be called at any time."""
        with self._lock:
            self._is_abandoned = True
            self._leave.release()
        if self._thread is not None:
            self._thread.join()

    def _run(self, source: Connection) -> None:
        self._leave.acquire()
        try:
            source.backup(self._target, pages=STEP_PAGES, progress=self._wait, sleep=0.01)
        except _AbandonedError:
            pass
        except Exception as error:  # noqa: BLE001 - raised where the step was asked for
            self.failed = error
        self._is_over = True
        self._back.release()

    def _wait(self, _status: int, remaining: int, _total: int) -> None:
        if remaining == 0:
            return
        self._back.release()
        self._leave.acquire()
        if self._is_abandoned:
            raise _AbandonedError


# -- files that nobody has open -------------------------------------------------------------------


def verify(path: Path) -> int:
    """See that a file is a whole database of ours; its schema.

    Reads all of it.

    Raises:
        Refusal: It is none, or it is damaged, or a newer OpenParallax made it.
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
    found = file.execute("PRAGMA quick_check(1)").fetchone()
    if found != ("ok",):
        raise Refusal(f"{path} is damaged. Take another backup.")
    return int(version)


def restore(
    backup: Path, database: Path, *, on_progress: Callable[[], None] = lambda: None
) -> Path | None:
    """Put a backup in the place of a database; whatever fails, the database stays as it was.

    What was there is kept beside it for a week, as one of the copies (`copies`).

    A restored file knows nothing of what came after it was made. So the daemon takes up what was
    unfinished then: messages that waited are answered, and parts that were being sent are sent,
    even if both happened since; nothing after a day, since the customer service window has closed.
    What was acknowledged to Meta since is not brought again. Words that were forgotten since are
    back: forget them again. Whoever went off the record since is on it again in the restored file.
    The mark of a running process in it is that of the time of the backup, which is treated as one
    that was killed at that moment.

    Args:
        backup: Is not changed.
        database: Where it is to stand; it need not exist.
        on_progress: Called about once a second.

    Returns:
        Where the database that was there stands now; None if there was none.

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
        aside = _move_aside(database)
        new.rename(database)
        copies.sync_folder(database.parent)
    except copies.NoRoomError as error:
        raise Refusal(str(error), exit_code=75) from None
    except (OSError, sqlite3.Error) as error:
        name = name_of(error) if isinstance(error, sqlite3.Error) else error.strerror
        raise Refusal(f"{database} could not be replaced ({name}).", exit_code=75) from None
    finally:
        with suppress(OSError):
            copies.remove_unfinished(database)
        lock.release()
    return aside


def _move_aside(database: Path) -> Path | None:
    """Have the present database under the name of a copy too, with its log written home."""
    if not database.exists():
        return None
    aside = copies.of_replaced(database, time.time())
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as present:
        # Closed as the last one, it deletes its log; a damaged file keeps it.
        present.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        present.execute("PRAGMA journal_mode = DELETE")
    for end in ("-wal", "-shm"):
        # The log of one file would be written into the other.
        with suppress(FileNotFoundError):
            Path(f"{database}{end}").rename(f"{aside}{end}")
    # Both names until the other file takes the one over: at no time is there no database.
    try:
        os.link(database, aside)
    except OSError:
        shutil.copy2(database, aside)
    os.utime(aside)
    return aside
