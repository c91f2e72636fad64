"""Foreign values made safe; every function takes any JSON value and none of them raises."""

import re
from typing import Any

MAX_ID = 512
"""Longest id taken, in characters; Meta's own stay far below."""

_MAX_SECONDS = 253_402_300_799
"""The last second of the year 9999: what is later is no time, and it fits 64 bits."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_LABEL = re.compile("[^a-z0-9_]")


def mend(text: str) -> str:
    """``text`` with U+FFFD in place of each lone surrogate, which neither disk nor wire can take.

    Source:
        JSON may escape half of a surrogate pair; Python's decoder joins only whole ones.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def parse_id(value: object) -> str | None:
    """An id as text, also where it came as a number; None if it is missing, empty or too long."""
    if isinstance(value, str):
        if not 0 < len(value) <= MAX_ID:
            return None
        return value if value.isascii() else mend(value)  # asked here: it saves a call for each id
    if type(value) is int and 0 <= value < 10**32:  # type(), since True is an int as well
        return str(value)
    return None


def parse_seconds(value: object) -> int | None:
    """A timestamp as whole unix seconds, 0 to the year 9999; None for anything else."""
    if isinstance(value, str):
        seconds = int(value) if len(value) <= 12 and value.isdecimal() else -1
    elif type(value) is int:
        seconds = value
    elif isinstance(value, float) and 0 <= value <= _MAX_SECONDS:  # false for NaN
        seconds = int(value)
    else:
        return None
    return seconds if 0 <= seconds <= _MAX_SECONDS else None


def parse_code(value: object) -> int | None:
    """An error code as a number that any column can hold; None for anything else."""
    if isinstance(value, str) and len(value) <= 9 and value.isdecimal():
        return int(value)
    return value if type(value) is int and abs(value) < 2**31 else None


def parse_label(value: object) -> str:
    """A foreign name as counts may show it: at most 32 of ``a-z``, ``0-9`` and ``_``."""
    if not isinstance(value, str) or not value:
        return "none"
    return _NO_LABEL.sub("_", value[:32].lower()[:32])


def as_object(value: object) -> dict[str, Any]:
    """``value`` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """``value`` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []
