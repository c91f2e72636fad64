"""The dispatcher alone, over an empty file: what is put back goes to its place."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.clock import SystemClock
from openparallax.dispatch.dispatcher import Dispatcher
from openparallax.dispatch.lane import Taken
from openparallax.dispatch.merges import Merges
from openparallax.errors import NotStored
from openparallax.model.envelope import Envelope
from openparallax.storage import Connection, Database, envelopes
from tests.app.patience import until
from tests.dispatch.test_lane import words
from tests.pipeline.doubles import RecordedLog


class Turns:
    """Stands for the taker of turns: notes what it is given, and waits to be let go on."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go_on = asyncio.Event()

    async def __call__(
        self,
        group: Sequence[Envelope],
        *,
        deaths: int,
        is_cold: bool,
        waiting: int,
        window_until: int,
    ) -> tuple[Taken, int]:
        self.groups.append([one.number for one in group])
        await self.go_on.wait()
        return Taken.DONE, len(group)


@pytest_asyncio.fixture
async def turns() -> Turns:
    return Turns()


@pytest_asyncio.fixture
async def dispatcher(tmp_path: Path, turns: Turns) -> AsyncIterator[Dispatcher]:
    log = RecordedLog()
    database = Database(tmp_path / "x.db", log=log)
    await database.open()
    dispatcher = Dispatcher(
        interrupt=lambda _: None,
        database=database,
        take_turn=turns,
        clock=SystemClock(),
        log=log,
        most_turns=5,
        coalesces=True,
        is_sending=lambda _chat: False,
    )
    dispatcher.start(first_new=1, after_death=False)
    await until(lambda: not dispatcher._cursor.is_behind)
    yield dispatcher
    turns.go_on.set()
    await dispatcher.drain(1)
    await database.close()


async def test_older_ones_go_before_those_that_wait(dispatcher: Dispatcher, turns: Turns) -> None:
    dispatcher.admitted([words(3), words(5)], [])
    await until(lambda: turns.groups == [[3, 5]])
    dispatcher.admitted([words(6), words(8)], [])
    dispatcher.admitted([], [words(4), words(2)])
    dispatcher.admitted([words(9)], [words(7)])
    assert dispatcher.waiting == 8
    turns.go_on.set()
    await until(lambda: not dispatcher.waiting)
    assert turns.groups == [[3, 5], [2, 4, 6, 7, 8, 9]]


async def test_brought_back_twice_it_is_answered_once(dispatcher: Dispatcher, turns: Turns) -> None:
    other = [replace(words(n), chat=2) for n in (1, 2)]
    dispatcher.admitted([words(3)], [])
    await until(lambda: turns.groups == [[3]])
    dispatcher.admitted([], [words(3), *other])
    dispatcher.admitted([], other)
    turns.go_on.set()
    await until(lambda: not dispatcher.waiting)
    assert sorted(n for group in turns.groups for n in group) == [1, 2, 3]


async def test_what_was_let_go_does_not_wait_for_the_disk_that_refuses_the_rest(
    dispatcher: Dispatcher, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its person waited until somebody else wrote."""

    def release(_connection: Connection, chat: int) -> list[Envelope]:
        if chat == 2:
            raise NotStored
        return [words(3)]

    turns.go_on.set()
    dispatcher.admitted([replace(words(4), chat=4)], [])
    await until(lambda: turns.groups == [[4]] and not dispatcher.waiting)
    monkeypatch.setattr(envelopes, "chats_held_open", lambda _connection, _now: [1, 2])
    monkeypatch.setattr(envelopes, "release", release)
    with pytest.raises(NotStored):
        await dispatcher.look_again()
    await until(lambda: turns.groups == [[4], [3]])


def test_chats_that_turn_out_to_be_one_in_a_ring_do_not_wait_for_one_another() -> None:
    """The last survivor waits for nobody who waits for it, as after a restart."""
    merges = Merges()
    for loser, survivor in ((1, 2), (2, 3), (3, 1)):
        merges.note(loser, survivor)
    assert not merges.holds_back(2, lambda _chat: True)
    assert merges.holds_back(3, lambda _chat: True)
    assert merges.holds_back(1, lambda _chat: True)
    assert not merges.holds_back(1, lambda chat: chat == 1)
