"""A chat's lane: what of it waits, and what is answered together."""

from collections import deque
from collections.abc import Sequence
from enum import Enum
from itertools import islice
from typing import Protocol

from openparallax.model.envelope import Envelope, Errand

MOST_MESSAGES = 20
MOST_CHARACTERS = 16_000
DEATHS = 3
"""A turn found running after so many deaths of the process is not run again."""


class Taken(Enum):
    """What a turn did with the envelopes that it was given."""

    DONE = "done"
    HELD = "held"
    LATER = "later"
    ASIDE = "aside"
    """Nobody serves their number: left in the table, for a process that does."""


class TakeTurn(Protocol):
    """Answers the first of ``group`` and as many behind it as belong together."""

    async def __call__(
        self,
        group: Sequence[Envelope],
        *,
        deaths: int,
        is_cold: bool,
        waiting: int,
        window_until: int,
    ) -> tuple[Taken, int]:
        """Return what became of how many of them, counted from the first."""
        ...


class Lane:
    """What of one chat waits for its turn, in order; exists while something waits or runs."""

    __slots__ = (
        "answering",
        "chat",
        "is_late",
        "is_ready",
        "is_running",
        "rest_s",
        "surprises",
        "waiting",
        "window_until",
    )

    def __init__(self, chat: int) -> None:
        self.chat = chat
        self.waiting: deque[Envelope] = deque()
        self.is_running = False
        self.answering: set[int] = set()
        """What the running turn answers, less what is over meanwhile."""
        self.is_ready = False
        self.is_late = False
        """While it is ready: in which of the two lines it stands; see `ready`."""
        self.rest_s = 0.0
        """For how long it rests after the turn that runs, or ran last."""
        self.window_until = 0
        self.surprises = 0
        """How often in a row its turn broke in a way that nobody foresaw."""

    def add(self, envelope: Envelope) -> None:
        self.waiting.append(envelope)
        self.window_until = max(self.window_until, envelope.window_until)

    def group(self, *, coalesces: bool) -> list[Envelope]:
        """What is answered together: consecutive words of one session, within the borders.

        A turn that was claimed by an earlier process keeps the messages that it had.
        """
        head = self.waiting[0]
        group = [head]
        if head.errand is not Errand.TURN:
            return group
        was_claimed = head.turn == head.number
        characters = head.length
        for envelope in islice(self.waiting, 1, MOST_MESSAGES):
            characters += envelope.length
            if (
                envelope.errand is not Errand.TURN
                or envelope.session != head.session
                or (envelope.turn != head.turn if was_claimed else not coalesces)
                or characters > MOST_CHARACTERS
            ):
                break
            group.append(envelope)
        return group
