"""A clock that tests turn by hand; nothing sleeps."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Any

_STEPS = 20
"""Rounds of the loop that `TurnedClock.settle` allows what is ready to run."""


class TurnedTimer:
    """A call that waits for its clock to be turned."""

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class TurnedClock:
    """Time that passes only in `turn`, and wall time that also moves in `jump`.

    Settling lets coroutines run that are ready. It does not wait for threads or sockets: a test
    with those awaits the thing itself before and after it turns the clock.

    Attributes:
        sleepers: Tasks that wait in `sleep` for the clock to be turned.
    """

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._monotonic = 1000.0
        self._ahead = now - self._monotonic
        self._timers: list[tuple[float, int, TurnedTimer]] = []
        self._order = itertools.count()
        self.sleepers: set[asyncio.Task[Any]] = set()

    def now(self) -> float:
        return self._monotonic + self._ahead

    def monotonic(self) -> float:
        return self._monotonic

    def call_later(self, delay_s: float, call: Callable[[], None]) -> TurnedTimer:
        timer = TurnedTimer(self._monotonic + max(delay_s, 0.0), call)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    async def sleep(self, delay_s: float) -> None:
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        sleeper = asyncio.current_task()
        assert sleeper is not None

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self.call_later(delay_s, wake)
        self.sleepers.add(sleeper)
        try:
            await woken
        finally:
            self.sleepers.discard(sleeper)
            timer.cancel()

    @property
    def waiting(self) -> int:
        """How many timers would still fire."""
        return sum(not timer.is_cancelled for _, _, timer in self._timers)

    async def turn(self, seconds: float) -> None:
        """Let ``seconds`` pass: timers fire in order of their time, then of their making.

        What a timer sets going runs before the next timer fires, and may set timers that are due
        within the same turn. An exception of a timer's call comes out here.
        """
        if seconds < 0:
            raise ValueError("time does not run backwards: use jump for wall time")
        await self._turn_to(self._monotonic + seconds)

    async def turn_to_next(self, most_s: float) -> float:
        """Let time pass until the next timer fires, at most ``most_s``; how long that was."""
        before = self._monotonic
        until = before + most_s
        await self.settle()
        coming = [due for due, _, timer in self._timers if not timer.is_cancelled]
        await self._turn_to(max(before, min([until, *coming])))
        return self._monotonic - before

    async def _turn_to(self, until: float) -> None:
        await self.settle()
        while self._timers and self._timers[0][0] <= until:
            due, _, timer = heapq.heappop(self._timers)
            if timer.is_cancelled:
                continue
            self._monotonic = max(self._monotonic, due)
            timer.call()
            await self.settle()
        self._monotonic = until
        await self.settle()

    def jump(self, seconds: float) -> None:
        """Set wall time forth or, below 0, back; no timer fires and nothing else ages."""
        self._ahead += seconds

    async def settle(self) -> None:
        """Let what is ready run, without time passing."""
        for _ in range(_STEPS):
            await asyncio.sleep(0)
