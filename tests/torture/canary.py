"""Words that nobody else says: one for each message, one for each answer, known by their number.

All words of one programme begin with the same letters, drawn from its seed, so that one look
through a file finds them all, and each says which message it belongs to. They are letters and
digits, which no rendering, escaping or splitting changes.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

_LETTERS = "bcdfghjkmnpqrstvwxz"


@dataclass(frozen=True, slots=True)
class Canary:
    """The words of one programme.

    Attributes:
        core: How they all begin.
    """

    core: str

    @classmethod
    def of(cls, seed: int) -> "Canary":
        dice = Random(f"{seed} canary")  # noqa: S311 - nothing secret is drawn
        return cls("".join(dice.choices(_LETTERS, k=10)))

    def asked(self, number: int) -> str:
        """What message ``number`` says."""
        return f"{self.core}q{number:04}y"

    def found(self, text: str) -> list[tuple[str, int, int]]:
        """Each word in ``text``: ``q`` or ``a``, its number, and which piece of an answer it is."""
        return [
            (kind, int(number), int(piece or 0))
            for kind, number, piece in re.findall(rf"{self.core}([qa])(\d{{4}})(?:p(\d+))?y", text)
        ]

    def sung_in(self, written: bytes) -> Iterator[tuple[str, int]]:
        """What stands in a file, as ``q`` or ``a`` and the number; in an odd form ``form``, 0."""
        core = self.core.encode()
        for found in re.finditer(core + rb"(?:([qa])(\d{4}))?", written, re.IGNORECASE):
            yield (found[1].decode().lower(), int(found[2])) if found[1] else ("cut off", 0)
        for name, form in self._forms().items():
            if form in written:
                yield name, 0

    def _forms(self) -> dict[str, bytes]:
        core = self.core.encode()
        forms = {
            "hexadecimal": core.hex().encode(),
            "backwards": core[::-1],
            "utf-16-le": self.core.encode("utf-16-le"),
            "utf-16-be": self.core.encode("utf-16-be"),
        }
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + core).rstrip(b"=")
            forms[f"base64, shift {shift}"] = coded[shift + 1 : -1]
        return forms


def numbers(found: Iterable[tuple[str, int, int]], kind: str) -> list[int]:
    """Of words that were found, the numbers of those of one kind; each once, in their order."""
    return list(dict.fromkeys(number for one, number, _ in found if one == kind))
