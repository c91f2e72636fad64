"""The emulator's clock, which a person may move: a day passes at the press of a button."""

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable

from openparallax.clock import Clock, Timer

LATEST = 250_000_000_000.0
EARLIEST = -50_000_000_000.0
"""Unix seconds beyond which it is not set, in the years 385 and 9892: dates are of 1 to 9999."""
SLACK_S = 1e-6
"""What is due so soon is due: sums of floats differ by less, and a timer would find nothing."""


class _Due:
    """A call that waits for its moment on the moved clock."""

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call = call
        self.is_over = False

    def cancel(self) -> None:
        self.is_over = True


class MovableClock:
    """Another clock, and how far this one is from it.

    Moving it forth lets what waits fire as if the time had passed; moving it back changes only what
    `now` says, as setting a machine's clock does.
    """

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self._ahead = 0.0
        self._passed = 0.0
        self._waiting: list[tuple[float, int, _Due]] = []
        self._order = itertools.count()
        self._timer: Timer | None = None
        self.on_move: Callable[[], None] = lambda: None

    @property
    def ahead_s(self) -> float:
        """Seconds by which `now` is ahead of the machine; below 0 where it is behind."""
        return self._ahead

    def now(self) -> float:
        return self._inner.now() + self._ahead

    def monotonic(self) -> float:
        return self._inner.monotonic() + self._passed

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        due = _Due(self.monotonic() + max(delay_s, 0.0), call)
        heapq.heappush(self._waiting, (due.due, next(self._order), due))
        self._wait()
        return due

    async def sleep(self, delay_s: float) -> None:
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self.call_later(delay_s, wake)
        try:
            await woken
        finally:
            timer.cancel()

    def move(self, seconds: float) -> None:
        """Set the clock forth or, below 0, back; what is due then has fired when this returns.

        It stays within `EARLIEST` and `LATEST`.

        Raises:
            ValueError: ``seconds`` is no number.
        """
        if math.isnan(seconds):
            raise ValueError("a clock is moved by a number of seconds")
        now = self.now()
        seconds = min(max(seconds, EARLIEST - now), LATEST - now)
        self._ahead += seconds
        self._passed += max(seconds, 0.0)
        self._fire()
        self.on_move()

    def reset(self) -> None:
        """Show the machine's time again; what has fired has fired."""
        self._ahead = 0.0
        self.on_move()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._waiting[0][2].is_over:
            heapq.heappop(self._waiting)
        if self._waiting:
            delay_s = max(self._waiting[0][0] - self.monotonic(), 0.0)
            self._timer = self._inner.call_later(delay_s, self._fire)

    def _fire(self) -> None:
        until = self.monotonic() + SLACK_S
        try:
            while self._waiting and self._waiting[0][0] <= until:
                due = heapq.heappop(self._waiting)[2]
                if not due.is_over:
                    due.is_over = True
                    due.call()
        finally:
            self._wait()
