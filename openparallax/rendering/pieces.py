"""The stretches of a paragraph, and which of its marks are meant."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from openparallax.rendering.marks import is_unspaced, is_word

_DUNDERS = re.compile(
    "all|call|class|contains|del|dict|doc|enter|eq|exit|file|future|get(?:attr|item)|hash|init|iter"
    "|len|main|module|name|new|next|pycache|repr|set(?:attr|item)|slots|str|version"
)


class Kind(Enum):
    WORDS = auto()
    ESCAPED = auto()
    CODE = auto()
    ADDRESS = auto()
    BREAK = auto()
    OPEN = auto()
    CLOSE = auto()


@dataclass(slots=True)
class Piece:
    """A stretch of one kind.

    Attributes:
        text: As shown; of ``OPEN`` and ``CLOSE`` the markup in the source.
        mark: Of ``OPEN`` and ``CLOSE``.
    """

    kind: Kind
    text: str = ""
    mark: str = ""


def settle(pieces: Sequence[Piece]) -> None:
    """Make words of the marks that are none: of arithmetic and of names between underscores."""
    befores, afters = _neighbours(pieces)
    opened: list[int] = []
    for place, piece in enumerate(pieces):
        if piece.kind is Kind.OPEN:
            opened.append(place)
        elif piece.kind is Kind.CLOSE and opened:
            start = opened.pop()
            outer = befores[start], afters[place]
            inner = afters[start], befores[place]
            inside = pieces[start + 1].text if place == start + 2 else ""
            if (
                _is_name(piece.text, outer, inside)
                or _is_arithmetic(piece.text, outer, inner, inside)
                or _is_wildcard(piece.text, outer, inner)
            ):
                for it in (pieces[start], piece):
                    it.kind = Kind.WORDS


def _neighbours(pieces: Sequence[Piece]) -> tuple[list[str], list[str]]:
    """For each piece the nearest two characters shown before and after it, "" at a line's end."""
    befores, afters = [""] * len(pieces), [""] * len(pieces)
    near = ""
    for place, piece in enumerate(pieces):
        befores[place] = near[-1:]
        if piece.text and piece.kind not in (Kind.OPEN, Kind.CLOSE):
            near = piece.text[-1:]
        elif piece.kind is Kind.BREAK:
            near = ""
    near = ""
    for place in range(len(pieces) - 1, -1, -1):
        piece = pieces[place]
        afters[place] = near[:2]
        if piece.text and piece.kind not in (Kind.OPEN, Kind.CLOSE):
            near = piece.text[:2]
        elif piece.kind is Kind.BREAK:
            near = ""
    return befores, afters


def _is_name(markup: str, outer: tuple[str, str], inside: str) -> bool:
    """As in ``__init__.py``, ``self.__dict__`` and ``/_build_/``, which nobody meant to be bold."""
    if "_" not in markup:
        return False
    before, after = outer
    return (
        before in {".", "/", "\\"}
        or after[:1] in {"(", "/", "\\"}
        or (after[:1] == "." and is_word(after[1:]))
        or (markup == "__" and bool(_DUNDERS.fullmatch(inside)))
    )


def _is_wildcard(markup: str, outer: tuple[str, str], inner: tuple[str, str]) -> bool:
    """As in ``*.py and src/*.py``."""
    ends = inner[0][:1] + outer[1][:1]
    return markup == "*" and ends == ".." and is_word(inner[0][1:]) and is_word(outer[1][1:])


def _is_arithmetic(
    markup: str, outer: tuple[str, str], inner: tuple[str, str], inside: str
) -> bool:
    """As in ``2*3*4`` and ``x**2 + y**2``; a part of a word is told from it by its letters.

    A struck part of a word stays marked as in the source: without its marks it would say the
    opposite.
    """
    touches = [
        is_word(out) and is_word(into[:1]) and not is_unspaced(out) and not is_unspaced(into[:1])
        for out, into in ((outer[0], inner[0]), (outer[1][:1], inner[1]))
    ]
    if not any(touches):
        return False
    if markup != "**":
        return True
    if touches[0] and inner[0][:1].isdigit():
        return True
    return all(touches) and not inside.isalpha()
