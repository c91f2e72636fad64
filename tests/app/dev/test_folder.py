"""The folder that a run keeps its daemon's state in."""

import json
import os
from pathlib import Path

import pytest

from openparallax.app.dev.folder import place, taken, temporary
from openparallax.errors import StartError
from openparallax.storage.lock import Lock


def test_it_lies_where_state_lies(tmp_path: Path) -> None:
    home = {"HOME": "/home/ann"}
    assert place(home, None) == Path("/home/ann/.local/state/openparallax/dev")
    assert place(home | {"XDG_STATE_HOME": "/srv"}, None) == Path("/srv/openparallax/dev")
    assert place(home | {"XDG_STATE_HOME": "srv"}, None) == place(home, None)
    own = {place(home, tmp_path / name) for name in ("a.yaml", "b.yaml", "../x/a.yaml")}
    assert len(own) == 3
    assert all(one.parent == place(home, None) for one in own)
    with pytest.raises(StartError, match="no home folder"):
        place({}, None)


def test_it_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "dev"
    path.mkdir(0o755, parents=True)
    with taken(path) as folder:
        folder.write(folder.config, "a: 1\n")
        folder.begin_log()
        assert path.stat().st_mode & 0o777 == 0o700
        for file in path.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
        folder.write(folder.config, "a: 2\n")
        assert folder.config.read_text() == "a: 2\n"


def test_a_second_run_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    with taken(tmp_path) as folder:
        for told in ("", "http://127.0.0.1:9445/"):
            if told:
                folder.announce(told)
            with pytest.raises(StartError, match="another openparallax dev") as raised:
                taken(tmp_path).__enter__()
            assert raised.value.exit_code == 75
            assert told in str(raised.value)
        assert f"process {os.getpid()}" in str(raised.value)
    with taken(tmp_path):  # it is over, and says nothing of itself any more
        assert (tmp_path / "lock").read_text() == ""


def test_fresh_deletes_what_runs_made_and_nothing_else(tmp_path: Path) -> None:
    ours = [
        *("config.yaml", "daemon.log", "control.sock", "openparallax.db", "openparallax.db.lock"),
        *("openparallax.db-wal", "openparallax.db-shm", "openparallax.db.unfinished"),
        *("openparallax.db.schema-3.copy", "openparallax.db.schema-3.copy-journal"),
        "openparallax.db.replaced-1790000000.copy",
    ]
    theirs = ["openparallax.db.bak", "notes.txt", "my-config.yaml", "other.db"]
    with taken(tmp_path) as folder:
        for name in (*ours, *theirs):
            (tmp_path / name).write_text(name)
        (tmp_path / "own-0123").mkdir()
        folder.empty()
    assert {one.name for one in tmp_path.iterdir()} == {*theirs, "own-0123", "lock"}


def test_fresh_leaves_a_database_alone_that_is_in_use(tmp_path: Path) -> None:
    with taken(tmp_path) as folder:
        folder.database.touch()
        lock = Lock(folder.database)
        lock.take()
        with pytest.raises(StartError, match=f"process {os.getpid()} works with") as raised:
            folder.empty()
        lock.release()
        assert raised.value.exit_code == 75
        assert folder.database.exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="cannot be used") as raised:
        taken(tmp_path / "file" / "dev").__enter__()
    assert raised.value.exit_code == 78


def test_a_temporary_one_is_gone_afterwards() -> None:
    with temporary() as folder:
        folder.write(folder.database, json.dumps("x"))
        assert folder.path.stat().st_mode & 0o777 == 0o700
    assert not folder.path.exists()
