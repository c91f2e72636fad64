"""SIGHUP, from the first line of ``serve`` to its last: it reloads, and never ends the process.

This stands in front of all other imports, and so imports nothing of the house.
"""

import atexit
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final


class Hangups:
    """What SIGHUP leads to; one handler all the time, so that there is no gap between two.

    Beneath ``nohup`` as everywhere: the process outlives its terminal by this too, and whoever
    sends it SIGHUP wants a reload.
    """

    def __init__(self) -> None:
        self._begin: Callable[[], object] | None = None
        self._came = False

    def hold(self) -> None:
        """Remember it from now on, and ignore it when the interpreter ends; may be repeated."""
        signal.signal(signal.SIGHUP, self._come)
        atexit.unregister(ignore)
        atexit.register(ignore)

    @contextmanager
    def leading_to(self, begin: Callable[[], object]) -> Iterator[None]:
        """Call ``begin`` for each, and now if one came before; behind this it is ignored.

        Args:
            begin: Called between two steps of whatever the main thread does.
        """
        self._begin = begin
        if self._came:
            begin()
        try:
            yield
        finally:
            ignore()

    def _come(self, _number: int, _frame: FrameType | None) -> None:
        if self._begin is None:
            self._came = True
        else:
            self._begin()


def ignore() -> None:
    """What was wanted cannot be had any more, and is no reason to end otherwise than in order."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


HANGUPS: Final = Hangups()
"""Those of this process."""
