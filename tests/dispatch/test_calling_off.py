"""A turn that nobody waits for any more ends at once, and only what comes later is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from openparallax.dispatch import calling_off
from openparallax.plugin import Reply, Turn
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.records import T0, awake, logged, moment, troubles
from tests.town import ANN, Town

BARE: dict[str, Any] = {"pipeline": []}
AT_ONCE = {"channels": {"whatsapp": {"human_takeover_minutes": 0}}}


class Hanging:
    """Waits on the first words until it is let go, and says echo to all others."""

    def __init__(self, at_the_end: Callable[[], Reply]) -> None:
        self.at_the_end = at_the_end
        self.waiting = 0
        self.let_go = 0

    async def __call__(self, turn: Turn) -> Reply:
        if not turn.text.startswith("first"):
            return Reply(text=turn.text)
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.let_go += 1
            return self.at_the_end()
        raise AssertionError


def heeds() -> Reply:
    raise asyncio.CancelledError


def answers() -> Reply:
    return Reply(text="never heard", model="model-1", usage={"input": 5})


def raises() -> Reply:
    raise ValueError("xyzzy")


async def taken_over(town: Town, first: dict[str, Any]) -> None:
    del first
    await town.post(meta.echo(ANN, "mine", at=T0 + 2))


async def revoked(town: Town, first: dict[str, Any]) -> None:
    await town.post(meta.revoke(ANN, first["message"]["id"], at=T0 + 2))


async def forgotten(town: Town, first: dict[str, Any]) -> None:
    del first
    await town.up.operator.forget({"who": "+" + ANN})


WAYS = (taken_over, revoked, forgotten)


@pytest.mark.parametrize(
    ("at_the_end", "changes"),
    [(heeds, AT_ONCE), *((how, AT_ONCE | BARE) for how in (heeds, answers, raises))],
    ids=["limited", "heeds", "answers", "raises"],
)
@pytest.mark.parametrize("way", WAYS)
async def test_let_go_and_the_next_message_is_answered(
    town: Town,
    engine: FakeEngine,
    way: Callable[[Town, dict[str, Any]], Awaitable[None]],
    at_the_end: Callable[[], Reply],
    changes: dict[str, Any],
) -> None:
    town.changes = changes
    await town.restart()
    await awake(town)
    engine.answer_with = hanging = Hanging(at_the_end)
    first = meta.text(ANN, "first", at=T0 + 1)
    await town.post(first)
    await town.until(lambda: hanging.waiting == 1)
    await way(town, first)
    await town.until(lambda: hanging.let_go == 1)
    await town.say(ANN, "second", at=T0 + 10)
    assert await town.hears(ANN, 1) == ["second"]
    await moment(town)
    assert town.heard(ANN) == ["second"]
    assert len(engine.asked) == 2
    assert town.up.metrics.value("turns", "overtaken") == 1
    assert (troubles(town), logged(town, "engine_failed")) == ([], [])


async def test_one_that_does_not_heed_it_is_left_and_its_answer_dropped(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the pipeline bounds it: the chat goes on all the same."""
    monkeypatch.setattr(calling_off, "GRACE_S", 0.05)
    town.changes = BARE
    await town.restart()
    await awake(town)
    is_over = asyncio.Event()

    async def stubborn(turn: Turn) -> Reply:
        if turn.text != "first":
            return Reply(text=turn.text)
        engine.running_chats.clear()  # as it is meant to be once nobody waits for this one
        while not is_over.is_set():
            with suppress(asyncio.CancelledError):
                await is_over.wait()
        return Reply(text="far too late", usage={"input": 5})

    engine.answer_with = stubborn
    first = meta.text(ANN, "first", at=T0 + 1)
    await town.post(first)
    await town.until(lambda: engine.running == 1)
    try:
        await revoked(town, first)
        await town.say(ANN, "second", at=T0 + 10)
        assert await town.hears(ANN, 1) == ["second"]
        assert engine.running == 1
        assert len(logged(town, "engine_abandoned")) == 1
        assert town.up.metrics.value("engine_failures", "abandoned") == 1
    finally:
        is_over.set()
    await town.until(lambda: engine.running == 0)
    await town.say(ANN, "third", at=T0 + 20)
    assert await town.hears(ANN, 2) == ["second", "third"]
    assert town.up.metrics.value("turns", "overtaken") == 1
    assert "engine_failed" not in town.log.getvalue()


async def test_not_while_another_message_of_the_group_remains(
    town: Town, engine: FakeEngine
) -> None:
    await awake(town)
    engine.answer_with = gate = Gate()
    await town.say(ANN, "before", at=T0)
    await town.until(lambda: gate.waiting == 1)
    first, second = meta.text(ANN, "one", at=T0 + 1), meta.text(ANN, "two", at=T0 + 2)
    await town.post(first, second)
    engine.answer_with = later = Gate()
    gate.open()
    await town.until(lambda: later.waiting == 1)
    await town.post(meta.revoke(ANN, first["message"]["id"], at=T0 + 3))
    later.open()
    assert await town.hears(ANN, 2) == ["before", "one\ntwo"]
