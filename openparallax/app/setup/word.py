"""What is said of a value, and how bad it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from openparallax.doctor.graph import Answer


class Level(StrEnum):
    """How a value is."""

    WELL = "well"
    ODD = "odd"
    """It can be used, and there is something to know."""
    DOUBT = "doubt"
    """It will probably not do; whoever insists may use it."""
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that is said of a value, in a sentence."""

    level: Level
    says: str


def worst(words: Iterable[Word]) -> Level:
    """The level that decides what is done next."""
    order = list(Level)
    levels = [word.level for word in words]
    if Level.WRONG in levels:
        return Level.WRONG
    return max(levels, key=order.index, default=Level.WELL)


def well(says: str) -> Word:
    return Word(Level.WELL, says)


def odd(says: str) -> Word:
    return Word(Level.ODD, says)


def doubt(says: str) -> Word:
    return Word(Level.DOUBT, says)


def wrong(says: str) -> Word:
    return Word(Level.WRONG, says)


def unknown(answer: Answer) -> Word:
    """Graph did not say whether it is right."""
    return Word(Level.UNKNOWN, f"This could not be checked: Graph {answer.explain()}.")


def is_id(value: object) -> bool:
    """Whether it is an id as Meta's are: what is none goes into no address, and into no file."""
    text = str(value) if isinstance(value, str | int) else ""
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID


_LONGEST_ID: Final = 24


def printable(value: object) -> str:
    """What Meta says, without what could command a terminal or end a comment."""
    return "".join(c for c in str(value or "") if c.isprintable())[:80]
