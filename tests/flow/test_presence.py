"""What people see while they wait, from signed POST to what Graph was told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from openparallax.graph import presence
from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.fakes import behaviours, meta
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.records import T0, awake, begin, both_modes, moment, troubles
from tests.flow.sending import TurnedTown
from tests.town import ANN, BOB, Town


def showing(what: str) -> dict[str, object]:
    return {"channels": {"whatsapp": {"presence": what}}}


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    async with Town(tmp_path, monkeypatch, engine=engine, changes=showing("typing")) as town:
        await awake(town)
        yield town


def id_of(item: meta.Item) -> str:
    return str(item["message"]["id"])


@both_modes
async def test_the_latest_of_several_is_marked_before_the_answer(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    await moment(town)
    town.graph.presence.clear()
    gate = Gate()
    engine.answer_with = gate
    items = [meta.text(ANN, f"{place}", at=T0 + place) for place in range(1, 4)]
    await town.post(*items)
    await town.until(lambda: bool(town.graph.presence))
    assert town.graph.presence == [(meta.PHONE_NUMBER_ID, id_of(items[-1]), True)]
    assert town.heard(ANN) == []
    gate.open()
    assert await town.hears(ANN, 1) == ["1\n2\n3"]
    await moment(town)
    assert len(town.graph.presence) == 1


async def test_typing_is_shown_anew_until_the_turn_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    gate = Gate()
    engine.answer_with = gate
    house = TurnedTown(tmp_path, monkeypatch, engine=engine, changes=showing("typing"))
    async with house as turned, asyncio.timeout(60):
        try:
            await awake(turned)
            said = meta.text(ANN, "think about it", at=int(turned.turned.now()))
            await turned.post(said)
            await turned.until(lambda: gate.waiting == 1)
            await turned.turn(50)
            await turned.until(lambda: len(turned.graph.presence) == 3)
            assert set(turned.graph.presence) == {(meta.PHONE_NUMBER_ID, id_of(said), True)}
        finally:
            gate.open()  # or the house would wait for it, for as long as its clock stands still
        await turned.hears(ANN, 1)
        await turned.turn(60)
        assert len(turned.graph.presence) == 3


@pytest.mark.parametrize("what", ["read", "none"])
async def test_read_only_and_nothing(town: Town, what: str) -> None:
    town.changes = showing(what)
    await town.restart()
    await awake(town)
    said = meta.text(ANN, "hello")
    await town.post(said)
    await town.hears(ANN, 1)
    await moment(town)
    wanted = [] if what == "none" else [(meta.PHONE_NUMBER_ID, id_of(said), False)]
    assert town.graph.presence == wanted


async def test_commands_and_notices_are_marked_read_without_typing(town: Town) -> None:
    items = [meta.text(ANN, "/status"), meta.media(ANN), meta.text(ANN, "/ort")]
    for place, item in enumerate(items, start=1):
        await town.post(item)
        await town.hears(ANN, place)
    await town.until(lambda: len(town.graph.presence) == 3)
    assert {(one, is_typing) for _, one, is_typing in town.graph.presence} == {
        (id_of(item), False) for item in items
    }


async def test_what_is_not_answered_is_not_marked(town: Town) -> None:
    town.changes = {
        "channels": {
            "whatsapp": {
                "presence": "typing",
                "allowed_numbers": [ANN],
                "rate_limit": {"window_seconds": 60, "max_messages": 1},
            }
        }
    }
    await town.restart()
    await awake(town)
    await town.say(BOB, "let me in")
    await town.post(meta.message(ANN, "reaction", {"message_id": "wamid.x"}))
    await town.say(ANN, "1", at=T0)
    await town.hears(ANN, 1)
    await town.say(ANN, "2", at=T0)  # told of the limit
    await town.hears(ANN, 2)
    await town.say(ANN, "3", at=T0)  # nothing
    await moment(town)
    assert town.heard(ANN) == ["1", SENTENCES["rate_limited"]]
    assert len(town.graph.presence) == 2


@pytest.mark.parametrize("mood", ["hangs", "refuses", "breaks", "cuts"])
async def test_presence_that_fails_is_in_nobodys_way(
    town: Town, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_TIMEOUT", aiohttp.ClientTimeout(total=600))
    town.graph.presence_mood = {
        "hangs": town.graph.hang(),
        "refuses": behaviours.error(131009),
        "breaks": behaviours.http_500_before_accepting(),
        "cuts": behaviours.cut_before_accepting(),
    }[mood]
    people = [str(4915100000000 + place) for place in range(40)]
    async with asyncio.timeout(60):
        await town.post(*(meta.text(person, "hello") for person in people))
        for person in people:
            assert await town.hears(person, 1) == ["hello"]
        assert troubles(town) == []
        await town.stop()
    for person in people:
        assert person not in town.log.getvalue()
    town.graph.release()


async def test_an_engine_that_fails_ends_the_typing(town: Town, engine: FakeEngine) -> None:
    async def fail(_turn: Turn) -> Reply:
        raise RuntimeError

    engine.answer_with = fail
    await town.say(ANN, "hello")
    assert await town.hears(ANN, 1) == [SENTENCES["engine_failed"]]
    assert not town.up.presence._typing


@both_modes
async def test_a_person_takes_over_and_the_typing_ends(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "hello", at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    assert town.up.presence._typing
    await town.post(meta.echo(ANN, "mine", at=T0 + 2))
    assert not town.up.presence._typing
    await town.until(lambda: not town.up.presence._tasks)
    count = len(town.graph.presence)
    await town.say(ANN, "thanks", at=T0 + 3)
    await town.say(ANN, "/help", at=T0 + 4)
    gate.open()
    await town.hears(ANN, 1)
    await moment(town)
    assert len(town.graph.presence) == count


async def test_a_person_is_forgotten_and_the_typing_ends_whatever_the_engine_does(
    town: Town, engine: FakeEngine
) -> None:
    told = asyncio.Event()

    async def stubborn(_turn: Turn) -> Reply:
        while not told.is_set():
            with suppress(asyncio.CancelledError):
                await told.wait()
        return Reply(text="late")

    engine.answer_with = stubborn
    await town.say(ANN, "hello")
    await town.until(lambda: bool(town.up.presence._typing))
    await town.up.operator.forget({"who": ANN})
    is_typing = bool(town.up.presence._typing)
    told.set()
    await town.quiet()
    assert not is_typing
    assert town.heard(ANN) == []
