"""The stage that does not wait for ever."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from pydantic import Field

from openparallax.plugin import EngineError, Next, PluginSettings, Reply, Tools, TooSlow, Turn

GRACE_S = 1.0
"""How long what was cancelled may take to clean up before it is left to itself."""


class TimeLimit:
    """Give up on what is inside when it takes longer than ``seconds``.

    The rest of the pipeline runs in a task of its own, since an engine that swallows its
    cancellation cannot be left in any other way: it is cancelled, given `GRACE_S`, and then
    abandoned, which is logged. What it says or raises afterwards is dropped. An exception of the
    engine, its own ``TimeoutError`` included, passes unchanged.
    """

    class Settings(PluginSettings):
        """How long is too long."""

        seconds: float = Field(
            default=120.0,
            gt=0,
            allow_inf_nan=False,
            description="How long the engine may take for one turn before the person is told.",
        )

    keeps_content = False
    lets_go = True  # a call of it that is cancelled ends within moments, whatever is inside

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._seconds = settings.seconds
        self._clock = tools.clock
        self._log = tools.log
        # asyncio itself holds tasks weakly: an abandoned one must be held until it ends.
        self._abandoned: set[asyncio.Task[Reply]] = set()

    async def __call__(self, turn: Turn, call_next: Next) -> Reply:
        """Answer ``turn`` with what is inside.

        Raises:
            TooSlow: Its time was over first.
            asyncio.CancelledError: This stage was cancelled; what is inside was cancelled too and
                had its grace.
        """
        running = _start(_run(turn, call_next))
        try:
            if await self._ended(running, within_s=self._seconds):
                return running.result()
        except asyncio.CancelledError:
            await self._stop(running, turn)
            raise
        await self._stop(running, turn)
        raise TooSlow

    async def _ended(self, running: asyncio.Task[Reply], *, within_s: float) -> bool:
        """Wait until ``running`` has ended, or the time is over; True if it has ended."""
        if not running.done():
            await asyncio.sleep(0)  # one step: an answer that is at hand needs no timer
        if running.done():
            return True
        over = asyncio.get_running_loop().create_future()

        def wake(_: object = None) -> None:
            if not over.done():
                over.set_result(None)

        running.add_done_callback(wake)
        timer = self._clock.call_later(within_s, wake)
        try:
            await over
        finally:
            timer.cancel()
            running.remove_done_callback(wake)
        return running.done()

    async def _stop(self, running: asyncio.Task[Reply], turn: Turn) -> None:
        """Cancel ``running`` and wait out its grace; whatever comes of it is dropped."""
        self._abandoned.add(running)
        running.add_done_callback(self._drop)
        running.cancel()
        if not await self._ended(running, within_s=GRACE_S):
            self._log.warning("engine_abandoned", turn=turn.id, count=len(self._abandoned))

    def _drop(self, ended: asyncio.Task[Reply]) -> None:
        self._abandoned.discard(ended)
        if not ended.cancelled():
            ended.exception()  # looking at it keeps asyncio from reporting it, words and all


async def _run(turn: Turn, call_next: Next) -> Reply:
    try:
        return await call_next(turn)
    except SystemExit:
        # In a task of its own this would end the whole process past everybody.
        raise EngineError("the engine asked the process to end") from None


def _start(work: Coroutine[Any, Any, Reply]) -> asyncio.Task[Reply]:
    """Run ``work`` in a task: at once where Python can, so that an instant answer costs no wait."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=loop, eager_start=True)
    return loop.create_task(work)
