"""A machine of its own, booted with systemd, over this one's files: what it writes is in memory."""

import asyncio
import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

_BOOT: Final = Path(__file__).with_name("boot.sh")
SYSTEMD: Final = Path("/lib/systemd/systemd")
_INIT: Final = (
    *(str(SYSTEMD), "--system", "--unit=multi-user.target", "--show-status=no"),
    *("--log-target=journal", "--log-level=warning"),
)
_DIES_TOO: Final = ("setpriv", "--pdeathsig", "KILL")
"""With whoever runs the tests, however that ends."""
PATIENCE_S: Final = 180.0
"""For each single thing that has to come about, on a machine that does ten others."""
_CLONE_NEWNET: Final = 0x40000000
_Came = TypeVar("_Came")


def lacks(folder: Path) -> str | None:
    """What a machine of one's own wants and is not to be had here; None if all is there."""
    if os.geteuid() != 0:
        return "root"
    for tool in ("unshare", "nsenter", "mount", "pivot_root", "setpriv"):
        if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            return tool
    try:
        with _begun(folder, {}, "/bin/true") as process:
            code = process.wait(PATIENCE_S)
    except OSError as error:
        return f"a cgroup2 to write to ({error})"
    if code == 0:
        return None
    return f"the right to namespaces, overlays and mounts ({(folder / 'log').read_text().strip()})"


@contextmanager
def booted(folder: Path, bound: Mapping[Path, str] | None = None) -> Iterator["Booted"]:
    """Boot one; all that runs on it ends with the context.

    Args:
        folder: Where it is put together; a new one.
        bound: What of this machine's files is there elsewhere, to be read: from -> to.
    """
    with _begun(folder, bound or {}, *_INIT) as process:
        machine = Booted(process, folder / "log")
        machine.until_booted()
        yield machine


class Booted:
    """The machine."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def said(self) -> str:
        """What its process 1 said."""
        return self._log.read_text("utf-8", "replace").strip()

    @property
    def first(self) -> int:
        """Its process 1, as this machine counts."""
        pid = self._process.pid
        assert self._process.poll() is None, self.said
        [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(child)

    def run(
        self, *argv: str, said: str = "", timeout_s: float = PATIENCE_S, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it, as root and in a shell's usual surroundings."""
        usual = {
            "PATH": "/opt/openparallax/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
        }
        return subprocess.run(  # noqa: S603 - ours
            ["nsenter", "-t", str(self.first), "-a", "--", *argv],  # noqa: S607
            input=said,
            env=usual | variables,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def must(self, *argv: str, **more: Any) -> str:
        """Run what has to succeed; what it printed."""
        done = self.run(*argv, **more)
        assert done.returncode == 0, f"{argv}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def shell(self, line: str, **more: Any) -> str:
        """As `must`, a line of the shell."""
        return self.must("/bin/sh", "-euc", line, **more)

    def write(self, path: str, text: str, mode: str = "") -> None:
        """Write a file on it; without ``mode`` one that is there keeps its own."""
        self.shell(
            f"mkdir -p $(dirname {path}); cat >{path}; [ -z '{mode}' ] || chmod {mode} {path}",
            said=text,
        )

    def shown(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.must("systemctl", "show", unit, f"--property={name}", "--value")

    @contextmanager
    def loopback(self) -> Iterator["Callable[[Coroutine[Any, Any, _Came]], _Came]"]:
        """Runs coroutines to their ends, in a thread whose network is the machine's."""
        loop = asyncio.new_event_loop()
        with (
            Path(f"/proc/{self.first}/ns/net").open("rb") as network,
            ThreadPoolExecutor(1, initializer=_enter, initargs=(network.fileno(),)) as thread,
        ):
            running = thread.submit(loop.run_forever)
            try:
                yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result()
            finally:
                loop.call_soon_threadsafe(loop.stop)
                running.result()
                loop.close()

    def until_booted(self) -> None:
        """Wait until nothing is being started any more."""
        until = time.monotonic() + PATIENCE_S
        state = ""
        while state not in {"running", "degraded"}:
            assert time.monotonic() < until, f"it does not boot: {state}\n{self.said}"
            assert self._process.poll() is None, self.said
            time.sleep(0.1)
            with suppress(ValueError):  # its process 1 is on the way
                state = self.run("systemctl", "is-system-running").stdout.strip()


def _enter(network: int) -> None:
    """Have this thread, and those that it starts, stand in that network."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def _begun(
    folder: Path, bound: Mapping[Path, str], *init: str
) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(parents=True)
    lines = [f"{one} {other}\n" for one, other in bound.items()]
    (folder / "bound").write_text("".join(lines))
    cgroup = _cgroup2() / f"openparallax-tried-{os.getpid()}-{folder.name}"
    cgroup.mkdir()
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - ours
                [*_DIES_TOO, _BOOT, folder, cgroup, *init],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.kill()  # its process 1 is killed with it, and all others with that
            process.wait()
    finally:
        _remove(cgroup)


def _cgroup2() -> Path:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        about, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            return Path(about.split()[4])
    raise OSError("none is mounted")


def _remove(cgroup: Path) -> None:
    """Remove it with all in it, once those that ran in it have ended."""
    until = time.monotonic() + PATIENCE_S
    while "populated 1" in (cgroup / "cgroup.events").read_text():
        assert time.monotonic() < until, f"something still runs in {cgroup}"
        time.sleep(0.02)
    for folder, _, _ in os.walk(cgroup, topdown=False):
        os.rmdir(folder)  # noqa: PTH106 - of a walk
