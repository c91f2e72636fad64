"""After an outage: who writes now is answered now, and nobody is overtaken in their own chat."""

import time

import pytest

from openparallax.clock import SystemClock
from openparallax.dispatch import dispatcher
from openparallax.dispatch.lane import Lane
from openparallax.dispatch.ready import LATE_S, Ready
from openparallax.dispatch.unread import Unread
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage import envelopes
from tests.dispatch.test_backlog import FAST, people
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

HOUR = 3600
DAY = 24 * HOUR
ONE_TURN = FAST | {"conversation": {"max_concurrent_turns": 1}}


def lane_of(chat: int, written: float) -> Lane:
    lane = Lane(chat)
    lane.window_until = int(written) + DAY
    return lane


def envelope(number: int, chat: int) -> Envelope:
    return Envelope(number, chat, Session(SessionId(chat), Mode.ON_THE_RECORD), Errand.TURN, 0)


async def outage(town: Town, crowd: list[str], times: int = 1) -> None:
    """What the crowd wrote an hour ago, brought in one go."""
    at = int(time.time()) - HOUR
    items = [meta.text(one, f"{n}", at=at + n) for n in range(times) for one in crowd]
    for start in range(0, len(items), 50):
        await town.post(*items[start : start + 50])


def test_two_lines_take_turns_and_each_keeps_its_order() -> None:
    now = time.time()
    ready = Ready(SystemClock())
    for chat in range(4):
        ready.add(lane_of(chat, now - LATE_S - 5))
    for chat in range(10, 12):
        ready.add(lane_of(chat, now))
    taken = [lane.chat for _ in range(6) if (lane := ready.take()) is not None]
    assert taken == [10, 0, 11, 1, 2, 3]
    assert ready.take() is None
    assert len(ready) == 0


def test_who_writes_again_changes_over_and_is_taken_once() -> None:
    now = time.time()
    ready = Ready(SystemClock())
    lanes = [lane_of(chat, now - HOUR) for chat in range(5)]
    for lane in lanes:
        ready.add(lane)
    lanes[4].window_until = int(now) + DAY
    ready.look_again(lanes[4])
    ready.look_again(lanes[4])
    taken = [one.chat for _ in range(6) if (one := ready.take()) is not None]
    assert taken == [4, 0, 1, 2, 3]


async def test_who_writes_now_does_not_stand_behind_an_outage(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = ONE_TURN
    await town.restart()
    gate = Gate()
    engine.answer_with = gate
    crowd = people(30)
    await outage(town, crowd)
    await town.until(lambda: gate.waiting == 1)
    await town.say(BOB, "now")
    gate.open()
    await town.hears(BOB, 1)
    await town.until(lambda: all(town.heard(one) for one in crowd))
    assert [turn.text for turn in engine.asked].index("now") <= 2


async def test_nor_behind_what_does_not_fit_into_memory(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "ROOM", 20)
    monkeypatch.setattr(dispatcher, "PAGE", 7)
    town.changes = FAST | {"conversation": {"max_concurrent_turns": 4}}
    engine.answer_with = Gate()
    crowd = people(40)
    await town.restart()
    await outage(town, crowd, 3)
    await town.crash()
    gate = Gate()
    engine.answer_with = gate
    asked = len(engine.asked)
    await town.start()
    await town.until(lambda: gate.waiting == 4 and town.up.dispatcher._unread.is_known)
    await town.say(BOB, "now")
    await town.say(crowd[-1], "3")
    gate.open()
    await town.hears(BOB, 1)
    assert town.up.dispatcher._is_behind
    await town.until(lambda: all("2" in "\n".join(town.heard(one)) for one in crowd))
    await town.until(lambda: "3" in "\n".join(town.heard(crowd[-1])))
    assert [turn.text for turn in engine.asked[asked:]].index("now") <= 8
    wanted = ["0", "1", "2"]
    for one in crowd[:-1]:
        assert "\n".join(town.heard(one)).split("\n") == wanted
    assert "\n".join(town.heard(crowd[-1])).split("\n") == [*wanted, "3"]
    await town.quiet()
    assert not town.up.dispatcher._unread._chats
    assert not town.up.dispatcher._unread._ahead


async def test_what_waited_for_a_chat_over_a_restart_is_answered_together(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "PAGE", 7)
    town.changes = FAST
    await town.restart()
    engine.answer_with = Gate()
    crowd = people(20)
    await outage(town, crowd, 10)
    await town.crash()
    engine.answer_with = FakeEngine().answer_with
    asked = len(engine.asked)
    await town.start()
    await town.until(lambda: all("9" in "\n".join(town.heard(one)) for one in crowd))
    # A turn that was begun before the crash keeps the messages that it had.
    assert len(engine.asked) - asked <= 2 * len(crowd)
    assert max(len(town.heard(one)) for one in crowd) <= 2


async def test_what_a_window_holds_is_left_as_it_is_by_a_start(
    town: Town, engine: FakeEngine
) -> None:
    at = int(time.time()) - 3 * DAY
    await town.say(ANN, "one", at=at)
    await town.say(ANN, "two", at=at + 1)
    await town.until(lambda: town.up.metrics.value("turns", "held") == 2)
    await town.restart()
    await town.until(lambda: not town.up.dispatcher._is_behind)
    await town.quiet()
    assert town.up.metrics.value("turns", "held") == 0  # nothing was written down anew
    assert not engine.asked
    await town.say(ANN, "three")
    assert await town.hears(ANN, 1) == ["one\ntwo\nthree"]


async def test_nobody_passes_what_is_unread_of_their_chat(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chats_after(_connection: object, number: int, most: int) -> list[tuple[int, int]]:
        del most
        return [(99, 1), (101, 2)] if number < 99 else []

    monkeypatch.setattr(envelopes, "chats_after", chats_after)
    unread = Unread()
    unread.begin(0, 100)
    assert 7 in unread  # who knows what lies there?
    early = [envelope(100, 1), envelope(101, 2), envelope(102, 1), envelope(103, 2)]
    assert not any(unread.lets_pass(one, has_room=True) for one in early)
    assert await unread.survey(town.up.database) == [early[1], early[3]]
    assert await unread.survey(town.up.database) == []
    assert 1 in unread
    assert 7 not in unread
    assert not unread.lets_pass(envelope(104, 1), has_room=True)
    assert unread.lets_pass(envelope(105, 3), has_room=True)
    assert not unread.lets_pass(envelope(106, 3), has_room=False)
    assert not unread.lets_pass(envelope(107, 3), has_room=True)
    assert unread.release(envelope(50, 4))
    assert not unread.release(envelope(105, 3))  # taken ahead and held since: the cursor skips it
    assert not unread.lets_pass(envelope(108, 4), has_room=True)
    assert unread.latest(envelope(101, 2)) is None
    assert unread.latest(envelope(106, 3)) == envelope(106, 3)
    unread.end()
    unread.begin(105, 105)
    assert unread.lets_pass(envelope(109, 1), has_room=True)
