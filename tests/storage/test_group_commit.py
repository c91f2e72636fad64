"""Units share a commit; what is told is what is on disk."""

import asyncio
import sqlite3
from typing import Any

import pytest

from openparallax.errors import NotStored, Stale
from openparallax.storage import Connection, Database, Write
from tests.storage.notes import Notes, Work, files_no_longer_than, leave_pages, note, write_lock

BIG = 20_000
"""More than a page, so that a row of it needs new pages."""


def unit(sql: str, *values: Any) -> Work:
    return lambda connection: connection.execute(sql, values)


def raising(error: Exception) -> Work:
    def work(connection: Connection) -> None:
        connection.execute("INSERT INTO notes VALUES (99, 'half')")
        raise error

    return work


def told(outcomes: list[object]) -> list[object]:
    """The numbers of those who were told that theirs is stored."""
    return [one for one in outcomes if not isinstance(one, BaseException)]


async def test_units_of_one_moment_share_a_commit(notes: Notes) -> None:
    with notes.watched() as seen:
        assert await notes.together(*(note(n) for n in range(10))) == list(range(10))
    assert notes.on_disk == list(range(10))
    assert seen.count("COMMIT") == 1
    assert not [line for line in seen if line.startswith("SAVEPOINT")]


async def test_a_flood_is_cut_into_groups(notes: Notes) -> None:
    with notes.watched() as seen:
        await notes.together(*(note(n) for n in range(1000)))
    assert notes.on_disk == list(range(1000))
    assert seen.count("COMMIT") == 4


async def test_on_disk_when_it_is_told_and_in_order(notes: Notes) -> None:
    order: list[int] = []

    def then(n: object) -> None:
        assert n in notes.on_disk
        order.append(n)

    futures = [notes.database.unit(note(n), then) for n in (3, 1, 2)]
    for future in futures:
        future.add_done_callback(lambda done: order.append(-done.result()))  # type: ignore[operator]
    await asyncio.gather(*futures)
    assert order == [3, 1, 2, -3, -1, -2]


@pytest.mark.parametrize(
    ("bad", "wanted"),
    [
        (note(1), NotStored),
        (unit("INSERT INTO notes VALUES (7, NULL)"), NotStored),
        (unit("INSERT INTO notes VALUES (7, ?)", b"no text"), NotStored),
        (unit("INSERT INTO nowhere VALUES (7)"), NotStored),
        (unit("INSERT INTO notes VALUES (7, ?)", "half a pair \ud83d"), UnicodeEncodeError),
        (unit("INSERT INTO notes VALUES (?, 'x')", 2**70), OverflowError),
        (raising(Stale()), Stale),
        (raising(ValueError("made up")), ValueError),
    ],
    ids=["key", "null", "blob", "table", "surrogate", "number", "stale", "raises"],
)
async def test_a_unit_that_cannot_be_stored_fails_alone(
    notes: Notes, bad: Work, wanted: type[Exception]
) -> None:
    outcomes = await notes.together(note(1), note(2), bad, note(3))
    assert isinstance(outcomes.pop(2), wanted)
    assert outcomes == [1, 2, 3]
    assert notes.on_disk == [1, 2, 3]
    assert notes.dropped
    (alone,) = await notes.together(bad)
    assert isinstance(alone, wanted)
    assert await notes.together(note(4)) == [4]
    assert notes.on_disk == [1, 2, 3, 4]


@pytest.mark.parametrize("place", range(5))
async def test_full_in_the_middle_of_a_group(notes: Notes, place: int) -> None:
    works = [note(n) for n in range(5)]
    works[place] = note(place, BIG)
    leave_pages(notes.connection, 1)
    outcomes = await notes.together(*works)
    assert told(outcomes) == notes.on_disk == []
    assert all(isinstance(one, NotStored) for one in outcomes)
    assert "SQLITE_FULL" in str(outcomes[0])
    assert notes.dropped
    leave_pages(notes.connection, None)
    assert await notes.together(*works) == notes.on_disk == list(range(5))


async def test_full_where_only_the_statement_is_rolled_back(notes: Notes) -> None:
    """A statement of many rows has a journal of its own, and the transaction stays open."""
    many = unit("INSERT INTO notes SELECT n + 100, zeroblob(5000) || 'x' FROM notes")
    await notes.together(*(note(n) for n in range(5)))
    leave_pages(notes.connection, 1)
    outcomes = await notes.together(note(5), many, note(6))
    assert isinstance(outcomes[1], NotStored)
    assert told(outcomes) == [5, 6]
    assert notes.on_disk == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "evil",
    [
        unit("INSERT INTO refused VALUES (1)"),
        unit("ROLLBACK"),
        lambda connection: (connection.execute("ROLLBACK"), 1 // 0),
    ],
    ids=["trigger", "silently", "raises"],
)
@pytest.mark.parametrize("place", range(4))
async def test_whatever_rolls_everything_back_fails_everyone(
    notes: Notes, evil: Work, place: int
) -> None:
    works = [note(n) for n in range(3)]
    works.insert(place, evil)
    outcomes = await notes.together(*works)
    assert told(outcomes) == notes.on_disk == []
    assert await notes.together(note(7)) == notes.on_disk == [7]


async def test_a_commit_that_fails_fails_everyone(notes: Notes) -> None:
    notes.connection.execute("PRAGMA foreign_keys = ON")
    broken = unit("INSERT INTO promises VALUES (4711)")
    outcomes = await notes.together(note(1), broken, note(2))
    assert told(outcomes) == notes.on_disk == []
    assert all(isinstance(one, NotStored) for one in outcomes)
    assert notes.dropped
    assert await notes.together(note(1)) == notes.on_disk == [1]


async def test_a_disk_that_does_not_take_the_log(notes: Notes) -> None:
    with files_no_longer_than(notes.log_length + 6000):
        assert await notes.together(note(1)) == [1]
        outcomes = await notes.together(*(note(n, BIG) for n in range(2, 6)))
        assert told(outcomes) == []
        assert "SQLITE_IOERR" in str(outcomes[0])
        assert notes.on_disk == [1]
    assert await notes.together(*(note(n, BIG) for n in range(2, 6))) == [2, 3, 4, 5]
    assert notes.on_disk == [1, 2, 3, 4, 5]


async def test_what_is_logged_names_the_error_and_not_the_words(notes: Notes) -> None:
    leave_pages(notes.connection, 0)
    await notes.together(note(1, BIG))
    ((level, event, keys),) = notes.log.lines
    assert (level, event) == ("error", "storage_failed")
    assert keys.pop("hint").startswith("the disk is full: make room")
    assert keys == {"reason": "SQLITE_FULL", "count": 1, "path": str(notes.path)}


async def test_another_program_s_lock_is_waited_for(notes: Notes) -> None:
    with write_lock(notes.path):
        waiting = [notes.database.unit(note(n)) for n in range(3)]
        await asyncio.sleep(0.05)
        assert not any(future.done() for future in waiting)
    assert await asyncio.gather(*waiting) == notes.on_disk == [0, 1, 2]


async def test_a_lock_that_is_held_too_long_is_told_and_the_loop_turns(notes: Notes) -> None:
    turns = 0
    with write_lock(notes.path):
        unit = notes.database.unit(note(1))
        while not unit.done():
            turns += 1
            await asyncio.sleep(0.01)
        with pytest.raises(NotStored, match="SQLITE_BUSY"):
            unit.result()
    assert turns > 3  # one of them would last as long as the lock is waited for
    assert await notes.together(note(2)) == notes.on_disk == [2]


async def test_whoever_gave_up_waiting_has_stored_all_the_same(notes: Notes) -> None:
    first, second = notes.database.unit(note(1)), notes.database.unit(note(2))
    first.cancel()
    await second
    assert notes.on_disk == [1, 2]


async def test_trouble_after_the_commit_is_its_own(notes: Notes) -> None:
    def then(_: object) -> None:
        raise ValueError("made up")

    units = [notes.database.unit(note(1), then), notes.database.unit(note(2))]
    assert await asyncio.gather(*units) == [1, 2]
    assert [event for _, event, _ in notes.log.lines] == ["after_commit_failed"]


async def test_write_is_one_transaction(database: Database, notes: Notes) -> None:
    insert, update = "INSERT INTO notes VALUES (?, 'x')", "UPDATE notes SET words = ? WHERE n = ?"
    await database.write(Write(insert, (1,)), Write(update, ("y", 1), expect=1))
    with pytest.raises(Stale):
        await database.write(Write(insert, (2,)), Write(update, ("y", 3), expect=1))
    with pytest.raises(NotStored):
        await database.write(Write(insert, (2,)), Write(insert, (1,)))
    assert notes.on_disk == [1]


async def test_what_runs_aside_has_the_connection_to_itself(notes: Notes) -> None:
    def work(connection: Connection) -> int:
        assert not connection.in_transaction
        connection.execute("BEGIN")
        connection.execute("INSERT INTO notes VALUES (50, 'never committed')")
        return 5

    units = [notes.database.unit(note(n)) for n in range(3)]
    assert await notes.database.aside(work) == 5
    assert await asyncio.gather(*units) == [0, 1, 2]
    assert await notes.together(note(3)) == [3]
    assert notes.on_disk == [0, 1, 2, 3]


async def test_trouble_aside_is_told_and_hurts_nobody(notes: Notes) -> None:
    def work(connection: Connection) -> None:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(NotStored):
        await notes.database.aside(work)
    with pytest.raises(ZeroDivisionError):
        await notes.database.aside(lambda _: 1 // 0)
    assert await notes.together(note(3)) == notes.on_disk == [3]


async def test_a_reader_sees_what_was_told_and_cannot_write(database: Database) -> None:
    await database.unit(note(1))
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM notes").fetchone()) == (1,)
    with pytest.raises(NotStored, match="SQLITE_READONLY"):
        await database.read(lambda c: c.execute("DELETE FROM notes"))
    with pytest.raises(NotStored):
        await database.read(lambda c: c.execute("SELECT * FROM nowhere"))


async def test_closing_twice_and_at_once(notes: Notes) -> None:
    units = [notes.database.unit(note(n)) for n in range(3)]
    await asyncio.gather(notes.database.close(), notes.database.close())
    await notes.database.close()
    assert [unit.result() for unit in units] == [0, 1, 2]
    assert notes.on_disk == [0, 1, 2]
    with pytest.raises(sqlite3.ProgrammingError):
        notes.connection.execute("SELECT 1")


async def test_nothing_is_stored_after_the_end(notes: Notes) -> None:
    await notes.database.close()
    with pytest.raises(NotStored):
        await notes.database.unit(note(1))
    with pytest.raises(NotStored):
        await notes.database.write(Write("DELETE FROM notes"))
    async with asyncio.timeout(10):
        with pytest.raises(NotStored):
            await notes.database.read(lambda c: c.execute("SELECT 1").fetchone())
        with pytest.raises(NotStored):
            await notes.database.truncate_log()


async def test_trouble_is_told_once(notes: Notes) -> None:
    """Also where the transaction went with it, which ends the whole group."""
    trouble: list[None] = []
    notes.database.on_trouble(lambda: trouble.append(None))

    def lost(connection: Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    outcomes = await notes.together(note(1), lost, note(2))
    assert told(outcomes) == []
    assert len(trouble) == 1
