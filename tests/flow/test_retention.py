"""Words go so many days after they came in, and what still waits for an answer does not."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.storage import copies
from tests.canary import Canary, heard_singing, singing_in
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate, echo
from tests.flow.records import logged, troubles
from tests.flow.sending import TurnedTown
from tests.town import ANN, BOB

DAY = 86400
CHANGES: dict[str, Any] = {"storage": {"retention_days": 30}}


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch, engine=engine, changes=CHANGES) as town:
        await town.until(lambda: not town.up.dispatcher._cursor.is_behind)
        yield town


async def says(town: TurnedTown, sender: str, words: str, at: float | None = None) -> None:
    heard = len(town.heard(sender))
    now = int(town.turned.now()) if at is None else int(at)
    await town.say(sender, words, at=now)
    await town.hears(sender, heard + 1)
    await town.quiet()


async def later(town: TurnedTown, days: float) -> int:
    """So many days pass, and a sweep; how many entries were removed."""
    town.turned.jump(days * DAY)
    return await sweep(town)


async def sweep(town: TurnedTown) -> int:
    """Sweep until there is nothing to do; it need not all be done at once."""
    before = len(logged(town, "retention_done"))
    while True:
        swept = len(logged(town, "retention_done"))
        town.up.housekeeping._remove_old.__self__._next = 0  # type: ignore[attr-defined]
        await town.up.housekeeping._remove()
        done = logged(town, "retention_done")
        if len(done) == swept:
            return sum(line["count"] for line in done[before:])


async def history(town: TurnedTown, engine: FakeEngine) -> list[str]:
    await says(town, ANN, "what do you know?")
    return [one.text for one in engine.asked[-1].history]


async def test_words_go_after_so_many_days(town: TurnedTown, engine: FakeEngine) -> None:
    old, young = Canary(), Canary()
    await says(town, ANN, old.words)
    assert await later(town, 20) == 0
    await says(town, ANN, young.words)
    assert heard_singing(town, old)
    assert await later(town, 11) == 2
    assert heard_singing(town, old) == []
    assert heard_singing(town, young)
    assert await sweep(town) == 0
    assert await history(town, engine) == [young.words, young.words]
    # And after a restart, with the cursor of before.
    await town.restart()
    assert await later(town, 31) == 4
    assert heard_singing(town, young) == []
    assert await history(town, engine) == []
    assert troubles(town) == []


async def test_what_waits_for_an_answer_stays_until_it_has_one(
    town: TurnedTown, engine: FakeEngine
) -> None:
    waiting, other, gate = Canary(), Canary(), Gate()
    engine.answer_with = gate
    await town.say(ANN, waiting.words, at=int(town.turned.now()))
    await town.until(lambda: gate.waiting == 1)
    engine.answer_with = echo
    try:
        await says_only(town, other)
        assert await later(town, 40) == 2
        assert heard_singing(town, other) == []
        assert heard_singing(town, waiting)
        assert await sweep(town) == 0
    finally:
        gate.open()  # or the house waits for it at its end, by a clock that stands
    await town.until(lambda: not town.up.dispatcher.running)
    # The window has closed meanwhile, so the answer is held: still open work.
    await town.until(lambda: not town.up.outbox.waiting and not town.up.outbox.in_flight)
    assert await sweep(town) == 0
    await town.up.database.unit(lambda c: c.execute("UPDATE parcels SET state = 13"))
    assert await sweep(town) == 1
    assert waiting.core not in "".join(await history(town, engine))
    assert await later(town, 40) > 0
    assert heard_singing(town, waiting) == []


async def says_only(town: TurnedTown, canary: Canary) -> None:
    await town.say(BOB, canary.words, at=int(town.turned.now()))
    await town.hears(BOB, 1)
    # Accepted is not settled: that is on disk a moment later.
    await town.until(lambda: not town.up.outbox.waiting and not town.up.outbox.in_flight)


async def test_times_that_cannot_be_true_hold_nothing_up(
    town: TurnedTown, engine: FakeEngine
) -> None:
    await says(town, BOB, "hello")
    canaries = [Canary() for _ in range(3)]
    now = town.turned.now()
    for canary, at in zip(canaries, (now + 4000 * DAY, now, 0), strict=True):
        await town.post(meta.text(ANN, canary.words, at=int(at)))
    await town.quiet()
    assert await later(town, 29) == 0
    await later(town, 2)
    assert heard_singing(town, *canaries) == []


async def test_a_clock_that_was_ahead_for_a_while(town: TurnedTown, engine: FakeEngine) -> None:
    """What was believed then is not believed afterwards."""
    canary = Canary()
    town.turned.jump(1000 * DAY)
    await says(town, ANN, "hello")
    assert await later(town, 40) == 2
    town.turned.jump(-1040 * DAY)
    await says(town, ANN, canary.words)
    assert await later(town, 29) == 0
    await later(town, 2)
    assert heard_singing(town, canary) == []


@pytest.mark.parametrize("back_days", [0.1, 3, 1000])
async def test_a_clock_that_is_behind_for_a_while(
    town: TurnedTown, engine: FakeEngine, back_days: float
) -> None:
    """As on a machine without a battery for it, until it has asked the net."""
    old, young = Canary(), Canary()
    await says(town, ANN, old.words)
    assert await later(town, 40) == 2
    await says(town, ANN, young.words)
    town.turned.jump(-back_days * DAY)
    assert await sweep(town) == 0
    await town.restart()
    assert await sweep(town) == 0
    assert heard_singing(town, young)
    town.turned.jump(back_days * DAY)
    assert await later(town, 31) == 2
    assert heard_singing(town, young) == []


async def test_in_many_steps_and_with_other_settings(
    town: TurnedTown, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.storage.erasing.STEP", 3)
    canary = Canary()
    for _ in range(4):
        await town.post(
            *(meta.text(ANN, canary.words, at=int(town.turned.now())) for _ in range(5))
        )
        await town.until(lambda: not town.up.dispatcher.waiting)
        await town.quiet()
    town.turned.jump(20 * DAY)
    town.changes = {**(town.changes or {}), "storage": {"retention_days": 100}}
    await town.restart()
    assert await sweep(town) == 0
    town.changes = {**town.changes, "storage": {"retention_days": 10}}
    await town.restart()
    await sweep(town)
    await town.until(lambda: heard_singing(town, canary) == [])


async def test_in_the_copies_too_which_go_after_a_week(
    town: TurnedTown, engine: FakeEngine
) -> None:
    canary, young = Canary(), Canary()
    await says(town, ANN, canary.words)
    town.turned.jump(29 * DAY)
    await says(town, ANN, young.words)
    path = town.up.database.path
    copy = copies.of_schema(path, 2)
    await town.up.database.read(lambda c: copies.make(c, path, copy))
    made = copy.stat().st_mtime
    town.turned.jump(made - town.turned.now())
    await town.up.database.unit(
        lambda c: c.execute("UPDATE transcript SET sent_at = ?", (int(made) - 31 * DAY,))
    )
    with closing(sqlite3.connect(copy)) as there, there:
        there.execute(
            "UPDATE transcript SET sent_at = ? - CASE WHEN words = ? THEN 31 ELSE 2 END * 86400",
            (int(made), canary.words),
        )
    os.utime(copy, (made, made))
    await sweep(town)
    assert singing_in(town.state, canary) == []
    assert [one for one in singing_in(town.state, young) if one.startswith(copy.name)]
    assert abs(copy.stat().st_mtime - made) < 1
    await later(town, 6.9)
    assert copy.exists()
    await later(town, 0.2)
    assert not copy.exists()
    assert [line["path"] for line in logged(town, "copy_deleted")] == [str(copy)]


async def test_other_days_that_come_while_it_removes_count_at_once(
    town: TurnedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    retention, cutoffs = town.up.condition.parts.retention, list[float]()
    await retention.sweep()

    async def remove(cutoff: float, _now: float) -> int:
        cutoffs.append(cutoff)
        if len(cutoffs) == 1:
            retention.keep_for(10)
        return 0

    monkeypatch.setattr(retention, "_remove", remove)
    retention.keep_for(20)
    for _ in range(3):
        await retention.sweep()
    assert len(cutoffs) == 2
    assert cutoffs[1] - cutoffs[0] == pytest.approx(10 * DAY, abs=60)
