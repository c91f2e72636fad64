"""Words off the record are forgotten after a while; who is off the record stays off."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes.clock import TurnedClock
from tests.fakes.engines import FakeEngine, Gate
from tests.fakes.graph import error
from tests.town import ANN, Town

MINUTE = 60.0


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, clock: TurnedClock
) -> AsyncIterator[Town]:
    async with Town(
        tmp_path,
        monkeypatch,
        engine=engine,
        clock=clock,
        changes={"off_the_record": {"idle_minutes": 10}, "pipeline": []},
    ) as town:
        yield town


def at(clock: TurnedClock) -> int:
    return int(clock.now())


def held(town: Town) -> int:
    """How many sessions have words in memory."""
    return len(town.up.volatile.sessions())


async def pass_minutes(town: Town, clock: TurnedClock, minutes: int) -> None:
    """Turn the clock minute by minute, letting the housekeeping of each end."""
    for _ in range(minutes):
        await clock.turn(MINUTE)
        # The sweep reads on a thread and then goes on: give both their time.
        for _ in range(3):
            await town.up.database.read(lambda connection: connection.total_changes)
            await asyncio.sleep(0)
            await clock.settle()
        await town.until(lambda: not town.up.database._writer._busy)


async def test_words_are_forgotten_and_the_mode_stays(
    town: Town, engine: FakeEngine, clock: TurnedClock
) -> None:
    canary, later = Canary(), Canary()
    await town.say(ANN, "/otr", at=at(clock))
    await town.say(ANN, canary.words, at=at(clock))
    await town.hears(ANN, 2)
    await town.quiet()
    await pass_minutes(town, clock, 8)
    assert held(town) == 1
    await pass_minutes(town, clock, 4)
    assert held(town) == 0
    assert "forgot_off_the_record" in town.log.getvalue()
    await town.say(ANN, later.words, at=at(clock))
    await town.hears(ANN, 3)
    assert engine.asked[-1].mode.label == "off the record"
    assert not engine.asked[-1].history
    assert heard_singing(town, canary, later) == []


async def test_who_goes_on_talking_is_not_forgotten(
    town: Town, engine: FakeEngine, clock: TurnedClock
) -> None:
    await town.say(ANN, "/otr", at=at(clock))
    for count in range(6):
        await town.say(ANN, f"word {count}", at=at(clock))
        await town.hears(ANN, 2 + count)
        await town.quiet()
        await pass_minutes(town, clock, 8)
    assert len(engine.asked[-1].history) == 10


async def test_who_comes_back_after_being_forgotten_is_not_idle_at_once(
    town: Town, engine: FakeEngine, clock: TurnedClock
) -> None:
    """As many words as before must not look like the same words as before."""
    await town.say(ANN, "/otr one", at=at(clock))
    await town.hears(ANN, 2)
    await town.quiet()
    for again in range(2):
        while held(town):
            await pass_minutes(town, clock, 1)
        for count in range(2):
            await town.say(ANN, f"{again} {count}", at=at(clock))
            await town.quiet()
        await pass_minutes(town, clock, 3)
        assert held(town) == 1


async def test_not_while_a_turn_is_open(town: Town, engine: FakeEngine, clock: TurnedClock) -> None:
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "/otr slow", at=at(clock))
    await town.until(lambda: gate.waiting == 1)
    await pass_minutes(town, clock, 30)
    assert held(town) == 1
    gate.open()
    assert "slow" in await town.hears(ANN, 2)
    await town.quiet()
    await pass_minutes(town, clock, 12)
    assert held(town) == 0


async def test_not_while_a_parcel_is_open(town: Town, clock: TurnedClock) -> None:
    await town.say(ANN, "/otr", at=at(clock))
    await town.hears(ANN, 1)
    town.graph.plan = lambda _call: error(190, 401)
    await town.say(ANN, "kept", at=at(clock))
    await town.until(lambda: not town.up.dispatcher.running and not town.up.dispatcher.waiting)
    await pass_minutes(town, clock, 15)
    assert held(town) == 1
    town.graph.plan = None
    while "kept" not in town.heard(ANN):
        await pass_minutes(town, clock, 1)
    assert SENTENCES["lost"] not in town.heard(ANN)


async def test_at_the_latest_after_a_day(
    town: Town, engine: FakeEngine, clock: TurnedClock
) -> None:
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "/otr slow", at=at(clock))
    await town.until(lambda: gate.waiting == 1)
    await pass_minutes(town, clock, 23 * 60)
    assert held(town) == 1
    await pass_minutes(town, clock, 65)
    assert held(town) == 0
    gate.open()


@pytest.mark.parametrize("end", ["/otr off", "/new"])
async def test_what_was_ended_is_forgotten_soon(town: Town, clock: TurnedClock, end: str) -> None:
    await town.say(ANN, "/otr hello", at=at(clock))
    await town.hears(ANN, 2)
    await town.say(ANN, end, at=at(clock))
    await town.hears(ANN, 3)
    await town.quiet()
    await pass_minutes(town, clock, 2)
    assert held(town) == 0
