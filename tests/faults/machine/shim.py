"""The test's side of ``shim.c``: which call of a running daemon fails, and how."""

import enum
import errno
import functools
import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FIELDS = (
    "calls",
    "files",
    "error",
    "first",
    "many",
    "seen",
    "failed",
    "sync_us",
    "clock_s",
    "no_names",
    "torn",
    "accept_error",
)
"""As in ``struct control``, eight bytes each."""
EVER = 1 << 60


class Call(enum.IntFlag):
    """What fails."""

    WRITE = 1
    SYNC = 2
    TRUNCATE = 4
    MAP = 8
    READ = 16
    OPEN = 32
    MALLOC = 64


class File(enum.IntFlag):
    """Whose calls; everything else below the folder is `OTHER`: copies, the lock."""

    DATABASE = 1
    WAL = 2
    INDEX = 4
    OTHER = 8
    ANY = 15


class Shim:
    """Faults of one daemon's machine; they hold for each process started with `environment`."""

    def __init__(self, library: Path, control: Path, below: Path) -> None:
        control.write_bytes(bytes(8 * len(_FIELDS)))
        with control.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), 0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAULTS_CONTROL": str(control),
            "FAULTS_BELOW": str(below),
        }

    def close(self) -> None:
        self._mapped.close()

    def _set(self, name: str, value: int) -> None:
        struct.pack_into("=q", self._mapped, 8 * _FIELDS.index(name), value)

    def _get(self, name: str) -> int:
        return int(struct.unpack_from("=q", self._mapped, 8 * _FIELDS.index(name))[0])

    # -- calls that fail ------------------------------------------------------------------------

    def arm(
        self,
        calls: Call,
        error: int = errno.EIO,
        *,
        files: File = File.ANY,
        first: int = 1,
        many: int = EVER,
        torn: bool = False,
    ) -> None:
        """From now on count ``calls``, and let ``many`` of them fail, beginning with ``first``.

        Args:
            torn: Half of a write that fails is written.
        """
        self.disarm()
        for name, value in (
            ("seen", 0),
            ("failed", 0),
            ("files", files),
            ("error", error),
            ("first", first),
            ("many", many),
            ("torn", torn),
            ("calls", calls),
        ):
            self._set(name, int(value))

    def disarm(self) -> None:
        """All calls work again."""
        self._set("calls", 0)

    @contextmanager
    def failing(
        self, calls: Call, error: int = errno.EIO, *, files: File = File.ANY, torn: bool = False
    ) -> Iterator[None]:
        """Every one of ``calls`` fails meanwhile."""
        self.arm(calls, error, files=files, torn=torn)
        try:
            yield
        finally:
            self.disarm()

    @property
    def failed(self) -> int:
        """How many calls have failed since `arm`."""
        return self._get("failed")

    @property
    def seen(self) -> int:
        """How many calls were counted since `arm`."""
        return self._get("seen")

    # -- the rest of the machine ----------------------------------------------------------------

    def slow_down(self, seconds: float) -> None:
        """Each sync takes so much longer, until another time is set; also those under way."""
        self._set("sync_us", round(seconds * 1_000_000))

    def set_clock(self, ahead_s: int) -> None:
        """The wall clock is so much ahead of ours."""
        self._set("clock_s", ahead_s)

    def take_names(self, *, are_gone: bool) -> None:
        """Whether no host's name can be looked up."""
        self._set("no_names", int(are_gone))

    def refuse_connections(self, error: int) -> None:
        """Each ``accept`` fails so; 0: they work."""
        self._set("accept_error", error)


@functools.cache
def library(folder: Path) -> Path:
    """Build it in ``folder``; skips the test where there is no compiler, save under CI."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no C compiler: faults of the machine cannot be made")
        pytest.skip("no C compiler")
    built = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(  # noqa: S603 - our own file
        [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", built, source, "-ldl"],
        check=True,
    )
    return built
