"""What the bench starts, and the promise that nothing of it stays behind."""

import contextlib
import ctypes
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

_PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """The bench cannot go on; the message says why."""


class Processes:
    """Starts processes and ends each of them when the block is left, however it is left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The generator before what it measures, or it would complain.
        for process in reversed(self._started):
            kill(process)

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        core: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start ``argv``; what it prints goes to ``NAME.log`` in the bench's folder.

        It gets a session of its own, so that Ctrl-C reaches this process alone, which then ends
        the others in order.

        Args:
            core: The processor that it stays on, with all its threads; None: any.
        """

        def before() -> None:
            _die_with_parent()
            if core is not None:
                os.sched_setaffinity(0, {core})

        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                argv,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before,  # noqa: PLW1509 - this process has one thread
            )
        self._started.append(process)
        return process

    def ask(self, argv: Sequence[str], env: Mapping[str, str], text: str, timeout: float) -> str:
        """Run ``argv`` with ``text`` as its input and return what it writes to standard output.

        Raises:
            BenchError: It failed or took longer than ``timeout`` seconds.
        """
        process = subprocess.Popen(
            argv,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        )
        self._started.append(process)
        try:
            answer, _ = process.communicate(text.encode(), timeout=timeout)
        except subprocess.TimeoutExpired:
            raise BenchError(f"the load generator did not end within {timeout:.0f} s") from None
        if process.returncode:
            raise BenchError(f"the load generator failed with exit code {process.returncode}")
        return answer.decode()

    def log_of(self, name: str) -> str:
        """The end of what ``name`` printed."""
        return (self._folder / f"{name}.log").read_text("utf-8", "replace")[-2000:]

    def wait_healthy(
        self, process: subprocess.Popen[bytes], name: str, port: int, timeout: float = 180
    ) -> None:
        """Return when ``/healthz`` says ok.

        Raises:
            BenchError: The process ended, or did not answer in time; with the end of its log.
        """
        ends_at = time.perf_counter() + timeout
        while not is_healthy(port):
            if process.poll() is not None or time.perf_counter() > ends_at:
                raise BenchError(f"{name} did not start:\n{self.log_of(name)}")
            time.sleep(0.005)


def stop(process: subprocess.Popen[bytes], timeout: float = 20) -> None:
    """Ask ``process`` to end in order, and kill it where it does not in ``timeout`` seconds."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _die_with_parent() -> None:
    """Even a killed bench leaves nothing running (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def is_healthy(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def find_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def resident_mb(pid: int) -> float:
    """Resident memory, megabytes of 2**20 bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def find_cores() -> tuple[int, int] | None:
    """One processor for the server and another for the generator; None where there is but one."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[-1], cores[0]) if len(cores) > 1 else None


def sync_ms(folder: Path) -> float:
    """How long this disk takes to keep a page for good; a commit cannot be faster."""
    took = []
    path = folder / "sync"
    with path.open("wb") as file:
        for _ in range(50):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1e3)
    path.unlink()
    return statistics.median(took)
