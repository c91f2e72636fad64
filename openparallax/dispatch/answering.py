"""Who answers in one mode: the stages round an engine, exchanged while turns run."""

import asyncio
from collections.abc import Callable

from openparallax.model.turn import Reply, Turn
from openparallax.pipeline import Next


class Answering:
    """A pipeline, and how many turns are in it.

    A turn keeps the one that it began with to its end: its words are rendered as the engine wrote
    them that was asked, whoever answers the next turn.

    Args:
        pipeline: The stages round the engine.
        render: From what the engine writes to WhatsApp's marks.
        engine: Its name.
        lets_go: A call of it that is cancelled ends within moments, whatever is inside.
    """

    def __init__(
        self, pipeline: Next, *, render: Callable[[str], str], engine: str, lets_go: bool
    ) -> None:
        self._pipeline = pipeline
        self.render = render
        self.engine = engine
        self.lets_go = lets_go
        self._turns = 0
        self._ended: asyncio.Event | None = None

    async def ask(self, turn: Turn) -> Reply:
        """Have ``turn`` answered."""
        self._turns += 1
        try:
            return await self._pipeline(turn)
        finally:
            self._turns -= 1
            if self._ended is not None and not self._turns:
                self._ended.set()
                self._ended = None

    async def ended(self) -> None:
        """Wait until no turn is in it; to be called when no further one begins with it."""
        while self._turns:
            self._ended = self._ended or asyncio.Event()
            await self._ended.wait()
