"""Where the daemon's state lies between two runs: a folder of its own, for one run at a time."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from openparallax.errors import Refusal, StartError
from openparallax.storage import holder_of

_COPY = r"(\.schema-\d+\.copy|\.replaced-\d+\.copy|\.unfinished|\.restoring)"
_OURS = re.compile(
    rf"config\.yaml|daemon\.log|control\.sock|openparallax\.db(\.lock|{_COPY}?(-journal|-wal|-shm)?)"
)
"""What a run, or the daemon that it ran, made there: all that may be deleted."""
LEAST_ROOM = 2 * 1024 * 1024
"""Bytes; a database without words in it is half of that."""
_PLACE = re.compile(r"own-[0-9a-f]{12}")
"""The place of a person's configuration, which lies in that of the runs without one."""


class Folder:
    """The folder of a run; `taken` takes one.

    Attributes:
        path: Nobody but its owner may enter it.
    """

    def __init__(self, path: Path, lock: int | None) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.database = path / "openparallax.db"
        self.log = path / "daemon.log"
        self._lock = lock

    def empty(self) -> None:
        """Delete what runs made there, and nothing else.

        Raises:
            StartError: A daemon works with it (75), or something of it cannot be deleted.
        """
        try:
            holder = holder_of(self.database)
        except Refusal as refusal:
            raise StartError(str(refusal), exit_code=78) from None
        if holder is not None:
            raise StartError(
                f"process {holder.pid} works with {self.database}: stop it first", exit_code=75
            )
        try:
            for one in self.path.iterdir():
                if _OURS.fullmatch(one.name) and not one.is_dir():
                    one.unlink()
        except OSError as error:
            raise _unusable(self.path, error) from None

    def write(self, path: Path, text: str) -> None:
        """Write a file that only its owner may read, in place of the one before.

        Raises:
            StartError: It cannot be written.
        """
        try:
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(text)
        except OSError as error:
            raise _unusable(self.path, error) from None

    def begin_log(self) -> None:
        """Let the log be empty, and of nobody else's to read.

        Raises:
            StartError: It cannot be written; or there is so little room on its disk that the daemon
                would end without being able to say why.
        """
        if shutil.disk_usage(self.path).free < LEAST_ROOM:
            raise StartError(f"{self.path}: there is no room left on its disk", exit_code=75)
        self.write(self.log, "")

    def announce(self, url: str) -> None:
        """Say in the lock file where the page is, for whoever comes second."""
        if self._lock is not None:
            line = json.dumps({"pid": os.getpid(), "url": url}).encode()
            with contextlib.suppress(OSError):  # a full disk is told of by whoever needs room on it
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, line, 0)


def place(environment: Mapping[str, str], config: Path | None) -> Path:
    """Where the state of a run belongs; each configuration of a person has a place of its own.

    Raises:
        StartError: There is no home folder to put it in, or ``config`` is a link without an end.
    """
    named = Path(environment.get("XDG_STATE_HOME", ""))
    if not named.is_absolute():  # XDG: a relative one is ignored
        home = environment.get("HOME")
        if not home:
            raise StartError("there is no home folder to keep state in: set HOME", exit_code=78)
        named = Path(home) / ".local" / "state"
    found = named / "openparallax" / "dev"
    if config is None:
        return found
    try:
        named = config.resolve()
    except (OSError, RuntimeError):  # a loop of links; RuntimeError below Python 3.13
        raise StartError(f"{config}: its links lead nowhere", exit_code=78) from None
    return found / ("own-" + hashlib.sha256(os.fsencode(named)).hexdigest()[:12])


@contextlib.contextmanager
def taken(path: Path) -> Iterator[Folder]:
    """The folder at ``path``, made where it is missing, and nobody else's meanwhile.

    Raises:
        StartError: Another run has it (75), or it cannot be used (78).
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _see_whose(path)
        path.chmod(0o700)
        # No link: what it led to would be emptied.
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(path / "lock", flags, 0o600)
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(_other(path, os.pread(lock, 4096, 0)), exit_code=75) from None
        with contextlib.suppress(OSError):
            os.ftruncate(lock, 0)
        yield Folder(path, lock)
    finally:
        os.close(lock)


@contextlib.contextmanager
def temporary() -> Iterator[Folder]:
    """A fresh folder that is gone afterwards, with all that is in it."""
    path = Path(tempfile.mkdtemp(prefix="openparallax-dev-"))
    try:
        yield Folder(path, None)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _see_whose(path: Path) -> None:
    """See that the folder is one of runs, and this user's: files in it are replaced and deleted.

    Raises:
        StartError: It is not.
    """
    names = {one.name for one in path.iterdir()}
    if path.stat().st_uid != os.geteuid():
        why = "belongs to another user"
    elif "lock" not in names and any(not _PLACE.fullmatch(name) for name in names):
        why = "has files in it that are not of openparallax dev"
    else:
        return
    raise StartError(f"{path} {why}: move it, or set XDG_STATE_HOME to another place", exit_code=78)


def _other(path: Path, written: bytes) -> str:
    said = f"another openparallax dev is up, with its state in {path}"
    try:
        told = json.loads(written)
        said += f" (process {int(told['pid'])}): its page is at {told['url']}"
    except (ValueError, KeyError, TypeError):
        pass  # it is about to say so
    return (
        f"{said}. Stop it, or give this one a state of its own by setting XDG_STATE_HOME, and"
        " ports of its own with --port, --webhook-port and --admin-port."
    )


def _unusable(path: Path, error: OSError) -> StartError:
    return StartError(f"{path} cannot be used: {error.strerror}", exit_code=78)
