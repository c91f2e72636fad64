"""Graph as the programme has it: how each send to a person fares, and which statuses follow."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import aiohttp

from tests.fakes import behaviours
from tests.fakes.behaviours import Behaviour, Call
from tests.flow.kill.moods import HANG_S, MOODS, Attempt, Moods

LATE_S = 0.3
REFUSED: dict[str, Callable[[], Behaviour]] = {
    "slow: 190": lambda: behaviours.error(190, 401),
    "refused: 131026": lambda: behaviours.error(131026),
    "refused: 100": lambda: behaviours.error(100),
    "held: 131047": lambda: behaviours.error(131047),
}
STATUSES: dict[str, tuple[float, tuple[str, ...]]] = {
    # name: seconds until the first, and which
    "": (0.03, ("sent", "delivered")),
    "late": (2.5, ("sent", "delivered")),
    "twice": (0.03, ("sent", "sent", "delivered", "delivered", "read")),
    "backwards": (0.1, ("read", "delivered", "sent")),
    "failed": (0.1, ("sent", "failed:131026")),
    "never": (0.0, ()),
}


class ScriptedGraph(Moods):
    """Does what it was told, in this order, with the sends to each person; else all is well.

    Attributes:
        told: By parcel, the ids of its messages of which a status was acknowledged.
        failed: Parcels of which it was told that they failed after they were taken.
        token: The one that is good; what comes with another one goes nowhere.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        super().__init__(session, url, seed=0)
        self.token = token
        self._moods: dict[str, deque[str]] = {}
        self._fates: dict[str, deque[str]] = {}
        self.told: dict[int, set[str]] = {}
        self.failed: set[int] = set()

    def bid(self, number: str, mood: str, count: int) -> None:
        """The next sends to ``number`` fare so."""
        self._moods.setdefault(number, deque()).extend([mood] * count)

    def bid_statuses(self, number: str, fate: str, count: int) -> None:
        """The statuses of what is taken next for ``number`` are these."""
        self._fates.setdefault(number, deque()).extend([fate] * count)

    def go_down(self) -> None:
        """Nobody listens any more: what was to be answered later is not."""
        now = time.monotonic()
        for attempt in self.attempts:
            if attempt.answered is not None and attempt.answered > now:
                attempt.answered = None

    def _choose(self, call: Call, parcel: int) -> tuple[str, Behaviour, float]:
        if call.token != self.token:
            return "slow: 190", REFUSED["slow: 190"](), 0.0
        waiting = self._moods.get(call.to)
        mood = waiting.popleft() if waiting and not self.is_calm else "clean"
        late_s = HANG_S if mood.startswith("hangs") else LATE_S if mood.endswith("late") else 0.0
        behaviour = REFUSED[mood] if mood in REFUSED else MOODS[mood][1]
        return mood, behaviour(), late_s

    async def _report(self, attempt: Attempt) -> None:
        waiting = self._fates.get(attempt.call.to)
        fate = waiting.popleft() if waiting and not self.is_calm else ""
        delay_s, names = STATUSES[fate]
        await asyncio.sleep(delay_s)
        for name in names:
            await self._tell(attempt, name)

    def _note_status(self, attempt: Attempt, name: str) -> None:
        if name.startswith("failed"):
            self.failed.add(attempt.parcel)
        else:
            self.told.setdefault(attempt.parcel, set()).add(attempt.call.wamid)
