"""Engines with moods, to stand in an engine's place inside a real house."""

import asyncio
from collections.abc import Awaitable, Callable

from openparallax.plugin import Reply, Turn


class FakeEngine:
    """Answers with ``answer``; remembers every turn that it was asked.

    Attributes:
        asked: The turns, in order of being asked.
        running: How many are being answered now.
        most_running: The most at one time.
    """

    keeps_content = False
    writes_markdown = False

    def __init__(self, answer: Callable[[Turn], Awaitable[Reply]] | None = None) -> None:
        self.answer_with = answer or echo
        self.asked: list[Turn] = []
        self.running = 0
        self.most_running = 0
        self.running_chats: set[str] = set()
        self.was_closed = False

    async def answer(self, turn: Turn) -> Reply:
        assert turn.chat.id not in self.running_chats, "two turns of one chat at once"
        self.asked.append(turn)
        self.running += 1
        self.running_chats.add(turn.chat.id)
        self.most_running = max(self.most_running, self.running)
        try:
            return await self.answer_with(turn)
        finally:
            self.running -= 1
            self.running_chats.discard(turn.chat.id)

    async def close(self) -> None:
        self.was_closed = True


async def echo(turn: Turn) -> Reply:
    """Say back what was said."""
    return Reply(text=turn.text)


class Gate:
    """An answer that waits until the test opens the gate."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self.waiting = 0

    def open(self) -> None:
        self._open.set()

    async def __call__(self, turn: Turn) -> Reply:
        self.waiting += 1
        await self._open.wait()
        return Reply(text=turn.text)
