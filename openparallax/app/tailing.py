"""The trail as it grows, handed out line by line: the control ``tail``."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any, Self

from openparallax.app.whom import find, nobody, see_form, text_of, whole_number
from openparallax.app.why.looking import shorts_of
from openparallax.app.why.shown import step
from openparallax.clock import Clock
from openparallax.errors import NotStored, Refusal
from openparallax.logs import shorten
from openparallax.storage import Database, overview
from openparallax.trail import Note, Trail

MOST_READERS = 8
MOST_BEHIND = 2_000
"""Steps that wait for a reader; past this many the oldest are left out, and that is said."""
BEAT_S = 5.0
"""An empty line now and then, by which the reader knows that the daemon is there, and the daemon
that the reader is."""
_AT_ONCE = 500
_MOST_NAMES = 10_000

Names = dict[int, tuple[str, str]]
"""Chat -> account and short form of the contact."""


class Tailing:
    """Answers the control ``tail``."""

    def __init__(self, trail: Trail, database: Database, *, clock: Clock) -> None:
        self._trail = trail
        self._database = database
        self._clock = clock
        self._readers: set[Tail] = set()

    async def tail(self, asked: Mapping[str, Any]) -> "Tail":
        """The latest steps, and those to come: a line of JSON each, an empty one as a sign of life.

        A line has the attributes of a `Note` that say something; or ``left_out``: how many steps
        the reader was too slow for; or ``end``, which is the last line: the daemon stops.

        Args:
            asked: ``latest``, steps to begin with (0 to 20,000; 10 if null); ``follow``, true or
                false: end with those; ``account``; ``who`` or ``chat``: only theirs.

        Raises:
            Refusal: The arguments are wrong (2), nobody is known by that, or too many read (75).
            NotStored: The file could not be read now.
        """
        latest = whole_number(asked, "latest", 10, 0, 20_000)
        follow = asked.get("follow", True)
        if not isinstance(follow, bool):
            raise Refusal("follow is to be true or false.", exit_code=2)
        account = text_of(asked, "account")
        is_wanted = await self._wanted(asked, account)
        if len(self._readers) >= MOST_READERS:
            raise Refusal(f"{MOST_READERS} readers follow already: end one of them.", exit_code=75)
        return Tail(
            self._trail,
            latest=latest,
            follow=follow,
            is_wanted=is_wanted,
            account=account,
            look_up=self._look_up,
            readers=self._readers,
        )

    async def _wanted(
        self, asked: Mapping[str, Any], account: str | None
    ) -> Callable[[Note], bool]:
        """Whose steps are asked for."""
        if asked.get("who") is None and asked.get("chat") is None:
            return lambda _note: True
        person = await find(self._database, asked)
        see_form(asked, person)
        shorts = shorts_of(person, account)
        if not person.chats and not shorts:
            raise nobody(asked)
        chats = frozenset(person.chats)

        def is_wanted(note: Note) -> bool:
            if note.chat:
                return note.chat in chats or ("", note.contact) in shorts
            return (note.account, note.contact) in shorts or ("", note.contact) in shorts

        return is_wanted

    async def _look_up(self, chats: Collection[int]) -> Names:
        """Who these are, where no step has told it yet."""
        try:
            lines = await self._database.read(lambda c: overview.chats(c, sorted(chats)))
        except NotStored:
            return {}
        return {line.chat: (line.account, shorten(line.address)) for line in lines}


class Tail(AsyncIterator[bytes]):
    """Lines for one reader, who may be as slow as they like: nobody waits for them.

    Attributes:
        is_endless: It does not end by itself; see `end`.
    """

    is_endless = True

    def __init__(
        self,
        trail: Trail,
        *,
        latest: int,
        follow: bool,
        is_wanted: Callable[[Note], bool],
        account: str | None,
        look_up: Callable[[Collection[int]], Any],
        readers: "set[Tail]",
    ) -> None:
        self._is_wanted = is_wanted
        self._account = account
        self._look_up = look_up
        self._readers = readers
        self._follow = follow
        self._names: Names = {}
        self._left_out = 0
        self._is_over = self._is_told = False
        self._woken = asyncio.Event()
        found: deque[Note] = deque(maxlen=latest)
        for note in trail.notes():
            self._learn(note)
            if self._is_mine(note):
                found.append(note)
        self._waiting = deque(found)
        self._stop = trail.listen(self._hear) if follow else lambda: None
        self._readers.add(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next lines."""
        if not self._waiting and not self._left_out:
            if not self._follow or self._is_told:
                raise StopAsyncIteration
            await self._wait()
        if self._waiting or self._left_out:
            return await self._lines()
        if self._is_over:
            self._is_told = True
            return b'{"end": "stopping"}\n'
        return b"\n"

    def end(self) -> None:
        """The daemon stops: say what is left, and that."""
        self._is_over = True
        self._woken.set()

    async def aclose(self) -> None:
        """Nobody reads any more; may be repeated."""
        self._stop()
        self._readers.discard(self)

    async def _wait(self) -> None:
        if self._is_over:
            return
        self._woken.clear()
        try:
            async with asyncio.timeout(BEAT_S):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _hear(self, note: Note) -> None:
        self._learn(note)
        if not self._is_mine(note):
            return
        if len(self._waiting) >= MOST_BEHIND:
            self._waiting.popleft()
            self._left_out += 1
        self._waiting.append(note)
        self._woken.set()

    def _learn(self, note: Note) -> None:
        if note.chat and note.contact:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            self._names[note.chat] = note.account, note.contact

    def _is_mine(self, note: Note) -> bool:
        if self._account is not None:
            account = note.account or self._names.get(note.chat, ("", ""))[0]
            if account != self._account:
                return False
        return self._is_wanted(note)

    async def _lines(self) -> bytes:
        left_out, self._left_out = self._left_out, 0
        lines: list[dict[str, Any]] = [{"left_out": left_out}] if left_out else []
        notes = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
        if unknown := {one.chat for one in notes if one.chat} - self._names.keys():
            self._names |= await self._look_up(unknown)
        for note in notes:
            account, contact = self._names.get(note.chat, ("", ""))
            lines.append(
                {
                    **({"account": account} if account else {}),
                    **({"contact": contact} if contact else {}),
                    **step(note),
                }
            )
        return b"".join(json.dumps(line).encode("ascii") + b"\n" for line in lines)
