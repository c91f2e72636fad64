"""Room for bodies that are on their way, and that nobody has checked yet."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Room:
    """All such bodies together take no more than so much.

    A stranger may send any number at once, each within its limit and its time, and leave out the
    end. Where they hold too much, the one that has been on its way longest is given up, as if its
    time were over. Meta's come in one go.

    Args:
        most: In bytes; more than the largest body.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._bodies: dict[asyncio.Timeout, int] = {}

    @contextmanager
    def taken(self, patience: asyncio.Timeout) -> Iterator[Callable[[int], None]]:
        """What to call with the size of each piece of a body, while it is collected.

        Args:
            patience: Ends the waiting for this body; here it may be ended sooner.
        """
        self._bodies[patience] = 0

        def take(size: int) -> None:
            if patience in self._bodies:
                self._bodies[patience] += size
                self._held += size
                while self._held > self._most:
                    self._give_up_oldest()

        try:
            yield take
        finally:
            self._held -= self._bodies.pop(patience, 0)

    def _give_up_oldest(self) -> None:
        oldest = next(iter(self._bodies))
        self._held -= self._bodies.pop(oldest)
        oldest.reschedule(asyncio.get_running_loop().time())
