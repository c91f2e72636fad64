"""All of the files or none: written beside their places, then put there together."""

import contextlib
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from openparallax.errors import StartError
from openparallax.storage.copies import sync_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file as it is to be.

    Attributes:
        mode: Of a new one, and of one whose mode is not to be kept.
        keeps_mode: One that is there keeps its mode and whose it is.
        group: Of a new one; None: whoever runs this.
        folder_mode: Of a folder that has to be made for it.
        keeps_copy: What was there before is kept beside it.
    """

    path: Path
    text: str = field(repr=False)
    mode: int = 0o600
    keeps_mode: bool = False
    group: int | None = None
    folder_mode: int = 0o700
    keeps_copy: bool = True


@dataclass(slots=True)
class _Step:
    file: File
    beside: Path
    before: os.stat_result | None
    copy: Path | None = None
    is_done: bool = False


class Files:
    """Puts files in their places; what was there is kept in copies.

    Attributes:
        copies: What was replaced: place -> its copy.
    """

    def __init__(self, *files: File) -> None:
        self.copies: dict[Path, Path] = {}
        self._files = [_followed(file) for file in files]
        self._steps: list[_Step] = []
        self._folders: list[Path] = []

    def put(self, check: Callable[[], None]) -> None:
        """Write, then ``check``; if either raises, everything is as it was.

        Copies are ``NAME.1``, ``NAME.2`` ..., of mode 0600. A file that is the same already is left
        alone. An interrupt that comes meanwhile is passed over.

        Raises:
            StartError: It cannot be written (78; 75 where the disk has no room).
        """
        try:
            with _uninterrupted():
                try:
                    self._prepare()
                    for step in self._steps:
                        self._place(step)
                    for folder in {step.file.path.parent for step in self._steps}:
                        sync_folder(folder)
                    check()
                except BaseException:
                    self._undo()
                    raise
                self._keep_copies()
        except OSError as error:
            named = error.filename or (self._files[0].path if self._files else "")
            raise StartError(
                f"{named} cannot be written: {error.strerror}; nothing was changed",
                exit_code=75 if error.errno in {28, 122} else 78,
            ) from None

    def _prepare(self) -> None:
        for file in self._files:
            if _holds(file):
                continue
            self._make_folder(file)
            beside = file.path.with_name(f".{file.path.name}.{secrets.token_hex(4)}.new")
            before = file.path.stat() if file.path.exists() else None
            step = _Step(file, beside, before)
            self._steps.append(step)
            _write(beside, file.text)
            _set_mode(beside, file, before)
            if before is not None:
                # Also where none is to stay: until all is in place it is the way back.
                step.copy = _copy(file.path)

    def _place(self, step: _Step) -> None:
        step.beside.replace(step.file.path)
        step.is_done = True

    def _keep_copies(self) -> None:
        for step in self._steps:
            if step.copy is not None and step.file.keeps_copy:
                self.copies[step.file.path] = step.copy
            elif step.copy is not None:
                step.copy.unlink(missing_ok=True)

    def _make_folder(self, file: File) -> None:
        missing = []
        folder = file.path.parent
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(mode=file.folder_mode)
            self._folders.append(one)
            one.chmod(file.folder_mode)
            if file.group is not None:
                os.chown(one, -1, file.group)

    def _undo(self) -> None:
        for step in reversed(self._steps):
            with contextlib.suppress(OSError):
                step.beside.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                if step.is_done and step.copy is not None and step.before is not None:
                    step.copy.chmod(step.before.st_mode & 0o7777)
                    with contextlib.suppress(PermissionError):
                        os.chown(step.copy, step.before.st_uid, step.before.st_gid)
                    step.copy.replace(step.file.path)
                elif step.is_done:
                    step.file.path.unlink(missing_ok=True)
                elif step.copy is not None:
                    step.copy.unlink(missing_ok=True)
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _followed(file: File) -> File:
    """The file itself, where its place is a link to it.

    Raises:
        StartError: Somebody else made the link: it would lead root's hand anywhere.
    """
    if not file.path.is_symlink():
        return file
    if file.path.lstat().st_uid not in {0, os.geteuid()}:
        raise StartError(
            f"{file.path} is a link that another user has made: take it away; nothing was changed",
            exit_code=78,
        )
    return replace(file, path=file.path.resolve())


def _holds(file: File) -> bool:
    """Whether the file is there as it is to be, and for nobody else to read."""
    try:
        is_same = file.path.read_text("utf-8") == file.text
        mode = file.path.stat().st_mode & 0o7777
    except (OSError, ValueError):
        return False
    return is_same and (file.keeps_mode or mode == file.mode)


def _write(path: Path, text: str) -> None:
    with os.fdopen(
        os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb"
    ) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _set_mode(path: Path, file: File, before: os.stat_result | None) -> None:
    if before is not None and file.keeps_mode:
        with contextlib.suppress(PermissionError):
            os.chown(path, before.st_uid, before.st_gid)
        path.chmod(before.st_mode & 0o7777)
        return
    if file.group is not None:
        os.chown(path, -1, file.group)
    path.chmod(file.mode)


def _copy(path: Path) -> Path:
    """A copy beside it, for its owner alone, under the first number that is free."""
    number = 1
    while True:
        copy = path.with_name(f"{path.name}.{number}")
        try:
            made = os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            number += 1
            continue
        try:
            with os.fdopen(made, "wb") as target, path.open("rb") as source:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
        except BaseException:
            copy.unlink(missing_ok=True)
            raise
        return copy


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a signal that comes meanwhile come too late: all is in its place then, or as it was.

    Ignored and not blocked, since another thread would take what only this one blocks. Signals
    interrupt the main thread alone; elsewhere there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in stopping}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
