"""Writing the files of a service, whole or not at all, and taking it back."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from openparallax.errors import Refusal

MARK: Final = "openparallax service install"
"""In every file that is written here, broken over lines or not."""
_OLDER: Final = "# OpenParallax as a system service"
"""How the unit began that was to be copied by hand."""
_MODE = 0o644
_CANNOT_CREATE = 1


@dataclass(slots=True)
class Placed:
    """What was put where, and what was there before.

    Attributes:
        before: Path -> the text that was there; None: nothing was.
        folders: Those that were made.
    """

    before: dict[Path, str | None] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)

    @property
    def new(self) -> list[Path]:
        return [path for path, text in self.before.items() if text is None]

    @property
    def changed(self) -> list[Path]:
        return [path for path, text in self.before.items() if text is not None]

    def take_back(self) -> None:
        """Put everything as it was; what cannot be put back is passed over."""
        for path, text in reversed(self.before.items()):
            with suppress(OSError):
                if text is None:
                    path.unlink()
                else:
                    _write(path, text)
        for folder in reversed(self.folders):
            with suppress(OSError):
                folder.rmdir()


def is_ours(text: str) -> bool:
    """Whether a file of this text was written here."""
    return MARK in " ".join(text.replace("#", " ").split()) or text.startswith(_OLDER)


def read(path: Path) -> str | None:
    """What is there; None if nothing is.

    Raises:
        Refusal: It cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refusal(f"{path} cannot be read: {why}.") from None


def place(texts: Mapping[Path, str]) -> Placed:
    """Write what is not there as it should be.

    Raises:
        Refusal: Something is in the way, or cannot be written; everything is as it was.
    """
    before = {path: read(path) for path in texts}
    foreign = [path for path, text in before.items() if text is not None and not is_ours(text)]
    if foreign:
        raise Refusal(
            f"{', '.join(map(str, foreign))}: is there and was not written by this command. Move it"
            " away (or what is your own in it into a drop-in: systemctl edit openparallax), and"
            " try again. Nothing was changed."
        )
    placed = Placed()
    try:
        for path, text in texts.items():
            if before[path] != text:
                _make_folders(path.parent, placed)
                _write(path, text)
                placed.before[path] = before[path]
    except OSError as error:
        placed.take_back()
        needs_root = " Is this root? Try sudo, or --user." if os.geteuid() else ""
        raise Refusal(
            f"{path} cannot be written: {error.strerror}. Nothing was changed.{needs_root}",
            exit_code=77 if needs_root else _CANNOT_CREATE,
        ) from None
    return placed


def _make_folders(folder: Path, placed: Placed) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o755)
        one.chmod(0o755)
        placed.folders.append(one)


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    with suppress(FileNotFoundError):
        part.unlink()
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        with os.fdopen(os.open(part, flags, _MODE), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), _MODE)
            os.fsync(file.fileno())
        part.rename(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
