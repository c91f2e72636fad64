"""Steps about the daemon itself: its life, what it wrote down, and whether it lost anything."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Self

from openparallax.emulator.scenario.disk import LEAST, places_of
from openparallax.emulator.scenario.matching import listed_difference, text_of
from openparallax.emulator.scenario.slots import Slot
from openparallax.emulator.scenario.stage import Stage
from openparallax.emulator.scenario.step import Finding, Step, differs, stuck
from openparallax.emulator.scenario.traffic import all_taken

ORDERS: Final = ("kill", "stop", "start", "restart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon(Step):
    """The daemon is killed, stopped or started, in this order."""

    orders: tuple[str, ...]

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        listed = slot.items() if isinstance(slot.value, list) else [slot]
        return cls(orders=tuple(one.one_of(ORDERS) for one in listed), **head)

    @property
    def needs_daemon(self) -> bool:
        return True

    async def play(self, stage: Stage) -> Finding | None:
        for order in self.orders:
            if finding := await do(stage, order):
                return finding
        return None


async def do(stage: Stage, order: str) -> Finding | None:
    """Tell the daemon one thing, and wait until it is so."""
    daemon = stage.daemon
    if daemon is None:
        return stuck("there is no daemon of ours")
    if order == "kill":
        await daemon.kill()
    if order in ("stop", "restart"):
        await daemon.stop()
    if order != "start":
        daemon.tell(modes={})  # the next process is to say by itself what it still knows
    if order in ("start", "restart"):
        try:
            await daemon.start()
        except OSError as error:
            return stuck("it does not start:", str(error))
        stage.emulator.delivery.hurry()
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk(Step):
    """Words stand somewhere, or nowhere, in the daemon's folder and log."""

    looked_for: tuple[str, ...] = field(repr=False)
    is_wanted: bool

    @classmethod
    def read(cls, slot: Slot, *, is_wanted: bool, **head: Any) -> Self:
        looked_for = slot.texts()
        if any(0 < len(one) < LEAST for one in looked_for):
            slot.wrong(f"must have at least {LEAST} characters, or it is found by chance")
        return cls(looked_for=looked_for, is_wanted=is_wanted, **head)

    @property
    def needs_daemon(self) -> bool:
        return True

    async def play(self, stage: Stage) -> Finding | None:
        lines: list[str] = []
        for number, look in enumerate(self.looked_for, start=1):
            found = await asyncio.to_thread(places_of, look, stage.folder, stage.log)
            which = f"text {number}: " if len(self.looked_for) > 1 else ""
            if found and not self.is_wanted:
                lines += [f"{which}written down in {place}" for place in found]
            if not found and self.is_wanted:
                lines.append(f"{which}stands nowhere in the daemon's folder nor in its log")
        return differs(*lines) if lines else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOutcome(Step):
    """Every text was answered by the echo once and in order, save those with another outcome."""

    other: tuple[str, ...] = field(default=(), repr=False)
    within_s: float | None = None

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        if slot.value is None:
            return cls(**head)
        slots = slot.block(("except", "within"))
        return cls(
            other=slots["except"].texts() if "except" in slots else (),
            within_s=slots["within"].duration() if "within" in slots else None,
            **head,
        )

    async def play(self, stage: Stage) -> Finding | None:
        limit_s = stage.limit_s(self.within_s)
        if finding := await all_taken(stage, limit_s):
            return finding
        people = list(dict.fromkeys(message.person for message in stage.witness.said))
        said = {person: self._said(stage, person) for person in people}
        await stage.witness.until(
            lambda: all(len(_heard(stage, one, said[one])) >= len(said[one]) for one in people),
            limit_s,
        )
        lines: list[str] = []
        for person in people:
            heard = _heard(stage, person, said[person])
            if heard != said[person]:
                lines += [f"{person}:", *listed_difference(said[person], heard)]
        return differs(*lines) if lines else None

    def _said(self, stage: Stage, person: str) -> list[str]:
        """Lines that must come back, in order; an exception takes its text away once."""
        other = Counter(self.other)
        lines: list[str] = []
        for message in stage.witness.said:
            if message.person != person or message.kind != "text":
                continue
            text = text_of(message)
            if other[text] > 0:
                other[text] -= 1
                continue
            lines += words_to_answer(text).split("\n") if words_to_answer(text) else []
        return lines


def words_to_answer(text: str) -> str:
    """What is left of a text behind a command."""
    command, _, rest = text.strip().partition(" ")
    if not command.startswith("/") or not command[1:].isalpha():
        return text
    has_words = command.lower() in ("/otr", "/new") and rest.strip().lower() != "off"
    return rest.strip() if has_words else ""


def _heard(stage: Stage, person: str, said: list[str]) -> list[str]:
    """Lines that came back, without those that nobody said: the daemon's own sentences."""
    known = set(said)
    return [
        line
        for answer in stage.witness.answers[person]
        for line in text_of(answer).split("\n")
        if line in known
    ]
