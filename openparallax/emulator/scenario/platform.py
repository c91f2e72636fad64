"""Steps that change Meta's side: clock, faults, tokens, rules."""

from dataclasses import dataclass, field
from typing import Any, Self

from openparallax.emulator.faults import NAMES, Faults
from openparallax.emulator.scenario.slots import Slot
from openparallax.emulator.scenario.stage import Stage
from openparallax.emulator.scenario.step import Finding, Step, stuck

RULES = ("window", "late_window", "pair_rate", "throughput", "allow_list", "management")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Step):
    """Meta's clock is moved; None: set to the machine's time again."""

    by_s: float | None

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        return cls(by_s=None if slot.value == "reset" else slot.duration(is_signed=True), **head)

    async def play(self, stage: Stage) -> Finding | None:
        if self.by_s is None:
            stage.emulator.clock.reset()
        else:
            stage.emulator.clock.move(self.by_s)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFault(Step):
    """A switch is set."""

    name: str
    value: str = ""
    person: str | None = None
    times: int | None = None

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        if not isinstance(slot.value, dict):
            name = slot.one_of(NAMES)
            cls._try(slot, name, "")
            return cls(name=name, **head)
        slots = slot.block((*NAMES, "for", "times"))
        names = [key for key in slots if key in NAMES]
        if len(names) != 1:
            slot.wrong(f"must name one of: {', '.join(NAMES)}")
            return cls(name="duplicate", **head)
        given = slots[names[0]]
        is_given = given.value is not None and given.value is not True
        value = str(given.value) if is_given else ""
        if isinstance(given.value, dict | list):
            given.wrong("must be one value")
        else:
            cls._try(given, names[0], value)
        return cls(
            name=names[0],
            value=value,
            person=slots["for"].person() if "for" in slots else None,
            times=slots["times"].whole(1, 10_000) if "times" in slots else None,
            **head,
        )

    @staticmethod
    def _try(slot: Slot, name: str, value: str) -> None:
        try:
            Faults().set(name, value=value)
        except ValueError:
            slot.wrong(f"has no value that fits: {NAMES[name]}")

    async def play(self, stage: Stage) -> Finding | None:
        faults = stage.emulator.faults
        faults.set(self.name, person=self.person, value=self.value, times=self.times)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearFaults(Step):
    """Switches are off again, and what hangs is answered."""

    names: tuple[str, ...] = ()

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        if slot.value is None:
            return cls(**head)
        listed = slot.items() if isinstance(slot.value, list) else [slot]
        return cls(names=tuple(one.one_of(NAMES) for one in listed), **head)

    async def play(self, stage: Stage) -> Finding | None:
        for name in self.names or (None,):
            stage.emulator.faults.clear(name)
        stage.emulator.sending.release()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Step):
    """Every access token expires, is revoked, or is valid again."""

    state: str

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        return cls(state=slot.one_of(("expired", "revoked", "valid")), **head)

    async def play(self, stage: Stage) -> Finding | None:
        tokens = stage.emulator.world.account.tokens.values()
        if not tokens:
            return stuck("the account has no token: Graph lets everybody in")
        for token in tokens:
            token.is_valid = self.state != "revoked"
            now = int(stage.emulator.clock.now())
            token.expires_at = now - 1 if self.state == "expired" else 0
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRules(Step):
    """Rules of the platform are kept or not."""

    rules: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        slots = slot.block(RULES)
        return cls(rules={name: one.truth() for name, one in slots.items()}, **head)

    async def play(self, stage: Stage) -> Finding | None:
        for name, is_kept in self.rules.items():
            setattr(stage.emulator.rules, name, is_kept)
        return None
