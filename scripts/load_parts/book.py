"""The book: who said what and when, when it was acknowledged and answered, and what went wrong."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

_NUMBER = re.compile(rb"#(\d+)#")
_TO = re.compile(rb'"(?:to|recipient)": ?"\+?([^"]*)"')
PATIENCE_S = 90.0
"""For so long nothing may happen at all before what is missing counts as never answered."""


@dataclass(slots=True)
class Said:
    """A message of a contact.

    Attributes:
        number: Stands in its text; of one contact they rise in the order in which they are said.
        at: Meta's timestamp.
        words: Beside the number.
        posted, acknowledged, answered: When, by the performance counter; 0: not yet.
    """

    contact: int
    number: int
    at: int
    words: str = ""
    posted: float = 0.0
    acknowledged: float = 0.0
    answered: float = 0.0

    @property
    def waited(self) -> float:
        """Seconds from posting to the answer's arrival at Graph."""
        return self.answered - self.posted


@dataclass
class Book:
    """What one daemon was told and what it said.

    Attributes:
        said: By number.
        times: When each message was answered, in that order.
        replies: Texts that Graph was sent with answers in them.
        notices: Texts that Graph was sent without a number, by whom they went to.
        in_any_order: Contacts whose messages were posted at once, so that no order is known.
        wrong: What must not happen, in words; at most some of each.
    """

    said: dict[int, Said] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    replies: int = 0
    notices: list[str] = field(default_factory=list)
    in_any_order: set[int] = field(default_factory=set)
    wrong: dict[str, int] = field(default_factory=dict)
    on_answer: Callable[[Said], None] | None = None
    _numbers: int = 0
    _open: int = 0
    _last: dict[int, int] = field(default_factory=dict)
    _changed: float = 0.0

    def say(self, contact: int, *, at: int | None = None, words: str = "") -> Said:
        """Note a message that is about to be posted, now or at the given timestamp."""
        self._numbers += 1
        said = Said(contact, self._numbers, int(time.time()) if at is None else at, words)
        self.said[said.number] = said
        self._open += 1
        return said

    def withdraw(self, said: Iterable[Said]) -> None:
        """Nobody expects an answer to these any more; one that comes all the same is wrong."""
        for one in said:
            if not one.answered:
                del self.said[one.number]
                self._open -= 1

    def note_post(self, body: bytes) -> None:
        """Graph was sent something."""
        now = self._changed = time.perf_counter()
        to = _TO.search(body)
        contact = to[1].decode() if to else "nobody"
        numbers = [int(number) for number in _NUMBER.findall(body)]
        if not numbers:
            if b'"text"' in body:
                self.notices.append(contact)
            return
        self.replies += 1
        for number in numbers:
            self._answer(number, contact, now)

    def _answer(self, number: int, contact: str, now: float) -> None:
        said = self.said.get(number)
        if said is None:
            self._note("answers to what nobody waits for")
            return
        if str(said.contact) != contact:
            self._note("answers sent to somebody else")
        if said.answered:
            self._note("answers sent twice")
            return
        said.answered = now
        self.order.append(number)
        self._open -= 1
        if said.contact not in self.in_any_order and self._last.get(said.contact, 0) > number:
            self._note("answers out of order")
        self._last[said.contact] = number
        if self.on_answer:
            self.on_answer(said)

    def _note(self, what: str) -> None:
        self.wrong[what] = self.wrong.get(what, 0) + 1

    @property
    def open(self) -> int:
        """How many messages are not answered yet."""
        return self._open

    async def settle(self, patience_s: float = PATIENCE_S, most_s: float = 1800) -> None:
        """Wait until all is answered, or nothing has happened for ``patience_s`` seconds.

        Not longer than ``most_s`` seconds, whatever happens.
        """
        began = self._changed = time.perf_counter()
        while self._open and (now := time.perf_counter()) < began + most_s:
            if now - self._changed > patience_s:
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # what is sent twice comes soon after

    def faults(self) -> dict[str, int]:
        """What went wrong so far, by its name."""
        return self.wrong | ({"messages never answered": self._open} if self._open else {})


def overtaken(arrived: Sequence[Said], book: Book) -> int:
    """By how many that came later somebody was overtaken, at most."""
    place = {number: place for place, number in enumerate(book.order)}
    places = [place[one.number] for one in arrived if one.number in place]
    # Whoever stands behind k places that are later than their own was overtaken by as many.
    worst, seen = 0, _Tree(len(book.order))
    for one in reversed(places):
        worst = max(worst, seen.below(one))
        seen.add(one)
    return worst


class _Tree:
    """Counts how many of the numbers added lie below another (a Fenwick tree)."""

    def __init__(self, size: int) -> None:
        self._counts = [0] * (size + 1)

    def add(self, number: int) -> None:
        at = number + 1
        while at < len(self._counts):
            self._counts[at] += 1
            at += at & -at

    def below(self, number: int) -> int:
        count, at = 0, number
        while at > 0:
            count += self._counts[at]
            at -= at & -at
        return count
