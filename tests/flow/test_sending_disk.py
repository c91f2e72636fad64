"""The disk refuses while an outcome is to be written down."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.errors import NotStored
from openparallax.storage import Database
from tests.fakes.behaviours import Behaviour, error, http_500_after_accepting, ok
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN, BOB


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        yield town


class Disk:
    """Stands before the database and refuses the next units, as long as it is full."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.refused = 0
        self._unit = database.unit
        self._database = database
        monkeypatch.setattr(database, "unit", self.unit)

    def unit(self, work: Callable[..., Any], then: Callable[..., Any] | None = None) -> Any:
        if not self.is_full:
            return self._unit(work, then)
        self.refused += 1
        future = self._database._loop.create_future()
        future.set_exception(NotStored("full"))
        future.exception()
        return future


MOODS = {"accepted": ok, "unknown": http_500_after_accepting, "failed": lambda: error(131026)}


@pytest.mark.parametrize("mood", MOODS.values(), ids=MOODS.keys())
async def test_a_known_outcome_is_written_again_until_it_is_stored(
    town: TurnedTown, monkeypatch: pytest.MonkeyPatch, mood: Callable[[], Behaviour]
) -> None:
    disk = Disk(town.up.database, monkeypatch)

    def full_from_now(_call: object) -> Behaviour:
        disk.is_full = True
        return mood()

    town.plan_with(full_from_now)
    await town.say(ANN, "one")
    await town.graph.wait_for_calls(1)
    await town.turn(30)
    assert disk.refused > 5
    assert len(town.graph.calls) == 1
    disk.is_full = False
    town.plan_with(lambda _call: ok())
    await town.turn(6)
    if mood is ok:
        assert await town.states() == ["ACCEPTED"]
        assert not town.logged("send_unanswered")
    elif mood is http_500_after_accepting:
        assert [(row.state.name, row.ambiguous) for row in await town.rows()] == [("UNKNOWN", 1)]
        await town.report(town.graph.calls[0], "sent")
    else:
        assert await town.states() == ["FAILED"]
    await town.say(ANN, "two")
    await town.turn(60)
    assert town.heard(ANN)[-1] == "two"
    assert len(town.graph.calls) == 2
    await town.until(lambda: is_idle(town))


async def test_an_outcome_that_waits_for_the_disk_holds_no_place(
    town: TurnedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(town.up.database, monkeypatch)

    def full_from_now(_call: object) -> Behaviour:
        disk.is_full = True
        return ok()

    town.plan_with(full_from_now)
    await town.say(ANN, "one")
    await town.until(lambda: disk.refused > 0)
    assert town.up.outbox.in_flight == 1
    assert town.up.outbox.places._free == 50
    disk.is_full = False
    await town.turn(6)
    assert await town.states() == ["ACCEPTED"]
    assert is_idle(town)


async def test_a_status_settles_what_cannot_be_written(
    town: TurnedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(town.up.database, monkeypatch)

    def full_from_now(_call: object) -> Behaviour:
        disk.is_full = True
        return ok()

    town.plan_with(full_from_now)
    await town.say(ANN, "one")
    await town.graph.wait_for_calls(1)
    await town.settle()
    disk.is_full = False
    town.plan_with(lambda _call: ok())
    await town.report(town.graph.calls[0], "delivered")
    await town.until(lambda: is_idle(town))
    assert await town.states() == ["ACCEPTED"]


async def test_a_claim_that_cannot_be_written_sends_nothing(
    town: TurnedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.graph.queue(error(131056))
    await town.say(ANN, "one")
    await town.graph.wait_for_calls(1)
    await town.until(lambda: not town.up.outbox.in_flight)
    disk = Disk(town.up.database, monkeypatch)
    disk.is_full = True
    await town.turn(20)
    assert len(town.graph.calls) == 1
    assert disk.refused > 5
    disk.is_full = False
    await town.turn(3)
    assert town.heard(ANN) == ["one"]
    await town.until(lambda: is_idle(town))


async def test_a_stop_with_a_full_disk_ends_and_the_next_process_wonders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.app.house.SEND_GRACE_S", 0.2)
    async with TurnedTown(tmp_path, monkeypatch) as town:
        disk = Disk(town.up.database, monkeypatch)

        def full_from_now(_call: object) -> Behaviour:
            disk.is_full = True
            return ok()

        town.plan_with(full_from_now)
        await town.say(ANN, "one")
        await town.graph.wait_for_calls(1)
        await town.settle()
        await town.up.outbox.stop(0.2)
        disk.is_full = False
        await town.restart()
        await town.settle()
        assert await town.states() == ["UNKNOWN"]
        await town.report(town.graph.calls[0], "sent")
        await town.say(BOB, "two")
        town.plan_with(lambda _call: ok())
        await town.turn(60)
        assert town.heard(ANN) == ["one"]
