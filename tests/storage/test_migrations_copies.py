"""A file is copied before it is changed; and words of the first schema leave nothing behind."""

import os
import sqlite3
import stat
from contextlib import closing
from importlib import resources
from pathlib import Path
from random import Random

import pytest

from openparallax.errors import StartError
from openparallax.storage import Database, copies, erasing, migrations, names, room, upgrading
from tests.canary import Canary, singing_in
from tests.pipeline.doubles import RecordedLog
from tests.storage.notes import files_no_longer_than


def old_file(path: Path, version: int, *words: str) -> None:
    """A file of an older schema, on which SQLite's defaults left their traces."""
    with closing(sqlite3.connect(path)) as connection:
        for step in sorted(resources.files(migrations).iterdir(), key=lambda file: file.name):
            if step.name.endswith(".sql") and int(step.name[:4]) <= version:
                connection.executescript(step.read_text())
        connection.executescript(
            "PRAGMA journal_mode = WAL; "
            f"PRAGMA application_id = {migrations.APPLICATION_ID}; "
            f"PRAGMA user_version = {version};"
        )
        connection.execute("INSERT INTO sessions (id, chat, mode, opened_at) VALUES (1, 1, 0, 0)")
        connection.executemany(
            "INSERT INTO transcript (turn, part, session, role, sent_at, words) "
            "VALUES (?, 0, 1, 2, 0, ?)",
            list(enumerate(words)),
        )
        connection.commit()


async def opened(path: Path, log: RecordedLog | None = None, **more: object) -> Database:
    database = Database(path, log=log or RecordedLog(), **more)  # type: ignore[arg-type]
    await database.open()
    return database


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


async def test_copied_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    old_file(path, 2, "before")
    copy = copies.of_schema(path, 2)
    copy.write_text("of an earlier try")
    log, ticks = RecordedLog(), []
    database = await opened(path, log, on_progress=lambda: ticks.append(1))
    (event,) = [keys for _, name, keys in log.lines if name == "database_migrated"]
    assert event["state"] == f"schema 2 to {migrations.newest()}"
    assert event["path"] == str(copy)
    assert ticks
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert version_of(copy) == 2
    with closing(sqlite3.connect(copy)) as there:
        assert there.execute("SELECT words FROM transcript").fetchall() == [("before",)]
        assert there.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert there.execute("PRAGMA quick_check").fetchone() == ("ok",)
    await database.close()
    assert names_in(tmp_path) == sorted(["x.db", "x.db.lock", copy.name])
    # Of today's schema, and new: no copy.
    await (await opened(path, log)).close()
    await (await opened(tmp_path / "new.db", log)).close()
    assert copies.all_of(tmp_path / "new.db") == []
    assert len([name for _, name, _ in log.lines if name == "database_migrated"]) == 1


async def test_without_room_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"
    old_file(path, 2, "before")
    with monkeypatch.context() as patched:
        patched.setattr(room, "MARGIN_BYTES", 1 << 60)
        with pytest.raises(StartError, match=r"Make room and try again") as raised:
            await opened(path)
    assert raised.value.exit_code == 75
    assert version_of(path) == 2
    with files_no_longer_than(3 * 4096), pytest.raises(StartError) as raised:
        await opened(path)
    assert raised.value.exit_code == 75
    assert version_of(path) == 2
    assert copies.all_of(path) == []
    copies.unfinished(path).write_text("words of a process that was killed")
    await (await opened(path)).close()
    assert not copies.unfinished(path).exists()
    assert version_of(copies.of_schema(path, 2)) == 2


@pytest.mark.parametrize("version", [1, 2])
async def test_words_of_the_first_schema_can_be_scrubbed(tmp_path: Path, version: int) -> None:
    """Every byte, for rows of any length; also where an earlier program has migrated the file."""
    path = tmp_path / "x.db"
    canary = Canary()
    words = [*_of_all_lengths(canary), f"{canary} " * 4000]
    old_file(path, 1, *words)
    if version == 2:
        with closing(sqlite3.connect(path)) as connection:
            second = resources.files(migrations).joinpath("0002_people.sql").read_text()
            connection.executescript(f"{second}; PRAGMA user_version = 2;")
    database = await opened(path)
    for copy in copies.all_of(path):
        copies.remove(copy)
    assert [w for (w,) in await database.read(read_words)] == words
    for first in range(1, len(words) + 1, 50):
        rows = [erasing.Row(n, n - 1, 1, 0) for n in range(first, first + 50)]
        await database.unit(lambda c, rows=rows: erasing.scrub(c, rows))  # type: ignore[misc]
    assert await database.truncate_log()
    assert singing_in(tmp_path, canary) == []
    await database.close()
    assert singing_in(tmp_path, canary) == []


def _of_all_lengths(canary: Canary) -> list[str]:
    """With this seed, rows that grow by a byte leave words in the gaps of pages."""
    random = Random(4)  # noqa: S311 - the same every time
    return [
        (f"{canary} " * 40)[: random.randint(30, 1500)]
        if random.random() < 0.7
        else "y" * random.randint(1, 1200)
        for _ in range(600)
    ]


def read_words(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("SELECT words FROM transcript ORDER BY id").fetchall()


async def test_a_rewriting_that_was_interrupted_is_done_by_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"
    old_file(path, 1, "before")
    with monkeypatch.context() as patched:
        patched.setattr(upgrading, "_rewrite", lambda *_: None)
        await (await opened(path)).close()
    database = await opened(path)
    mark = "SELECT count(*) FROM meta WHERE key = 'has_short_rows'"
    assert await database.read(lambda c: c.execute(mark).fetchone()) == (0,)
    await database.close()


async def test_a_file_of_today_is_not_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    old_file(path, 2)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO transcript (turn, part, session, role, sent_at, words, hash) "
            "VALUES (1, 0, 1, 2, 0, 'new', 5)"
        )
    database = await opened(path)
    mark = "SELECT count(*) FROM meta WHERE key = 'has_short_rows'"
    assert await database.read(lambda c: c.execute(mark).fetchone()) == (0,)
    await database.close()


async def test_very_many_names_are_written_anew_with_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, told = tmp_path / "x.db", []
    await (await opened(path)).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO contacts (name) VALUES (?)", [("Ann",)] * 100)
        connection.execute("DELETE FROM meta WHERE key = 'names_in_place'")
    monkeypatch.setattr(upgrading, "_STEPS_OF_SQLITE", 100)
    database = Database(path, log=RecordedLog(), on_progress=lambda: told.append(1))
    await database.open()
    assert told
    assert await database.read(names.are_in_place)
    await database.close()


def test_copies_go_after_a_week(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    young, old = copies.of_schema(path, 2), copies.of_replaced(path, 5)
    others = [tmp_path / name for name in ("x.db", "x.db.schema-2.copy.mine", "y.db.schema-2.copy")]
    for file in (young, old, *others):
        file.touch()
        os.utime(file, (1000, 1000))
    os.utime(young, (2000, 2000))
    assert copies.all_of(path) == [old, young]
    assert copies.remove_old(path, 0) == []
    assert copies.remove_old(path, 1500 + copies.KEPT_S) == [old]
    assert copies.all_of(path) == [young]
    assert all(file.exists() for file in others)
