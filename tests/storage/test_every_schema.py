"""From every earlier schema to today's, with something in every table: nothing is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openparallax import __version__
from openparallax.cli import main
from openparallax.errors import StartError
from openparallax.storage import copies, rehearsing, restoring, room
from openparallax.storage.database import Database
from openparallax.storage.file import DatabaseFile
from openparallax.storage.migrations import newest
from tests.pipeline.doubles import RecordedLog
from tests.storage.walk import Row, content, file_of

SCHEMAS = range(1, newest() + 1)
OLD = range(1, newest())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def config(path: Path) -> str:
    """Of a configuration, the part that says where the file is; as `-c` names it."""
    file = path.with_name("config.yaml")
    file.write_text(f"storage: {{url: 'sqlite:///{path}'}}\n")
    return str(file)


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "-c", config(path)])


def opened_once(path: Path) -> None:
    file = DatabaseFile(path)
    file.close(file.open())


def schema_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def as_today(table: str, row: Row, before: dict[str, list[Row]]) -> list[Row]:
    """What became of a row: a superset of each of these is to be there."""
    if row.get("key") == "has_short_rows":  # work to be done, which opening does
        return []
    if table == "contacts":  # a name has room to spare behind it
        return [{**row, "name": str(row["name"]).ljust(96)}]
    if table == "aliases" and "account" not in row:  # an alias means something to one account only
        value = str(row["value"]).replace("u:DE.ENT.", "p:DE.ENT.")
        accounts = [c["account"] for c in before["chats"] if c["contact"] == row["contact"]]
        return [{"account": a, "value": value, "contact": row["contact"]} for a in accounts]
    return [row]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_everything_is_there_afterwards(path: Path, schema: int) -> None:
    file_of(path, schema)
    before = content(path)
    assert [table for table, rows in before.items() if not rows] == []
    opened_once(path)
    after = content(path)
    assert schema_of(path) == newest()
    lost = [
        (table, row)
        for table, rows in before.items()
        for row in rows
        for wanted in as_today(table, row, before)
        if not any(wanted.items() <= found.items() for found in after[table])
    ]
    assert lost == []
    assert {t: len(rows) for t, rows in after.items() if t != "meta"} == {
        t: len(before.get(t, [])) for t in after if t != "meta"
    }
    kept = copies.all_of(path)
    assert kept == ([copies.of_schema(path, schema)] if schema < newest() else [])
    assert all(content(copy) == before for copy in kept)


@pytest.mark.parametrize("schema", OLD)
@pytest.mark.parametrize("how", ["left tidily", "killed", "in use"])
def test_a_dry_run_changes_nothing(path: Path, schema: int, how: str) -> None:
    file_of(path, schema)
    alive = sqlite3.connect(path)
    if how != "left tidily":  # what was written last stands in the log
        alive.executescript("PRAGMA wal_autocheckpoint = 0; UPDATE chats SET held = 1;")
        assert copies.log_of(path).stat().st_size
    else:
        alive.close()
    before = {f.name: f.read_bytes() for f in path.parent.iterdir() if not f.name.endswith("-shm")}
    lock = DatabaseFile(path).lock
    if how == "in use":
        lock.take()
    result = run(path, "migrate", "--dry-run")
    lock.release()
    left = {f.name: f.read_bytes() for f in path.parent.iterdir() if not f.name.endswith("-shm")}
    del left["config.yaml"]
    left.pop(f"{path.name}.lock", None)
    assert left == before
    alive.close()
    if how == "in use":  # by somebody who takes no commands
        assert result.exit_code == 69
        return
    assert result.exit_code == 0, result.output
    assert f"schema {schema} would become {newest()}" in result.output
    assert str(copies.of_schema(path, schema)) in result.output
    assert "Nothing was changed" in result.output


def test_a_dry_run_says_what_would_fail(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(path, 1)
    with monkeypatch.context() as patched:
        patched.setattr(room, "MARGIN_BYTES", 1 << 60)
        assert run(path, "migrate", "--dry-run").exit_code == 75
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE aliases")
    result = run(path, "migrate", "--dry-run")
    assert result.exit_code == 1
    assert "cannot be brought up to date" in result.stderr
    assert schema_of(path) == 1
    assert [one for one in path.parent.iterdir() if "rehearsal" in one.name] == []
    path.write_bytes(b"SQLite format 3\0 of somebody else" + bytes(100))
    assert run(path, "migrate", "--dry-run").exit_code == 1


def test_it_is_done_and_done_once(path: Path) -> None:
    file_of(path, 1)
    result = run(path, "migrate")
    assert result.exit_code == 0, result.output
    assert f"schema 1 became {newest()}" in result.output
    assert str(copies.of_schema(path, 1)) in result.output
    for more in ([], ["--dry-run"], ["--json"], ["--dry-run", "--json"]):
        result = run(path, "migrate", *more)
        assert result.exit_code == 0
        assert "up to date" in result.output or '"newest"' in result.output
    lock = DatabaseFile(path).lock
    lock.take()
    assert run(path, "migrate").exit_code == 69
    lock.release()


def test_a_newer_file_is_refused_with_the_way_back(path: Path) -> None:
    file_of(path, newest() - 1)
    before = content(path)
    opened_once(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {newest() + 1}")
        signed = connection.execute("SELECT value FROM meta WHERE key = 'program'").fetchone()[0]
        connection.execute("UPDATE meta SET value = '9.9.9 (commit 1234)' WHERE key = 'program'")
    assert signed.startswith(__version__)
    was = path.read_bytes()
    with pytest.raises(StartError) as raised:
        opened_once(path)
    assert raised.value.exit_code == 78
    copy = copies.of_schema(path, newest() - 1)
    for told in ("9.9.9 (commit 1234)", "Install that one again", f"restore {copy}"):
        assert told in str(raised.value)
    for more in ([], ["--dry-run"]):
        result = run(path, "migrate", *more)
        assert (result.exit_code, str(copy) in result.stderr) == (78, True), result.output
    assert path.read_bytes() == was
    # And that way is one.
    result = run(path, "restore", str(copy), "--yes")
    assert result.exit_code == 0, result.output
    assert content(path) == before
    opened_once(path)
    assert schema_of(path) == newest()


def test_a_newer_file_of_which_nothing_is_kept(path: Path) -> None:
    opened_once(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {newest() + 1}")
        connection.execute("DROP TABLE meta")
    with pytest.raises(StartError, match=r"newer OpenParallax\. Install .* backup from before"):
        opened_once(path)


@pytest.mark.parametrize("schema", OLD)
async def test_a_backup_of_an_earlier_schema_is_restored_and_brought_up_to_date(
    path: Path, tmp_path: Path, schema: int
) -> None:
    backup = tmp_path / "backup.db"
    file_of(backup, schema)
    opened_once(path)
    assert restoring.verify(backup) == schema
    result = run(path, "restore", str(backup), "--yes")
    assert result.exit_code == 0, result.output
    assert f"schema {schema}" in result.stderr
    assert schema_of(path) == schema
    database = Database(path, log=RecordedLog())
    await database.open()
    await database.close()
    assert schema_of(path) == newest()
    assert [row["words"] for row in content(path)["transcript"]][:2] == [
        "what is the time",
        "half past ten",
    ]


def test_a_dry_run_on_what_the_daemon_hands_out(path: Path) -> None:
    """The older daemon runs: nobody else may take the lock, and its copy is tried."""
    file_of(path, 2)
    found = rehearsing.rehearse(path, iter([path.read_bytes()[:5000], path.read_bytes()[5000:]]))
    assert (found.before, found.now, found.size) == (2, newest(), path.stat().st_size)
    assert found.seconds > 0
    assert [one.name for one in path.parent.iterdir()] == [path.name]
