"""How the daemon is started as a child: on a leash, so that it never outlives this process."""

import os
import sys
from collections.abc import Mapping, Sequence

from openparallax.build import is_one_file

HELD_BY = "OPENPARALLAX_HELD_BY"
"""Names, for the one-file program, the process without which the daemon is not to run: the leash is
put on by what that program does first (``scripts/binary_parts``)."""
PLUGINS = "OPENPARALLAX_PLUGINS"
"""Names folders of plugins to the one-file program; what is installed here is what dev's own daemon
is to find, whatever else of the environment is not handed on to it."""
_LEASH = """\
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent has gone")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Run before the daemon, in its process: it is killed when its parent dies, since one that hangs
would not heed another signal, and survives that as it does a power cut. What is asked for so
survives exec; a function between fork and exec would not be safe beside threads.

Source: prctl(2)."""


def leashed(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """What starts ``openparallax serve`` with ``arguments``: its argv, and its environment."""
    if is_one_file():
        return [sys.executable, "serve", *arguments], {**environment, **_of_one_file(environment)}
    # Modules are looked for where this process looks for them; without -P the folder that we
    # are in would come first.
    folder = [] if _is_searched(os.getcwd()) else ["-P"]  # noqa: PTH109 - compared as text
    argv = [sys.executable, *folder, "-m", "openparallax", "serve", *arguments]
    if sys.platform == "linux":
        argv = [sys.executable, "-ISc", _LEASH, str(os.getpid()), *argv]
    return argv, dict(environment)


def _of_one_file(environment: Mapping[str, str]) -> dict[str, str]:
    """Have the same program run where this process was unpacked, and as one process.

    Otherwise it would be unpacked again, and run by a loader that no leash of ours can hold.

    Source:
        PyInstaller 6, ``bootloader/src/pyi_main.c``: the process level; its manual, "Using
        LD_LIBRARY_PATH".
    """
    unpacked = str(sys._MEIPASS)  # type: ignore[attr-defined]  # noqa: SLF001 - PyInstaller's name
    libraries = environment.get("LD_LIBRARY_PATH")
    told = {
        HELD_BY: str(os.getpid()),
        "_PYI_ARCHIVE_FILE": sys.executable,
        "_PYI_APPLICATION_HOME_DIR": unpacked,
        "_PYI_PARENT_PROCESS_LEVEL": "1",
        "LD_LIBRARY_PATH": f"{unpacked}:{libraries}" if libraries else unpacked,
    }
    if libraries:
        told["LD_LIBRARY_PATH_ORIG"] = libraries
    if folders := os.environ.get(PLUGINS):
        told[PLUGINS] = folders
    return told


def _is_searched(folder: str) -> bool:
    return bool({"", folder} & set(sys.path))
