"""``python -m tests.torture.child serve -c FILE``: the daemon, with a clock that can be turned.

Nothing of the daemon is replaced, save two things. Its wall clock is ahead of the machine's by what
stands on the board, at every moment; so a jump reaches it while it runs, and a new process too. And
the waits of `SHORTER`, which would take most of a programme's time, are shorter. At its `points` it
dies when the board says so.
"""

import importlib
import os
import signal
import sys
import time

from tests.torture.board import Board, named
from tests.torture.points import install

SHORTER: dict[str, float] = {
    "app.house:SEND_GRACE_S": 1.0,
    "app.housekeeping:EVERY_S": 0.5,
    "dispatch.turn:LOST_AFTER_S": 1.5,
    "outbox.account:FIRST_PROBE_S": 1.0,
    "outbox.account:LONGEST_PROBE_S": 1.0,
    "outbox.account:LONGEST_SLOW_S": 1.0,
    "outbox.receipts:LATER_S": 1.0,
    "outbox.waits:LONGEST_BACKOFF_S": 2.0,
    "outbox.waits:LONGEST_UNREACHABLE_S": 0.5,
}
"""Constants of the daemon, in seconds; each is there, and longer, or the start fails."""


class MissingWaitError(Exception):
    """The daemon has no such constant any more; the message names it."""


def shorten() -> None:
    """Make the waits shorter.

    Raises:
        MissingWaitError: One is not there, or is no longer than it would become.
    """
    for place, seconds in SHORTER.items():
        module, _, name = place.partition(":")
        holder = importlib.import_module(f"openparallax.{module}")
        if getattr(holder, name, 0.0) <= seconds:
            raise MissingWaitError(f"{place} is not there, or no longer than {seconds} s")
        setattr(holder, name, seconds)


def turn_the_clock(board: Board) -> None:
    """Have the wall clock say what the board says."""
    from openparallax.clock import SystemClock  # noqa: PLC0415 - the daemon's, and only in its process

    def now(_self: SystemClock) -> float:
        return time.time() + board.ahead_s

    setattr(SystemClock, "now", now)  # noqa: B010 - mypy takes it for a change of type


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    board = Board(named(os.environ))
    install(board, _die)
    shorten()
    turn_the_clock(board)
    from openparallax.cli import main as openparallax  # noqa: PLC0415 - after it was wrapped

    sys.argv[0] = "openparallax"
    openparallax()


if __name__ == "__main__":
    main()
