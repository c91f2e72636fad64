"""Disks that are small, read-only or full: real ones, in memory, mounted where a test says.

Mounts need rights. ``scripts/faults`` gives the tests mounts of their own where the machine allows
that; elsewhere what needs them is skipped, and `shim` plays the disk's part.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

needs_mounts = pytest.mark.skipif(
    os.environ.get("OPENPARALLAX_OWN_MOUNTS") != "1",
    reason="no mounts of our own here: run by scripts/faults, as root or with user namespaces",
)
_PIECE = 4096


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """``folder`` is a disk of that size meanwhile."""
    folder.mkdir(exist_ok=True)
    options = f"size={kilobytes}k,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "faults", folder], check=True)  # noqa: S603, S607
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607


def remount(folder: Path, *, is_read_only: bool) -> None:
    """Take the right to write to the disk, or give it back; no file of it may be open meanwhile."""
    how = "ro" if is_read_only else "rw"
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)  # noqa: S603, S607


def fill(folder: Path, *, but: int = 0) -> None:
    """Leave no room on its disk, ``but`` so many bytes."""
    with (folder / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(_PIECE))
    if but:
        os.truncate(folder / "ballast", max(0, (folder / "ballast").stat().st_size - but))


def make_room(folder: Path) -> None:
    """Delete what `fill` wrote."""
    (folder / "ballast").unlink()
