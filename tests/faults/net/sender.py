"""Meta, who posts at an even pace, whatever strangers do; and the time of each acknowledgement."""

import asyncio
import itertools
import ssl
import statistics
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from tests.fakes import meta

_POSTERS = 4
_PAUSE_S = 0.04
_PATIENCE_S = 60.0
"""For one try; whether it came in time is for others to judge."""


@dataclass
class Acknowledgements:
    """Seconds from the request to its 200, tries that were in vain included.

    Attributes:
        in_vain: How many tries were not answered with 200.
    """

    seconds: list[float] = field(default_factory=list)
    in_vain: int = 0

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]

    @property
    def worst(self) -> float:
        return max(self.seconds)


class Sender:
    """Posts signed messages, each of another contact, until each is taken.

    Half go over connections that are kept, half over a new one each.

    Attributes:
        said: What was acknowledged, by contact.
    """

    def __init__(self, url: str, trust: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._trust = trust
        self._numbers = itertools.count()
        self.said: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
        trust = self._trust or True
        self._kept = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust), timeout=timeout
        )
        self._new = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, force_close=True), timeout=timeout
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._kept.close()
        await self._new.close()

    async def post_for(self, seconds: float) -> Acknowledgements:
        """Post at the usual pace for so long; returns when all of it was taken."""
        found = Acknowledgements()
        ends_at = time.monotonic() + seconds

        async def poster(session: aiohttp.ClientSession) -> None:
            while time.monotonic() < ends_at:
                await self._deliver(session, found)
                await asyncio.sleep(_PAUSE_S)

        async with asyncio.TaskGroup() as group:
            for number in range(_POSTERS):
                group.create_task(poster((self._kept, self._new)[number % 2]))
        return found

    async def _deliver(self, session: aiohttp.ClientSession, found: Acknowledgements) -> None:
        number = next(self._numbers)
        contact, words = f"49170{number:07}", f"kept {number}"
        raw = meta.body(meta.text(contact, words))
        began = time.monotonic()
        while True:
            try:
                if await meta.post(session, self._url, raw) == 200:
                    break
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            found.in_vain += 1
            await asyncio.sleep(_PAUSE_S)
        found.seconds.append(time.monotonic() - began)
        self.said[contact] = words
