"""After an outage: who writes now is answered now, and nobody is overtaken in their own chat."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from openparallax.clock import SystemClock
from openparallax.dispatch import cursor
from openparallax.dispatch.dispatcher import Dispatcher
from openparallax.dispatch.lane import Lane
from openparallax.dispatch.ready import LATE_S, Ready
from openparallax.dispatch.unread import Unread
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage import Database, envelopes
from tests.dispatch.test_backlog import FAST, people
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.pipeline.doubles import RecordedLog
from tests.town import ANN, BOB, Town

HOUR = 3600
DAY = 24 * HOUR
ONE_TURN = FAST | {"conversation": {"max_concurrent_turns": 1}}


def behind(read: Callable[..., Awaitable[list[Envelope]]]) -> Dispatcher:
    """A dispatcher that reads the table, of which it has taken ten rows, and answers nobody."""
    dispatcher = Dispatcher(
        database=cast("Any", SimpleNamespace(read=read)),
        take_turn=cast("Any", None),
        interrupt=lambda _: None,
        clock=SystemClock(),
        log=RecordedLog(),
        most_turns=0,
        coalesces=True,
        is_sending=lambda _: False,
    )
    dispatcher._cursor._taken = 10
    return dispatcher


def lane(one: Dispatcher) -> Lane:
    """The lane of chat 1."""
    return one._lanes._lanes[1]


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
    monkeypatch.setattr(cursor, "ROOM", 20)
    monkeypatch.setattr(cursor, "PAGE", 7)
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
    await town.until(lambda: gate.waiting == 4 and town.up.dispatcher._cursor._unread.is_known)
    await town.say(BOB, "now")
    await town.say(crowd[-1], "3")
    gate.open()
    await town.hears(BOB, 1)
    assert town.up.dispatcher._cursor.is_behind
    await town.until(lambda: all("2" in "\n".join(town.heard(one)) for one in crowd))
    await town.until(lambda: "3" in "\n".join(town.heard(crowd[-1])))
    assert [turn.text for turn in engine.asked[asked:]].index("now") <= 8
    wanted = ["0", "1", "2"]
    for one in crowd[:-1]:
        assert "\n".join(town.heard(one)).split("\n") == wanted
    assert "\n".join(town.heard(crowd[-1])).split("\n") == [*wanted, "3"]
    await town.quiet()
    assert not town.up.dispatcher._cursor._unread._chats
    assert not town.up.dispatcher._cursor._unread._ahead


async def test_what_waited_for_a_chat_over_a_restart_is_answered_together(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursor, "PAGE", 7)
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
    await town.until(lambda: not town.up.dispatcher._cursor.is_behind)
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
    unread.ended(120)
    assert unread.latest(envelope(120, 5)) is None
    unread.end()
    unread.begin(105, 105)
    assert unread.lets_pass(envelope(109, 1), has_room=True)


async def test_what_came_before_the_first_look_stands_before_what_comes_after(town: Town) -> None:
    unread = Unread()
    first, second, third = envelope(1, 1), envelope(2, 1), envelope(3, 2)
    assert not unread.lets_pass(first, has_room=True)
    unread.begin(0, 1)  # a new file: nothing of an earlier process
    assert not unread.lets_pass(second, has_room=True)
    assert not unread.lets_pass(third, has_room=True)
    unread.ended(third.number)
    assert await unread.survey(town.up.database) == [first, second]


async def test_what_a_person_took_over_before_the_first_look_is_not_shown_to_the_engine(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor marked as read: it came while the table was being looked through."""
    await town.say(ANN, "before")
    await town.hears(ANN, 1)
    await town.quiet()
    looking, go_on = asyncio.Event(), asyncio.Event()
    survey = Unread.survey

    async def slow(unread: Unread, database: Database) -> list[Envelope]:
        looking.set()
        await go_on.wait()
        return await survey(unread, database)

    monkeypatch.setattr(Unread, "survey", slow)
    await town.restart()
    await looking.wait()
    asked, read = len(engine.asked), len(town.graph.presence)
    await town.say(ANN, "for a person")
    await town.say(BOB, "for the engine")
    await town.post(meta.echo(ANN, "hello, it is me"))
    go_on.set()
    await town.until(lambda: town.heard(BOB) == ["for the engine"])
    await town.quiet()
    assert [turn.text for turn in engine.asked[asked:]] == ["for the engine"]
    assert len(town.graph.presence) <= read + 1


async def test_what_a_turn_holds_while_others_are_brought_back_is_brought_back_too() -> None:
    """Else it stayed in the table until the person's next message."""
    rows = [[envelope(5, 1)], [envelope(6, 1)]]

    async def read(_: object) -> list[Envelope]:
        if len(rows) == 2:
            one._held._to_bring_back[1].append(6)
        return rows.pop(0)

    one = behind(read)
    one._held.note_unread(1, [5])
    await one._held.bring_back(1)
    assert [waiting.number for waiting in lane(one).waiting] == [5, 6]
    assert not one._held._to_bring_back


async def test_what_went_on_while_it_was_read_is_not_brought_back_once_more() -> None:
    """Else it was answered twice."""

    async def read(_: object) -> list[Envelope]:
        one.admitted([], [envelope(5, 1)])
        lane(one).waiting.clear()  # and was answered
        one.ended(1, 6)
        return [envelope(5, 1), envelope(6, 1)]

    one = behind(read)
    one._held.note_unread(1, [5, 6])
    await one._held.bring_back(1)
    assert 1 not in one._lanes or not lane(one).waiting
    assert not one._held._to_bring_back


async def test_what_ends_while_others_are_brought_back_before_it_is_not_taken() -> None:
    """Else what a person of ours had taken over was shown to the engine."""

    async def read(_: object) -> list[Envelope]:
        one.ended(1, 11)
        return [envelope(5, 1)]

    one = behind(read)
    one._held.note_unread(1, [5])
    one._cursor._told = 12
    until = int(time.time()) + DAY
    await one._cursor._take_page([replace(envelope(n, 1), window_until=until) for n in (11, 12)])
    assert [waiting.number for waiting in lane(one).waiting] == [5, 12]


async def test_what_is_let_go_while_its_turn_holds_it_goes_on_with_the_open_window() -> None:
    """Else what came behind it was answered first."""

    async def read(_: object) -> list[Envelope]:
        return []

    one = behind(read)
    one._lanes.add(envelope(5, 1))
    one.admitted([], [replace(envelope(5, 1), window_until=99)])
    assert lane(one).window_until == 99
    assert one.waiting == 1
