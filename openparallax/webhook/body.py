"""From raw bytes to a JSON value."""

import json
import re
from contextlib import suppress
from typing import NoReturn

from pydantic_core import from_json

from openparallax.errors import OpenParallaxError

_MAX_DEPTH = 64
"""Levels kept of a body that is nested too deeply; Meta's own go to about a dozen."""

_MAX_DIGITS = 40

_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class Unreadable(OpenParallaxError):  # noqa: N818 - a fact about the body, not a fault of ours
    """The body is not JSON in UTF-8."""


def parse_body(raw: bytes) -> object:
    """Decode a request's body.

    Pydantic's decoder goes first, since it takes a third of the time. What it refuses the standard
    library's may know (halves of surrogate pairs), and whose only failures on good JSON, thousands
    of levels or of digits, are mended here: what lies too deep becomes null and such a number
    becomes null, so that the rest of the batch goes in.

    Args:
        raw: The bytes as they came. Lone surrogates in escapes are left in the result.

    Raises:
        Unreadable: It is not UTF-8 or not JSON (which knows no NaN). It quotes nothing, and has no
            cause attached, since a decoder's exception holds the whole body.
    """
    with suppress(ValueError):
        return from_json(raw, allow_inf_nan=False, cache_strings="keys")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""  # no JSON value is empty
    try:
        return _decode(text)
    except json.JSONDecodeError:
        patiently = False
    except (RecursionError, ValueError):
        patiently = True
    if patiently:
        try:
            return _decode_patiently(_prune(text))
        except (RecursionError, ValueError):
            pass
    raise Unreadable


def _prune(text: str) -> str:
    """Put null in place of each array and object that lies deeper than `_MAX_DEPTH`."""
    kept: list[str] = []
    depth = start = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            if depth == _MAX_DEPTH + 1:
                kept += text[start : found.start()], "null"
        elif mark in "]}":
            if depth == _MAX_DEPTH + 1:
                start = found.end()
            depth -= 1
    if depth > _MAX_DEPTH:  # never closed, so not JSON
        return ""
    kept.append(text[start:])
    return "".join(kept)


def _bounded(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MAX_DIGITS else None


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse).decode
_decode_patiently = json.JSONDecoder(parse_constant=_refuse, parse_int=_bounded).decode
