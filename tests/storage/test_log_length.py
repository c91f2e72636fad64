"""SQLite's log stays short, whoever reads, and can be cut so that deleted words are gone."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest

from openparallax.storage import Connection, file, writer
from tests.storage.notes import Notes, Work, note

BIG = 40_000


def scrub(connection: Connection) -> None:
    connection.execute("DELETE FROM notes")


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch, notes: Notes) -> int:
    """Look at every commit, and cut from 200 kB on; SQLite's own checkpoints are off."""
    monkeypatch.setattr(writer, "WAL_LOOK_EVERY", 1)
    monkeypatch.setattr(file, "WAL_LIMIT_BYTES", 200_000)
    notes.connection.execute("PRAGMA wal_autocheckpoint = 0")
    return 200_000


async def test_past_its_limit_it_is_written_home(notes: Notes, low_limit: int) -> None:
    longest = 0
    for n in range(50):
        await notes.together(note(n, BIG))
        longest = max(longest, notes.log_length)
    assert low_limit - BIG < longest < low_limit + 3 * BIG
    assert notes.on_disk == list(range(50))


async def test_readers_who_come_and_come_do_not_keep_it_long(notes: Notes, low_limit: int) -> None:
    is_over = False

    async def read_on() -> int:
        reads = 0
        while not is_over:
            rows = await notes.database.read(
                lambda c: c.execute("SELECT n, words FROM notes").fetchall()
            )
            assert [n for n, _ in rows] == list(range(len(rows)))
            reads += 1
        return reads

    readers = [asyncio.create_task(read_on()) for _ in range(5)]
    longest = 0
    for n in range(40):
        await notes.together(note(n, BIG))
        longest = max(longest, notes.log_length)
    is_over = True
    assert sum(await asyncio.gather(*readers)) > 5
    assert longest < low_limit + 3 * BIG


async def test_a_read_is_whole_before_it_is_cut(notes: Notes, low_limit: int) -> None:
    """A long read holds the cut back, and not the other way round; nobody waits for ever."""
    begun, go_on = threading.Event(), threading.Event()
    await notes.together(*(note(n) for n in range(5)))

    def slow(connection: Connection) -> list[int]:
        rows = connection.execute("SELECT n FROM notes")
        begun.set()
        go_on.wait(5)
        return [n for (n,) in rows.fetchall()]

    reading = asyncio.create_task(notes.database.read(slow))
    await asyncio.to_thread(begun.wait, 5)
    writing = [notes.database.unit(note(n, BIG)) for n in range(10, 20)]
    cutting = asyncio.create_task(notes.database.truncate_log())
    await asyncio.sleep(0.05)
    assert not cutting.done()
    go_on.set()
    assert await reading == list(range(5))
    assert await asyncio.gather(*writing) == list(range(10, 20))
    assert await cutting is True
    assert notes.log_length == 0


async def test_a_reader_from_outside_makes_it_long_only_while_it_reads(
    notes: Notes, low_limit: int
) -> None:
    await notes.together(note(0))
    with closing(sqlite3.connect(notes.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM notes").fetchall()
        for n in range(1, 20):
            await notes.together(note(n, BIG))
        assert notes.log_length > 2 * low_limit
        other.execute("COMMIT")
    await notes.together(note(50))
    assert notes.log_length == 0
    assert len(notes.on_disk) == 21


async def test_cut_only_when_it_says_so(notes: Notes) -> None:
    words = "a word that nobody else says"

    def write(connection: Connection) -> None:
        connection.execute("INSERT INTO notes VALUES (1, ?)", (words,))

    await notes.together(write)
    with closing(sqlite3.connect(notes.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT words FROM notes").fetchall() == [(words,)]
        await notes.together(scrub)
        assert await notes.database.truncate_log() is False
        other.execute("COMMIT")
    assert await notes.database.truncate_log() is True
    files = [file.read_bytes() for file in notes.path.parent.iterdir()]
    assert not any(words.encode() in content for content in files)


async def test_closed_it_is_one_file_without_a_log(notes: Notes) -> None:
    works: list[Work] = [note(n, BIG) for n in range(10)]
    await notes.together(*works)
    assert notes.log_length > 10 * BIG
    await notes.database.close()
    assert sorted(file.name for file in notes.path.parent.iterdir()) == ["x.db", "x.db.lock"]
    assert notes.on_disk == list(range(10))
