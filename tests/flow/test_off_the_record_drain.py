"""The last seconds of a process: what it could not keep is for the next one."""

import asyncio
import time

from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

T0 = int(time.time()) - 600


async def go_off(town: Town) -> None:
    await town.say(ANN, "/otr")
    await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))
    await town.quiet()


async def drain(town: Town, gate: Gate) -> "asyncio.Task[None]":
    """Begin to stop while a turn of Bob's runs; the house drains until ``gate`` opens."""
    before = gate.waiting
    await town.say(BOB, "slow")
    await town.until(lambda: gate.waiting > before)
    stopping = asyncio.ensure_future(town.up.stop())
    await town.until(lambda: town.up.door.is_draining)
    return stopping


async def finish(town: Town, stopping: "asyncio.Task[None]", gate: Gate) -> None:
    gate.open()
    await stopping
    town.house = None
    await town.start()


async def test_while_draining_only_words_off_the_record_are_put_off(
    town: Town, engine: FakeEngine
) -> None:
    off, both, on = Canary(), Canary(), Canary()
    await go_off(town)
    gate = Gate()
    engine.answer_with = gate
    stopping = await drain(town, gate)
    words = meta.text(ANN, off.words)
    batch = [meta.text(str(4915300000000), both.words), meta.text(ANN, "/otr too")]
    assert await town.post_once(words) == 503
    assert await town.post_once(*batch) == 503
    assert await town.post_once(meta.text(str(4915300000001), f"/otr {off}")) == 503
    assert await town.post_once(meta.text(str(4915300000002), on.words)) == 200
    await finish(town, stopping, gate)
    assert heard_singing(town, off, both) == []
    assert heard_singing(town, on)
    await town.hears(str(4915300000002), 1)
    await town.post(words)
    await town.post(*batch)
    await town.until(lambda: off.words in town.heard(ANN))
    await town.until(lambda: "too" in town.heard(ANN))
    await town.hears(str(4915300000000), 1)
    await town.quiet()
    assert SENTENCES["lost"] not in town.heard(ANN)
    assert heard_singing(town, off) == []


async def test_while_draining_a_repeat_with_the_words_is_put_off_too(
    town: Town, engine: FakeEngine
) -> None:
    """Taken now they would be lost with this process, and Meta would not bring them again."""
    canary = Canary()
    await go_off(town)
    gate = Gate()
    engine.answer_with = gate
    message = meta.text(ANN, canary.words)
    await town.post(message)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    town.changes = {"conversation": {"max_concurrent_turns": 1}}
    await town.start()
    stopping = await drain(town, gate)
    assert await town.post_once(message) == 503
    await finish(town, stopping, gate)
    await town.post(message)
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    assert SENTENCES["lost"] not in town.heard(ANN)


async def test_while_draining_a_late_otr_that_would_move_words_is_put_off(
    town: Town, engine: FakeEngine
) -> None:
    canary = Canary()
    gate = Gate()
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.hears(ANN, 1)
    engine.answer_with = gate
    stopping = await drain(town, gate)
    assert await town.post_once(meta.text(ANN, "/otr", at=T0 + 10)) == 503
    await finish(town, stopping, gate)
    assert heard_singing(town, canary)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
