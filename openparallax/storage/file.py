"""The file itself: locked for this process, opened with the right settings, closed tidily."""

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from openparallax.errors import OpenParallaxError, StartError
from openparallax.storage import copies
from openparallax.storage.lock import Lock
from openparallax.storage.migrations import APPLICATION_ID, is_ours
from openparallax.storage.unit import SQLITE_ERRORS
from openparallax.storage.upgrading import Upgraded, upgrade

WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""The log is cut back to this size when it has been written home."""

_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENFILE, errno.EMFILE})
"""Errors that may be gone the next time, without anybody's changing the configuration."""
_SETTINGS = (
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cache_size = -32000",
    "wal_autocheckpoint = 4000",
    f"journal_size_limit = {WAL_LIMIT_BYTES}",
)


class DatabaseFile:
    """One SQLite file that no other process of ours uses meanwhile.

    Attributes:
        path: Where it is.
        upgraded: What was done to a file of an older schema when it was opened, if it was one.
    """

    def __init__(self, path: Path, on_progress: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self.upgraded: Upgraded | None = None
        self._on_progress = on_progress
        self.lock = Lock(path)

    def open(self) -> sqlite3.Connection:
        """Lock, create or migrate the file and return the connection that writes.

        Raises:
            StartError: The folder or file cannot be used, another process has it, or it is no
                database of ours; the text says which and what to do.
        """
        try:
            self._prepare()
            return self._connect()
        except OpenParallaxError:
            self.release_lock()
            raise

    def _prepare(self) -> None:
        """Lock the file, and have it there as SQLite is to find it."""
        try:
            if not self.path.parent.exists():
                self.path.parent.mkdir(parents=True, mode=0o700)
            self.lock.take()
            copies.see_no_traps(self.path)
            copies.remove_unfinished(self.path)
            self._see_that_nothing_is_missing()
            if not self.path.exists():
                self._make()
            os.close(os.open(self.path, os.O_RDWR | os.O_CLOEXEC))  # no folder, and ours to write
            # SQLite gives the log and its index the mode of the file.
            self.path.chmod(0o600)
            copies.tidy(self.path)
        except OSError as error:
            raise StartError(
                f"storage.url: cannot use {self.path}: {error.strerror}",
                exit_code=75 if error.errno in _PASSING else 78,
            ) from None

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            # Before anything is changed, and switching to WAL already would be a change.
            if not is_ours(connection):
                connection.close()
                raise StartError(
                    f"storage.url: {self.path} is a database of another program. "
                    "It is left as it is; name another file.",
                    exit_code=78,
                )
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}")
            self.upgraded = upgrade(connection, self.path, self._on_progress)
            # A process that was killed may have left words in the log that were scrubbed since.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # From here on statements run on the loop and must not wait there for a lock.
            connection.execute("PRAGMA busy_timeout = 0")
        except (sqlite3.OperationalError, MemoryError) as error:
            raise self._not_now(error) from None
        except sqlite3.DatabaseError as error:
            raise StartError(
                f"storage.url: {self.path} cannot be opened as a database ({error}). "
                "It is left as it is; move it away or restore a copy.",
                exit_code=78,
            ) from None
        except OSError as error:
            raise StartError(
                f"storage.url: {self.path} could not be copied before it is brought up to date: "
                f"{error.strerror}. It is left as it is.",
                exit_code=75,
            ) from None
        return connection

    def _see_that_nothing_is_missing(self) -> None:
        """See that what is to be opened is not the rest of something that was lost.

        A file of ours is never empty (`_make`), and SQLite would delete a log that has no file.

        Raises:
            StartError: The file is empty, or not there and its log is.
        """
        size = self.path.stat().st_size if self.path.exists() else 0
        log = copies.log_of(self.path)
        if not size and log.exists() and log.stat().st_size:
            raise StartError(
                f"storage.url: {self.path} is {'empty' if self.path.exists() else 'not there'}, "
                f"and what was written last stands in {log.name} beside it. Put the file back, or "
                "restore a backup; to begin anew, move both away.",
                exit_code=78,
            )
        if not size and self.path.is_file():
            raise StartError(
                f"storage.url: {self.path} is empty, as no database of ours ever is. "
                "Restore a backup; to begin anew, delete it.",
                exit_code=78,
            )

    def _make(self) -> None:
        """Have an empty database there, whole or not at all, wherever this process dies.

        Raises:
            OSError: There is no room for it, or no right.
        """
        path = copies.behind_links(self.path)  # it may be behind one that leads nowhere yet
        if path.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        new = copies.unfinished(path)
        copies.remove(new)
        os.close(copies.create(new))
        try:
            with closing(sqlite3.connect(new)) as connection:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        except SQLITE_ERRORS as error:
            copies.remove(new)
            raise StartError(
                f"storage.url: {self.path} cannot be made now ({error or 'out of memory'}). "
                "See whether the disk is full.",
                exit_code=75,
            ) from None
        new.rename(path)
        copies.sync_folder(path.parent)

    def open_reader(self) -> sqlite3.Connection:
        """Another connection, which cannot write.

        Raises:
            StartError: It cannot be had now (75).
        """
        try:
            reader = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            reader.execute("PRAGMA query_only = ON")
            reader.execute("PRAGMA busy_timeout = 5000")
        except SQLITE_ERRORS as error:
            raise self._not_now(error) from None
        return reader

    def _not_now(self, error: BaseException) -> StartError:
        """The disk is full or fails, or somebody holds the file: it may work later."""
        return StartError(
            f"storage.url: {self.path} cannot be used now ({error or 'out of memory'}). "
            "See whether the disk is full or another program has the file open.",
            exit_code=75,
        )

    def close(self, connection: sqlite3.Connection) -> None:
        """Write the log home, close and unlock; the reader must be closed already."""
        with suppress(*SQLITE_ERRORS):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        self.release_lock()

    def wal_is_long(self) -> bool:
        """Whether the log has grown past its limit."""
        with suppress(OSError):
            return copies.log_of(self.path).stat().st_size > WAL_LIMIT_BYTES
        return False

    def release_lock(self) -> None:
        """Let another process have the file; may be called twice."""
        self.lock.release()
