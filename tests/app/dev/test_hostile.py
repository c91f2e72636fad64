"""Folders that are not ours, links that others planted, terminals that have gone, endless lines."""

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from openparallax.app.dev import folder as folders
from openparallax.app.dev.folder import place, taken
from openparallax.app.dev.outside import of_program
from openparallax.app.dev.screen import Screen
from openparallax.app.dev.terminal import MOST_TEXT, Terminal
from openparallax.emulator import Emulator
from openparallax.errors import ConfigError, StartError
from tests.app.dev.dev import Dev, is_running
from tests.app.dev.test_talking import Piped
from tests.app.patience import until


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "config.yaml").write_text("mine")
    with pytest.raises(StartError, match="not of openparallax dev") as raised, taken(tmp_path):
        pass
    assert raised.value.exit_code == 78
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_places_of_configurations_may_be_there_first(tmp_path: Path) -> None:
    with taken(tmp_path / "own-0123456789ab"):
        pass
    with taken(tmp_path):
        pass
    with taken(tmp_path):
        pass


def test_a_folder_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StartError, match="belongs to another user"), taken(tmp_path):
        pass


def test_nothing_is_emptied_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    folder = tmp_path / "dev"
    folder.mkdir()
    (folder / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StartError, match="cannot be used"), taken(folder):
        pass
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_full_disk_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with taken(tmp_path) as folder:
        folder.begin_log()
        monkeypatch.setattr(folders, "LEAST_ROOM", 2**62)
        with pytest.raises(StartError, match="no room left on its disk"):
            folder.begin_log()


def test_links_that_lead_nowhere_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StartError, match="its links lead nowhere"):
        place({"HOME": "/"}, tmp_path / "loop" / "config.yaml")


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1%lo]:8000/",
        "http://evil.example\\@127.0.0.1/",
        "http://127.0.0.1\\@evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://evil.example#@127.0.0.1/",
        "http://127.0.0.1\n/",
        "http://2130706433/",
        "http://localhost.evil.example/",
        "http://0.0.0.0/",
        "",
    ],
)
def test_an_address_that_anybody_could_read_otherwise_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="--bot: must be an address on this machine"):
        of_program(url, {})


def _with_input(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    """Let standard input be this, in pieces."""
    pieces = [raw[at : at + 60_000] for at in range(0, len(raw), 60_000)]
    monkeypatch.setattr(os, "read", lambda *_: pieces.pop(0) if pieces else b"")


async def test_of_a_line_without_end_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    _with_input(monkeypatch, b"x" * 3_000_000 + b"\nhello\n")
    screen = Screen()
    line = await screen.piped()
    assert line is not None
    assert MOST_TEXT < len(line) < 400_000
    assert (await screen.piped(), await screen.piped()) == ("hello", None)


async def test_a_line_longer_than_a_message_is_not_said() -> None:
    async with Emulator() as emulator:
        screen = Piped("x" * (MOST_TEXT + 1), "never said")
        assert await Terminal(emulator, screen, within_s=1).talk() == 1
        assert screen.shown == ["This is longer than a message may be (65536 characters)."]
        assert not list(emulator.world.all_messages())


def test_a_screen_without_streams_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with Screen() as screen:
        assert not screen.is_interactive
        screen.bot("hello")
        screen.note("hello")


def test_a_reader_who_has_gone_is_not_written_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        screen = Screen()
        screen.bot("hello")
        screen.bot("hello")  # closing the stream would raise if it still held something


async def test_a_daemon_that_hangs_does_not_outlive_us_either(tmp_path: Path) -> None:
    """And neither process may leave its memory in a core file."""
    async with Dev(tmp_path, "--no-browser") as dev:
        await dev.is_up()
        pid = (await dev.daemon())["pid"]
        assert resource.prlimit(pid, resource.RLIMIT_CORE)[0] == 0
        os.kill(pid, signal.SIGSTOP)
        dev.signal(signal.SIGKILL)
        await dev.ended()
        await until(lambda: not is_running(pid))
