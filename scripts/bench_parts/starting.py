"""How long a server takes until it acknowledges, and what memory it takes."""

import socket
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench_parts.connections import HOST, is_ok, is_whole
from bench_parts.processes import BenchError


@dataclass(frozen=True)
class Footprint:
    """One server's; seconds, and megabytes of resident memory.

    Attributes:
        first_s: From its start until it acknowledged a message, once a start.
        idle_mb: With one message behind it, once a start.
        steps_mb: After each further step of contacts, each of whom wrote once.
    """

    first_s: list[float]
    idle_mb: list[float]
    steps_mb: list[float]


def per_thousand_mb(steps_mb: Sequence[float], contacts: int) -> float | None:
    """Growth for each thousand further contacts; None where there was but one step.

    The first step also holds what is made once (connections, caches), so it is what the others
    are counted from. Half of the steps may be odd: the median of them is taken.
    """
    grown = [after - before for before, after in pairwise(steps_mb)]
    return statistics.median(grown) * 1000 / contacts if grown else None


def wait_acknowledged(
    process: subprocess.Popen[bytes], port: int, request: bytes, timeout_s: float = 180
) -> None:
    """Return when ``request`` has been answered with 200.

    Raises:
        BenchError: The process ended, or did not answer in time.
    """
    ends_at = time.perf_counter() + timeout_s
    while not post(port, request):
        if process.poll() is not None:
            raise BenchError(f"a server ended with {process.returncode}")
        if time.perf_counter() > ends_at:
            raise BenchError(f"a server did not acknowledge within {timeout_s:.0f} s")
        time.sleep(0.002)


def post(port: int, request: bytes, timeout_s: float = 20) -> bool:
    """Send ``request`` on a connection of its own; whether it was answered with 200."""
    try:
        with socket.create_connection((HOST, port), timeout_s) as connection:
            connection.sendall(request)
            received = b""
            while not is_whole(received):
                data = connection.recv(65536)
                if not data:
                    return False
                received += data
            return is_ok(received)
    except OSError:
        return False
