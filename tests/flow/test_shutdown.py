"""Stopping in order: what runs is finished, what comes is stored, what is left is for the next."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import aiohttp
import pytest

from openparallax.plugin import Reply, Turn
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town


@asynccontextmanager
async def stopping(town: Town) -> AsyncIterator[None]:
    """The house stops meanwhile; at the end it has."""
    task = asyncio.create_task(town.stop())
    await asyncio.sleep(0.02)
    yield
    await task


async def change(town: Town, **conversation: Any) -> None:
    town.changes = {"conversation": conversation}
    await town.restart()


async def test_a_running_turn_is_finished_and_its_answer_sent(
    town: Town, engine: FakeEngine
) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    async with stopping(town):
        gate.open()
    assert town.heard(ANN) == ["one"]
    assert engine.was_closed
    await town.start()
    await town.quiet()
    assert town.heard(ANN) == ["one"]
    assert len(engine.asked) == 1


async def test_what_comes_meanwhile_is_stored_and_answered_by_the_next(
    town: Town, engine: FakeEngine
) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    async with stopping(town):
        assert await town.post_once(meta.text(ANN, "two"), meta.text(BOB, "and I")) == 200
        assert await town.post_once(meta.text(ANN, "three")) == 200
        gate.open()
    assert (town.heard(ANN), town.heard(BOB)) == (["one"], [])
    assert len(engine.asked) == 1
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    assert await town.hears(ANN, 2) == ["one", "two\nthree"]
    assert await town.hears(BOB, 1) == ["and I"]


async def test_words_off_the_record_are_for_the_next_process(
    town: Town, engine: FakeEngine
) -> None:
    """They would go with this one's memory: Meta is to bring them again."""
    gate = engine.answer_with = Gate()
    await town.say(ANN, "/otr")
    await town.hears(ANN, 1)
    await town.say(BOB, "one")
    await town.until(lambda: gate.waiting == 1)
    words = meta.text(ANN, "just between us")
    async with stopping(town):
        assert await town.post_once(words) == 503
        assert await town.post_once(meta.text(BOB, "two")) == 200
        gate.open()
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    await town.post(words)
    assert (await town.hears(ANN, 2))[1] == "just between us"
    assert b"between us" not in town.written()


async def test_what_is_queued_stays_queued(town: Town, engine: FakeEngine) -> None:
    await change(town, max_concurrent_turns=1)
    gate = engine.answer_with = Gate()
    people = [str(4915100000000 + n) for n in range(20)]
    await town.post(*(meta.text(person, "hi") for person in people))
    await town.until(lambda: gate.waiting == 1)
    async with stopping(town):
        gate.open()
    assert len(engine.asked) == 1
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    for person in people:
        assert await town.hears(person, 1) == ["hi"]
    await town.quiet()
    assert len(engine.asked) == 20


async def test_what_does_not_finish_in_time_is_answered_by_the_next(
    town: Town, engine: FakeEngine
) -> None:
    await change(town, drain_seconds=0.05)
    gate = engine.answer_with = Gate()
    await town.post(meta.text(ANN, "one"), meta.text(ANN, "two"))
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "three")
    async with asyncio.timeout(20):
        await town.stop()
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    assert await town.hears(ANN, 2) == ["one\ntwo", "three"]
    assert engine.asked[0].id == engine.asked[1].id


async def test_an_engine_that_goes_on_for_ever_does_not(town: Town, engine: FakeEngine) -> None:
    """It heeds no cancellation; the stop ends all the same, and it is not counted as a death."""
    town.changes = {"conversation": {"drain_seconds": 0.02}, "pipeline": []}
    await town.restart()
    is_over = asyncio.Event()

    async def stubborn(turn: Turn) -> Reply:
        while not is_over.is_set():
            try:
                await is_over.wait()
            except asyncio.CancelledError:
                continue
        return Reply(text="far too late")

    engine.answer_with = stubborn
    await town.say(ANN, "one")
    await town.until(lambda: engine.running == 1)
    try:
        async with asyncio.timeout(8):
            await town.stop()
    finally:
        is_over.set()
    await town.until(lambda: engine.running == 0)
    with closing(sqlite3.connect(town.state / "openparallax.db")) as other:
        assert other.execute("SELECT attempts FROM envelopes").fetchall() == [(0,)]
    engine.answer_with = FakeEngine().answer_with
    await town.restart()
    assert await town.hears(ANN, 1) == ["one"]


async def test_an_engine_that_cannot_be_closed_is_left(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def close() -> None:
        raise ValueError("xyzzy")

    monkeypatch.setattr(engine, "close", close)
    await town.say(ANN, "one")
    await town.hears(ANN, 1)
    await town.restart()
    assert "plugin_not_closed" in town.log.getvalue()
    assert "xyzzy" not in town.log.getvalue()
    await town.say(ANN, "two")
    await town.hears(ANN, 2)


async def test_nothing_is_left_behind(town: Town, engine: FakeEngine) -> None:
    """No task, no socket, no lock: another house may begin at once."""
    await town.say(ANN, "one")
    await town.hears(ANN, 1)
    before = asyncio.all_tasks()
    await town.restart()
    await town.stop()
    assert {task.get_coro().__qualname__ for task in asyncio.all_tasks() - before} <= set()  # type: ignore[union-attr]
    with pytest.raises(aiohttp.ClientError):
        await town.post_once(meta.text(ANN, "two"))
    await town.start()


async def test_stopped_while_it_catches_up(town: Town, engine: FakeEngine) -> None:
    town.changes = {"outbox": {"messages_per_second": None}}
    await town.restart()
    engine.answer_with = Gate()
    await town.post(*(meta.text(str(4915100000000 + n), "hi") for n in range(300)))
    await town.crash()
    engine.answer_with = FakeEngine().answer_with
    for _ in range(5):
        await town.start()
        await town.stop()
    await town.start()
    await town.until(lambda: len(town.graph.accepted) >= 300, 60)
    await town.quiet()
    assert len({call.to for call in town.graph.accepted}) == 300
