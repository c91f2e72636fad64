"""Who writes, what they write, and what they have a right to hear."""

import time
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from tests.fakes import meta
from tests.fakes.meta import Item


class Sort(Enum):
    """How a person writes."""

    STEADY = "steady"
    """Each message once the one before was taken; commands among them."""
    HURRIED = "hurried"
    """Several requests at once; words only."""
    PRIVATE = "private"
    """As steady, with ``/otr`` and back."""


@dataclass(slots=True)
class Message:
    """One message.

    Attributes:
        item: As Meta posts it.
        tokens: What the person must hear, in order: each of the words, or ``=NAME`` for a notice.
        is_off: Its words are off the record.
        asks_otr: It is to be confirmed, at any time.
        sent: When its request was first sent; monotonic seconds.
        taken: When it was acknowledged.
    """

    item: Item
    tokens: tuple[str, ...]
    is_off: bool = False
    asks_otr: bool = False
    sent: float = 0.0
    taken: float | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(token for token in self.tokens if not token.startswith("="))


@dataclass(frozen=True, slots=True)
class Canary:
    """How unique words begin; neither stands in any file of the project."""

    on_record: str
    off_record: str


@dataclass(slots=True)
class Person:
    """Somebody who writes, with all that they wrote."""

    number: str
    sort: Sort
    canary: Canary
    dice: Random
    is_off: bool = False
    said: list[Message] = field(default_factory=list)

    def write(self) -> Message:
        """The next message; to be sent as soon as its turn comes."""
        roll = self.dice.random()
        if self.sort is Sort.HURRIED or roll < 0.75:
            message = self._words()
        elif self.sort is Sort.STEADY or roll < 0.82:
            message = self._help() if roll < 0.87 else self._new()
        elif roll < 0.92:
            message = self._otr()
        else:
            message = self._otr_off() if roll < 0.97 else self._new()
        self.said.append(message)
        return message

    def _words(self) -> Message:
        words = self._unique()
        return Message(self._item(" ".join(words)), words, is_off=self.is_off)

    def _help(self) -> Message:
        return Message(self._item("/help"), ("=help",), is_off=self.is_off)

    def _new(self) -> Message:
        notice = "=new_after_otr" if self.is_off else "=new"
        self.is_off = False
        words = self._unique() if self.dice.random() < 0.5 else ()
        return Message(self._item(" ".join(("/new", *words))), (notice, *words))

    def _otr(self) -> Message:
        self.is_off = True
        words = self._unique() if self.dice.random() < 0.5 else ()
        item = self._item(" ".join(("/otr", *words)))
        return Message(item, words, is_off=True, asks_otr=True)

    def _otr_off(self) -> Message:
        notice = "=otr_off" if self.is_off else "=otr_off_idle"
        self.is_off = False
        return Message(self._item("/otr off"), (notice,))

    def _unique(self) -> tuple[str, ...]:
        """A few words, sometimes so many that the answer needs several parts."""
        count = self.dice.randint(90, 160) if self.dice.random() < 0.06 else self.dice.randint(1, 8)
        begin = self.canary.off_record if self.is_off else self.canary.on_record
        which = f"{begin}{self.number[-2:]}x{len(self.said):05}"
        return tuple(f"{which}x{place:03}" for place in range(count))

    def _item(self, text: str) -> Item:
        return meta.text(self.number, text, at=int(time.time()))


def make_people(count: int, canary: Canary, seed: int) -> list[Person]:
    """``count`` people of all three sorts, whose dice depend on ``seed``."""
    sorts = [Sort.STEADY, Sort.STEADY, Sort.PRIVATE, Sort.STEADY, Sort.HURRIED, Sort.STEADY]
    return [
        Person(str(4915100000000 + n), sorts[n % len(sorts)], canary, dice_of(seed, f"person {n}"))
        for n in range(count)
    ]


def dice_of(seed: int, whose: str) -> Random:
    """Dice of their own for each part, so that one part's rolls do not move another's."""
    return Random(f"{seed} {whose}")  # noqa: S311 - nothing secret is drawn
