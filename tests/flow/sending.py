"""A town whose clock is turned by hand, and what tests of the outbox look at."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from openparallax.model.parcel import ParcelState
from tests.fakes import meta
from tests.fakes.behaviours import Behaviour, Call
from tests.fakes.clock import TurnedClock
from tests.fakes.engines import FakeEngine
from tests.town import Town

Plan = Callable[[Call], Behaviour]

PATIENCE_WITH_DISK = 1000
"""Looks, 5 ms apart, before the disk counts as hanging."""


class Row(NamedTuple):
    number: int
    state: ParcelState
    ambiguous: int
    code: int | None
    twice: int


class TurnedTown(Town):
    """Time in the house passes only in `turn`; sockets and the disk take the time that they take.

    Attributes:
        sent_at: What the turned clock showed at each call of Graph, in seconds since the start.
    """

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        engine: FakeEngine | None = None,
        changes: dict[str, Any] | None = None,
    ) -> None:
        self.turned = TurnedClock()
        merged = {"outbox": {"receipt_wait_seconds": 10}, **(changes or {})}
        super().__init__(folder, monkeypatch, engine=engine, changes=merged, clock=self.turned)
        self._began = self.turned.monotonic()
        self.sent_at: list[float] = []
        self.plan_with(lambda _call: Behaviour())

    def plan_with(self, plan: Plan) -> None:
        """Let ``plan`` decide what Graph does, and note the time of each call."""

        def noting(call: Call) -> Behaviour:
            self.sent_at.append(self.passed)
            return plan(call)

        self.graph.plan = noting

    @property
    def passed(self) -> float:
        """Seconds that have passed since the start."""
        return self.turned.monotonic() - self._began

    async def turn(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass in steps, with a moment for sockets and disk before and after each."""
        await self.settle()
        while seconds > 0:
            await self.turned.turn(min(step, seconds))
            seconds -= step
            await self.settle()

    async def turn_until(
        self, is_so: Callable[[], bool], *, most: float = 1000.0, step: float = 1.0
    ) -> None:
        """Let time pass until something is so."""
        while not is_so():
            assert most > 0, "it never was so"
            await self.turn(step, step)
            most -= step

    async def settle(self) -> None:
        """Let come to an end what needs no time of the clock.

        What hangs at Graph never comes to an end: then it is enough that nothing moves for a
        moment. The disk is given longer, since a slow one is not one that hangs: time that goes on
        while a claim is being written would make sends of one moment look like those of a later.
        """
        calm = still = 0
        before: tuple[int, ...] = ()
        while calm < 2 and still < (PATIENCE_WITH_DISK if self.up.database._busy else 20):
            await asyncio.sleep(0.005)
            house = self.up
            database = house.database
            under_way = house.outbox.in_flight + house.dispatcher.running
            is_calm = not under_way and not database._busy and database._readers._work_queue.empty()
            calm = calm + 1 if is_calm else 0
            now = (under_way, database._commits, len(self.graph.calls), self.log.tell())
            still = still + 1 if now == before else 0
            before = now

    async def report(self, call: Call, state: str, code: int | None = None) -> None:
        """Meta tells what became of a call."""
        await self.post(meta.status(call.wamid, state, callback=call.callback, code=code))

    async def rows(self) -> list[Row]:
        """All parcels, by number."""
        found = await self.up.database.read(
            lambda c: c.execute(
                "SELECT number, state, ambiguous, code, twice FROM parcels ORDER BY number"
            ).fetchall()
        )
        return [Row(row[0], ParcelState(row[1]), *row[2:]) for row in found]

    async def states(self) -> list[str]:
        """The states of all parcels, by number."""
        return [row.state.name for row in await self.rows()]

    def count(self, name: str, label: str) -> int:
        return self.up.metrics.value(name, label)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of one event."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]


def is_idle(town: Town) -> bool:
    """Whether the outbox is as if nothing had ever been sent."""
    outbox = town.up.outbox
    return outbox._lanes.is_empty and not outbox._tasks and outbox._free == 50
