"""What the daemon and its commands make is for its user alone, wherever it stands."""

import asyncio
import os
import socket
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from openparallax.cli import main
from openparallax.errors import Refusal, StartError
from openparallax.storage import restoring
from openparallax.storage.file import DatabaseFile
from openparallax.storage.lock import Lock
from openparallax.storage.migrations import migrate
from tests.app.patience import until
from tests.app.process import Daemon
from tests.fakes import meta

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def loose(folder: Path) -> list[str]:
    """What in a folder others may do anything with, the folder itself included."""
    return [
        f"{path.name} {stat.S_IMODE(found.st_mode):o}"
        for path in [folder, *folder.rglob("*")]
        if (found := path.lstat()).st_mode & 0o077 and not stat.S_ISLNK(found.st_mode)
    ]


def whole(path: Path) -> Path:
    """A file of today's schema."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        migrate(file)
    return path


def of_process(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text("utf-8", "replace")


async def test_a_daemon_shows_nothing_to_others(tmp_path: Path) -> None:
    """Whatever the umask: no file of it, nor a backup of it; no core dump, no argument."""
    before = os.umask(0)
    try:
        async with Daemon(tmp_path) as daemon:
            await daemon.launch()
            await until(daemon._answers, timeout_s=120)
            await daemon.deliver(meta.text("4915112345678", "hello", at=1_790_000_000))
            state, copy = tmp_path / "state", tmp_path / "copy"
            made = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "openparallax", "backup", str(copy)),
                *("-c", str(tmp_path / "config.yaml")),
                env=os.environ | {"WHATSAPP_ACCESS_TOKEN": "t"},
            )
            assert await made.wait() == 0
            names = {path.name for path in state.iterdir()}
            assert {"openparallax.db", "openparallax.db-wal", "openparallax.db.lock"} <= names
            assert any(stat.S_ISSOCK(path.stat().st_mode) for path in state.iterdir())
            assert loose(state) == loose(copy) == []

            limits = of_process(daemon.pid, "limits").splitlines()
            [cores] = [line for line in limits if line.startswith("Max core file size")]
            assert cores.split()[4:6] == ["0", "0"]
            assert int(of_process(daemon.pid, "coredump_filter"), 16) == 0

            # The environment has the secrets; the kernel shows it to the same user and to root.
            assert meta.SECRET in of_process(daemon.pid, "environ")
            found = await asyncio.to_thread(os.stat, f"/proc/{daemon.pid}/environ")
            assert stat.S_IMODE(found.st_mode) == 0o400
            said = of_process(daemon.pid, "cmdline")
            assert not [one for one in (meta.SECRET, meta.VERIFY_TOKEN, "made-up") if one in said]
    finally:
        os.umask(before)


def test_a_command_makes_nothing_that_others_may_read(tmp_path: Path) -> None:
    """Also none of the folders on the way, in which others could put something else."""
    backup = whole(tmp_path / "backup")
    database = tmp_path / "a" / "b" / "openparallax.db"
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"storage": {"url": f"sqlite:///{database}"}}))
    before = os.umask(0)
    try:
        for _ in range(2):  # the second time, what was there is put aside
            found = CliRunner().invoke(main, ["restore", str(backup), "--yes", "-c", str(config)])
            assert found.exit_code == 0, found.output
        found = CliRunner().invoke(main, ["sessions", "list", "-c", str(config)])
        assert found.exit_code == 0, found.output
        assert loose(tmp_path / "a") == []
        assert len(list(database.parent.iterdir())) > 2
    finally:
        assert os.umask(before) == 0  # a command changes it for itself only


# -- what somebody put in the way ------------------------------------------------------------------


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A state folder of another user, in which root is to work."""
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    return folder


@pytest.fixture
def shadow(tmp_path: Path) -> Path:
    """Something of root's that is worth having."""
    file = tmp_path / "shadow"
    file.write_text("root:secret")
    file.chmod(0o640)
    return file


def assert_untouched(shadow: Path) -> None:
    found = shadow.stat()
    assert shadow.read_text() == "root:secret"
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (0, 0o640)


@as_root
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_root_gives_no_file_away_through_a_lock_that_leads_elsewhere(
    theirs: Path, shadow: Path, link: object
) -> None:
    link(shadow, theirs / "x.db.lock")  # type: ignore[operator]
    with pytest.raises(OSError, match=r"link|symbolic"):
        Lock(theirs / "x.db").take()
    assert_untouched(shadow)


@as_root
@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_root_opens_no_database_that_leads_elsewhere(theirs: Path, shadow: Path, end: str) -> None:
    (theirs / f"x.db{end}").symlink_to(shadow)
    with pytest.raises(StartError):
        DatabaseFile(theirs / "x.db").open()
    assert_untouched(shadow)


def test_a_link_to_a_database_of_one_s_own_will_do(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "x.db").symlink_to(tmp_path / "disk" / "y.db")
    file = DatabaseFile(tmp_path / "x.db")
    file.close(file.open())
    assert loose(tmp_path / "disk" / "y.db") == []


def test_a_lock_that_is_no_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.db.lock")
    with pytest.raises(OSError, match="no file"):
        Lock(tmp_path / "x.db").take()


def test_what_stood_there_before_becomes_the_owner_s_alone(tmp_path: Path) -> None:
    path = whole(tmp_path / "x.db")
    path.chmod(0o666)
    file = DatabaseFile(path)
    file.close(file.open())
    assert loose(path) == []


# -- a database from elsewhere ---------------------------------------------------------------------

_TRAPS = {
    "spy": "CREATE TRIGGER spy AFTER INSERT ON transcript BEGIN "
    "INSERT OR REPLACE INTO meta VALUES ('words', NEW.words); END",
    "looks": "CREATE VIEW looks AS SELECT * FROM transcript",
    "index_of": "CREATE INDEX index_of ON contacts (upper(name))",
    "no_words_off_the_record": "DROP TRIGGER no_words_off_the_record",
    "a_session_has_one_mode": "DROP TRIGGER a_session_has_one_mode; CREATE TRIGGER "
    "a_session_has_one_mode BEFORE UPDATE OF mode ON sessions BEGIN SELECT 1; END",
    "one_open_session_per_chat": "DROP INDEX one_open_session_per_chat",
    "virtual": "CREATE VIRTUAL TABLE virtual USING fts5 (x)",
    "usage": "ALTER TABLE usage ADD COLUMN words TEXT",
}


@pytest.mark.parametrize("name", _TRAPS)
def test_a_file_with_a_statement_of_somebody_else_s_is_not_restored(
    tmp_path: Path, name: str
) -> None:
    trapped = whole(tmp_path / "trapped")
    with closing(sqlite3.connect(trapped)) as file:
        file.executescript(_TRAPS[name])
    with pytest.raises(Refusal, match=f"did not make, or lacks something: '{name}"):
        restoring.restore(trapped, tmp_path / "x.db")
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_schema_of_ours_is_known(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(tmp_path / "old", isolation_level=None)) as file:
        migrate(file, version)
        file.execute("CREATE TABLE of_the_operator (x)")
        file.execute("ANALYZE")
    assert restoring.verify(tmp_path / "old") == version


def test_nobody_else_may_listen_in_where_the_socket_stands(tmp_path: Path) -> None:
    """The mode is there before the name is."""
    from openparallax.admin.control_socket import ControlSocket  # noqa: PLC0415

    before = os.umask(0)
    try:
        made: socket.socket = (door := ControlSocket(tmp_path)).open()
    finally:
        os.umask(before)
    assert stat.S_IMODE(door.path.stat().st_mode) == 0o600
    made.close()
    door.close()
