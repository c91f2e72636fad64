"""What a start finds: a damaged file, a locked one, a folder that may not be written to."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.daemon import LONG_S, Daemon
from tests.faults.machine.short import mostly_long
from tests.faults.talk import Talk


def header_gone(database: Path) -> None:
    _overwrite(database, 0, b"no header " * 10)


def middle_of_header(database: Path) -> None:
    _overwrite(database, 16, b"\xff" * 8)


def schema_gone(database: Path) -> None:
    _overwrite(database, 100, b"\xff" * 3996)


def truncated(database: Path) -> None:
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2 // 4096 * 4096)


def truncated_in_a_page(database: Path) -> None:
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2 // 4096 * 4096 + 1000)


def empty(database: Path) -> None:
    database.write_bytes(b"")


def gone_but_for_its_log(database: Path) -> None:
    database.unlink()


def empty_but_for_its_log(database: Path) -> None:
    database.write_bytes(b"")


def letters(database: Path) -> None:
    database.write_text("These are letters, and no rows.\n" * 1000)


def a_folder(database: Path) -> None:
    database.unlink()
    database.mkdir()


def somebody_elses(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as other:
        other.execute("CREATE TABLE recipes (title TEXT)")


def newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA user_version = 4711")


def _overwrite(database: Path, at: int, content: bytes) -> None:
    with database.open("r+b") as file:
        file.seek(at)
        file.write(content)


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done to the file, and what is said of it.

    Attributes:
        is_killed: The daemon was killed before, so that a log lies beside the file.
    """

    do: Callable[[Path], None]
    says: str
    is_killed: bool = False
    code: int = 78


DAMAGES = [
    Damage(header_gone, "cannot be opened as a database"),
    Damage(middle_of_header, "cannot be opened as a database"),
    Damage(schema_gone, "cannot be opened as a database"),
    Damage(truncated, "cannot be opened as a database"),
    Damage(truncated_in_a_page, "cannot be opened as a database"),
    Damage(empty, "is empty, as no database of ours ever is"),
    Damage(gone_but_for_its_log, "is not there, and what was written last", is_killed=True),
    Damage(empty_but_for_its_log, "is empty, and what was written last", is_killed=True),
    Damage(letters, "cannot be opened as a database"),
    Damage(a_folder, "cannot use"),
    Damage(somebody_elses, "is a database of another program"),
    Damage(newer, "used by a newer OpenParallax"),
]


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        one.name: one.read_bytes()
        for one in folder.iterdir()
        if one.is_file() and not one.name.endswith((".lock", "-shm"))
    }


SHORT = {"header_gone", "truncated", "empty", "gone_but_for_its_log", "empty_but_for_its_log"}


@pytest.mark.parametrize(
    "damage", mostly_long(DAMAGES, lambda damage: damage.do.__name__, short=SHORT)
)
async def test_a_damaged_file_is_kept_as_it_is(daemon: Daemon, damage: Damage) -> None:
    daemon.must_be_whole = False
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(3, "lorem ipsum " * 100)
    await talk.is_answered()
    await (daemon.kill() if damage.is_killed else daemon.stop())
    damage.do(daemon.database)
    before = files_in(daemon.state)
    for _ in range(2):  # nor at the second try
        told = len(daemon.said)
        await daemon.launch()
        assert await daemon.ended_or_started() == damage.code
        said = daemon.said[told:]
        assert said.count("\n") == 1, said
        assert damage.says in said
        assert str(daemon.database) in said or damage.do is newer
        assert "internal error" not in said
        assert files_in(daemon.state) == before
    assert "word" not in daemon.said


async def test_a_log_of_garbage_is_no_reason_to_begin_anew(daemon: Daemon) -> None:
    """What was written home is there; garbage behind it is not taken for rows."""
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(3)
    await talk.is_answered()
    await daemon.stop()
    daemon.database.with_name("openparallax.db-wal").write_bytes(b"garbage " * 10_000)
    await _goes_on(daemon, talk)


async def test_a_log_that_ends_in_garbage_is_read_up_to_there(daemon: Daemon) -> None:
    """As a power cut leaves it: what was acknowledged stands before."""
    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    await talk.try_at_once(3)
    await talk.is_answered()
    await daemon.graph.reported(LONG_S)
    await daemon.kill()
    with daemon.database.with_name("openparallax.db-wal").open("ab") as log:
        log.write(b"\xa5" * 70_000)
    await _goes_on(daemon, talk)


async def _goes_on(daemon: Daemon, talk: Talk) -> None:
    await daemon.start()
    for request in talk.said:
        assert await talk.post(request) == 200  # known as seen: not answered again
    await talk.try_at_once(1)
    await talk.is_answered()
    talk.judge(in_order=False)
    assert await daemon.stop() == 0


# -- who else holds it ----------------------------------------------------------------------------


async def test_a_second_daemon_on_the_same_file_is_told_so(daemon: Daemon) -> None:
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(1)
    other = Daemon(daemon.folder)
    async with other:
        other.configure()
        told = len(daemon.said)
        await other.launch()
        assert await other.ended_or_started() == 75
        assert "another process is using" in daemon.said[told:]
        assert "stop the other one" in daemon.said[told:]
    await talk.try_at_once(1)
    await talk.is_answered()
    talk.judge(in_order=False)
    await daemon.becomes_ready()


async def test_a_file_that_another_program_holds_at_the_start(daemon: Daemon) -> None:
    await daemon.start()
    await daemon.stop()
    with closing(sqlite3.connect(daemon.database, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        await daemon.launch()
        assert await daemon.ended_or_started() == 75
        assert "another program has the file open" in daemon.said
    await daemon.start()
    assert await daemon.stop() == 0
