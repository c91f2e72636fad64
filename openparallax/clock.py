"""Time, handed in: so that every wait, window and back-off can be tested without sleeping."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that has not happened yet."""

    def cancel(self) -> None:
        """See that it does not happen; may be called twice."""
        ...


class Clock(Protocol):
    """What the house asks for time.

    Durations are measured with `monotonic`, which never jumps; `now` is for what must survive a
    restart or be compared with Meta's timestamps, and may jump.
    """

    def now(self) -> float:
        """Wall time, unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; only differences mean something."""
        ...

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Call ``call`` on the loop after ``delay_s`` seconds of monotonic time."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Return after ``delay_s`` seconds of monotonic time."""
        ...


class SystemClock:
    """The machine's clock."""

    # Asked a dozen times for each message: without a call of Python's in between.
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, call)

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
