"""All of the files or none; what was there is kept."""

import os
import signal
from pathlib import Path

import pytest

from openparallax.app.setup.files import File, Files
from openparallax.errors import StartError


def _tree(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (path.read_text(), path.stat().st_mode & 0o777)
        for path in folder.rglob("*")
        if path.is_file()
    }


def _wrong() -> None:
    raise LookupError("refused")


def test_new_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    Files(
        File(path=tmp_path / "a" / "b" / "secret", text="s"),
        File(path=tmp_path / "a" / "config", text="c", mode=0o640),
    ).put(lambda: None)
    assert _tree(tmp_path) == {"a/b/secret": ("s", 0o600), "a/config": ("c", 0o640)}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_copies_are_numbered_and_modes_stay(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("old")
    file.chmod(0o644)
    (tmp_path / "config.1").write_text("older")
    files = Files(File(path=file, text="new", keeps_mode=True))
    files.put(lambda: None)
    tree = _tree(tmp_path)
    assert tree["config"] == ("new", 0o644)
    assert tree["config.1"][0] == "older"
    assert tree["config.2"] == ("old", 0o600)
    assert files.copies == {file: tmp_path / "config.2"}


def test_what_is_the_same_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s")
    file.chmod(0o600)
    before = file.stat().st_ino
    Files(File(path=file, text="s")).put(lambda: None)
    assert file.stat().st_ino == before
    file.chmod(0o644)  # others could read it
    Files(File(path=file, text="s")).put(lambda: None)
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_the_check_refuses_leaves_no_trace(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("old")
    file.chmod(0o644)
    before = _tree(tmp_path)
    with pytest.raises(LookupError, match="refused"):
        Files(File(path=tmp_path / "folder" / "secret", text="s"), File(path=file, text="new")).put(
            _wrong
        )
    assert _tree(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_disk_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("1")
    second.write_text("2")
    before = _tree(tmp_path)
    calls = iter(range(1, 100))
    fsync = os.fsync

    def failing(descriptor: int) -> None:
        if next(calls) == fails_at:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StartError, match="nothing was changed") as caught:
        Files(File(path=first, text="one"), File(path=second, text="two")).put(lambda: None)
    assert caught.value.exit_code == 75
    assert _tree(tmp_path) == before


def test_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    Files(File(path=link, text="new", keeps_mode=True)).put(lambda: None)
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be written") as caught:
        Files(File(path=tmp_path / "file" / "config", text="c")).put(lambda: None)
    assert caught.value.exit_code == 78


def test_an_interrupt_in_the_middle_comes_too_late(tmp_path: Path) -> None:
    Files(File(path=tmp_path / "config", text="c")).put(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert (tmp_path / "config").read_text() == "c"


def test_a_link_of_another_user_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    link = tmp_path / "secret"
    link.symlink_to(elsewhere)
    Files(File(path=link, text="ours")).put(lambda: None)
    assert elsewhere.read_text() == "ours", "one of one's own is"
    if os.geteuid() == 0:
        os.chown(link, 4711, 4711, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(StartError, match="a link that another user has made") as refused:
        Files(File(path=link, text="a secret")).put(lambda: None)
    assert refused.value.exit_code == 78
    assert elsewhere.read_text() == "ours"
