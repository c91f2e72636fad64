"""A place in a script: what stands there, and what to say if it does not fit."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from openparallax.config.document import Plain, Tree
from openparallax.config.problems import Problems, Where, is_printable_key, suggest

_UNITS: Final = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
}
_DURATION = re.compile(r"([+-]?)([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|sec|m|min|h|d)")
_SHOWN_KEY = re.compile(r"[a-z][a-z_' ]{0,39}")
"""Keys that a message may show beside those of a configuration: words of a step."""
_TRUTH = "; YAML reads on, off, yes and no without quotes as true or false: put quotes round it"
LONGEST_S: Final = 400 * 86_400.0


@dataclass(slots=True)
class Book:
    """What is known while one file is read.

    Attributes:
        people: Keys of everybody who can be named.
        sentences: The daemon's own, by name; None: nobody said which there are.
    """

    problems: Problems
    people: dict[str, None] = field(default_factory=dict)
    sentences: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of the script.

    What reads it returns something harmless where it does not fit, having noted why: so that all
    that is wrong with a file is told at once.
    """

    value: Tree = field(repr=False)
    where: Where = field(repr=False)
    book: Book = field(repr=False)

    @property
    def line(self) -> int:
        lines = self.book.problems.lines
        for length in range(len(self.where), 0, -1):
            if self.where[:length] in lines:
                return lines[self.where[:length]]
        return 1

    def wrong(self, sentence: str) -> None:
        """Note that this does not fit. No value stands in ``sentence``."""
        where = self.where[1:] if self.where[:1] == ("steps",) and self.where[1:] else self.where
        key = ": ".join(part for part in where if isinstance(part, str) and _may_be_shown(part))
        self.book.problems.add((), f"{key}: {sentence}" if key else sentence, line=self.line)

    def at(self, key: str | int, value: Tree) -> "Slot":
        return Slot(value, (*self.where, key), self.book)

    def text(self, *, may_be_empty: bool = False) -> str:
        if isinstance(self.value, str) and (self.value or may_be_empty):
            return str(self.value)
        if isinstance(self.value, bool):
            self.wrong(f"must be text{_TRUTH}")
        elif isinstance(self.value, int | float):
            self.wrong("must be text: put quotes round it")
        else:
            self.wrong("must be text" if self.value not in (None, "") else "has no text")
        return ""

    def texts(self) -> tuple[str, ...]:
        """One text, or a list of them."""
        if not isinstance(self.value, list):
            return (self.text(),)
        return tuple(slot.text() for slot in self.items())

    def whole(self, least: int = 0, most: int = 10**9) -> int:
        value = self.value
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return int(value)
        self.wrong(f"must be a whole number from {least} to {most}")
        return least

    def truth(self) -> bool:
        if isinstance(self.value, bool):
            return self.value
        self.wrong("must be true or false")
        return False

    def duration(self, *, is_signed: bool = False) -> float:
        """Seconds; a bare number counts them."""
        value = self.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value)
        elif isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
            seconds = float(found[2]) * _UNITS[found[3]] * (-1 if found[1] == "-" else 1)
        else:
            seconds = math.nan
        if math.isnan(seconds) or abs(seconds) > LONGEST_S or (seconds < 0 and not is_signed):
            example = "+25h or -10m" if is_signed else "500ms, 5s or 2m"
            self.wrong(f"must be a length of time such as {example}, at most 400 days")
            return 0.0
        return seconds

    def one_of(self, choices: Iterable[str]) -> str:
        names = list(choices)
        if isinstance(self.value, str) and self.value in names:
            return str(self.value)
        near = suggest(self.value, names) if isinstance(self.value, str) else ""
        truth = _TRUTH if isinstance(self.value, bool) else ""
        self.wrong(f"must be one of: {', '.join(names)}{near}{truth}")
        return names[0]

    def person(self) -> str:
        if isinstance(self.value, str) and self.value in self.book.people:
            return str(self.value)
        near = suggest(self.value, self.book.people) if isinstance(self.value, str) else ""
        self.wrong(f"names nobody; there are {', '.join(self.book.people)}{near}")
        return next(iter(self.book.people))

    def items(self) -> list["Slot"]:
        if isinstance(self.value, list):
            return [self.at(index, item) for index, item in enumerate(self.value)]
        self.wrong('must be a list: a line beginning with "- " for each entry')
        return []

    def block(self, known: Iterable[str] | None = None) -> dict[str, "Slot"]:
        """The entries of a block; those whose key is not ``known`` are noted and left out."""
        if not isinstance(self.value, dict):
            self.wrong("must be a block of `key: value`, indented under it")
            return {}
        slots = {key: self.at(key, value) for key, value in self.value.items()}
        if known is None:
            return slots
        names = list(known)
        for key in [key for key in slots if key not in names]:
            slot = slots.pop(key)
            near = suggest(key, names) or f"; there are {', '.join(names)}"
            slot.wrong(f"is not known here{near}")
        return slots

    def plain(self) -> Tree:
        """The same without the reader's own kinds of text and number, as anybody may write it."""
        return _plain(self.value)


def _plain(tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    if isinstance(tree, Plain):
        return str(tree)
    if isinstance(tree, int) and not isinstance(tree, bool):
        return int(tree)
    return tree


def _may_be_shown(key: str) -> bool:
    return is_printable_key(key) or _SHOWN_KEY.fullmatch(key) is not None
