"""Graph's moods, what it did with each attempt, and the statuses that it reports."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import aiohttp

from tests.fakes import behaviours as graph
from tests.fakes import meta
from tests.fakes.behaviours import Behaviour, Call
from tests.flow.kill.crowd import until_taken
from tests.flow.kill.people import dice_of

GRAPH_TIMEOUT_S = 2.0
HANG_S = 3.0
"""Longer than a send waits for its answer."""

MOODS: dict[str, tuple[float, Callable[[], Behaviour]]] = {
    # name: weight, behaviour; what is clean tells the sender for sure what became of the message
    "clean": (55, graph.ok),
    "clean, late": (15, graph.ok),
    "cut after": (6, graph.cut_after_accepting),
    "cut before": (3, graph.cut_before_accepting),
    "500 after": (5, graph.http_500_after_accepting),
    "500 before": (3, graph.http_500_before_accepting),
    "hangs after": (1.5, graph.ok),
    "hangs before": (0.5, graph.http_500_before_accepting),
    "cut after, late": (2, graph.cut_after_accepting),
    "slow: pair": (3, lambda: graph.error(131056)),
    "slow: number": (0.5, lambda: graph.error(130429)),
    "perhaps: 131000": (1.5, lambda: graph.error(131000, 500)),
    "perhaps: 1": (1.5, lambda: graph.error(1)),
}


@dataclass(slots=True)
class Attempt:
    """One send that arrived.

    Attributes:
        parcel: Which of the daemon's parcels it is, by what it carries.
        mood: What became of it, a name of this module's table.
        answered: When a clean answer went out, monotonic seconds; None where there was none.
        told: When a status of it was first acknowledged.
    """

    call: Call
    parcel: int
    is_taken: bool
    mood: str
    answered: float | None
    told: float | None = None

    @property
    def at(self) -> float:
        return self.call.at

    @property
    def is_slow(self) -> bool:
        """Refused for a rate or for the account, so known not to have been sent."""
        return self.mood.startswith("slow")

    @property
    def is_refused(self) -> bool:
        """Refused for a reason after which it is over, or waits for the person's next message."""
        return self.mood.startswith(("refused", "held"))

    @property
    def slows_all(self) -> bool:
        """Refused for what holds for the whole number, which a new process does not know of."""
        return self.mood.startswith("slow") and self.mood != "slow: pair"


class Moods:
    """Decides for a `FakeGraph`, by dice; keeps every attempt.

    Attributes:
        attempts: In the order of their arrival.
        is_calm: From now on all is taken and answered at once.
        when_arrived: Called as soon as a send has arrived, before it is answered.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, seed: int) -> None:
        self._session = session
        self._url = url
        self._dice = dice_of(seed, "moods")
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: dict[int, int] = {}
        self.attempts: list[Attempt] = []
        self.is_calm = False
        self.when_arrived: Callable[[], None] = _nothing

    @property
    def untold(self) -> int:
        """How many attempts have statuses that were not acknowledged yet."""
        return len(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def plan(self, call: Call) -> Behaviour:
        """What Graph does with a call; its plan."""
        parcel = int(call.callback.partition(".")[0] or "0", 16)
        mood, behaviour, late_s = self._choose(call, parcel)
        self._seen[parcel] = self._seen.get(parcel, 0) + 1
        if late_s:
            answers = asyncio.Event()
            asyncio.get_running_loop().call_later(late_s, answers.set)
            behaviour = replace(behaviour, waits_for=answers)
        answered = call.at + late_s if mood.startswith("clean") else None
        attempt = Attempt(call, parcel, behaviour.accepts, mood, answered)
        self.attempts.append(attempt)
        self.when_arrived()
        if attempt.is_taken:
            task = asyncio.create_task(self._report(attempt))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return behaviour

    def _choose(self, call: Call, parcel: int) -> tuple[str, Behaviour, float]:
        if self.is_calm:
            return "clean", graph.ok(), 0.0
        weights = [weight for weight, _ in MOODS.values()]
        (mood,) = self._dice.choices(list(MOODS), weights)
        if mood.startswith("slow") and self._seen.get(parcel):
            mood = "clean"  # the back-off of a later attempt would outlast the loop
        late_s = 0.0
        if mood.startswith("hangs"):
            late_s = HANG_S
        elif mood.endswith("late"):
            late_s = self._dice.uniform(0, 0.6)
        return mood, MOODS[mood][1](), late_s

    async def _report(self, attempt: Attempt) -> None:
        roll, delay = self._dice.random(), self._dice.random()
        if not self.is_calm:
            # Mostly soon, often before the answer; sometimes later than anybody waits.
            await asyncio.sleep(delay / 10 if roll < 0.6 else delay if roll < 0.85 else delay * 4)
        names = ["sent", "delivered"]
        if roll < 0.1:
            names.reverse()
        elif roll < 0.2:
            names = ["delivered"]
        elif roll < 0.3:
            names.append("read")
        if delay < 0.2:
            names.append(names[0])  # brought again
        for name in names:
            await self._tell(attempt, name)

    async def _tell(self, attempt: Attempt, name: str) -> None:
        """Post a status until it is taken; ``failed:131026`` is a failure with that code."""
        call = attempt.call
        state, _, code = name.partition(":")
        status = meta.status(
            call.wamid,
            state,
            callback=call.callback,
            code=int(code) if code else None,
            recipient=call.to,
            phone_number_id=call.phone_number_id,
        )
        await until_taken(self._session, self._url, meta.body(status))
        if not code:
            attempt.told = attempt.told or time.monotonic()
        self._note_status(attempt, name)

    def _note_status(self, attempt: Attempt, name: str) -> None:
        """A status was acknowledged."""


def _nothing() -> None:
    pass
