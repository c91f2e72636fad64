"""Graph in memory, with the moods that the real one has."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from openparallax.graph.errors import classify
from openparallax.model.messages import DeliveryStatus
from openparallax.model.outcomes import Accepted, NotSent, Outcome, Refused, Unanswered
from tests.fakes.clock import TurnedClock

ACCOUNT = "1234567890123456"
OTHER = "9876543210987654"


@dataclass
class Sent:
    """One call of Graph.

    Attributes:
        outcome: What our side got to know; None while the answer is out.
        is_taken: Graph accepted it.
        told: States that Meta reported for it.
        account: Which of our numbers it came from.
    """

    number: int
    chat: str
    token: str
    is_taken: bool
    wamid: str
    at: float
    outcome: Outcome | None = None
    told: list[DeliveryStatus] = field(default_factory=list)
    account: str = ACCOUNT


class Graph:
    """Answers with the next mood: a code, or a word; accepts when there is none.

    Attributes:
        always: By one of our numbers or by a recipient, how each message of it fares.
    """

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self.moods: deque[int | str] = deque()
        self.always: dict[str, int | str] = {}
        self.calls: list[Sent] = []
        self.under_way: set[str] = set()
        self.most_under_way = 0
        self.hanging = 0
        self.released = asyncio.Event()

    async def send(self, *, phone_number_id: str, to: str, body: str, token: str) -> Outcome:
        assert phone_number_id in (ACCOUNT, OTHER)
        assert to not in self.under_way, "two sends to one person at once"
        mood = self._mood(phone_number_id, to)
        is_taken = mood in ("accept", "hang", "taken")
        number = int(body.split()[1])
        call = Sent(
            number,
            to,
            token,
            is_taken,
            f"wamid.{len(self.calls)}",
            self._clock.monotonic(),
            account=phone_number_id,
        )
        self.calls.append(call)
        self.under_way.add(to)
        self.most_under_way = max(self.most_under_way, len(self.under_way))
        try:
            if mood == "hang":
                self.hanging += 1
                try:
                    await self.released.wait()
                finally:
                    self.hanging -= 1
            else:
                await asyncio.sleep(0)
            call.outcome = _outcome(mood, call.wamid)
            return call.outcome
        finally:
            self.under_way.discard(to)

    def _mood(self, account: str, to: str) -> int | str:
        for name in (account, to):
            if name in self.always:
                return self.always[name]
        return self.moods.popleft() if self.moods else "accept"

    def release(self) -> None:
        """Answer what hangs."""
        self.released.set()
        self.released = asyncio.Event()


def _outcome(mood: int | str, wamid: str) -> Outcome:
    if isinstance(mood, int):
        return Refused(mood, classify(mood))
    if mood in ("taken", "not_taken"):
        return Unanswered("http_500")
    return NotSent("refused") if mood == "not_sent" else Accepted(wamid)
