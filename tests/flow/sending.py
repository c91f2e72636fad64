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

LOOKS_AT_WHAT_HANGS = 20
"""5 ms apart, until what hangs by the test's own will is taken to do nothing else."""
PATIENCE = 2000
"""Looks at something that is under way, 5 ms apart, before it counts as hanging."""


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

    async def turn(self, seconds: float) -> None:
        """Let time pass from one timer to the next, each with all that it sets going.

        So the turned clock shows at each send when it was due, however quick the machine is.
        """
        await self.settle()
        while seconds > 0:
            seconds -= await self.turned.turn_to_next(seconds)
            await self.settle()

    async def turn_until(self, is_so: Callable[[], bool], *, most: float = 1000.0) -> None:
        """Let time pass until something is so."""
        await self.settle()
        while not is_so():
            assert most > 0, "it never was so"
            most -= await self.turned.turn_to_next(1.0)
            await self.settle()

    async def settle(self) -> None:
        """Let come to an end what needs no time of the clock.

        What hangs at Graph or in the engine never comes to an end, nor what waits for the clock:
        then it is enough that nothing moves for a moment. All else is waited for, since a slow
        machine is not one that hangs: time that goes on while a claim is being written, or sent,
        would make sends of one moment look like those of a later.
        """
        calm = still = 0
        before: tuple[object, ...] = ()
        while calm < 2:
            await asyncio.sleep(0.005)
            house = self.up
            under_way = house.outbox.in_flight + house.dispatcher.running
            writer = house.database._writer
            works = writer._busy or self._is_reading or under_way > self._hanging
            calm = 0 if works or under_way else calm + 1
            now = (under_way, writer._commits, len(self.graph.calls), self.log.tell())
            still = still + 1 if now == before else 0
            before = now
            if not works and still >= LOOKS_AT_WHAT_HANGS:
                return
            assert still < PATIENCE, "something is under way and nothing moves"

    @property
    def _is_reading(self) -> bool:
        loading = self.up.outbox._loading
        is_loading = loading is not None and not loading.done()
        return is_loading or not self.up.database._readers._work_queue.empty()

    @property
    def _hanging(self) -> int:
        """How much waits for the test: for an answer of Graph's or the engine's, or the clock."""
        asleep = len(self.turned.sleepers & self.up.outbox._tasks)
        return self.graph.hanging + self.engine.running + asleep

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
    return outbox._lanes.is_empty and not outbox._tasks and outbox.places._free == 50
