"""When the daemon dies: at any time, just after an acknowledgement, or in the middle of a send."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from tests.flow.kill.crowd import Crowd
from tests.flow.kill.daemon import Daemon
from tests.flow.kill.moods import Moods

MOST_WAIT_S = 1.0
"""How long the moment that was chosen is waited for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what.

    Attributes:
        seed: Of all dice. What happens when depends on the machine too.
        pause_s: Between two requests of one poster, on average.
        long_lives: Share of lives that last some seconds, so that waits come to their end.
    """

    seed: int
    kills: int
    people: int = 30
    posters: int = 8
    pause_s: float = 0.5
    long_lives: float = 0.25


class Killer:
    """Starts and kills the daemon as the dice say."""

    def __init__(
        self, daemon: Daemon, crowd: Crowd, moods: Moods, plan: Plan, dice: Random
    ) -> None:
        self._daemon = daemon
        self._crowd = crowd
        self._moods = moods
        self._plan = plan
        self._dice = dice

    async def run(self, look: Callable[[], None]) -> None:
        """Do it as often as planned; ``look`` is called while the daemon is dead."""
        killed = 0
        while killed < self._plan.kills:
            await self._daemon.start()
            if self._dice.random() < 0.1:
                await asyncio.sleep(self._dice.uniform(0, 1))  # while it starts, or just after
                self._daemon.strike()
            else:
                await self._daemon.healthy()
                is_long = self._dice.random() < self._plan.long_lives
                await asyncio.sleep(self._dice.uniform(*((1, 7) if is_long else (0.05, 1))))
                if self._dice.random() < 0.05:
                    await self._daemon.stop()
                    continue
                await self._strike_at_the_moment()
            await self._daemon.buried()
            killed += 1
            look()

    async def _strike_at_the_moment(self) -> None:
        has_struck: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def strike() -> None:
            if not has_struck.done():
                self._daemon.strike()
                has_struck.set_result(None)

        roll = self._dice.random()
        taken, arrived = self._crowd.when_taken, self._moods.when_arrived
        if roll < 0.3:
            self._crowd.when_taken = strike
        elif roll < 0.6:
            self._moods.when_arrived = strike
        else:
            strike()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(has_struck), MOST_WAIT_S)
        self._crowd.when_taken, self._moods.when_arrived = taken, arrived
        strike()
