"""Telephone numbers as people spell them, and ids as Meta gives them, made comparable."""

import re
import unicodedata

_BUSINESS_SCOPED = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}\Z")
_SEPARATORS = frozenset("()./-")


def normalise_number(spelling: str) -> str:
    """Make of ``+1 (555) 000-1111`` the digits ``15550001111``.

    Brackets, dots, slashes, every kind of space, dash and invisible mark may stand between the
    digits (numbers copied from a phone's contacts hold such marks); a leading ``+`` or ``00``, or
    both, and the ``(0)`` of ``+49 (0)30 …`` fall away. A business-scoped user id is returned as it
    is, since its letters' case matters.

    Raises:
        ValueError: It is neither; the message has no part of it.

    Source:
        E.164 for the length; Cloud API, business-scoped user ids (2026).
    """
    bare = "".join(c for c in spelling if unicodedata.category(c) not in {"Zs", "Cf", "Cc"})
    if _BUSINESS_SCOPED.match(bare):
        return bare
    if bare.startswith("+"):
        bare = bare[1:].replace("(0)", "", 1)
    digits = "".join(c for c in bare if c not in _SEPARATORS and unicodedata.category(c) != "Pd")
    found = "".join(str(unicodedata.decimal(c)) for c in digits) if digits.isdecimal() else ""
    while found.startswith("00"):
        found = found[2:]
    if not 7 <= len(found) <= 15:
        raise ValueError(
            "is neither a telephone number with its country code (seven to fifteen digits, such as"
            ' "+1 555 000 1111") nor a business-scoped user id (such as "US.123…")'
        )
    return found
