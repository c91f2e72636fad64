"""Cut a text into parts that WhatsApp takes."""

import re
from collections.abc import Iterator

from openparallax.rendering.graphemes import is_joined
from openparallax.rendering.marks import SEPARATOR, is_word
from openparallax.rendering.pairs import Pairs

LIMIT = 4096
"""Source: Cloud API, text messages: the body's greatest length. Which unit it counts is not
documented; UTF-16 code units are the strictest that a client is likely to mean."""

_FENCE = re.compile("`{3,}")
_REOPENED, _CLOSED = "```\n", "\n```"
_FENCES_FROM = 64
"""Below this limit fences would take up most of a part, and are cut like words."""
_MARKS_FROM = 256
"""Below this limit a cut would move or add too much for the sake of a mark."""

_MOST_MARKS = len("*_~`")
_QUOTED = re.compile("(?:> )+")
_LIST_OR_QUOTE = re.compile(r"(?:[-*>]|\d+\.)\s")
_BULLET = re.compile(r"\s*(?:[->\u25e6\u25aa]|\d{1,9}\.)")
_LONGEST_BULLET = 16
_LINE_HEAD = re.compile(r"\s*(?:(?:> )+|[-\u25e6\u25aa] |\d+\. )*")

# What ends a sentence, in order: . ! ? and the ellipsis; the Arabic question mark and the Urdu full
# stop; the dandas of Hindi; the Armenian and Ethiopic full stops. Closing quotes, brackets and
# WhatsApp's marks may follow.
_ENDS = ".!?\u2026\u061f\u06d4\u0964\u0965\u0589\u1362"
_CLOSERS = "\"'\u201d\u2019\u00bb)\\]*_~"
# Chinese and Japanese put no space behind a sentence: their full stops and marks, then quotes.
_WIDE_ENDS = "\u3002\uff01\uff1f\uff61"
_WIDE_CLOSERS = "\u201d\u2019\u300d\u300f\uff09"
_PLACES = (
    # Kinds of place, best first; the cut is where the match begins.
    re.compile(r"\r?\n[^\S\n]*\n"),
    re.compile(r"\r?\n"),
    re.compile(
        rf"(?:(?<=[{_ENDS}])|(?<=[{_ENDS}][{_CLOSERS}])|(?<=[{_ENDS}][{_CLOSERS}]{{2}}))\s"
        rf"|(?:(?<=[{_WIDE_ENDS}])|(?<=[{_WIDE_ENDS}][{_WIDE_CLOSERS}]))"
        rf"(?![{_WIDE_ENDS}{_WIDE_CLOSERS}])"
    ),
    re.compile(r"[^\S\u00a0\u2007\u202f]"),  # words: any white space that is not a no-break space
)
_ANYWHERE = len(_PLACES) - 1
"""Words are cut wherever they end; a better place that would leave a part less than a quarter full
is passed over, since every part is a message that costs money and takes its turn in the pacing."""


def split(text: str, limit: int = LIMIT) -> list[str]:
    """Cut ``text`` into parts of at most ``limit`` UTF-16 code units.

    Cuts are made between paragraphs, else lines, else sentences, else words, else grapheme
    clusters; a single cluster longer than a part is cut as well. White space at a cut is dropped
    (inside a code fence only up to the last line's end, so that indentation stays). A fence that
    is cut is closed, and opened again in the next part; so are WhatsApp's marks, where the cut
    cannot be made before them, and a quote goes on as a quote.

    Nothing is lost: without their white space, the parts joined are the text without its white
    space, save for the fences, marks and quotes added. A text that fits comes back unchanged as the
    only part; no part is white space only, and a text that is has no parts.

    Args:
        text: May hold lone surrogates.
        limit: At least 2, which any one character needs.

    Raises:
        ValueError: ``limit`` is below 2.
    """
    if limit < 2:
        raise ValueError("limit must be at least 2")
    if not text or text.isspace():
        return []
    if len(text) * 2 <= limit or _units(text) <= limit:
        return [text]
    return list(_parts(text, limit))


def _parts(text: str, limit: int) -> Iterator[str]:
    pairs = Pairs(text if limit >= _MARKS_FROM else "")
    start, is_open, prefix = 0, False, ""
    while start < len(text):
        opened = _REOPENED if is_open else prefix
        fit = _fitting(text, start, limit - len(opened))
        has_fences = limit >= _FENCES_FROM and (is_open or "```" in text[start:fit])
        if has_fences:
            fit = _fitting(text, start, limit - len(opened) - len(_CLOSED))
        cut = fit if fit == len(text) else _place(text, start, fit)
        if pairs.around(cut):
            cut = _place_by_pairs(text, start, fit, cut, pairs)
        ends_open, fence = _fences(text, start, cut, is_open=is_open) if has_fences else (False, 0)
        if ends_open and start < fence and cut < len(text) and "\n" not in text[fence:cut].strip():
            cut, ends_open = fence, False  # nothing of its code fits: it goes with the next part
        body = text[start:cut].rstrip()
        start = _next_start(text, cut, keep_indent=ends_open)
        marks = "" if ends_open else pairs.around(cut)
        closed = marks[::-1]
        if ends_open and start < len(text):
            closed = _CLOSED
            closing = _FENCE.match(text, start)
            if closing and closing.end() - start == 3:
                ends_open = False  # the cut stands before the fence's own end: that is the one used
                start = _next_start(text, closing.end(), keep_indent=False)
        elif ends_open and is_open:
            closed = _CLOSED
        prefix = _prefix(text, cut, start, marks) if limit >= _MARKS_FROM else ""
        if body:
            yield opened + body + closed
        is_open = ends_open


def _place_by_pairs(text: str, start: int, fit: int, cut: int, pairs: Pairs) -> int:
    """Before the marks that ``cut`` is between, unless that would leave a part too empty.

    If it would, the cut leaves room for them to be closed.
    """
    first = pairs.first_around(cut)
    line = text.rfind("\n", start, first) + 1 or start
    head = _LINE_HEAD.match(text, line, first)
    before = line if head and head.end() == first else first
    while before > start and not text[before - 1].isspace() and not is_word(text[before - 1]):
        before -= 1  # a bracket or a quote before the mark goes with it
    if before > start + (fit - start) * 3 // 4 and not is_joined(text, before):
        return before
    return _place(text, start, _fitting(text, start, _units(text[start:fit]) - _MOST_MARKS))


def _prefix(text: str, cut: int, start: int, marks: str) -> str:
    """What the part from ``start`` has to begin with so that it goes on like the line that is cut.

    A dash in the middle of a line, say, must not become a bullet at the beginning of a message.
    """
    if "\n" in text[cut:start] or start >= len(text):
        return ""
    quoted = _QUOTED.match(text, text.rfind("\n", 0, cut) + 1, cut)
    prefix = (quoted[0] if quoted else "") + marks
    return prefix or (SEPARATOR if _LIST_OR_QUOTE.match(text, start) else "")


def _units(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fitting(text: str, start: int, units: int) -> int:
    """The greatest index up to which ``text`` from ``start`` takes at most ``units``."""
    end = min(start + units, len(text))
    while (excess := _units(text[start:end]) - units) > 0:
        # One character less is one or two units less, so this never takes off one too many.
        end -= (excess + 1) // 2
    return end


def _place(text: str, start: int, fit: int) -> int:
    """The best index to cut at, above ``start`` and at most ``fit``."""
    for kind, pattern in enumerate(_PLACES):
        least = start + 1 if kind == _ANYWHERE else start + (fit - start) // 4 + 1
        found = 0
        for match in pattern.finditer(text, start, min(fit + 2, len(text))):
            place = match.start()
            if (
                least <= place <= fit
                and not is_joined(text, place)
                and not _is_behind_bullet(text, start, place)
            ):
                found = place
        if found:
            return found
    for together in ("``", ""):  # of a run of backticks that fills the part, a cluster still is one
        cut = fit
        while cut > start and (is_joined(text, cut) or text[cut - 1 : cut + 1] == together):
            cut -= 1
        if cut > start:
            return cut
    return fit


def _is_behind_bullet(text: str, start: int, place: int) -> bool:
    """Whether a cut here would leave a bullet or a number at the end of a message."""
    first = max(start, place - _LONGEST_BULLET)
    line = text.rfind("\n", first, place) + 1
    return (line > 0 or first == start) and bool(_BULLET.fullmatch(text, line or first, place))


def _fences(text: str, start: int, end: int, *, is_open: bool) -> tuple[bool, int]:
    """Whether a fence is open at ``end``, and where the last fence up to there begins."""
    last = start
    for fence in _FENCE.finditer(text, start, end):
        is_open = not is_open
        last = fence.start()
    return is_open, last


def _next_start(text: str, cut: int, *, keep_indent: bool) -> int:
    """Where the next part begins: behind the white space at ``cut``."""
    start = cut
    while start < len(text) and text[start].isspace():
        start += 1
    if keep_indent and (line := text.rfind("\n", cut, start) + 1):
        return line
    # White space that carries a combining mark is seen, and stays.
    return start - 1 if start > cut and is_joined(text, start) else start
