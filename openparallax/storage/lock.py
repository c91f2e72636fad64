"""Who has the database: a lock file beside it, and in it how to reach whoever holds the lock."""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from openparallax.errors import Refusal, StartError
from openparallax.storage import copies

_TRIES = 5
_TRY_EVERY_S = 0.05
_MOST_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that has a database.

    Attributes:
        pid: Of the process; 0 if it has not said yet.
        socket: Where it answers the command line; None if it does not (yet), which is so of a
            command that works on the file itself.
    """

    pid: int
    socket: Path | None


def lock_path(database: Path) -> Path:
    """The lock file of a database."""
    return Path(f"{database}.lock")


def holder_of(database: Path) -> Holder | None:
    """Who has ``database`` now; None if nobody holds its lock.

    Raises:
        Refusal: It may not be known, for want of rights.
    """
    try:
        file = os.open(lock_path(database), os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Refusal(
            f"cannot look at {lock_path(database)}: {error.strerror}. "
            "Ask as the user whose daemon it is, or as root."
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _parse(os.pread(file, _MOST_BYTES, 0))
    finally:
        os.close(file)
    return None


class Lock:
    """The right to use a database, held by one process at a time."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._file: int | None = None

    def take(self) -> None:
        """Take it, and say which process has it.

        Whoever asks who holds it (`holder_of`) holds it for a moment, so this tries a few times.

        Raises:
            OSError: The lock file cannot be made.
            StartError: Another process has it.
        """
        path = lock_path(self._database)
        file = copies.open_own(path)
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if left:
                    time.sleep(_TRY_EVERY_S)
                    continue
                os.close(file)
                raise StartError(
                    f"another process is using {self._database}. Only one daemon may use a "
                    "database: stop the other one, or give this one its own storage.url.",
                    exit_code=75,
                ) from None
        self._file = file
        with suppress(OSError):  # a full disk is told of by whoever needs room on it
            os.ftruncate(file, 0)
            self.announce(None)

    def announce(self, socket: Path | None) -> None:
        """Say in the lock file where this process answers the command line.

        Raises:
            OSError: It could not be written.
        """
        if self._file is None:
            return
        told = {"pid": os.getpid(), "socket": None if socket is None else str(socket)}
        line = json.dumps(told).encode() + b"\n"
        os.pwrite(self._file, line, 0)
        # What may stand behind it for a moment is not read: one object is.
        os.ftruncate(self._file, len(line))

    def release(self) -> None:
        """Let another process have it; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _parse(written: bytes) -> Holder:
    try:
        told, _ = json.JSONDecoder().raw_decode(written.decode())
        pid, socket = told["pid"], told["socket"]
        if isinstance(pid, int) and (socket is None or isinstance(socket, str)):
            return Holder(pid, None if socket is None else Path(socket))
    except (ValueError, KeyError, TypeError):
        pass  # it has the lock, and is about to say so
    return Holder(0, None)
