"""More waits than memory holds: nothing is lost, nothing doubled, everything in order."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from openparallax.dispatch import cursor
from openparallax.plugin import Reply, Turn
from openparallax.storage import envelopes
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

FAST: dict[str, Any] = {
    "outbox": {"messages_per_second": None, "pair_burst": None},
    "conversation": {"max_concurrent_turns": 10},
}


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursor, "ROOM", 40)
    monkeypatch.setattr(cursor, "PAGE", 7)


def people(count: int) -> list[str]:
    return [str(4915100000000 + n) for n in range(count)]


def said(town: Town, person: str) -> list[str]:
    return "\n".join(town.heard(person)).split("\n")


def is_behind(town: Town) -> bool:
    """Whether something waits on disk that is not in memory."""
    return town.up.dispatcher._cursor.is_behind


async def flood(town: Town, persons: list[str], numbers: range, batch: int = 50) -> None:
    items = [meta.text(person, f"{n}", at=1000 + n) for n in numbers for person in persons]
    for start in range(0, len(items), batch):
        await town.post(*items[start : start + batch])


@pytest.mark.usefixtures("little_room")
async def test_a_thousand_queued_and_more_that_come_meanwhile(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = FAST
    await town.restart()
    gate = Gate()
    engine.answer_with = gate
    crowd = people(40)
    await flood(town, crowd, range(30))
    assert is_behind(town)
    assert town.up.dispatcher.waiting <= 40 + 50
    gate.open()
    waited: list[int] = []

    async def watch() -> None:
        while True:
            waited.append(town.up.dispatcher.waiting)
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    await flood(town, crowd, range(30, 36), batch=20)
    wanted = [str(n) for n in range(36)]
    await town.until(lambda: all(said(town, person) == wanted for person in crowd), 120)
    watching.cancel()
    assert max(waited) <= 40 + 50
    await town.quiet()
    assert not is_behind(town)
    assert sum(len(turn.text.split("\n")) for turn in engine.asked) == 40 * 36


@pytest.mark.usefixtures("little_room")
async def test_read_again_after_a_crash(town: Town, engine: FakeEngine) -> None:
    town.changes = FAST
    await town.restart()
    engine.answer_with = Gate()
    crowd = people(30)
    await flood(town, crowd, range(20))
    await town.crash()
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    await flood(town, crowd, range(20, 25))
    wanted = [str(n) for n in range(25)]
    await town.until(lambda: all(said(town, person) == wanted for person in crowd), 120)


@pytest.mark.usefixtures("little_room")
async def test_one_chat_alone_with_more_than_fits(town: Town, engine: FakeEngine) -> None:
    town.changes = FAST
    await town.restart()
    gate = Gate()
    engine.answer_with = gate
    await flood(town, [ANN], range(300))
    await town.say(BOB, "and I?")
    gate.open()
    await town.until(lambda: said(town, ANN) == [str(n) for n in range(300)])
    await town.hears(BOB, 1)
    assert max(len(turn.text.split("\n")) for turn in engine.asked) == 20


async def test_nothing_is_remembered_of_who_waits_for_nothing(town: Town) -> None:
    town.changes = FAST
    await town.restart()
    crowd = people(100)
    await flood(town, crowd, range(3))
    await town.until(lambda: all(len(said(town, person)) == 3 for person in crowd))
    await town.quiet()
    house = town.up.dispatcher
    lanes = house._lanes
    assert (lanes._lanes, len(lanes._ready), house.waiting, house.running) == ({}, 0, 0, 0)
    assert house._free == 10


async def test_turns_go_round(town: Town, engine: FakeEngine) -> None:
    """With one turn at a time, everybody's first comes before anybody's second."""
    town.changes = FAST | {"conversation": {"max_concurrent_turns": 1, "coalesce": "none"}}
    await town.restart()
    crowd = people(5)
    gate = Gate()
    engine.answer_with = gate
    await town.say(BOB, "0")
    await town.until(lambda: gate.waiting == 1)
    for person in crowd:
        await flood(town, [person], range(4))
    gate.open()
    await town.until(lambda: all(len(said(town, person)) == 4 for person in crowd))
    order = [turn.text for turn in engine.asked[1:]]
    assert order == sorted(order)
    assert len(order) == 20


async def test_the_bound_holds_through_failures_and_comes_back(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = FAST | {"conversation": {"max_concurrent_turns": 3}}
    await town.restart()

    async def answer(turn: Turn) -> Reply:
        await asyncio.sleep(0.001)
        if int(turn.text[-1]) % 3 == 0:
            raise ValueError
        if int(turn.text[-1]) % 3 == 1:
            raise asyncio.CancelledError
        return Reply(text=turn.text)

    engine.answer_with = answer
    crowd = people(60)
    await flood(town, crowd, range(3))
    await town.until(lambda: all(town.heard(person) for person in crowd))
    await town.quiet()
    assert engine.most_running == 3
    assert town.up.dispatcher._free == 3


async def test_a_reader_that_fails_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursor, "RETRY_S", 0.02)
    engine = FakeEngine(Gate())
    async with Town(tmp_path, monkeypatch, engine=engine) as town:
        await flood(town, people(5), range(3))
        await town.crash()
        engine.answer_with = FakeEngine().answer_with
        broken = 3

        def after(*arguments: Any) -> Any:
            nonlocal broken
            broken -= 1
            if broken >= 0:
                raise sqlite3.OperationalError("made up")
            return real(*arguments)

        real = envelopes.after
        monkeypatch.setattr(envelopes, "after", after)
        await town.start()
        await town.until(lambda: all(len(said(town, person)) == 3 for person in people(5)))
        assert broken < 0
