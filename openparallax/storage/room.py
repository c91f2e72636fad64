"""Room on the disk: how much there is, and how much is asked for before it is used."""

import os
from pathlib import Path

from openparallax.errors import OpenParallaxError

MARGIN_BYTES = 32 * 1024 * 1024
"""Room that is to be left on the disk, beside what a copy needs."""


class NoRoomError(OpenParallaxError):
    """The disk has no room for a copy."""


def with_margin(count: int) -> int:
    """The room that is asked for where ``count`` bytes are to be written."""
    return count + count // 20 + MARGIN_BYTES


def free_in(folder: Path) -> int:
    """The bytes that may still be written in a folder.

    Raises:
        OSError: It cannot be asked.
    """
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def check_room(folder: Path, needed: int) -> None:
    """See that so many bytes can be written in ``folder``, and some more.

    Raises:
        NoRoomError: Says how much is needed and how much there is.
    """
    needed = with_margin(needed)
    free = free_in(folder)
    if free < needed:
        raise NoRoomError(
            f"{folder} has room for {_megabytes(free)}, and {_megabytes(needed)} are needed for a "
            "copy of the database. Make room and try again."
        )


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:,.0f} MB"
