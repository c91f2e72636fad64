"""Plugins that tell who they are, to see which of them answers in which mode."""

from dataclasses import replace
from typing import ClassVar

from openparallax.plugin import Next, PluginSettings, Reply, Tools, Turn


class Bird:
    """An engine that answers with its name.

    Attributes:
        made: Every one that was made.
    """

    class Settings(PluginSettings):
        name: str
        keeps: bool = False

    writes_markdown = False
    made: ClassVar[list["Bird"]] = []

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self.name = settings.name
        self.keeps_content = settings.keeps
        self.turns: list[Turn] = []
        self.closed = 0
        self.made.append(self)

    async def answer(self, turn: Turn) -> Reply:
        self.turns.append(turn)
        return Reply(text=self.name)

    async def close(self) -> None:
        self.closed += 1


class Cage:
    """A stage that puts its mark round the answer."""

    class Settings(PluginSettings):
        mark: str = "()"

    keeps_content = False
    made: ClassVar[list["Cage"]] = []

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self.mark = settings.mark
        self.closed = 0
        self.made.append(self)

    async def __call__(self, turn: Turn, call_next: Next) -> Reply:
        reply = await call_next(turn)
        return replace(reply, text=f"{self.mark[0]}{reply.text}{self.mark[1]}")

    async def close(self) -> None:
        self.closed += 1


class Diary(Cage):
    """A stage that would keep what is said."""

    keeps_content = True
