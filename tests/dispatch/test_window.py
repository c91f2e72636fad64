"""What cannot be answered in its window waits for the person, and joins what they say next."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.dispatch import advancing, cursor
from openparallax.dispatch.lane import Taken
from openparallax.dispatch.turn import TurnTaker
from openparallax.model.envelope import Envelope
from openparallax.session.notices import SENTENCES
from openparallax.storage import Connection, envelopes
from tests.dispatch.wall import Wall
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

DAY = 86400


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, wall: Wall
) -> AsyncIterator[Town]:
    async with Town(tmp_path, monkeypatch, engine=engine, clock=wall) as town:
        yield town


def ago(seconds: float) -> int:
    return int(time.time() - seconds)


def held(town: Town) -> int:
    return town.up.metrics.value("turns", "held")


async def test_the_last_moment_counts_as_closed(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "late", at=ago(DAY - 30))
    await town.until(lambda: held(town) == 1)
    await town.say(BOB, "in time", at=ago(DAY - 90))
    assert await town.hears(BOB, 1) == ["in time"]
    await town.quiet()
    assert town.heard(ANN) == []
    assert [turn.text for turn in engine.asked] == ["in time"]


async def test_held_joins_the_next_message(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "one", at=ago(2 * DAY))
    await town.say(ANN, "two", at=ago(DAY + 60))
    await town.until(lambda: held(town) == 2)
    await town.say(ANN, "three")
    assert await town.hears(ANN, 1) == ["one\ntwo\nthree"]
    await town.say(ANN, "four")
    assert await town.hears(ANN, 2) == ["one\ntwo\nthree", "four"]
    assert engine.asked[1].history[0].text == "one"


async def test_held_across_a_restart_and_a_crash(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "one", at=ago(2 * DAY))
    await town.until(lambda: held(town) == 1)
    await town.restart()
    await town.say(ANN, "two", at=ago(2 * DAY))
    await town.until(lambda: held(town) >= 1)
    await town.quiet()
    await town.crash()
    await town.start()
    await town.until(lambda: not town.up.dispatcher._cursor.is_behind)
    await town.quiet()
    assert engine.asked == []
    await town.say(ANN, "three")
    assert await town.hears(ANN, 1) == ["one\ntwo\nthree"]


async def test_held_commands_are_answered_in_their_order(town: Town) -> None:
    long_ago = ago(2 * DAY)
    await town.post(*(meta.text(ANN, words, at=long_ago) for words in ("one", "/help", "two")))
    await town.until(lambda: held(town) == 3)
    await town.say(ANN, "three")
    heard = await town.hears(ANN, 3)
    assert heard[0] == "one"
    assert heard[1].startswith("What you can write")
    assert heard[2] == "two\nthree"


async def test_held_on_the_record_is_not_answered_off_the_record(
    town: Town, engine: FakeEngine
) -> None:
    await town.say(ANN, "one", at=ago(2 * DAY))
    await town.until(lambda: held(town) == 1)
    await town.say(ANN, "/otr two")
    heard = await town.hears(ANN, 3)
    assert sorted(heard) == sorted([SENTENCES["otr"], "one", "two"])
    assert heard.index("one") < heard.index("two")
    assert [turn.mode.value for turn in engine.asked] == [0, 1]


async def test_an_old_and_a_new_one_in_one_request(town: Town) -> None:
    await town.post(meta.text(ANN, "old", at=ago(2 * DAY)), meta.text(ANN, "new"))
    assert await town.hears(ANN, 1) == ["old\nnew"]
    assert held(town) == 0


@pytest.mark.parametrize("at", [0, 1, 946_684_800, 4_102_444_800, 253_402_300_799])
async def test_a_timestamp_that_cannot_be_true_counts_as_now(town: Town, at: int) -> None:
    await town.say(ANN, "hello", at=at)
    assert await town.hears(ANN, 1) == ["hello"]


async def test_an_engine_that_takes_over_the_end_of_the_window(
    town: Town, engine: FakeEngine, wall: Wall
) -> None:
    """Its answer is kept, and so is what waited behind it; both go out with the next message."""
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "slow", at=ago(DAY - 120))
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "behind", at=ago(DAY - 120))
    wall.ahead = 300
    gate.open()
    await town.until(lambda: held(town) == 1)
    await town.quiet()
    assert town.heard(ANN) == []
    await town.restart()
    await town.say(ANN, "next", at=ago(-300))
    assert await town.hears(ANN, 2) == ["slow", "behind\nnext"]
    await town.quiet()
    assert [turn.text for turn in engine.asked] == ["slow", "behind\nnext"]


async def test_written_while_older_ones_are_being_held(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next message is on disk, but not yet at hand, when the older one is held."""
    monkeypatch.setattr(cursor, "ROOM", 4)
    monkeypatch.setattr(cursor, "PAGE", 2)
    gate = Gate()
    town.engine.answer_with = gate
    town.changes = {"conversation": {"max_concurrent_turns": 1}}
    await town.restart()
    others = [str(4915100000000 + n) for n in range(12)]
    await town.post(meta.text(others[0], "0"))
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.text(ANN, "old", at=ago(2 * DAY)))
    await town.post(*(meta.text(other, "hi") for other in others[1:]))
    await town.say(ANN, "new")
    assert town.up.dispatcher._cursor.is_behind
    gate.open()
    await town.until(lambda: all(town.heard(other) for other in others))
    await town.until(lambda: bool(town.heard(ANN)))
    await town.quiet()
    assert "\n".join(town.heard(ANN)) == "old\nnew"


@pytest.fixture
def bad_release(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Releases from now on: so many fail as on a full disk before one succeeds."""
    left = [4]
    release = envelopes.release

    def release_or_not(connection: Connection, chat: int) -> list[Envelope]:
        left[0] -= 1
        if left[0] >= 0:
            raise sqlite3.OperationalError("made up")
        return release(connection, chat)

    monkeypatch.setattr(envelopes, "release", release_or_not)
    monkeypatch.setattr(advancing, "RETRY_S", 0.02)
    return left


async def test_written_while_older_ones_are_being_held_and_the_disk_is_full(
    town: Town, monkeypatch: pytest.MonkeyPatch, bad_release: list[int]
) -> None:
    """The same as above, and what lets the older one go fails at first."""
    await test_written_while_older_ones_are_being_held(town, monkeypatch)
    await town.say(BOB, "all well?")
    assert await town.hears(BOB, 1) == ["all well?"]


@pytest.mark.parametrize("failures", [0, 4])
async def test_written_in_the_very_moment_of_holding(
    town: Town, monkeypatch: pytest.MonkeyPatch, bad_release: list[int], failures: int
) -> None:
    """The newer one comes when it is decided, but not yet on disk, that the older one is held."""
    bad_release[0] = failures
    gate, hold = asyncio.Event(), TurnTaker._hold

    async def hold_later(taker: TurnTaker, group: Sequence[Envelope]) -> tuple[Taken, int]:
        await gate.wait()
        return await hold(taker, group)

    monkeypatch.setattr(TurnTaker, "_hold", hold_later)
    await town.say(ANN, "old", at=ago(2 * DAY))
    await town.until(lambda: town.up.dispatcher.running == 1)
    await town.say(ANN, "new")
    gate.set()
    await town.until(lambda: bool(town.heard(ANN)))
    await town.quiet()
    assert "\n".join(town.heard(ANN)) == "old\nnew"


@pytest.mark.parametrize("days", [1, -1])
async def test_a_clock_a_day_off_and_back(town: Town, wall: Wall, days: int) -> None:
    """Whatever is said is answered once; at worst together with what is said next."""
    await town.say(ANN, "one")
    await town.hears(ANN, 1)
    wall.ahead = days * DAY
    again = meta.text(ANN, "two")
    await town.post(again)
    await town.post(again)
    await town.say(BOB, "me")
    wall.ahead = 0
    await town.post(again)
    await town.say(ANN, "three")
    await town.until(lambda: "\n".join(town.heard(ANN)).split("\n") == ["one", "two", "three"])
    await town.say(BOB, "again")
    await town.until(lambda: "\n".join(town.heard(BOB)).split("\n") == ["me", "again"])
    await town.quiet()
    await town.restart()
    await town.post(again)
    await town.quiet()
    assert "\n".join(town.heard(ANN)).split("\n") == ["one", "two", "three"]


async def test_a_clock_that_jumps_while_messages_wait(
    town: Town, engine: FakeEngine, wall: Wall
) -> None:
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "two")
    wall.ahead = DAY
    gate.open()
    await town.until(lambda: held(town) == 1)
    wall.ahead = 0
    await town.say(ANN, "three")
    await town.until(lambda: "\n".join(town.heard(ANN)).split("\n") == ["one", "two", "three"])
    await town.quiet()
    assert [turn.text for turn in engine.asked] == ["one", "two\nthree"]


@pytest.mark.parametrize("moment", ["while the second is held", "after it was held"])
async def test_a_clock_set_back_between_two_that_are_held(
    town: Town, engine: FakeEngine, wall: Wall, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The second must not be answered before the first. Found by scripts/torture, seed 6."""
    gate, hold = Gate(), TurnTaker._hold
    engine.answer_with = gate
    holds: list[int] = []

    async def hold_then_turn(taker: TurnTaker, group: Sequence[Envelope]) -> tuple[Taken, int]:
        holds.append(group[0].number)
        if len(holds) == 2 and moment == "while the second is held":
            wall.ahead = 0
        result = await hold(taker, group)
        if len(holds) == 2:
            wall.ahead = 0
        return result

    monkeypatch.setattr(TurnTaker, "_hold", hold_then_turn)
    await town.say(ANN, "zero")
    await town.until(lambda: gate.waiting == 1)
    for words in ("one", "/help", "two"):
        await town.say(ANN, words)
    wall.ahead = 2 * DAY
    gate.open()
    await town.until(lambda: len(town.heard(ANN)) >= 4)
    assert [one.split("\n")[0] for one in town.heard(ANN)] == [
        "zero",
        "one",
        "What you can write:",
        "two",
    ]


async def test_a_clock_set_back_before_the_turn_behind_one_that_is_held(
    town: Town, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where the lane of the held one is gone by then. Found by scripts/torture, seed 8."""
    wall.ahead = 2 * DAY
    await town.say(ANN, "one")
    await town.until(lambda: held(town) == 1)
    await town.quiet()
    admitted = town.up.dispatcher.admitted

    def admitted_then_turned(new: Sequence[Envelope], released: Sequence[Envelope]) -> None:
        admitted(new, released)
        wall.ahead = 0

    monkeypatch.setattr(town.up.dispatcher, "admitted", admitted_then_turned)
    await town.say(ANN, "two")
    await town.until(lambda: bool(town.heard(ANN)))
    await town.quiet()
    assert "\n".join(town.heard(ANN)) == "one\ntwo"


async def test_a_message_that_came_as_late_lets_nothing_go(town: Town) -> None:
    """Else what is just being held is let go and forgotten at once: nobody has it in hand."""
    await town.say(ANN, "one", at=ago(2 * DAY))
    await town.until(lambda: held(town) == 1)
    await town.say(ANN, "two", at=ago(2 * DAY - 60))
    await town.until(lambda: held(town) >= 2)
    await town.quiet()
    rows = await town.up.database.read(lambda c: envelopes.after(c, 0, 10))
    assert len({one.window_until for one in rows}) == 2  # "one" was not let go and held once more
    await town.say(ANN, "three")
    assert await town.hears(ANN, 1) == ["one\ntwo\nthree"]


async def test_an_answer_that_is_late_goes_out_where_the_person_wrote_again(
    town: Town, engine: FakeEngine, wall: Wall
) -> None:
    """Also while the newer message has no answer yet, which nobody would wait for."""
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    wall.ahead = DAY
    await town.say(ANN, "two", at=ago(-DAY))
    gate.open()
    await town.until(lambda: "\n".join(town.heard(ANN)) == "one\ntwo")
    await town.quiet()
    assert town.up.metrics.value("parcels", "held") == 0
