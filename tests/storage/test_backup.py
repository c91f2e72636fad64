"""Copies of a file that is in use, and a copy that takes its place."""

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from openparallax.errors import NotStored, Refusal, StartError
from openparallax.storage import Database, backup, copies, lock, migrations, restoring, room
from tests.canary import Canary, singing_in
from tests.pipeline.doubles import RecordedLog
from tests.storage.notes import Notes, files_no_longer_than, note
from tests.storage.test_migrations_copies import old_file


async def taken(notes: Notes, folder: Path) -> Path:
    """A backup in a file."""
    file = folder / "backup"
    with file.open("wb") as out:
        async for piece in await backup.make(notes.database):
            assert 0 < len(piece) <= 1024 * 1024
            out.write(piece)
    return file


def numbers(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as there:
        assert there.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return [n for (n,) in there.execute("SELECT n FROM notes ORDER BY n")]


async def test_while_others_write(
    notes: Notes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole units, as of the end; nobody waits for it; the log is cut meanwhile."""
    monkeypatch.setattr(backup, "STEP_PAGES", 4)
    await notes.together(*(note(n, 4000) for n in range(200)))
    is_over, written, cut = False, 200, 0

    async def write() -> None:
        nonlocal written, cut
        while not is_over:
            await notes.together(
                note(written, 3000), lambda c: c.execute("UPDATE notes SET words = words || 'y'")
            )
            written += 1
            cut += await notes.database.truncate_log()

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    file = await taken(notes, tmp_path)
    is_over = True
    await writing
    assert written > 205
    assert cut
    found = numbers(file)
    assert found == list(range(len(found)))
    assert 200 < len(found) <= written
    with closing(sqlite3.connect(file)) as there:
        # Each unit wrote a row and made all longer by one.
        ys = there.execute("SELECT n, length(words) - 3000 FROM notes WHERE n >= 200").fetchall()
        assert ys == [(n, len(found) - n) for n, _ in ys]
    assert file.read_bytes()[18:20] == b"\x01\x01"
    assert sorted(one.name for one in notes.path.parent.iterdir()) == [
        "x.db", "x.db-shm", "x.db-wal", "x.db.lock"
    ]  # fmt: skip


async def test_one_at_a_time_and_cut_off(
    notes: Notes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "STEP_PAGES", 1)
    await notes.together(*(note(n, 4000) for n in range(100)))
    making = asyncio.ensure_future(backup.make(notes.database))
    while not notes.database._copying.locked():
        await asyncio.sleep(0)
    with pytest.raises(Refusal, match="is being made"):
        await backup.make(notes.database)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert await notes.together(note(1000)) == [1000]
    # And again, while the database is closed.
    making = asyncio.ensure_future(backup.make(notes.database))
    while not notes.database._copying.locked():
        await asyncio.sleep(0)
    await notes.database.close()
    with pytest.raises(NotStored):
        await making
    assert numbers(notes.path)[-1] == 1000


async def test_let_go_before_its_end(notes: Notes) -> None:
    made = await backup.make(notes.database)
    assert await anext(made)
    await made.aclose()
    await made.aclose()
    assert [piece async for piece in made] == []


async def test_no_room(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    await notes.together(*(note(n, 4000) for n in range(100)))
    with files_no_longer_than(100_000), pytest.raises(Refusal, match="could be made") as raised:
        await backup.make(notes.database)
    assert raised.value.exit_code == 75
    monkeypatch.setattr(room, "MARGIN_BYTES", 1 << 60)
    with pytest.raises(Refusal, match="Make room") as raised:
        await backup.make(notes.database)
    assert raised.value.exit_code == 75
    assert not copies.unfinished(notes.path).exists()
    assert await notes.together(note(1000)) == [1000]


# -- restoring ------------------------------------------------------------------------------------


async def test_restored(notes: Notes, tmp_path: Path) -> None:
    canary = Canary()
    await notes.together(note(1))
    file = await taken(notes, tmp_path)
    await notes.together(note(2))
    with pytest.raises(Refusal, match="is in use") as raised:
        restoring.restore(file, notes.path)
    assert raised.value.exit_code == 75
    notes.connection.execute("INSERT INTO notes VALUES (3, ?)", (canary.words,))
    await notes.database.close()
    aside, was_told = restoring.restore(file, notes.path)
    assert was_told
    assert aside is not None
    assert aside in copies.all_of(notes.path)
    assert numbers(aside) == [1, 2, 3]
    assert numbers(notes.path) == [1]
    for one in (aside, notes.path):
        assert stat.S_IMODE(one.stat().st_mode) == 0o600
    assert lock.holder_of(notes.path) is None
    again = Database(notes.path, log=RecordedLog())
    await again.open()
    assert await again.read(lambda c: c.execute("SELECT n FROM notes").fetchall()) == [(1,)]
    await again.close()
    assert all(one.startswith(aside.name) for one in singing_in(notes.path.parent, canary))


async def test_what_a_kill_leaves_is_found(notes: Notes, tmp_path: Path) -> None:
    """While a file took another's place, and while a copy was scrubbed."""
    canary = Canary()
    await notes.together(*(note(n, 4000) for n in range(50)))
    await notes.database.close()
    path = tmp_path / "there" / "x.db"
    path.parent.mkdir()
    copy = copies.of_replaced(path, 5)
    copy.write_bytes(notes.path.read_bytes())
    with closing(sqlite3.connect(copy, isolation_level=None)) as killed:
        killed.execute("PRAGMA journal_mode = DELETE")
        killed.execute("PRAGMA cache_size = 1")
        killed.execute("UPDATE notes SET words = ?", (f"{canary} " * 100,))
        os.utime(copy, (5, 5))
        killed.execute("BEGIN")
        killed.execute("UPDATE notes SET words = ''")
        left = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        killed.execute("ROLLBACK")
    assert [one for one in left if one.endswith("-journal")]
    for name, content in left.items():
        (path.parent / name).write_bytes(content)
        (path.parent / name.replace("-5", "-6")).write_bytes(content)
    os.utime(copy, (5, 5))
    copy.with_name("x.db.replaced-6.copy").unlink()  # by hand, save its journal
    path.write_bytes(notes.path.read_bytes())
    other = copies.of_replaced(path, 7)
    os.link(path, other)
    other.with_name(f"{other.name}-wal").write_bytes(b"")
    database = Database(path, log=RecordedLog())
    await database.open()
    await database.close()
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "x.db", "x.db.lock", "x.db.replaced-5.copy"
    ]  # fmt: skip
    assert copy.stat().st_mtime == 5
    with closing(sqlite3.connect(copy)) as there:
        assert there.execute("SELECT count(*) FROM notes WHERE words = ''").fetchone() == (0,)
    assert len(numbers(path)) == 50


async def test_restored_where_nothing_was(notes: Notes, tmp_path: Path) -> None:
    await notes.together(note(1))
    file = await taken(notes, tmp_path)
    there = tmp_path / "elsewhere" / "y.db"
    log = there.with_name("y.db-wal")
    log.parent.mkdir()
    log.write_text("of a file that is gone")
    assert restoring.restore(file, there) == (None, False)  # nobody knows who was off the record
    assert not log.exists()
    assert numbers(there) == [1]
    first = restoring.restore(file, there).aside
    second = restoring.restore(file, there).aside
    assert copies.all_of(there) == [first, second]  # in one second, too
    there.write_bytes(b"")
    assert not restoring.restore(file, there).was_told
    assert restoring.restore(file, there.with_name("new.db")) == (None, True)


async def test_restored_in_the_place_of_a_damaged_one(notes: Notes, tmp_path: Path) -> None:
    """Its log must not be written into the restored file."""
    await notes.together(note(1))
    file = await taken(notes, tmp_path)
    await notes.together(*(note(n, 4000) for n in range(2, 40)))
    beside = notes.path.with_name("x.db-wal")
    log = beside.read_bytes()
    await notes.database.close()
    damaged = b"no database " * 1000
    notes.path.write_bytes(damaged)
    beside.write_bytes(log)
    with pytest.raises(StartError):
        await Database(notes.path, log=RecordedLog()).open()
    aside, was_told = restoring.restore(file, notes.path)
    assert not was_told
    assert aside is not None
    assert aside.read_bytes() == damaged
    assert numbers(notes.path) == [1]
    copies.remove(aside)
    assert sorted(one.name for one in notes.path.parent.iterdir()) == ["x.db", "x.db.lock"]


async def test_what_is_no_backup(notes: Notes, tmp_path: Path) -> None:
    await notes.together(*(note(n, 4000) for n in range(20)))
    file = await taken(notes, tmp_path)
    await notes.database.close()
    before = notes.path.read_bytes()
    whole = file.read_bytes()
    newer = tmp_path / "newer"
    newer.write_bytes(whole)
    with closing(sqlite3.connect(newer)) as there:
        there.execute("PRAGMA user_version = 4711")
    foreign = tmp_path / "foreign"
    with closing(sqlite3.connect(foreign)) as there:
        there.execute("CREATE TABLE recipes (title TEXT)")
    cases = {
        "cut": (whole[: len(whole) // 2], "damaged"),
        "holes": (whole[:4096] + bytes(8192) + whole[12288:], "damaged"),
        "words": (b"These are no rows.\n" * 100, "no database"),
        "empty": (b"", "no database of OpenParallax"),
        "newer": (newer.read_bytes(), "4711"),
        "foreign": (foreign.read_bytes(), "no database of OpenParallax"),
    }
    for name, (content, why) in cases.items():
        given = tmp_path / f"given {name}?#%"
        given.write_bytes(content)
        with pytest.raises(Refusal, match=why) as raised:
            restoring.restore(given, notes.path)
        assert str(given) in str(raised.value)
    for given in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(Refusal, match="is no file"):
            restoring.verify(given)
    assert notes.path.read_bytes() == before
    assert copies.all_of(notes.path) == []
    assert restoring.verify(file) == migrations.newest()


async def test_a_disk_without_room_leaves_what_was(notes: Notes, tmp_path: Path) -> None:
    await notes.together(*(note(n, 4000) for n in range(50)))
    file = await taken(notes, tmp_path)
    await notes.together(note(100))
    await notes.database.close()
    with files_no_longer_than(50_000), pytest.raises(Refusal, match="could not be replaced"):
        restoring.restore(file, notes.path)
    assert 100 in numbers(notes.path)
    assert copies.all_of(notes.path) == []
    assert not copies.restoring(notes.path).exists()


async def test_a_copy_of_an_older_schema_is_restored_and_migrated(tmp_path: Path) -> None:
    old, path = tmp_path / "old.db", tmp_path / "x.db"
    old_file(old, 2, "before")
    assert restoring.restore(old, path) == (None, True)
    database = Database(path, log=RecordedLog())
    await database.open()
    await database.close()
    assert [copy.name for copy in copies.all_of(path)] == ["x.db.schema-2.copy"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_what_root_restores_is_the_folder_s_owner_s(notes: Notes, tmp_path: Path) -> None:
    file = await taken(notes, tmp_path)
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 12345, 12346)
    restoring.restore(file, folder / "x.db")
    for one in folder.iterdir():
        assert (one.stat().st_uid, one.stat().st_gid) == (12345, 12346)
