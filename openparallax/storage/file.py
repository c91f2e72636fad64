"""The file itself: locked for this process, opened with the right settings, closed tidily."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from openparallax.errors import OpenParallaxError, StartError
from openparallax.storage import copies
from openparallax.storage.lock import Lock
from openparallax.storage.migrations import is_ours
from openparallax.storage.upgrading import Upgraded, upgrade

WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""The log is cut back to this size when it has been written home."""

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
            if not self.path.parent.exists():
                self.path.parent.mkdir(parents=True, mode=0o700)
            self.lock.take()
            # SQLite gives the log and its index the mode of the file; so make the file first.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self.path.chmod(0o600)
            copies.remove_unfinished(self.path)
            copies.tidy(self.path)
        except OSError as error:
            self.release_lock()
            raise StartError(
                f"storage.url: cannot use {self.path}: {error.strerror}", exit_code=78
            ) from None
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
        except sqlite3.OperationalError as error:
            # The disk is full or fails, or somebody holds the file: it may work later.
            self.release_lock()
            raise StartError(
                f"storage.url: {self.path} cannot be used now ({error}). "
                "See whether the disk is full or another program has the file open.",
                exit_code=75,
            ) from None
        except sqlite3.DatabaseError as error:
            self.release_lock()
            raise StartError(
                f"storage.url: {self.path} cannot be opened as a database ({error}). "
                "It is left as it is; move it away or restore a copy.",
                exit_code=78,
            ) from None
        except OSError as error:
            self.release_lock()
            raise StartError(
                f"storage.url: {self.path} could not be copied before it is brought up to date: "
                f"{error.strerror}. It is left as it is.",
                exit_code=75,
            ) from None
        except OpenParallaxError:
            self.release_lock()
            raise
        return connection

    def open_reader(self) -> sqlite3.Connection:
        """Another connection, which cannot write."""
        reader = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        reader.execute("PRAGMA query_only = ON")
        reader.execute("PRAGMA busy_timeout = 5000")
        return reader

    def close(self, connection: sqlite3.Connection) -> None:
        """Write the log home, close and unlock; the reader must be closed already."""
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        self.release_lock()

    def wal_is_long(self) -> bool:
        """Whether the log has grown past its limit."""
        with suppress(OSError):
            return Path(f"{self.path}-wal").stat().st_size > WAL_LIMIT_BYTES
        return False

    def release_lock(self) -> None:
        """Let another process have the file; may be called twice."""
        self.lock.release()
