"""What engines and stages are given, for their tests."""

from typing import Any

from openparallax.plugin import Chat, Mode, Spoken, Tools, Turn
from tests.fakes.clock import TurnedClock


class RecordedLog:
    """A log that keeps its lines as (level, event, keys)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def debug(self, event: str, **keys: Any) -> None:
        self.lines.append(("debug", event, keys))

    def info(self, event: str, **keys: Any) -> None:
        self.lines.append(("info", event, keys))

    def warning(self, event: str, **keys: Any) -> None:
        self.lines.append(("warning", event, keys))

    def error(self, event: str, **keys: Any) -> None:
        self.lines.append(("error", event, keys))


def make_tools(clock: TurnedClock | None = None, log: RecordedLog | None = None) -> Tools:
    return Tools(clock=clock or TurnedClock(), log=log or RecordedLog())


def make_turn(text: str = "Hello", *history: tuple[str, str]) -> Turn:
    """A turn off the record, as what must not be kept is what most can go wrong with.

    ``history`` is pairs of a role and a text.
    """
    return Turn(
        id="turn-1",
        chat=Chat(id="chat-1", account="15550001111", name="Ada"),
        mode=Mode.OFF_THE_RECORD,
        text=text,
        history=tuple(
            Spoken("contact" if role == "contact" else "engine", words) for role, words in history
        ),
    )
