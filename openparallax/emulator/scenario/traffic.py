"""Steps that look at what went over the wire, or put something on it."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from openparallax.emulator.scenario.slots import Slot
from openparallax.emulator.scenario.stage import Stage
from openparallax.emulator.scenario.step import Finding, Step, differs
from openparallax.emulator.scenario.witness import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphGot(Step):
    """So many sends arrived at Graph since counting began, and so many of them were taken."""

    sends: int | None = None
    taken: int | None = None
    person: str | None = None
    within_s: float | None = None

    keys: ClassVar = ("sends", "taken", "for", "within")

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        if not isinstance(slot.value, dict):
            return cls(sends=slot.whole(0, 10_000), **head)
        slots = slot.block(cls.keys)
        if not slots.keys() & {"sends", "taken"}:
            slot.wrong("must say how many: `sends: …` or `taken: …`")
        return cls(
            sends=slots["sends"].whole(0, 10_000) if "sends" in slots else None,
            taken=slots["taken"].whole(0, 10_000) if "taken" in slots else None,
            person=slots["for"].person() if "for" in slots else None,
            within_s=slots["within"].duration() if "within" in slots else None,
            **head,
        )

    async def play(self, stage: Stage) -> Finding | None:
        def counted() -> tuple[int, int]:
            sending = stage.emulator.sending
            sends, taken = (
                sum(
                    call.number >= stage.first_call and self.person in (None, call.person)
                    for call in calls
                )
                for calls in (sending.calls, sending.accepted)
            )
            return sends, taken

        def holds() -> bool:
            sends, taken = counted()
            return sends >= (self.sends or 0) and taken >= (self.taken or 0)

        await stage.witness.until(holds, stage.limit_s(self.within_s))
        sends, taken = counted()
        if self.sends in (None, sends) and self.taken in (None, taken):
            return None
        return differs(f"sends that arrived: {sends}; taken: {taken}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRefused(Step):
    """Graph refused with this code since counting began: once or more, or so many times."""

    code: int
    times: int | None = None
    person: str | None = None
    within_s: float | None = None

    keys: ClassVar = ("code", "times", "for", "within")

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        if not isinstance(slot.value, dict):
            return cls(code=slot.whole(0, 10**7), **head)
        slots = slot.block(cls.keys)
        if "code" not in slots:
            slot.wrong("must say which: `code: …`")
        return cls(
            code=slots["code"].whole(0, 10**7) if "code" in slots else 0,
            times=slots["times"].whole(0, 10_000) if "times" in slots else None,
            person=slots["for"].person() if "for" in slots else None,
            within_s=slots["within"].duration() if "within" in slots else None,
            **head,
        )

    async def play(self, stage: Stage) -> Finding | None:
        def codes() -> list[int]:
            return [
                code
                for number, exchange in stage.witness.exchanges.items()
                if number >= stage.first_exchange
                and exchange["direction"] == "graph"
                and self.person in (None, exchange["person"])
                and (code := refusal(exchange)) is not None
            ]

        least = 1 if self.times is None else self.times
        limit_s = stage.limit_s(self.within_s)
        await stage.witness.until(lambda: codes().count(self.code) >= least, limit_s)
        count = codes().count(self.code)
        if count == self.times or (self.times is None and count):
            return None
        others = ", ".join(map(str, sorted(set(codes()) - {self.code}))) or "none"
        return differs(f"refused with {self.code}: {count} times; other codes: {others}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Step):
    """A request in this direction was answered with this status since counting began."""

    direction: str
    status: int
    times: int | None = None
    within_s: float | None = None

    keys: ClassVar = ("status", "times", "within")

    @classmethod
    def read(cls, slot: Slot, *, direction: str, **head: Any) -> Self:
        if not isinstance(slot.value, dict):
            return cls(direction=direction, status=slot.whole(0, 599), **head)
        slots = slot.block(cls.keys)
        if "status" not in slots:
            slot.wrong("must say which: `status: …`; 0: no answer came")
        return cls(
            direction=direction,
            status=slots["status"].whole(0, 599) if "status" in slots else 200,
            times=slots["times"].whole(0, 10_000) if "times" in slots else None,
            within_s=slots["within"].duration() if "within" in slots else None,
            **head,
        )

    async def play(self, stage: Stage) -> Finding | None:
        def statuses() -> list[int]:
            return [
                exchange["status"]
                for number, exchange in stage.witness.exchanges.items()
                if number >= stage.first_exchange and exchange["direction"] == self.direction
            ]

        least = 1 if self.times is None else self.times
        limit_s = stage.limit_s(self.within_s)
        await stage.witness.until(lambda: statuses().count(self.status) >= least, limit_s)
        count = statuses().count(self.status)
        if count == self.times or (self.times is None and count):
            return None
        others = ", ".join(map(str, sorted(set(statuses()) - {self.status}))) or "none"
        return differs(f"answered with {self.status}: {count} times; other answers: {others}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostWebhook(Step):
    """One request to the bot's webhook as the script has it, and what it answers."""

    body: bytes = field(repr=False)
    signed: str = "rightly"
    answered: int | None = None

    keys: ClassVar = ("json", "text", "signed", "answered")

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        slots = slot.block(cls.keys)
        if ("json" in slots) == ("text" in slots):
            slot.wrong("must have either `json: …` or `text: …`")
        body = ""
        if "text" in slots:
            body = slots["text"].text(may_be_empty=True)
        elif "json" in slots:
            body = json.dumps(slots["json"].plain())
        signed = "rightly"
        if "signed" in slots:
            signed = slots["signed"].one_of(("rightly", "wrongly", "not at all"))
        answered = slots["answered"].whole(100, 599) if "answered" in slots else None
        return cls(body=body.encode(), signed=signed, answered=answered, **head)

    async def play(self, stage: Stage) -> Finding | None:
        headers = {"Content-Type": "application/json"}
        secret = stage.emulator.world.account.app_secret
        if self.signed != "not at all":
            key = secret if self.signed == "rightly" else f"not {secret}"
            digest = hmac.new(key.encode(), self.body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        status = await stage.emulator.delivery.post_raw(self.body, headers)
        if self.answered in (None, status):
            return None
        return differs(f"must be answered {self.answered}, was answered {status or 'not at all'}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllTaken(Step):
    """The bot has taken every webhook that there is."""

    within_s: float | None = None

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        if slot.value is None:
            return cls(**head)
        slots = slot.block(("within",))
        return cls(within_s=slots["within"].duration() if "within" in slots else None, **head)

    async def play(self, stage: Stage) -> Finding | None:
        return await all_taken(stage, stage.limit_s(self.within_s))


async def all_taken(stage: Stage, limit_s: float) -> Finding | None:
    """Wait until the bot has taken every webhook."""
    try:
        async with asyncio.timeout(limit_s):
            await stage.emulator.delivery.settled()
    except TimeoutError:
        waiting = stage.emulator.delivery.waiting
        return differs(f"after {limit_s:g} s the bot has not taken {waiting} updates")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAnew(Step):
    """``graph got`` and its like see only what comes from here on."""

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        if slot.value is not None:
            slot.wrong("takes nothing behind it")
        return cls(**head)

    async def play(self, stage: Stage) -> Finding | None:
        stage.count_anew()
        return None
