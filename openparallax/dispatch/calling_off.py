"""Turns that nobody waits for any more: the engine is let go, and that is not its fault."""

import asyncio
from dataclasses import dataclass

from openparallax.clock import Clock
from openparallax.dispatch.answering import Answering
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.turn import Reply, Turn
from openparallax.pipeline import EngineError

GRACE_S = 1.0
"""How long what was cancelled may take to clean up before it is left to itself."""


@dataclass(slots=True)
class Running:
    """A turn, which may be called off until its end is written.

    Attributes:
        task: Of the turn; None once it is too late.
        is_called_off: Nobody waits for it.
    """

    task: "asyncio.Task[object] | None"
    is_called_off: bool = False


class CallingOff:
    """Which turns run, at most one of a chat."""

    def __init__(self, *, clock: Clock, log: Logger, metrics: Metrics) -> None:
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._running: dict[int, Running] = {}
        # asyncio itself holds tasks weakly: an abandoned one must be held until it ends.
        self._abandoned: set[asyncio.Task[Reply]] = set()

    def begin(self, chat: int) -> Running:
        """The running task is a turn of ``chat``."""
        running = self._running[chat] = Running(asyncio.current_task())
        return running

    def end(self, chat: int) -> None:
        """That turn is over."""
        del self._running[chat]

    def interrupt(self, chat: int) -> None:
        """All that the turn of ``chat`` answers is over: it ends now, if that is not too late."""
        running = self._running.get(chat)
        if running is not None and running.task is not None and not running.is_called_off:
            running.is_called_off = True
            running.task.cancel()

    async def ask(self, by: Answering, turn: Turn) -> Reply:
        """Have ``turn`` answered, and not wait for ever once the running task is cancelled.

        What heeds no cancellation is given `GRACE_S`, and then abandoned: its chat goes on, and
        what it says or raises afterwards is dropped.

        Raises:
            asyncio.CancelledError: The running task was cancelled, or the engine cancelled itself.
        """
        if by.lets_go:
            return await by.ask(turn)
        asked = asyncio.get_running_loop().create_task(_run(by, turn))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            if not asked.done():
                await self._let_go(asked, turn)
            if asked.cancelled() or not asked.done():
                raise
            return asked.result()  # it answered instead, or raised

    async def _let_go(self, asked: asyncio.Task[Reply], turn: Turn) -> None:
        over = asyncio.Event()
        timer = self._clock.call_later(GRACE_S, over.set)
        self._abandoned.add(asked)
        asked.add_done_callback(self._drop)
        asked.add_done_callback(lambda _: over.set())
        asked.cancel()
        try:
            await over.wait()
        finally:
            timer.cancel()
        if not asked.done():
            self._metrics.count("engine_failures", "abandoned")
            self._log.warning("engine_abandoned", turn=turn.id, count=len(self._abandoned))

    def _drop(self, ended: "asyncio.Task[Reply]") -> None:
        self._abandoned.discard(ended)
        if not ended.cancelled():
            ended.exception()  # looking at it keeps asyncio from reporting it, words and all


async def _run(by: Answering, turn: Turn) -> Reply:
    try:
        return await by.ask(turn)
    except SystemExit:
        # In a task of its own this would end the whole process past everybody.
        raise EngineError("the engine asked the process to end") from None


def calm() -> None:
    """The running task is not to end, though somebody wanted it to."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
