"""People who write, and whether each of them got what was acknowledged: once, and in order."""

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.app.patience import until
from tests.fakes import meta
from tests.fakes.meta import Item
from tests.faults.daemon import LONG_S, Daemon

_numbers = itertools.count(1)
_WORD = re.compile(r"word\d{6}x")


@dataclass(slots=True)
class Request:
    """What one person wrote in one request.

    Attributes:
        word: What is looked for in the answers; no two are alike.
        answers: What each try was answered with; 0: nothing.
    """

    sender: str
    word: str
    item: Item
    answers: list[int] = field(default_factory=list)

    @property
    def is_taken(self) -> bool:
        return 200 in self.answers


class Talk:
    """A conversation of several people with the daemon, whose engine says back what was said.

    Attributes:
        said: All requests, in the order in which they were first tried.
    """

    def __init__(self, daemon: Daemon, *, people: int = 4) -> None:
        self._daemon = daemon
        self.people = [str(4915100000000 + next(_numbers)) for _ in range(people)]
        self.said: list[Request] = []

    def write(self, person: int = 0, words: str = "") -> Request:
        """Something new of a person; not posted yet."""
        sender = self.people[person % len(self.people)]
        word = f"word{next(_numbers):06d}x"
        request = Request(sender, word, meta.text(sender, f"{word} {words}".strip()))
        self.said.append(request)
        return request

    async def post(self, request: Request, timeout_s: float = LONG_S) -> int:
        """One try; the status, or 0 where the connection was cut off or refused.

        To be left waiting is no answer that any test allows: Meta would give up long before.
        """
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._daemon.post_once(request.item)
        except TimeoutError:
            raise AssertionError(f"no answer within {timeout_s} s: {self._last_words()}") from None
        except (aiohttp.ClientError, OSError):
            answer = 0
        request.answers.append(answer)
        return answer

    async def try_all(self, count: int, words: str = "") -> set[int]:
        """Everybody writes ``count`` times, each request tried once; the statuses."""
        return {
            await self.post(self.write(person, words))
            for _ in range(count)
            for person in range(len(self.people))
        }

    async def try_at_once(self, count: int, words: str = "") -> set[int]:
        """The same, all at the same time: they share commits."""
        requests = [
            self.write(person, words) for _ in range(count) for person in range(len(self.people))
        ]
        return set(await asyncio.gather(*(self.post(one) for one in requests)))

    async def say(self, person: int = 0, words: str = "") -> Request:
        """One request of a person, which must be taken at the first try."""
        request = self.write(person, words)
        assert await self.post(request) == 200
        return request

    async def say_until_taken(self, person: int = 0, words: str = "") -> None:
        """One request, brought again and again."""
        request = self.write(person, words)
        async with self._patience():
            while await self.post(request) != 200:
                await asyncio.sleep(0.02)

    async def say_together(self, *persons: int) -> None:
        """Several messages in one request, brought again and again."""
        requests = [self.write(person) for person in persons]
        for one in requests:
            one.answers.append(0)
        async with self._patience():
            await self._daemon.deliver(*(one.item for one in requests))
        for one in requests:
            one.answers.append(200)

    async def say_off_the_record(self, words: str) -> None:
        """Somebody who writes nothing else says what must not be kept, and is answered."""
        sender = str(4915200000000 + next(_numbers))
        bodies = self._daemon.graph.bodies
        async with self._patience():
            await self._daemon.deliver(meta.text(sender, f"/otr {words}"))
            await until(lambda: words in bodies(sender), LONG_S)
            await self._daemon.deliver(meta.text(sender, f"{words} again"))
            await until(lambda: f"{words} again" in bodies(sender), LONG_S)
        assert len(bodies(sender)) == 3, [len(body) for body in bodies(sender)]

    async def bring_again(self, timeout_s: float = LONG_S) -> None:
        """As Meta does: everything that was not taken again and again until it is."""

        async def bring(request: Request) -> None:
            while not request.is_taken:
                await self.post(request)
                await asyncio.sleep(0.05)

        async with self._patience(timeout_s):
            await asyncio.gather(*(bring(one) for one in self.said))

    @asynccontextmanager
    async def _patience(self, timeout_s: float = LONG_S) -> AsyncIterator[None]:
        """Fail, with what the daemon said last, where something is not taken in so long."""
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError:
            raise AssertionError(f"not taken in {timeout_s} s: {self._last_words()}") from None

    def _last_words(self) -> str:
        return self._daemon.said[-3000:]

    # -- what came of it ------------------------------------------------------------------------

    def heard(self, sender: str) -> list[str]:
        """The first words of what a person got, in order, line by line."""
        lines = "\n".join(self._daemon.graph.bodies(sender)).splitlines()
        words = [line.split(" ", 1)[0] for line in lines if line]
        assert all(_WORD.fullmatch(word) for word in words), f"a notice instead: {lines}"
        return words

    async def is_answered(self, timeout_s: float = LONG_S) -> None:
        """Return when everything that was taken has been answered."""
        wanted = {one.word for one in self.said if one.is_taken}
        try:
            await until(lambda: wanted <= self._all_heard(), timeout_s)
        except TimeoutError:
            missing = sorted(wanted - self._all_heard())
            raise AssertionError(
                f"{len(missing)} of {len(wanted)} are not answered: {missing[:5]}\n"
                f"{self._last_words()}"
            ) from None

    def _all_heard(self) -> set[str]:
        return {word for person in self.people for word in self.heard(person)}

    def judge(self, *, twice: int = 0, in_order: bool = True) -> None:
        """Each of what was taken is answered once, in order; nothing else is said.

        Args:
            twice: How many may have come twice, since nobody could know whether they came.
            in_order: Whether requests were taken in the order in which they were written.
        """
        count = Counter(word for person in self.people for word in self.heard(person))
        taken = Counter(one.word for one in self.said if one.is_taken)
        assert not taken - count, f"lost: {taken - count}"
        maybe = Counter(one.word for one in self.said if not one.is_taken)
        doubled = count - taken - maybe
        assert not set(doubled) - set(taken), f"nobody wrote that: {doubled}"
        assert sum(doubled.values()) <= twice, f"answered twice: {doubled}"
        if in_order:
            for person in self.people:
                said = [one.word for one in self.said if one.sender == person and one.is_taken]
                heard = [word for word in dict.fromkeys(self.heard(person)) if word in taken]
                assert heard == said, f"out of order: {heard} instead of {said}"
