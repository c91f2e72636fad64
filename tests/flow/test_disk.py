"""A disk without room: 200 to exactly those who are on it, and then it goes on by itself."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.storage.notes import files_no_longer_than, leave_pages, write_lock
from tests.town import ANN, BOB, Town

PEOPLE = [str(4915100000000 + n) for n in range(30)]
FAST: dict[str, Any] = {"outbox": {"messages_per_second": None, "pair_burst": None}}
LONG = "lorem " * 600


def file_of(town: Town) -> Path:
    return town.state / "openparallax.db"


@contextmanager
def full(town: Town, pages: int) -> Iterator[None]:
    """Room for so many pages more."""
    connection = town.up.database._writer._connection
    leave_pages(connection, pages)
    yield
    leave_pages(connection, None)


@contextmanager
def broken(town: Town, pages: int) -> Iterator[None]:
    """The log cannot grow by more than so many pages: an input/output error at a commit."""
    log = file_of(town).with_name("openparallax.db-wal")
    with files_no_longer_than(log.stat().st_size + 4200 * pages):
        yield


@contextmanager
def one_group(town: Town) -> Iterator[Callable[[], int]]:
    """What is asked of the database meanwhile waits, and then goes in one transaction."""
    database = town.up.database
    begin = database._writer._begin
    database._writer._begin = lambda: None  # type: ignore[method-assign]
    yield lambda: len(database._writer._waiting)
    database._writer._begin = begin  # type: ignore[method-assign]
    begin()


def on_disk(town: Town) -> set[str]:
    """Whose words another connection sees."""
    with closing(sqlite3.connect(file_of(town))) as other:
        rows = other.execute("SELECT words FROM transcript WHERE part = 0").fetchall()
    return {words.split()[0] for (words,) in rows}


def items(person: str) -> meta.Item:
    return meta.text(person, f"{person} {LONG}")


@pytest.mark.parametrize("fault", [full, broken])
async def test_200_to_exactly_those_who_are_on_it(
    town: Town, engine: FakeEngine, fault: Callable[[Town, int], Any]
) -> None:
    gate = engine.answer_with = Gate()
    town.changes = FAST
    await town.restart()
    requests = {person: items(person) for person in PEOPLE}
    with fault(town, 20):
        answers = [await town.post_once(requests[person]) for person in PEOPLE[:3]]
        answers += await asyncio.gather(*(town.post_once(requests[p]) for p in PEOPLE[3:]))
        taken = {p for p, status in zip(PEOPLE, answers, strict=True) if status == 200}
        assert set(answers) == {200, 503}
        assert on_disk(town) == taken
        assert await town.post_once(requests[PEOPLE[0]]) in (200, 503)
    for person in PEOPLE:
        await town.post(requests[person])
    assert on_disk(town) == set(PEOPLE)
    gate.open()
    for person in PEOPLE:
        await town.hears(person, 1)
    await town.quiet()
    assert all(len(town.heard(person)) == 1 for person in PEOPLE)
    assert len(engine.asked) == len(PEOPLE)


@pytest.mark.parametrize("pages", range(0, 36, 5))
async def test_in_the_middle_of_a_group_of_admissions(
    town: Town, engine: FakeEngine, pages: int
) -> None:
    engine.answer_with = Gate()
    town.changes = {"conversation": {"drain_seconds": 0}}
    await town.restart()
    crowd = PEOPLE[:10]
    requests = {person: items(person) for person in crowd}
    with full(town, pages):
        with one_group(town) as waiting:
            posts = [asyncio.ensure_future(town.post_once(requests[p])) for p in crowd]
            await town.until(lambda: waiting() >= len(crowd))
        answers = await asyncio.gather(*posts)
        taken = {p for p, status in zip(crowd, answers, strict=True) if status == 200}
        assert on_disk(town) == taken
        assert set(answers) <= {200, 503}
    for person in crowd:
        await town.post(requests[person])
    assert on_disk(town) == set(crowd)
    assert await _count(town, "chats") == len(crowd)
    assert await _count(town, "envelopes") == len(crowd)


async def _count(town: Town, table: str) -> int:
    sql = f"SELECT count(*) FROM {table}"  # noqa: S608 - a name of ours
    return int(await town.up.database.read(lambda c: c.execute(sql).fetchone()[0]))


async def test_answers_wait_for_room_and_are_sent_once(town: Town, engine: FakeEngine) -> None:
    gate = engine.answer_with = Gate()

    await town.say(ANN, f"one {LONG}")
    await town.until(lambda: gate.waiting == 1)
    with full(town, 0):
        gate.open()
        await town.until(lambda: "storage_failed" in town.log.getvalue())
        await asyncio.sleep(0.05)
        assert town.graph.calls == []
    assert len(await town.hears(ANN, 1)) == 1
    await town.quiet()
    assert len(engine.asked) == 1
    assert len(town.graph.calls) == 1


async def test_a_command_that_was_not_stored_did_not_happen(town: Town, engine: FakeEngine) -> None:
    """What the door remembers agrees with the disk: no half sessions."""
    await town.say(ANN, "before")
    await town.hears(ANN, 1)
    await town.quiet()
    otr, stranger = meta.text(ANN, "/otr"), meta.text(BOB, f"hello {LONG}")
    with broken(town, 0):
        with one_group(town) as waiting:
            posts = [asyncio.ensure_future(town.post_once(one)) for one in (otr, stranger)]
            await town.until(lambda: waiting() >= 2)
        assert await asyncio.gather(*posts) == [503, 503]
    await town.say(ANN, "still on the record")
    await town.hears(ANN, 2)
    assert [turn.mode.value for turn in engine.asked] == [0, 0]
    await town.post(stranger)
    await town.post(otr)
    await town.post(otr)
    assert (await town.hears(ANN, 3))[2] == SENTENCES["otr"]
    await town.say(ANN, "off the record")
    await town.hears(ANN, 4)
    await town.hears(BOB, 1)
    await town.quiet()
    modes = {turn.text: turn.mode.value for turn in engine.asked}
    assert sum(modes.values()) == modes["off the record"] == 1
    assert len(modes) == 4
    assert (len(town.heard(ANN)), len(town.heard(BOB))) == (4, 1)
    assert await _count(town, "chats") == 2


async def test_another_program_that_writes_holds_it_up_for_a_moment(town: Town) -> None:
    with write_lock(file_of(town)):
        post = asyncio.ensure_future(town.post_once(meta.text(ANN, "hello")))
        await asyncio.sleep(0.05)
        async with town.session.get(town.url.replace("/webhook", "/healthz")) as health:
            assert health.status == 200
        assert not post.done()
    assert await post == 200
    assert await town.hears(ANN, 1) == ["hello"]


async def test_no_room_at_the_end_is_no_reason_not_to_end(town: Town, engine: FakeEngine) -> None:
    engine.answer_with = Gate()
    town.changes = {"conversation": {"drain_seconds": 0}}
    await town.restart()
    await town.say(ANN, "hello")
    town.up.database._writer._connection.execute("PRAGMA query_only = ON")
    house = town.up
    await town.stop()
    with pytest.raises(sqlite3.ProgrammingError):
        house.database._writer._connection.execute("SELECT 1")
    engine.answer_with = FakeEngine().answer_with
    await town.start()
    assert await town.hears(ANN, 1) == ["hello"]
