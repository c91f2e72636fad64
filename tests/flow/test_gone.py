"""Who was let in and is not any more, and numbers that are gone: nothing is lost in silence."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from openparallax.app.leftovers import Leftovers
from openparallax.cli.status import _left_over
from openparallax.session.notices import SENTENCES
from openparallax.storage import Connection, leftovers
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.records import begin, both_modes, logged, troubles
from tests.flow.test_accounts import FIRST, SECOND, SECRET, changes_for, sent, to
from tests.flow.test_accounts import post as post_to
from tests.town import ANN, BOB, Town

DAY_S = 86_400
ID = "DE.10010010010010010010"


def allowing(*numbers: str) -> dict[str, Any]:
    return {"channels": {"whatsapp": {"allowed_numbers": list(numbers)}}}


def hold_back(engine: FakeEngine) -> Gate:
    """No answer comes before this is opened."""
    engine.answer_with = gate = Gate()
    return gate


# -- the allow-list, asked again when a turn is claimed --------------------------------------------


@both_modes
async def test_who_was_removed_while_waiting_is_not_answered(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    asked = len(engine.asked)
    gate = hold_back(engine)
    await town.say(ANN, "being answered")
    await town.until(lambda: len(engine.asked) > asked)
    await town.say(ANN, "waits")
    await town.say(ANN, "/status")
    await town.reload(allowing(BOB))
    gate.open()
    await town.quiet()
    # What was being answered is answered; what waited has its outcome, and one line tells it.
    assert [one.rpartition(" ")[2] for one in town.heard(ANN)] == ["answered"]
    assert [one["contact"] for one in logged(town, "sender_not_allowed")] == ["49…78"] * 2
    results = [one["result"] for one in logged(town, "turn_done")]
    assert results[-2:] == ["not_allowed"] * 2
    waiting = await town.up.database.read(
        lambda c: c.execute("SELECT count(*) FROM envelopes").fetchone()[0]
    )
    assert waiting == 0
    assert not any("waits" in str(one.text) for one in engine.asked)
    assert troubles(town) == []


async def test_who_stays_on_the_list_is_answered_under_any_of_their_ids(
    town: Town, engine: FakeEngine
) -> None:
    """Other people come and go, and numbers are spelt otherwise: whoever may write, may."""
    gate = hold_back(engine)
    await town.say(ANN, "one")
    await town.until(lambda: len(engine.asked) == 1)
    await town.say(ANN, "two")
    await town.reload(allowing("+49 (151) 1234-5678", BOB))
    await town.say(ANN, "three")
    gate.open()
    await town.until(lambda: any("three" in one for one in town.heard(ANN)))
    assert not logged(town, "sender_not_allowed")


async def test_a_restart_asks_again_too(town: Town, engine: FakeEngine) -> None:
    town.up.dispatcher.stop_claiming()
    await town.say(ANN, "from before")
    await town.say(BOB, "from before")
    town.changes = allowing(BOB)
    await town.restart()
    await town.hears(BOB, 1)
    await town.quiet()
    assert town.heard(ANN) == []
    assert len(logged(town, "sender_not_allowed")) == 1


async def test_who_turned_out_to_be_one_person_is_asked_by_all_their_ids(town: Town) -> None:
    """What waits in the chat of an id is theirs whose number is on the list."""
    town.up.dispatcher.stop_claiming()
    at = int(time.time()) - 60
    await town.post(meta.text(None, "by the id", user_id=ID, at=at))
    await town.say(ANN, "by the number", at=at + 1)
    await town.say(ANN, "by both", user_id=ID, at=at + 2)
    merges = await town.up.database.read(
        lambda c: c.execute("SELECT count(*) FROM merges").fetchone()[0]
    )
    assert merges == 1
    town.changes = allowing(ANN)
    await town.restart()
    await town.until(lambda: len(town.graph.calls) == 2)
    await town.quiet()
    assert logged(town, "sender_not_allowed") == []


async def test_no_look_is_taken_where_the_list_did_not_change(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.reload(allowing(ANN))
    looks = []
    ask = town.up.door.lists.to_ask

    def counting(account: str, number: int) -> Any:
        found = ask(account, number)
        looks.append(found)
        return found

    monkeypatch.setattr(town.up.door.lists, "to_ask", counting)
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    assert not any(looks)


# -- an engine that keeps content ------------------------------------------------------------------


async def test_an_open_session_meets_an_engine_that_keeps_content_with_words(
    town: Town, engine: FakeEngine
) -> None:
    await begin(town, "off the record")
    engine.keeps_content = True
    await town.reload({"engine": {"type": "echo"}, "pipeline": []})
    await town.say(ANN, "are you there?")
    assert await town.hears(ANN, 1) == [SENTENCES["otr_refused"]]
    assert not any("there" in str(one.text) for one in engine.asked)
    await town.say(ANN, "/otr off")
    await town.say(ANN, "and now?")
    await town.until(lambda: "and now?" in town.heard(ANN)[-1])


# -- numbers that are gone -------------------------------------------------------------------------


@pytest_asyncio.fixture
async def two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    async with Town(tmp_path, monkeypatch, engine=engine, changes=changes_for(tmp_path)) as town:
        yield town


async def status_of(town: Town) -> dict[str, Any]:
    town.up.condition.tables.doubt()
    found: dict[str, Any] = await town.up._controls()["status"]({})
    return found


async def with_leftovers(two: Town, engine: FakeEngine) -> str:
    """The second number goes while one of its answers is made, and one message waits: its id."""
    gate = hold_back(engine)
    await post_to(two, to(SECOND, "first"), secret=SECRET)
    await two.until(lambda: len(engine.asked) == 1)
    waits = to(SECOND, "second")
    await post_to(two, waits, secret=SECRET)
    await two.reload(changes_for(two.folder, has_second=False))
    gate.open()
    await two.until(lambda: two.up.dispatcher.running == 0)
    wamid: str = waits["message"]["id"]
    return wamid


async def test_what_waits_on_a_number_that_is_gone_is_shown(two: Town, engine: FakeEngine) -> None:
    await with_leftovers(two, engine)
    found = await status_of(two)
    [left] = found["left_over"]
    assert (left["phone_number_id"], left["messages"], left["parts"]) == (SECOND, 1, 1)
    assert -1 <= left["expires_at"] - found["now"] - 31 * DAY_S <= 0
    assert found["ready"], "what nobody serves is nobody's backlog"
    assert (found["messages_waiting"], found["parts_waiting"]) == (0, 0)
    assert "1 message and 1 part wait on 2000000000000002" in _left_over(left)
    measured = await two.up.condition.measured()
    depth = measured["openparallax_queue_depth"]
    assert (depth["messages_left_over",], depth["parts_left_over",]) == (1, 1)
    assert sent(two) == []


async def test_a_number_that_is_back_goes_on(two: Town, engine: FakeEngine) -> None:
    wamid = await with_leftovers(two, engine)
    await two.up.housekeeping.sweep()
    assert list(await two.up.database.read(leftovers.waited)) == [SECOND]
    await two.reload(changes_for(two.folder, presence="typing"))
    await two.until(lambda: len(sent(two)) == 2)
    await two.until(lambda: two.graph.presence == [(SECOND, wamid, True)])
    assert [number for number, _ in sent(two)] == [SECOND] * 2
    assert (await status_of(two))["left_over"] == []
    await two.up.housekeeping.sweep()
    assert await two.up.database.read(leftovers.waited) == {}, "gone again, it begins anew"


async def test_what_comes_when_it_is_back_stands_behind_what_waited(
    two: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the table takes to say what waited."""
    await with_leftovers(two, engine)
    read, may_read = two.up.database.read, asyncio.Event()

    async def slowly(work: Any) -> Any:
        await may_read.wait()
        return await read(work)

    monkeypatch.setattr(two.up.database, "read", slowly)
    await two.reload(changes_for(two.folder))
    await post_to(two, to(SECOND, "third"), secret=SECRET)
    await asyncio.sleep(0.05)  # its turn would have come
    may_read.set()
    await two.until(lambda: "third" in "".join(str(one.text) for one in engine.asked))
    words = "\n".join(str(one.text) for one in engine.asked)
    assert words.index("first") < words.index("second") < words.index("third")
    assert words.count("second") == 1
    assert troubles(two) == []


async def test_a_number_that_comes_and_goes_and_comes_answers_once(
    two: Town, engine: FakeEngine
) -> None:
    await with_leftovers(two, engine)
    for _ in range(3):
        await two.reload(changes_for(two.folder))
        await two.reload(changes_for(two.folder, has_second=False))
    await two.reload(changes_for(two.folder))
    await two.until(lambda: len(sent(two)) == 2)
    await two.quiet()
    assert len(sent(two)) == 2


async def gone_for(two: Town, days: float) -> None:
    """A sweep after so long."""
    expiring = cast("Leftovers", getattr(two.up.housekeeping._expire, "__self__", None))
    expiring._counted_at -= days * DAY_S
    await two.up.housekeeping.sweep()


def _age_messages(connection: Connection) -> None:
    connection.execute("UPDATE envelopes SET sent_at = sent_at - ?", (40 * DAY_S,))


def _age_parts(connection: Connection) -> None:
    connection.execute("UPDATE parcels SET created_at = created_at - ?", (32 * DAY_S,))


async def test_it_expires_and_that_is_told(two: Town, engine: FakeEngine) -> None:
    await with_leftovers(two, engine)
    await gone_for(two, 0)
    assert (await status_of(two))["left_over"] != []
    # As what a closed window holds of a number that was served; or the clock is a month ahead.
    await two.up.database.unit(_age_messages)
    await gone_for(two, 16)
    await two.restart()
    await gone_for(two, 14.9)
    assert (await status_of(two))["left_over"] != []
    assert not logged(two, "left_over_expired")
    await two.up.database.unit(_age_parts)
    await gone_for(two, 0.2)
    await post_to(two, to(FIRST, "hello"), secret=meta.SECRET)
    await two.until(lambda: len(sent(two)) == 1)
    assert (await status_of(two))["left_over"] == []
    [told] = logged(two, "left_over_expired")
    assert (told["messages"], told["parts"], told["level"]) == (1, 1, "warning")
    assert two.up.metrics.value("parcels", "expired") == 1
    # Whoever writes to it when it is back is answered as ever.
    await two.reload(changes_for(two.folder))
    await post_to(two, to(SECOND, "third"), secret=SECRET)
    await two.until(lambda: len(sent(two)) == 2)
    assert "third" in sent(two)[-1][1]
