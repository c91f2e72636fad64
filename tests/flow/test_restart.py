"""Crashes and restarts in the middle of everything."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.dispatch import advancing, cursor
from openparallax.outbox import outbox
from openparallax.session.notices import SENTENCES
from tests.app.patience import until
from tests.dispatch.script import Play
from tests.dispatch.test_scripts import settled
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.fakes.meta import Item
from tests.storage.power import PowerCut
from tests.town import ANN, BOB, Town

FAST: dict[str, Any] = {
    "outbox": {"messages_per_second": None, "pair_burst": None, "receipt_wait_seconds": 0.02},
    "conversation": {"drain_seconds": 0.05},
}


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    async with Town(tmp_path, monkeypatch, engine=engine, changes=FAST) as town:
        yield town


async def claimed(town: Town, messages: int, attempts: int = 1) -> None:
    """Return when so many messages stand on disk as running, for the so-manieth time."""
    sql = "SELECT count(*) FROM envelopes WHERE state = 1 AND attempts = ?"

    async def are_there() -> bool:
        found = await town.up.database.read(lambda c: c.execute(sql, (attempts,)).fetchone())
        return bool(found == (messages,))

    await until(are_there)


async def test_an_answer_at_hand_needs_no_claim(town: Town, engine: FakeEngine) -> None:
    written: list[str] = []
    await town.say(ANN, "zero")
    await town.quiet()  # from here on what was said before is at hand, too
    town.up.database._writer._connection.set_trace_callback(written.append)
    await town.say(ANN, "one")
    assert await town.hears(ANN, 2) == ["zero", "one"]
    await town.quiet()
    assert written
    assert not [sql for sql in written if sql.startswith("UPDATE envelopes SET state = 1")]
    engine.answer_with = Gate()
    await town.say(ANN, "two")
    await claimed(town, 1)


async def test_in_the_middle_of_a_turn(town: Town, engine: FakeEngine) -> None:
    engine.answer_with = Gate()
    await town.say(ANN, "one")
    await claimed(town, 1)
    for words in ("two", "three"):
        await town.say(ANN, words)
    await town.crash()
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    assert await town.hears(ANN, 2) == ["one", "two\nthree"]
    await town.quiet()
    first, again, last = engine.asked
    assert (again.id, again.text) == (first.id, first.text)
    assert last.id != first.id
    assert len(town.graph.calls) == 2


async def test_what_was_claimed_together_stays_together(town: Town, engine: FakeEngine) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.text(ANN, "two", at=1), meta.text(ANN, "three", at=2))
    engine.answer_with = Gate()
    gate.open()
    await town.hears(ANN, 1)
    await claimed(town, 2)
    await town.until(lambda: not town.up.outbox.in_flight)
    await town.say(ANN, "four")
    await town.crash()
    await town.start()
    await town.until(lambda: len(engine.asked) == 3)
    await town.crash()
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    assert await town.hears(ANN, 3) == ["one", "two\nthree", "four"]
    assert [turn.text for turn in engine.asked[1:]] == ["two\nthree"] * 3 + ["four"]
    assert len({turn.id for turn in engine.asked[1:4]}) == 1


async def test_three_deaths_and_then_the_apology(town: Town, engine: FakeEngine) -> None:
    engine.answer_with = Gate()
    await town.say(ANN, "deadly")
    for death in range(3):
        await claimed(town, 1, attempts=death + 1)
        await town.until(lambda count=death + 1: len(engine.asked) == count)  # type: ignore[misc]
        await town.crash()
        await town.start()
    assert await town.hears(ANN, 1) == [SENTENCES["killed"]]
    assert len(engine.asked) == 3
    engine.answer_with = FakeEngine().answer_with
    await town.say(ANN, "harmless")
    assert (await town.hears(ANN, 2))[1] == "harmless"


async def test_what_waited_behind_it_was_not_there_when_it_died(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = FAST | {"conversation": {"drain_seconds": 0.05, "max_concurrent_turns": 1}}
    await town.restart()
    engine.answer_with = Gate()
    await town.say(ANN, "deadly")
    await town.say(ANN, "behind")
    await town.say(BOB, "beside")
    for death in range(3):
        await claimed(town, 1, attempts=death + 1)
        await town.crash()
        if death == 2:
            engine.answer_with = FakeEngine().answer_with
        await town.start()
    assert await town.hears(ANN, 2) == [SENTENCES["killed"], "behind"]
    assert await town.hears(BOB, 1) == ["beside"]


async def test_a_start_that_failed_is_no_death(town: Town, engine: FakeEngine) -> None:
    """Its port was taken: nothing ran, so nothing counts."""
    engine.answer_with = Gate()
    await town.say(ANN, "deadly")
    for death in range(3):
        await claimed(town, 1, attempts=death + 1)
        await town.until(lambda count=death + 1: len(engine.asked) == count)  # type: ignore[misc]
        await town.crash()
        for _ in range(3):
            with pytest.MonkeyPatch.context() as monkeypatch:
                monkeypatch.setattr(
                    "openparallax.webhook.server.WebhookServer.start", _port_is_taken
                )
                with pytest.raises(OSError, match="made up"):
                    await town.start()
            town.house = None
        await town.start()
    assert await town.hears(ANN, 1) == [SENTENCES["killed"]]
    assert len(engine.asked) == 3


async def _port_is_taken(_self: object) -> None:
    raise OSError("made up")


async def test_stops_in_order_are_no_deaths(town: Town, engine: FakeEngine) -> None:
    engine.answer_with = Gate()
    await town.say(ANN, "slow")
    await claimed(town, 1)
    for stop in range(5):
        await town.restart()
        await town.until(lambda count=stop + 2: len(engine.asked) == count)  # type: ignore[misc]
    engine.answer_with = FakeEngine().answer_with
    await town.restart()
    assert await town.hears(ANN, 1) == ["slow"]
    assert {turn.id for turn in engine.asked} == {engine.asked[0].id}


# -- a crash at every commit ----------------------------------------------------------------------


async def deliver(town: Town, *items: Item) -> None:
    """As Meta does, to whichever house there is."""
    raw = meta.body(*items)
    for _ in range(2000):
        try:
            if await meta.post(town.session, town.url, raw) == 200:
                return
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(0.002)
    raise AssertionError("never taken")


async def converse(stage: Play) -> None:
    """Two people talk at once, a third now and then; one request after the other is repeated."""
    await stage.request([(0, "word"), (1, "fail")])
    await stage.request([(0, "word"), (0, "/new word"), (0, "word")])
    await stage.repeat(0)
    await stage.request([(1, "/status"), (1, "long"), (2, "mute")])
    await stage.request([(0, "slow"), (0, "/help"), (2, "word"), (1, "/ort words")])
    await stage.repeat(1)
    await stage.request([(2, "word"), (0, "word")])


async def crash_at(*cuts: tuple[int, bool]) -> bool:
    """Talk, with the power going at these commits; False if the last cut was never reached."""
    engine = FakeEngine()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(advancing, "RETRY_S", 0.02)
        monkeypatch.setattr(cursor, "RETRY_S", 0.02)
        monkeypatch.setattr(outbox, "RETRY_S", 0.02)
        power = PowerCut(monkeypatch)
        async with Town(Path(folder), monkeypatch, engine=engine, changes=FAST) as town:
            stage = Play(town, engine)
            stage.post = lambda *items: deliver(town, *items)
            talking = asyncio.create_task(_talk(stage))
            borders = []
            was_reached = True
            for commit, is_after in cuts:
                power.arm(commit, is_after=is_after)
                cut = asyncio.create_task(power.happened.wait())
                await asyncio.wait({talking, cut}, return_when=asyncio.FIRST_COMPLETED)
                was_reached = cut.done()
                cut.cancel()
                if not was_reached:
                    break
                await town.crash()
                borders.append(len(town.graph.accepted))
                power.disarm()
                await town.start()
            power.disarm()
            await talking
            await settled(town)
            stage.check()
            _check_repeats(town, borders)
            return was_reached


async def _talk(stage: Play) -> None:
    await converse(stage)
    # Not over before all is answered, so that the commits of answering can be cut as well.
    while True:
        try:
            await settled(stage.town)
        except (AssertionError, Exception):  # noqa: BLE001 - no house just now
            await asyncio.sleep(0.002)
        else:
            return


def _check_repeats(town: Town, borders: list[int]) -> None:
    """A part is sent twice only if Graph had taken it before a crash, and one a chat at most."""
    first: dict[str, int] = {}
    twice: dict[tuple[str, int], set[str]] = {}
    for place, call in enumerate(town.graph.accepted):
        parcel = call.callback.split(".")[0]
        if parcel in first:
            crash = next((n for n, border in enumerate(borders) if first[parcel] < border), None)
            assert crash is not None, "sent twice without a crash"
            twice.setdefault((call.to, crash), set()).add(parcel)
        first[parcel] = place
    assert all(len(parcels) == 1 for parcels in twice.values())


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
async def test_a_crash_at_every_commit(*, is_after: bool) -> None:
    commit = 1
    while await crash_at((commit, is_after)):
        commit += 1
    assert commit > 15


@given(st.tuples(st.integers(1, 25), st.booleans()), st.tuples(st.integers(1, 12), st.booleans()))
@settings(max_examples=12, deadline=None)
def test_two_crashes_anywhere(first: tuple[int, bool], second: tuple[int, bool]) -> None:
    asyncio.run(crash_at(first, second))
