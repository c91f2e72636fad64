"""A page of memory that player and daemon share: the wall clock, and where the daemon is to die.

A file that both map. It outlives the process that is killed, and asking it costs nothing, so the
daemon can count each passing of each point.
"""

import mmap
import os
import struct
from pathlib import Path

_CLOCK = struct.Struct("=d")
_ORDER = struct.Struct("=ii")
_COUNT = struct.Struct("=QQ")
_ORDER_AT = 8
_COUNTS_AT = 64
MOST_POINTS = 200
SIZE = _COUNTS_AT + _COUNT.size * MOST_POINTS
NOWHERE = -1


class Board:
    """Either side's view of it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(b"\0" * SIZE)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)

    def close(self) -> None:
        self._map.close()

    @property
    def ahead_s(self) -> float:
        """By how much the daemon's wall clock is ahead of the machine's."""
        return float(_CLOCK.unpack_from(self._map, 0)[0])

    @ahead_s.setter
    def ahead_s(self, seconds: float) -> None:
        _CLOCK.pack_into(self._map, 0, seconds)

    def order(self, point: int, nth: int) -> None:
        """The daemon is to die when it passes ``point`` for the ``nth`` time from now."""
        _ORDER.pack_into(self._map, _ORDER_AT, point + 1, nth)

    def relent(self) -> None:
        """It is to live."""
        self.order(NOWHERE, 0)

    @property
    def is_armed(self) -> bool:
        return bool(_ORDER.unpack_from(self._map, _ORDER_AT)[0])

    def count(self, point: int) -> tuple[int, int]:
        """How often a point was passed, and how often the daemon died there."""
        passed, died = _COUNT.unpack_from(self._map, _COUNTS_AT + _COUNT.size * point)
        return int(passed), int(died)

    def passes(self, point: int) -> bool:
        """The daemon passes a point; whether it is to die there."""
        passed, died = self.count(point)
        armed, left = _ORDER.unpack_from(self._map, _ORDER_AT)
        dies = bool(armed == point + 1 and left <= 1)
        if armed == point + 1:
            _ORDER.pack_into(self._map, _ORDER_AT, 0 if dies else armed, left - 1)
        place = _COUNTS_AT + _COUNT.size * point
        _COUNT.pack_into(self._map, place, passed + 1, died + dies)
        return dies


def named(variables: dict[str, str] | os._Environ[str]) -> Path:
    """Where the board is, as the daemon's process is told."""
    return Path(variables["TORTURE_BOARD"])
