"""How a run ends: by signals, the first of which is heeded in order."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
INTERRUPTED = 130


class Ending:
    """SIGTERM, Ctrl-C or a closed terminal end the run; whoever asks again cannot wait.

    Attributes:
        asked: Set by the first signal, and by whoever else ends the run.
        on_hurry: Called for each further one.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.on_hurry: Callable[[], None] = lambda: None
        self._listening: list[signal.Signals] = []

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                loop.add_signal_handler(number, self._end)
                self._listening.append(number)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in self._listening:
            loop.remove_signal_handler(number)
            if self.asked.is_set():
                # It has what it asked for: the rest is the interpreter's, and takes a moment.
                signal.signal(number, signal.SIG_IGN)

    async def rules(self, work: Coroutine[Any, Any, int], is_up: Callable[[], bool]) -> int:
        """What ``work`` returns; where the end is asked for first, 0, or 130 if it was not up."""
        working = asyncio.create_task(work)
        asked = asyncio.create_task(self.asked.wait())
        code = 0
        try:
            await asyncio.wait([working, asked], return_when=asyncio.FIRST_COMPLETED)
            if not working.done() and not is_up():
                code = INTERRUPTED
        finally:
            asked.cancel()
            if not working.done():
                working.cancel()
                await asyncio.wait([working])
        return code if working.cancelled() else working.result() or code

    def _end(self) -> None:
        if self.asked.is_set():
            self.on_hurry()
        self.asked.set()
