"""Decisions made of bytes: the same bytes, the same decisions; a changed byte, a near-by case."""

from collections.abc import Sequence
from typing import TypeVar

_One = TypeVar("_One")


class Draws:
    """Bytes read from the front; where they end, zeros follow."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Whether any bytes are left."""
        return self._at < len(self._data)

    def below(self, end: int) -> int:
        """A whole number from 0; ``end`` is at most 65536."""
        value = self._byte() if end <= 256 else self._byte() << 8 | self._byte()
        return value % end

    def one_of(self, choices: Sequence[_One]) -> _One:
        return choices[self.below(len(choices))]

    def is_so(self) -> bool:
        return self._byte() % 2 == 1

    def take(self, most: int) -> bytes:
        """So many bytes as the next one says, at most ``most``."""
        length = self.below(most + 1)
        found = self._data[self._at : self._at + length]
        self._at += length
        return found

    def text(self, most: int) -> str:
        """Text of ``most`` bytes in UTF-8; what is none stands for odd characters."""
        return as_text(self.take(most))

    def rest(self) -> bytes:
        found, self._at = self._data[self._at :], len(self._data)
        return found

    def _byte(self) -> int:
        at, self._at = self._at, self._at + 1
        return self._data[at] if at < len(self._data) else 0


def as_text(data: bytes) -> str:
    """Any bytes as text that may hold lone surrogates; what is UTF-8 comes out as it reads."""
    return data.decode("utf-8", "surrogateescape")
