"""Steps made of steps, and those that only pass the time."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

from openparallax.emulator.scenario.slots import Slot
from openparallax.emulator.scenario.stage import Stage
from openparallax.emulator.scenario.step import Finding, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Step):
    """What these steps post travels in one request."""

    steps: tuple[Step, ...]

    @property
    def is_heading(self) -> bool:
        return True

    @property
    def inner(self) -> tuple[Step, ...]:
        return self.steps

    async def play(self, stage: Stage) -> Finding | None:
        faults = stage.emulator.faults
        faults.set("batch", value=len(self.steps), times=1)
        await stage.perform(self.steps, depth=1)
        faults.clear("batch")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce(Step):
    """These go on beside one another; each is a step, or several that follow one another."""

    lanes: tuple[tuple[Step, ...], ...] = field(repr=False)

    @property
    def is_heading(self) -> bool:
        return True

    @property
    def inner(self) -> tuple[Step, ...]:
        return tuple(step for lane in self.lanes for step in lane)

    async def play(self, stage: Stage) -> Finding | None:
        async with asyncio.TaskGroup() as group:
            for lane in self.lanes:
                group.create_task(stage.perform(lane, depth=1))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Real time passes."""

    for_s: float

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        return cls(for_s=slot.duration(), **head)

    async def play(self, stage: Stage) -> Finding | None:
        del stage
        await asyncio.sleep(self.for_s)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Step):
    """A line for whoever reads along."""

    @classmethod
    def read(cls, slot: Slot, **head: Any) -> Self:
        return cls(**{**head, "title": slot.text()})

    @property
    def is_heading(self) -> bool:
        return True

    async def play(self, stage: Stage) -> Finding | None:
        del stage
        return None
