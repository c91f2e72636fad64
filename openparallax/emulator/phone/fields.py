"""What came with a call of the page, read strictly; what does not fit is refused in a sentence."""

import json
import math
from collections.abc import Mapping
from typing import Any


class Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """The page's call is refused; its text is the sentence that the page shows.

    Args:
        status: HTTP status, 4xx.
    """

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class Fields:
    """A JSON object's fields by name and type; each reader raises `Refused`."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = said

    @classmethod
    def parse(cls, raw: bytes | str) -> "Fields":
        """Read a JSON object; nothing is an empty one."""
        try:
            said = json.loads(raw, parse_constant=_refuse) if raw else {}
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Refused("this is not a JSON object")
        return cls(said)

    def text(self, name: str, *, most: int, least: int = 1) -> str:
        """Characters, ``least`` to ``most``; no halves of surrogate pairs, which no phone sends."""
        found = self._said.get(name, "")
        if not isinstance(found, str):
            raise Refused(f"{name} must be text")
        if not least <= len(found) <= most:
            raise Refused(f"{name} must have {least} to {most} characters")
        if any("\ud800" <= letter <= "\udfff" for letter in found):
            raise Refused(f"{name} has half of a surrogate pair")
        return found

    def optional(self, name: str, *, most: int) -> str | None:
        """The same; None where it is missing, null or empty."""
        if self._said.get(name) is None:
            return None
        return self.text(name, most=most, least=0) or None

    def number(self, name: str, *, least: float, most: float) -> float:
        found = self._said.get(name)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise Refused(f"{name} must be a number")
        if not least <= found <= most or not math.isfinite(found):
            raise Refused(f"{name} must be between {least:g} and {most:g}")
        return float(found)

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number; None where it is missing or null."""
        if self._said.get(name) is None:
            return None
        found = self.number(name, least=least, most=most)
        if not found.is_integer():
            raise Refused(f"{name} must be a whole number")
        return int(found)

    def flag(self, name: str) -> bool:
        """False where it is missing."""
        found = self._said.get(name, False)
        if not isinstance(found, bool):
            raise Refused(f"{name} must be true or false")
        return found

    def one_of(self, name: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
        found = self._said.get(name)
        if not isinstance(found, str) or found not in known:
            raise Refused(f"{name} must be one of: {', '.join(known)}")
        return found


def _refuse(_constant: str) -> None:
    raise ValueError("JSON knows no NaN")
