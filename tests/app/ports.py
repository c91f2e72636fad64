"""Ports for what a test starts, or starts again."""

import os
import random
import socket

_given: set[int] = set()
_WORKERS = 16


def free_port() -> int:
    """A port that nobody listens at, and that no other test is given.

    A daemon that is dead for a moment, or has not begun yet, does not hold its port. So none is
    given twice in this process, and each of several workers gives its own. They lie below those
    that systems give to clients: while nobody listens, one who tries again and again would one day
    be given that very port, and be connected with itself.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    dice = random.Random()  # noqa: S311 - two runs at once must not choose alike
    while True:
        port = dice.randrange(12_000 + worker, 30_000, _WORKERS)
        if port in _given:
            continue
        _given.add(port)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
