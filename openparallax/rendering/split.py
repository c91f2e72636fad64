"""Cut a text into parts that WhatsApp takes."""

import re
from collections.abc import Iterator

from openparallax.rendering.graphemes import is_joined

LIMIT = 4096
"""Source: Cloud API, text messages: the body's greatest length. Which unit it counts is not
documented; UTF-16 code units are the strictest that a client is likely to mean."""

_FENCE = re.compile("`{3,}")
_REOPENED, _CLOSED = "```\n", "\n```"
_FENCES_FROM = 64
"""Below this limit fences would take up most of a part, and are cut like words."""

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
    is cut is closed, and opened again in the next part.

    Nothing is lost: without their white space, the parts joined are the text without its white
    space, save for the fences added. A text that fits comes back unchanged as the only part; no
    part is white space only, and a text that is has no parts.

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
    start, is_open = 0, False
    while start < len(text):
        opened = _REOPENED if is_open else ""
        fit = _fitting(text, start, limit - len(opened))
        has_fences = limit >= _FENCES_FROM and (is_open or "```" in text[start:fit])
        if has_fences:
            fit = _fitting(text, start, limit - len(opened) - len(_CLOSED))
        cut = fit if fit == len(text) else _place(text, start, fit)
        ends_open, fence = _fences(text, start, cut, is_open=is_open) if has_fences else (False, 0)
        if ends_open and start < fence and cut < len(text) and "\n" not in text[fence:cut].strip():
            cut, ends_open = fence, False  # nothing of its code fits: it goes with the next part
        body = text[start:cut].rstrip()
        start = _next_start(text, cut, keep_indent=ends_open)
        closed = ""
        if ends_open and start < len(text):
            closed = _CLOSED
            closing = _FENCE.match(text, start)
            if closing and closing.end() - start == 3:
                ends_open = False  # the cut stands before the fence's own end: that is the one used
                start = _next_start(text, closing.end(), keep_indent=False)
        elif ends_open and is_open:
            closed = _CLOSED
        if body:
            yield opened + body + closed
        is_open = ends_open


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
            if least <= place <= fit and not is_joined(text, place):
                found = place
        if found:
            return found
    cut = fit
    while cut > start and (is_joined(text, cut) or text[cut - 1 : cut + 1] == "``"):
        cut -= 1
    return cut if cut > start else fit


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
