"""The last of something, and no more memory for it than may be."""

from collections import deque
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Recent(deque[_T], Generic[_T]):
    """A deque whose oldest go where there are too many, or they are too large together.

    Args:
        most: That are kept.
        most_bytes: Of all that is kept together, as `keep` is told; the newest stays in any case.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        super().__init__()
        self._most = most
        self._most_bytes = most_bytes
        self._sizes: deque[int] = deque()
        self._bytes = 0

    def keep(self, one: _T, size: int) -> None:
        """Add it at the end."""
        self.append(one)
        self._sizes.append(size)
        self._bytes += size
        while len(self) > 1 and (len(self) > self._most or self._bytes > self._most_bytes):
            self.popleft()
            self._bytes -= self._sizes.popleft()

    def clear(self) -> None:
        super().clear()
        self._sizes.clear()
        self._bytes = 0
