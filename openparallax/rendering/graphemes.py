"""Where one character, as a reader sees it, ends and the next begins."""

import unicodedata

_ZWJ = "\u200d"
_VIRAMA_CLASS = 9
_PREPENDED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\u0d4e")
_EXTENDERS = frozenset("\u200c\u0e33\u0eb3\uff9e\uff9f")
"""Extend, or are spacing marks, without being of a mark's category: ZWNJ, Thai and Lao AM, and the
half-width voiced marks."""

_HANGUL_FOLLOWERS = {"L": "L V LV LVT", "V": "V T", "LV": "V T", "T": "T", "LVT": "T"}


def is_joined(text: str, index: int) -> bool:
    """Whether the characters on both sides of ``index`` belong to one grapheme cluster.

    Errs, where it errs, towards joined: after a zero-width joiner and after a virama any letter
    counts, since the standard library does not know which characters are pictographs or
    conjunct-forming. Not known to it: prepended signs beyond the Arabic, Syriac and Malayalam ones,
    and marks newer than the running Python's Unicode.

    Args:
        text: May hold lone surrogates; a high and a low one side by side are joined.
        index: 0 and the length of ``text`` are never joined.

    Source:
        Unicode Standard Annex 29, rules GB3 to GB13. A library was weighed: the two in use are a
        regular-expression engine in C and a table of 200 kB, for a last resort that text with
        spaces in it never reaches.
    """
    if not 0 < index < len(text):
        return False
    before, after = text[index - 1], text[index]
    if before < "\u0300" and after < "\u0300":  # the common case; nothing here joins but CR LF
        return before == "\r" and after == "\n"
    if unicodedata.category(before) in ("Cc", "Zl", "Zp"):
        return False
    return (
        _extends(after)
        or before in _PREPENDED
        or (_binds(before) and unicodedata.category(after)[0] in "LS")
        or (_is_flag_half(after) and _flag_halves_before(text, index) % 2 == 1)
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")
        or _hangul(after) in _HANGUL_FOLLOWERS.get(_hangul(before), "").split()
    )


def _binds(character: str) -> bool:
    return character == _ZWJ or unicodedata.combining(character) == _VIRAMA_CLASS


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character)[0] == "M"
        or character == _ZWJ
        or character in _EXTENDERS
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, as in the flag of Scotland
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, index: int) -> int:
    start = index
    while start > 0 and _is_flag_half(text[start - 1]):
        start -= 1
    return index - start


def _hangul(character: str) -> str:
    """The syllable type of ``character``, or "" if it is no Hangul."""
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:
        return "LV" if (code - 0xAC00) % 28 == 0 else "LVT"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return "T"
    return ""
