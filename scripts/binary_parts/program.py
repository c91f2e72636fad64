"""The one-file program: what it does before it is the command ``openparallax``.

PyInstaller's loader unpacks such a program into a folder of its own below ``$TMPDIR``, and runs it
there in a second process, whose end the first one waits for, to delete the folder. Two processes
and a folder are what is minded here, so that to whoever starts it, it is one program.

Source:
    PyInstaller manual, "Run-time Information", "Using LD_LIBRARY_PATH", "How the One-File Program
    Works"; prctl(2); tmpfiles.d(5), "Age"; sd_watchdog_enabled(3).
"""

import ctypes
import fcntl
import os
import shutil
import signal
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

HELD_BY = "OPENPARALLAX_HELD_BY"
"""As `openparallax.app.dev.leash` has it."""
PLUGINS = "OPENPARALLAX_PLUGINS"
"""Names folders in which plugins were put by ``pip install --target``."""
LEFT_BEHIND_S = 3600
"""A folder that nobody holds is that of a killed process by then, not one just being unpacked."""
_PR_SET_PDEATHSIG = 1
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL and kin
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, BSD
)


def prepare(unpacked: Path) -> None:
    """Have the rest of the program find a process and a machine as it would without all this."""
    loader = os.getppid()
    holder = os.environ.pop(HELD_BY, "")
    if _is_ours(loader):
        _end_with(loader)  # and so dev's daemon ends with dev
        if os.environ.get("WATCHDOG_PID") == str(loader):
            os.environ["WATCHDOG_PID"] = str(os.getpid())
        _have_the_terminals_signals_once()
    if holder and holder != str(os.getppid()):
        sys.exit("the parent has gone")
    _give_back_environment()
    _hold(unpacked)
    _find_certificates()
    for folder in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
        sys.path.append(str(Path(folder).absolute()))


def _is_ours(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/exe").samefile(sys.executable)
    return False


def _have_the_terminals_signals_once() -> None:
    """Have Ctrl-C arrive once: the loader hands on what it gets, and a second one means "now".

    Who does not read from the terminal leaves its foreground, and hears of it by the loader alone.
    Who does has to stay there, and hears of it by itself. So that the loader's copy finds somebody
    else, it goes on in a child; the process that the loader knows hands on what nobody types.
    """
    reads = "--terminal" in sys.argv or sys.argv[1:2] not in (["serve"], ["dev"])
    if not reads or not os.isatty(0):
        with suppress(OSError):
            os.setpgid(0, 0)
        return
    known = os.getpid()
    reader = os.fork()
    if reader:
        _stand_in_for(reader)
    _end_with(known)


def _stand_in_for(reader: int) -> NoReturn:
    """Hand on what is sent to this process, but for what is typed; and end as the reader does."""
    for typed in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(typed, signal.SIG_IGN)
    for sent in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(sent, lambda number, _frame: os.kill(reader, number))
    _, status = os.waitpid(reader, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _end_with(parent: int) -> None:
    """Be killed when the parent is: what is killed cannot hand its end on."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent has gone")


def _give_back_environment() -> None:
    """What the daemon starts (an alert's command, a browser) is to load its own libraries.

    And if that is this program again, it is to be one of its own, which may outlive us.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]


def _hold(unpacked: Path) -> None:
    """Keep what tidies temporary folders away from ours, and tidy up behind who was killed."""
    with suppress(OSError):
        # As long as this process lives: the descriptor is never closed.
        fcntl.flock(_opened(unpacked), fcntl.LOCK_SH)
    with suppress(OSError):
        for folder in unpacked.parent.glob("_MEI*"):
            if folder != unpacked and (folder / "openparallax").is_dir():
                _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):
        found = folder.lstat()
        if found.st_uid != os.geteuid() or time.time() - found.st_mtime < LEFT_BEHIND_S:
            return
        held = _opened(folder)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(held)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _find_certificates() -> None:
    """Trust what this machine trusts: OpenSSL looks where the machine that built it has them."""
    usual = ssl.get_default_verify_paths()
    if usual.cafile or (usual.capath and any(Path(usual.capath).glob("*.0"))):
        return
    for file in _CERTIFICATES:
        if Path(file).is_file():
            os.environ.setdefault("SSL_CERT_FILE", file)
            return


if __name__ == "__main__":
    prepare(Path(sys._MEIPASS))  # type: ignore[attr-defined]  # noqa: SLF001 - PyInstaller's name
    from openparallax.cli import main

    main(prog_name="openparallax")
