"""Meta's side: people's messages are posted over several connections until they are taken."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

import aiohttp

from tests.fakes import meta
from tests.flow.kill.people import Message, Person, Sort, dice_of

PAUSE_S = 0.03
"""Between two tries of one request."""


class Crowd:
    """Posts while `is_writing`; each poster has people of its own, whose order it keeps.

    Attributes:
        requests: How many different requests were made.
        again: How many were posted although they had been taken, or twice at once.
        when_taken: Called as soon as a request was acknowledged.
    """

    def __init__(
        self,
        people: Sequence[Person],
        session: aiohttp.ClientSession,
        url: str,
        *,
        posters: int,
        pause_s: float,
        seed: int,
    ) -> None:
        self._session = session
        self._url = url
        self._pause_s = pause_s
        self._groups = [people[n::posters] for n in range(posters)]
        self._seed = seed
        self._is_writing = True
        self._late: set[asyncio.Task[None]] = set()
        self.requests = 0
        self.again = 0
        self.when_taken: Callable[[], None] = _nothing

    def hush(self) -> None:
        """Nobody writes any more; what was sent is still delivered until it is taken."""
        self._is_writing = False

    async def run(self) -> None:
        """Write until `hush`; returns when all that was sent has been taken."""
        async with asyncio.TaskGroup() as group:
            for number, people in enumerate(self._groups):
                group.create_task(self._poster(people, dice_of(self._seed, f"poster {number}")))
        if self._late:
            await asyncio.gather(*self._late)

    async def _poster(self, people: Sequence[Person], dice: Random) -> None:
        while self._is_writing:
            one = dice.choice(people)
            if one.sort is Sort.HURRIED:
                requests = [[one.write()] for _ in range(dice.randint(1, 3))]
            elif dice.random() < 0.6:
                requests = [[one.write()]]
            else:
                requests = [[dice.choice(people).write() for _ in range(dice.randint(2, 12))]]
            await asyncio.gather(*(self._deliver(request, dice) for request in requests))
            await asyncio.sleep(dice.expovariate(1 / self._pause_s))

    async def _deliver(self, request: list[Message], dice: Random) -> None:
        self.requests += 1
        raw = meta.body(*(message.item for message in request), spread=dice.random() < 0.3)
        roll, later_s = dice.random(), dice.uniform(0, 3)
        sent = time.monotonic()
        for message in request:
            message.sent = sent
        if roll < 0.05:
            self._repeat(raw, 0)
        await until_taken(self._session, self._url, raw)
        self.when_taken()
        taken = time.monotonic()
        for message in request:
            message.taken = taken
        if roll > 0.9:
            self._repeat(raw, later_s)

    def _repeat(self, raw: bytes, later_s: float) -> None:
        async def repeat() -> None:
            await asyncio.sleep(later_s)
            await until_taken(self._session, self._url, raw)

        self.again += 1
        task = asyncio.create_task(repeat())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def _nothing() -> None:
    pass


async def until_taken(session: aiohttp.ClientSession, url: str, raw: bytes) -> None:
    """Post a request again and again until it is answered with 200."""
    while True:
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            if await meta.post(session, url, raw) == 200:
                return
        await asyncio.sleep(PAUSE_S)
