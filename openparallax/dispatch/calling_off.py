"""Turns that nobody waits for any more: the engine is let go, and that is not its fault."""

import asyncio
from dataclasses import dataclass


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

    def __init__(self) -> None:
        self._running: dict[int, Running] = {}

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


def calm() -> None:
    """The running task is not to end, though somebody wanted it to."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
