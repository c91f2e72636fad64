"""Sees everything that the feed tells while a scenario is played, and waits for it."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openparallax.emulator.feed import Change
from openparallax.emulator.world import Message

if TYPE_CHECKING:
    from openparallax.emulator.daemon_side import DaemonSide
    from openparallax.emulator.emulator import Emulator


class Witness:
    """What came back so far.

    Attributes:
        said: What people sent, in order.
        answers: By person what the bot sent them, as it appeared on their phone.
        heard: By person how many of these were expected by a step.
        typed: Who saw the bot typing since they wrote last.
        left_waiting: Whom an answer was expected for that never came; later ones are waited for
            shortly only, so that a dead bot does not cost the whole limit at every step.
        exchanges: Finished requests of both directions, by number.
    """

    def __init__(self, emulator: "Emulator", daemon: "DaemonSide | None") -> None:
        self.said: list[Message] = []
        self.answers: dict[str, list[Message]] = defaultdict(list)
        self.heard: dict[str, int] = defaultdict(int)
        self.typed: set[str] = set()
        self.left_waiting: set[str] = set()
        self.exchanges: dict[int, dict[str, Any]] = {}
        self._daemon = daemon
        self._people = emulator.world.people
        self._known = {message.wamid for message in emulator.world.all_messages()}
        self._news = asyncio.Event()
        self._is_over = False
        emulator.world.feed.call(self._see)
        if daemon is not None and daemon.feed is not emulator.world.feed:
            daemon.feed.call(self._see)

    def close(self) -> None:
        """Look no longer."""
        self._is_over = True

    async def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Wait until ``holds``; whether it did in ``within_s`` seconds of the machine's time.

        A daemon that has ended by itself is not waited for.
        """
        try:
            async with asyncio.timeout(within_s):
                while not holds() and not self._has_ended:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        return holds()

    @property
    def _has_ended(self) -> bool:
        return self._daemon is not None and self._daemon.state == "ended"

    def wrote(self, message: Message) -> None:
        """A step made a person send this."""
        self.said.append(message)
        self.typed.discard(message.person)

    def unheard(self, person: str) -> list[Message]:
        """Answers that no step expected so far."""
        return self.answers[person][self.heard[person] :]

    def last_said(self, person: str) -> Message | None:
        return next((one for one in reversed(self.said) if one.person == person), None)

    def _see(self, change: Change) -> None:
        if self._is_over:
            return
        match change:
            case {"kind": "message", "message": Message() as message}:
                if message.is_ours and not message.echo:
                    self._see_answer(message)
            case {"kind": "typing", "person": str() as person, "until": until} if until:
                self.typed.add(person)
            case {"kind": "wire", "exchange": dict() as exchange}:
                if exchange.get("status") is not None:
                    self.exchanges[exchange["number"]] = exchange
        self._news.set()

    def _see_answer(self, message: Message) -> None:
        """It is heard once Graph took it; not where the phone is gone or it failed before that."""
        answers = self.answers[message.person]
        if message.wamid not in self._known:
            self._known.add(message.wamid)
            person = self._people.get(message.person)
            if person is not None and person.is_reachable:
                answers.append(message)
        elif message.status == "failed":
            heard = self.heard[message.person]
            answers[heard:] = [one for one in answers[heard:] if one is not message]


def refusal(exchange: dict[str, Any]) -> int | None:
    """The code with which Graph refused, or None."""
    try:
        answer = json.loads(exchange["answer"])
    except (ValueError, RecursionError):
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else None
