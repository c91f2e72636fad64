"""What was spent is written in the transaction of the turn that spent it, and only then."""

import time
from pathlib import Path

import pytest

from openparallax.plugin import Reply, Turn
from openparallax.storage import usage
from openparallax.storage.usage import Spent
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.records import T0, begin, both_modes, moment
from tests.town import ANN, Town

SPENT = {"input": 12, "output": 30}


async def spending(turn: Turn) -> Reply:
    return Reply(text=turn.text, usage=SPENT, model="parrot-1")


async def spent(town: Town) -> list[Spent]:
    return await town.up.database.read(usage.totals)


@both_modes
async def test_each_turn_adds_to_its_day(town: Town, engine: FakeEngine, mode: str) -> None:
    canary = Canary()
    await begin(town, mode)
    engine.answer_with = spending
    for place in (1, 2):
        await town.say(ANN, canary.words, at=T0 + place)
        await town.hears(ANN, place)
    await town.quiet()
    assert await spent(town) == [Spent("parrot-1", "input", 24), Spent("parrot-1", "output", 60)]
    today = usage.day_of(time.time())
    assert {*await town.up.database.read(lambda c: usage.of_day(c, today))} | {
        *await town.up.database.read(lambda c: usage.of_day(c, today - 1))
    } == {*await spent(town)}
    if mode == "off the record":
        assert heard_singing(town, canary) == []


async def test_tokens_are_counted_for_the_engine_of_the_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    engine.answer_with = spending
    aside = {"off_the_record": {"engine": {"type": "anthropic", "api_key": "sesame"}}}
    async with Town(tmp_path, monkeypatch, engine=engine, changes=aside) as town:
        await begin(town, "off the record")
        await town.say(ANN, "hello", at=T0 + 1)
        await town.hears(ANN, 1)
        assert town.up.metrics.values("tokens") == {"anthropic input": 12, "anthropic output": 30}
        status = await town.up._controls()["status"]({})
        assert status["engines"] == {"on the record": "echo", "off the record": "anthropic"}


@pytest.mark.parametrize("text", [None, " "])
async def test_silence_and_emptiness_cost_too(
    town: Town, engine: FakeEngine, text: str | None
) -> None:
    async def answer(turn: Turn) -> Reply:
        return Reply(text=text, usage=SPENT, model=turn.text)

    engine.answer_with = answer
    await town.say(ANN, "m")
    await moment(town)
    assert await spent(town) == [Spent("m", "input", 12), Spent("m", "output", 30)]


async def test_a_turn_that_is_not_written_is_not_charged_twice(
    town: Town, engine: FakeEngine
) -> None:
    """The disk refuses the turn's end for a while; in the end it is counted once."""
    gate = Gate()

    async def answer(turn: Turn) -> Reply:
        await gate(turn)
        return await spending(turn)

    engine.answer_with = answer
    await town.say(ANN, "hello", at=T0)
    await town.until(lambda: gate.waiting == 1)
    town.up.database._writer._connection.execute("PRAGMA query_only = ON")
    gate.open()
    await town.until(lambda: "storage_failed" in town.log.getvalue())
    town.up.database._writer._connection.execute("PRAGMA query_only = OFF")
    await town.hears(ANN, 1)
    await town.quiet()
    assert await spent(town) == [Spent("parrot-1", "input", 12), Spent("parrot-1", "output", 30)]


async def test_what_a_plugin_says_wrongly_ends_no_turn(town: Town, engine: FakeEngine) -> None:
    async def answer(turn: Turn) -> Reply:
        wrong = {"input": -1, "Output!": 3, "x": "many", "ok": 2, 5: 5}
        return Reply(text=turn.text, usage=wrong, model="m" * 200)  # type: ignore[arg-type]

    engine.answer_with = answer
    await town.post(meta.text(ANN, "hello"))
    assert await town.hears(ANN, 1) == ["hello"]
    await town.quiet()
    assert await spent(town) == [Spent("m" * 64, "ok", 2)]
