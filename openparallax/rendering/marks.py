"""One line of words with what is bold, italic or struck in it, as WhatsApp's marks."""

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

BOLD, ITALIC, STRIKE = "*", "_", "~"
SEPARATOR = "\u200b"
"""The zero-width space, put inside a pair that is no mark. It shows nothing; what stands next to it
looks like a gap to most readers of marks. Customary, not documented, and not tried on phones."""

_JOINERS = frozenset("\u200c\u200d")
_LIST_OR_QUOTE = re.compile(r"\s*(?:\d+(?=\.(?:\s|$))|(?=[-*>](?:\s|$)))")


@dataclass(frozen=True, slots=True)
class Span:
    """What ``mark`` covers: the words from ``start`` up to ``end``."""

    mark: str
    start: int
    end: int


@dataclass(slots=True)
class Line:
    """Words of one line, before they carry marks.

    Attributes:
        shown: What is seen. Code stands in its backticks.
        spans: Nested or apart, each mark at most once at any place.
        code: From and to, backticks included, in order.
        apart: From and to, in order, of what no mark may go round: addresses, of which it would
            become part, and code between three backticks, which WhatsApp reads first.
        escaped: Places of characters that the source says mean nothing.
    """

    shown: str = ""
    spans: list[Span] = field(default_factory=list)
    code: list[tuple[int, int]] = field(default_factory=list)
    apart: list[tuple[int, int]] = field(default_factory=list)
    escaped: set[int] = field(default_factory=set)


class _Role(Enum):
    LITERAL = auto()
    FIXED = auto()
    OPENS = auto()
    CLOSES = auto()


_Glyph = tuple[str, _Role]


def render_line(line: Line) -> str:
    """Put the marks in where WhatsApp takes them for marks, and disarm what it would mistake.

    WhatsApp takes a pair for a mark if it has no white space on its inner sides and no word on its
    outer ones. A mark in the middle of a word would be shown as a star, so it is dropped and the
    word stays whole; where Chinese or Japanese touch it, which have no spaces to lose, it gets one.

    Source:
        The patterns by which bridges to other chats recognise WhatsApp's marks; the Cloud API does
        not document them. Where these differ on what ends a word, any letter or digit of any script
        counts as one, which is the strictest reading for marks that shall be seen.
    """
    glyphs = list(_glyphs(line))
    separators = {
        place for mark in (BOLD, ITALIC, STRIKE, "`") for place in _mistakable(glyphs, mark)
    }
    separators.update(_inside_fences(glyphs))
    opening = _LIST_OR_QUOTE.match(line.shown)
    if opening and opening.end() in line.escaped:
        separators.add(0)
    return "".join(
        (SEPARATOR if place in separators else "") + glyph
        for place, (glyph, _) in enumerate(glyphs)
    )


def without_fences(code: str) -> str:
    """``code`` in which no three backticks stand side by side, which would end it."""
    return re.sub("``(?=`)", f"``{SEPARATOR}", code)


def is_word(character: str) -> bool:
    """Whether ``character`` ("" at a line's end) continues a word, so that no mark may touch it."""
    return bool(character) and (
        character.isalnum() or character in _JOINERS or unicodedata.category(character)[0] == "M"
    )


def is_unspaced(character: str) -> bool:
    """Whether this belongs to Chinese or Japanese, which put no spaces between words."""
    return (
        "\u2e80" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def _glyphs(line: Line) -> Iterator[_Glyph]:
    """The line's characters and marks in order, each with what it is there for."""
    words = line.shown
    fixed = {place for ends in (line.code, line.apart) for end in ends for place in range(*end)}
    opens, closes, spaced = defaultdict[int, str](str), defaultdict[int, str](str), set[int]()
    for span in sorted(_usable(line), key=lambda span: (span.start, -span.end, span.mark)):
        opens[span.start] += span.mark
        closes[span.end] = span.mark + closes[span.end]
        if is_word(words[span.start - 1 : span.start]):
            spaced.add(span.start)
        if is_word(words[span.end : span.end + 1]):
            spaced.add(span.end)
    for place in range(len(words) + 1):
        for mark in closes[place]:
            yield mark, _Role.CLOSES
        if place in spaced:
            yield " ", _Role.FIXED
        for mark in opens[place]:
            yield mark, _Role.OPENS
        if place < len(words):
            yield words[place], _Role.FIXED if place in fixed else _Role.LITERAL


def _usable(line: Line) -> Iterator[Span]:
    """The spans that WhatsApp can show, without what stands apart and the white space at edges."""
    words, code = line.shown, set(line.code)
    for span in line.spans:
        for start, end in _between(line, span):
            covered = words[start:end]
            first = start + len(covered) - len(covered.lstrip())
            last = start + len(covered.rstrip())
            if first >= last or (first, last) in code:
                continue
            if not _can_touch(words[first], words[first - 1 : first]):
                first = _next_word(words, first, last, 1)
            if not _can_touch(words[last - 1], words[last : last + 1]):
                last = _next_word(words, last - 1, first - 1, -1) + 1
            if (
                first < last
                and _can_touch(words[first], words[first - 1 : first])
                and _can_touch(words[last - 1], words[last : last + 1])
            ):
                yield Span(span.mark, first, last)


def _can_touch(inner: str, outer: str) -> bool:
    """Whether a mark may stand between the two, with a space if need be."""
    return not is_word(outer) or is_unspaced(inner) or is_unspaced(outer)


def _next_word(words: str, place: int, end: int, step: int) -> int:
    """``Note:`` before a letter: the mark goes inside the colon, if that is where the word ends."""
    while place != end and not is_word(words[place]):
        place += step
    return place


def _between(line: Line, span: Span) -> Iterator[tuple[int, int]]:
    start = span.start
    for first, last in line.apart[bisect_left(line.apart, (start, start)) :]:
        if first >= span.end:
            break
        yield start, first
        start = last
    yield start, span.end


def _mistakable(glyphs: list[_Glyph], mark: str) -> Iterator[int]:
    """Before which glyphs a separator has to stand so that only marks that are meant are seen.

    That is behind each ``mark`` of the text that could open a pair with a later one, and before
    each that could close a pair which is meant to go on.
    """
    last_close = max(
        (place for place in range(len(glyphs)) if _can_close(glyphs, place, mark)), default=-1
    )
    is_open, run_end = False, 0
    for place, (glyph, role) in enumerate(glyphs):
        if glyph != mark:
            continue
        if role is _Role.OPENS or role is _Role.CLOSES:
            is_open = role is _Role.OPENS
        elif role is _Role.LITERAL:
            while run_end <= place or (run_end < len(glyphs) and glyphs[run_end][0] == mark):
                run_end += 1
            if is_open and _can_close(glyphs, place, mark):
                yield place
            if last_close >= run_end and _can_open(glyphs, place, mark):
                yield place + 1


def _inside_fences(glyphs: list[_Glyph]) -> Iterator[int]:
    """Three backticks in a row begin a block, whatever stands round them."""
    text = "".join(glyph for glyph, _ in glyphs)
    for run in re.finditer("`{3,}", text):
        for place in range(run.start() + 1, run.end()):
            if _Role.LITERAL in (glyphs[place - 1][1], glyphs[place][1]):
                yield place


def _can_open(glyphs: list[_Glyph], place: int, mark: str) -> bool:
    before = glyphs[place - 1][0] if place else ""
    after = glyphs[place + 1][0] if place + 1 < len(glyphs) else " "
    return mark == "`" or (not is_word(before) and not after.isspace())


def _can_close(glyphs: list[_Glyph], place: int, mark: str) -> bool:
    glyph, role = glyphs[place]
    if glyph != mark or (role is _Role.FIXED and mark != "`"):
        return False
    before = glyphs[place - 1][0] if place else " "
    after = glyphs[place + 1][0] if place + 1 < len(glyphs) else ""
    return mark == "`" or (not is_word(after) and not before.isspace())
