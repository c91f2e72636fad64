"""The engine of the tortured daemon: each message says by itself how it is to be taken.

A message is ``WORD`` or ``WORD ~MOOD``. What answers it is a word of its own, made of the
question's: so an answer shows which messages it answers, and question and answer can be told apart
wherever they are found. With each call it tells the player what it was asked, over a connection.

This module is what the daemon's process imports; it knows nothing else of the tests.
"""

import asyncio
import json
import os
import re
import signal
from contextlib import suppress

from openparallax.plugin import Mode, PluginSettings, Reply, Tools, Turn

MOODS = ("die", "hang", "raise", "empty", "silent", "long", "marks", "slow", "quick")
"""The strongest first: of several messages that are answered together, that of the first of these
decides. ``die``: the process kills itself. ``hang``: longer than the time limit. ``marks``: with
Markdown. ``quick``: at once, and nothing else, as without a mood."""
LIMIT_S = 8.0
"""So long that only what hangs takes longer, on a machine that is busy."""
SLOW_S = 0.4
PIECES = 700
"""Of a long answer to one message: about 15,000 characters, so four parts."""

_ASKED = re.compile(r"(\b[a-z]{10})q(\d{4})y(?: ~([a-z]+))?")


def strongest(moods: list[str]) -> str:
    """Which mood a turn has."""
    return min((mood or "quick" for mood in moods), key=MOODS.index, default="quick")


def answer_words(core: str, numbers: list[int], mood: str) -> list[str]:
    """The words of an answer, in order; empty where there is none."""
    words = []
    if mood in ("long", "marks", "slow", "quick"):
        for number in numbers:
            words.append(f"{core}a{number:04}y")
            if mood == "long":
                words += [
                    f"{core}a{number:04}p{piece}y" for piece in range(1, PIECES // len(numbers))
                ]
    return words


class Tortured:
    """Does to a turn what its messages ask for."""

    class Settings(PluginSettings):
        port: int
        made: int = 0
        """Says nothing: another one is another engine."""

    keeps_content = False
    writes_markdown = True

    def __init__(self, settings: Settings, tools: Tools) -> None:
        del tools
        self._port = settings.port
        self._writer: asyncio.StreamWriter | None = None
        self._is_closed = False

    async def answer(self, turn: Turn) -> Reply:
        asked = _ASKED.findall(turn.text)
        mood = strongest([one for _, _, one in asked])
        history = [spoken.text for spoken in turn.history]
        await self._tell(
            {
                "turn": turn.id,
                "mode": "off" if turn.mode is Mode.OFF_THE_RECORD else "on",
                "text": turn.text,
                "history": history,
            }
        )
        if mood == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if mood == "hang":
            await asyncio.sleep(LIMIT_S * 3)
        if mood == "slow":
            await asyncio.sleep(SLOW_S)
        if mood == "raise":
            raise ValueError(turn.text)  # words in it, which must not come into the log
        if mood == "silent":
            return Reply(text=None)
        if self._is_closed:
            raise ValueError("closed before its last turn had ended")
        core = asked[0][0] if asked else ""
        words = answer_words(core, [int(number) for _, number, _ in asked], mood)
        if mood == "marks":
            words = [f"**{word}** _and_ `more` [of it](https://example.org/)" for word in words]
        return Reply(text=" ".join(words))

    async def _tell(self, said: dict[str, object]) -> None:
        with suppress(OSError):
            if self._writer is None:
                _, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writer.write(json.dumps(said).encode() + b"\n")
            await self._writer.drain()

    async def close(self) -> None:
        self._is_closed = True
        if self._writer is not None:
            self._writer.close()
