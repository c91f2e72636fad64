"""Whose file it is, who may read it, and what is no file of ours."""

import asyncio
import os
import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openparallax.errors import NotStored, StartError
from openparallax.storage import Connection, Database
from tests.pipeline.doubles import RecordedLog
from tests.storage.notes import Notes, files_no_longer_than, note


async def refused(path: Path) -> StartError:
    with pytest.raises(StartError) as raised:
        await Database(path, log=RecordedLog()).open()
    assert str(path) in str(raised.value)
    return raised.value


def modes(folder: Path) -> dict[str, str]:
    return {
        path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (folder, *folder.iterdir())
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with Notes(tmp_path / "state" / "x.db") as notes:
            await notes.together(note(1))
            assert modes(tmp_path / "state") == {
                "state": "0o700",
                "x.db": "0o600",
                "x.db-wal": "0o600",
                "x.db-shm": "0o600",
                "x.db.lock": "0o600",
            }
    finally:
        os.umask(before)


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with Notes(path):
        pass
    path.chmod(0o644)
    database = Database(path, log=RecordedLog())
    await database.open()
    assert set(modes(tmp_path).values()) == {"0o700", "0o600"}
    await database.close()


async def test_one_process_for_one_file(notes: Notes) -> None:
    error = await refused(notes.path)
    assert error.exit_code == 75
    assert "another process is using" in str(error)
    assert "stop the other one" in str(error)
    assert await notes.together(note(1)) == [1]
    await notes.database.close()
    async with Notes(notes.path.with_name("other.db")):
        pass


async def test_free_again_when_it_is_closed(notes: Notes) -> None:
    await notes.together(note(1))
    await notes.database.close()
    again = Database(notes.path, log=RecordedLog())
    await again.open()
    assert await again.read(lambda c: c.execute("SELECT n FROM notes").fetchall()) == [(1,)]
    await again.close()


_HOLD = """
import asyncio, sys
from pathlib import Path
from openparallax.storage import Database

async def hold():
    await Database(Path(sys.argv[1]), log=None).open()
    print("open", flush=True)
    await asyncio.sleep(60)

asyncio.run(hold())
"""


async def test_free_again_when_its_process_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLD, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    assert (await refused(path)).exit_code == 75
    process.kill()
    await process.wait()
    async with Notes(path) as notes:
        assert await notes.together(note(1)) == [1]


async def test_a_file_of_a_newer_program_is_left_alone(notes: Notes) -> None:
    await notes.together(note(1))
    await notes.database.close()
    with closing(sqlite3.connect(notes.path)) as other:
        other.execute("PRAGMA user_version = 4711")
    before = notes.path.read_bytes()
    for _ in range(2):  # also the second time: the lock was let go
        with pytest.raises(StartError, match=r"4711.*newer OpenParallax") as raised:
            await Database(notes.path, log=RecordedLog()).open()
        assert raised.value.exit_code == 78
    assert notes.path.read_bytes() == before


def _words(path: Path) -> None:
    path.write_text("These are no rows.\n" * 100)


def _short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 84)


def _another_program_s(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (title TEXT)")


def _another_program_s_third(path: Path) -> None:
    _another_program_s(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 1")


def _empty(path: Path) -> None:
    path.touch()


def _empty_beside_its_log(path: Path) -> None:
    _another_program_s(path)
    path.with_name("x.db-wal").write_bytes(path.read_bytes())
    path.write_bytes(b"")


def _gone_beside_its_log(path: Path) -> None:
    _empty_beside_its_log(path)
    path.unlink()


@pytest.mark.parametrize("lose", [_empty, _empty_beside_its_log, _gone_beside_its_log])
async def test_what_was_lost_is_not_begun_anew_in_silence(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    """SQLite takes an empty file for a new one, and deletes the log that has no file."""
    path = tmp_path / "x.db"
    lose(path)
    before = contents(tmp_path)
    for _ in range(2):
        error = await refused(path)
        assert error.exit_code == 78
        assert "estore a backup" in str(error)
    path.with_name("x.db.lock").unlink()
    assert contents(tmp_path) == before


async def test_what_was_lost_behind_a_link_is_not_begun_anew_either(tmp_path: Path) -> None:
    path, there = tmp_path / "x.db", tmp_path / "disk"
    there.mkdir()
    path.symlink_to(there / "y.db")
    async with Notes(path) as notes:
        assert await notes.together(note(1)) == [1]
        log = (there / "y.db-wal").read_bytes()
    (there / "y.db").unlink()
    (there / "y.db-wal").write_bytes(log)
    error = await refused(path)
    assert error.exit_code == 78
    assert "y.db-wal" in str(error)
    assert (there / "y.db-wal").read_bytes() == log


async def test_a_link_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.symlink_to(path)
    assert (await refused(path)).exit_code == 78
    assert path.is_symlink()


async def test_a_first_start_leaves_a_whole_file_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"

    def dies(*_: object) -> None:
        raise OSError(5, "made up")

    with monkeypatch.context() as killed:
        killed.setattr("pathlib.Path.rename", dies)
        await refused(path)
    assert not path.exists()
    async with Notes(path) as notes:
        assert await notes.together(note(1)) == [1]
    assert sorted(contents(tmp_path)) == ["x.db", "x.db.lock"]


@pytest.mark.parametrize("fill", [_words, _short, _another_program_s, _another_program_s_third])
async def test_what_is_no_database_of_ours_is_left_as_it_is(
    tmp_path: Path, fill: Callable[[Path], None]
) -> None:
    path = tmp_path / "x.db"
    fill(path)
    before = path.read_bytes()
    for _ in range(2):
        error = await refused(path)
        assert error.exit_code == 78
        assert "left as it is" in str(error)
    assert path.read_bytes() == before


async def test_a_folder_in_the_file_s_place(tmp_path: Path) -> None:
    assert "Is a directory" in str(await refused(tmp_path))


async def test_a_file_in_the_folder_s_place(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    assert "Not a directory" in str(await refused(tmp_path / "state" / "x.db"))
    assert "Not a directory" in str(await refused(tmp_path / "state" / "deep" / "x.db"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o500)
    error = await refused(tmp_path / "state" / "x.db")
    assert "Permission denied" in str(error)
    assert error.exit_code == 78


async def test_a_folder_where_nobody_may_write() -> None:
    error = await refused(Path("/proc/openparallax/x.db"))
    assert error.exit_code == 78


async def test_a_full_disk_at_the_start_is_said(tmp_path: Path) -> None:
    with files_no_longer_than(10_000):
        error = await refused(tmp_path / "x.db")
    assert error.exit_code == 75
    assert "move it away" not in str(error)
    async with Notes(tmp_path / "x.db") as notes:
        assert await notes.together(note(1)) == [1]


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), MemoryError()])
async def test_a_second_connection_that_fails_is_said_and_the_file_is_free(
    notes: Notes, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The one that reads is opened last, when the first has the file already."""
    await notes.database.close()
    connect, calls = sqlite3.connect, []

    def failing(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        calls.append(arguments)
        if len(calls) == 2:
            raise error
        connection: sqlite3.Connection = connect(*arguments, **settings)
        return connection

    monkeypatch.setattr("openparallax.storage.file.sqlite3.connect", failing)
    assert (await refused(notes.database.path)).exit_code == 75
    again = Database(notes.database.path, log=RecordedLog())
    await again.open()
    await again.close()


async def test_closing_waits_until_a_copy_has_let_go(tmp_path: Path) -> None:
    class Endless:
        begun = threading.Event()
        has_let_go = False

        def step(self, _connection: Connection) -> bool:
            self.begun.set()
            return False

        def abandon(self) -> None:
            time.sleep(0.05)
            self.has_let_go = True

    steps = Endless()
    database = Database(tmp_path / "x.db", log=RecordedLog())
    await database.open()
    copying = asyncio.ensure_future(database.copy_to(steps))
    await asyncio.to_thread(steps.begun.wait)
    await database.close()
    assert steps.has_let_go
    with pytest.raises(NotStored):
        await copying
