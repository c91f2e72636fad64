"""A look at something that costs a little, for many who ask at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from openparallax.clock import Clock

T = TypeVar("T")


class Reused(Generic[T]):
    """Looks when somebody asks, and hands the same finding out for some seconds.

    One look is under way at a time. Whoever asks waits for it a bounded time: a disk that hangs
    must not make whoever watches hang too.

    Args:
        look: What it costs; what it raises, `get` raises.
        for_s: How long a finding counts.
        patience_s: How long `get` waits.
    """

    def __init__(
        self, look: Callable[[], Awaitable[T]], *, for_s: float, patience_s: float, clock: Clock
    ) -> None:
        self._look = look
        self._for_s = for_s
        self._patience_s = patience_s
        self._clock = clock
        self._looked_at = 0.0
        self._task: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """The finding.

        Raises:
            TimeoutError: It is not known yet; the look goes on.
        """
        task = self._task
        if task is None or (task.done() and self._is_old()):
            self._looked_at = self._clock.monotonic()
            task = self._task = asyncio.ensure_future(self._look_once())
            task.add_done_callback(_see)
        # Real time: it is the machine that is waited for.
        done, _ = await asyncio.wait({task}, timeout=self._patience_s)
        if not done:
            raise TimeoutError
        return task.result()

    def doubt(self) -> None:
        """A good finding may be true no more: look anew the next time. Bad news stays for a while.

        So whoever watches a disk that refuses does not try it more often than one that does not.
        """
        task = self._task
        if task is not None and task.done() and not task.cancelled() and task.exception() is None:
            self._looked_at = float("-inf")

    def _is_old(self) -> bool:
        return self._clock.monotonic() - self._looked_at >= self._for_s

    async def _look_once(self) -> T:
        return await self._look()

    async def stop(self) -> None:
        """End a look that is under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})


def _see(task: "asyncio.Task[T]") -> None:
    """Nobody may be left to be told."""
    if not task.cancelled():
        task.exception()
