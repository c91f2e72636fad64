"""What each command ends with: a daemon runs, has stopped, was never there, does not answer."""

import asyncio
import json
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openparallax.cli import control, main
from openparallax.errors import Refusal
from openparallax.storage.lock import Lock
from tests.fakes.behaviours import error
from tests.fakes.engines import FakeEngine
from tests.town import ANN, BOB, Town

STRANGER = "49111222333"


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin)


class Office:
    """Runs commands beside a town, whose loop goes on meanwhile."""

    def __init__(self, town: Town) -> None:
        self.config = str(town.folder / "config.yaml")
        self.folder = town.folder

    async def run(self, line: str, *more: str, stdin: bytes = b"") -> Result:
        words = [*line.split(), *more, "-c", self.config]
        return await asyncio.to_thread(run, *words, stdin=stdin)

    async def fares(self, table: Mapping[str, int]) -> dict[str, int]:
        return {line: (await self.run(line)).exit_code for line in table}


async def populate(town: Town) -> Office:
    await town.say(ANN, "hello")
    await town.say(BOB, "hi")
    await town.hears(ANN, 1)
    await town.hears(BOB, 1)
    await town.quiet()
    return Office(town)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


async def test_a_daemon_runs(town: Town) -> None:
    office = await populate(town)
    (town.folder / "there.db").touch()
    table = {
        "status": 0,
        "status --json": 0,
        "sessions list": 0,
        "sessions list --json": 0,
        "status --watch --json": 2,
        "tail --no-follow": 0,
        f"tail --no-follow --json --who {ANN}": 0,
        f"tail --no-follow --messages --who {STRANGER}": 0,
        "tail --no-follow --chat 99": 1,
        "tail --messages --json": 2,
        f"tail --who {ANN} --chat 1": 2,
        "tail -n 99999": 2,
        f"why {ANN}": 0,
        f"why +{BOB} --json": 0,
        f"why {STRANGER}": 1,
        "why chat=1": 0,
        "why chat=99": 1,
        "why turn=999999": 1,
        "why 999999": 1,
        "why parcel=1": 0,
        "why somebody": 2,
        "why 4915100000009": 1,
        "why": 2,
        f"why {ANN} -n 0": 2,
        "sessions list --open": 0,
        "sessions list --account 999": 0,
        f"sessions show {ANN}": 0,
        f"sessions show {STRANGER}": 1,
        "sessions show": 2,
        f"sessions show {ANN} --chat 1": 2,
        "sessions show --chat 99": 1,
        f"send --to {ANN} hello": 0,
        f"send --to {ANN} hello --json": 0,
        f"send --to {STRANGER} hello": 1,
        "send --to 12 hello": 2,
        f"send --to {ANN} hello --account 999": 2,
        f"send --to {ANN} hello --wait 6000": 2,
        "backup new.db": 0,
        "backup there.db": 1,
        "backup there.db --force": 0,
        "backup no/such/folder.db": 1,
        "restore new.db --yes": 75,
        "sessions forget --chat 2": 2,
        "sessions forget --chat 99 --yes": 1,
        "sessions forget --chat 2 --yes": 0,
    }
    assert await office.fares(table) == table
    assert (await office.run(f"send --to {ANN}", " \n")).exit_code == 2
    assert not list(town.folder.glob("*.part"))


async def test_a_daemon_has_stopped(town: Town) -> None:
    office = await populate(town)
    await town.stop()
    table = {
        "status": 69,
        "status --json": 69,
        "sessions list": 0,
        f"sessions show {ANN} --words": 0,
        f"sessions show {STRANGER}": 1,
        f"why {ANN}": 0,
        f"why {STRANGER} --json": 1,
        "why turn=999999": 1,
        "tail --no-follow": 69,
        "tail": 69,
        f"send --to {ANN} hello": 69,
        "backup new.db": 0,
        "backup new.db ": 1,
        "sessions forget --chat 99 --yes": 1,
        "sessions forget --chat 2 --yes": 0,
        "restore new.db": 2,
        "restore config.yaml --yes": 1,
        "restore gone.db --yes": 1,
        "restore new.db --yes": 0,
        "sessions show --chat 2": 0,
    }
    assert await office.fares(table) == table
    said = await office.run("status")
    assert "the daemon is not running" in said.stderr
    assert "openparallax.db has " in said.stderr
    lock = Lock(town.state / "openparallax.db")
    lock.take()
    try:
        busy = await office.run("sessions list")
    finally:
        lock.release()
    assert (busy.exit_code, f"process {os.getpid()} has " in busy.stderr) == (69, True)


async def test_there_was_never_any(town: Town) -> None:
    await town.stop()
    office = Office(town)
    database = town.state / "openparallax.db"
    database.unlink()
    table = {
        "status": 69,
        f"why {ANN}": 1,
        "tail": 69,
        "sessions list": 1,
        f"sessions show {ANN}": 1,
        "sessions forget --chat 1 --yes": 1,
        f"send --to {ANN} hello": 69,
        "backup new.db": 1,
        "backup -": 1,
    }
    assert await office.fares(table) == table
    assert "there is no database at" in (await office.run("sessions list")).stderr
    assert not database.exists()


def test_a_wrong_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("storage: {url: mysql://nowhere}\n")
    for line in ("status", "sessions list", "send --to 1 x", "backup x.db", "sessions show 1"):
        result = run(*line.split(), "-c", str(file))
        assert (result.exit_code, "storage.url" in result.stderr) == (78, True), line


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_OPENPARALLAX_COMPLETE" in result.stdout


def test_completion_completes(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(run("completion", "bash").stdout)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0  # noqa: S603, S607
    done = subprocess.run(
        [sys.executable, "-c", "from openparallax.cli import main; main(prog_name='openparallax')"],
        env={
            **os.environ,
            "_OPENPARALLAX_COMPLETE": "bash_complete",
            "COMP_WORDS": "openparallax sessions ",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,list", "plain,show", "plain,forget"]


# -- what becomes of a send ------------------------------------------------------------------------


async def test_send_says_what_became_of_it(town: Town) -> None:
    office = await populate(town)
    done = await office.run(f"send --to {ANN} -", stdin=b"von Hand\r\nzwei\n")
    assert (done.exit_code, done.stdout) == (0, "Accepted by Meta.\n")
    assert town.heard(ANN)[-1] == "von Hand\nzwei"
    town.graph.queue(error(131026))
    failed = await office.run(f"send --to {ANN} hello")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "not sent (code 131026): undeliverable" in failed.stderr
    hangs = town.graph.hang(accepts=True)
    town.graph.queue(hangs)
    waits = await office.run(f"send --to {ANN} hello --wait 0")
    assert (waits.exit_code, "waits to be sent" in waits.stderr) == (75, True)
    town.graph.release()
    for bad, why in ((b"\xff", "not UTF-8"), (b"x" * 80_001, "longer than 80000 bytes")):
        refused = await office.run(f"send --to {ANN} -", stdin=bad)
        assert (refused.exit_code, why in refused.stderr) == (2, True)


# -- what is printed -------------------------------------------------------------------------------


async def test_json_is_one_document_with_times_for_people(town: Town) -> None:
    office = await populate(town)
    for line, key in (
        ("sessions list --json", "chats"),
        (f"sessions show {ANN} --words --json", "chats"),
        ("status --json", "accounts"),
        ("sessions forget --chat 2 --yes --json", "turns"),
    ):
        assert key in json.loads((await office.run(line)).stdout)
    chat, _ = json.loads((await office.run("sessions list --json")).stdout)["chats"]
    assert chat["last_at_iso"].endswith("Z")
    await town.stop()
    status = json.loads((await office.run("status --json")).stdout)
    assert (status["state"], status["ready"]) == ("not running", False)


async def test_words_only_if_asked_for_and_never_raw(town: Town) -> None:
    await town.say(ANN, "hello\x1b[2J\u202eyou\nthere", name="Ann\x1b]0;x\x07")
    await town.hears(ANN, 1)
    await town.quiet()
    office = Office(town)
    without = (await office.run(f"sessions show {ANN}")).output
    assert "there" not in without
    shown = (await office.run(f"sessions show {ANN} --words")).output
    assert "hello\\x1b[2J\\u202eyou\n    there" in shown
    for text in (without, shown, (await office.run("sessions list")).output):
        assert "Ann\\x1b]0;x\\x07" in text
        assert "\x1b" not in text


async def test_lists_have_pages(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    office = await populate(town)
    monkeypatch.setattr("openparallax.cli.sessions._PAGE", 1)
    lines = (await office.run("sessions list")).stdout.splitlines()
    assert [line.split("\t")[1] for line in lines] == [f"+{ANN}", f"+{BOB}"]


async def test_on_a_terminal(town: Town, engine: FakeEngine) -> None:
    office = await populate(town)
    shown = await asyncio.to_thread(on_terminal, office, "sessions list")
    assert "\x1b[1mCHAT  CONTACT" in shown
    assert all(len(line) <= 80 + len("\x1b[1m\x1b[0m") for line in shown.splitlines())
    await town.say(BOB, "hello", name="日本 🐤")
    await town.quiet()
    kept = await asyncio.to_thread(
        on_terminal, office, "sessions forget --chat 2", says="n\n", PYTHONIOENCODING="latin-1"
    )
    assert "\\u65e5" in kept
    assert "Remove all their words for good?" in kept
    assert "nothing was removed" in kept
    gone = await asyncio.to_thread(on_terminal, office, "sessions forget --chat 2", says="y\n")
    assert "Forgotten: the words of 2 turns in 1 chat;" in gone


async def test_colours_are_for_those_who_want_them(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["status", "-c", Office(town).config]
    for wish, is_coloured in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", wish)
        shown = await asyncio.to_thread(CliRunner().invoke, main, words, color=True)
        assert (shown.exit_code, "\x1b" in shown.stdout) == (0, is_coloured)


def on_terminal(office: Office, line: str, says: str = "", **environment: str) -> str:
    """Everything that a terminal of 80 columns shows."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "openparallax", *line.split(), "-c", office.config]
    clean = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    with subprocess.Popen(  # noqa: S603 - our own command
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**clean, "COLUMNS": "80", "TERM": "xterm", **environment},
    ):
        os.close(theirs)
        os.write(ours, says.encode())
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:
            pass  # the other end is closed
    os.close(ours)
    return shown.decode()


# -- a daemon that does not answer -----------------------------------------------------------------


@contextmanager
def answering(folder: Path, answer: bytes | None) -> Iterator[Path]:
    """A socket that answers everything with the same bytes and hangs up; None: never."""
    path = folder / ("deep" * 50) / "control.sock"
    path.parent.mkdir()
    listener = socket.socket(socket.AF_UNIX)
    folder_fd = os.open(path.parent, os.O_PATH)
    listener.bind(f"/proc/self/fd/{folder_fd}/{path.name}")
    os.close(folder_fd)
    listener.listen()
    held: list[socket.socket] = []

    def serve() -> None:
        try:
            while True:
                peer, _ = listener.accept()
                held.append(peer)
                asked = b""
                while not asked.endswith(b"{}"):
                    asked += peer.recv(65536)
                if answer is not None:
                    peer.sendall(answer)
                    peer.close()
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield path
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for peer in held:
            peer.close()


def http_answer(status: str, body: bytes, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "exit_code", "says"),
    [
        (None, 75, "did not answer within"),
        (b"", 69, "broke off"),
        (b"what?\r\n\r\n", 69, "broke off"),
        (http_answer("200 OK", b"{"), 69, "broke off"),
        (http_answer("403 Forbidden", b"no"), 69, "its own user"),
        (http_answer("500 Oh", b"no"), 69, "HTTP status 500"),
        (http_answer("409 Conflict", b'{"error": "not today", "exit_code": 1}'), 1, "not today"),
        (http_answer("503 No", b'{"error": "disk", "exit_code": 75}'), 75, "disk"),
    ],
)
def test_what_the_socket_answers(
    tmp_path: Path, answer: bytes | None, exit_code: int, says: str
) -> None:
    with answering(tmp_path, answer) as path:
        with pytest.raises(Refusal, match=says) as refused:
            control.ask(path, "status", {}, answer_s=0.2 if answer is None else 10)
        assert refused.value.exit_code == exit_code


def test_a_socket_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="does not answer") as refused:
        control.ask(tmp_path / "control.sock", "status", {})
    assert refused.value.exit_code == 69


def test_a_socket_that_is_somebody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_self: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(control._ToSocket, "connect", connect)
    with pytest.raises(Refusal, match="as the user whose daemon it is, or as root") as refused:
        control.ask(tmp_path / "control.sock", "status", {})
    assert refused.value.exit_code == 69


async def test_a_full_disk_is_said_in_words(town: Town) -> None:
    office = await populate(town)
    (town.folder / "full.db.part").symlink_to("/dev/full")  # what is left behind is replaced
    assert (await office.run("backup full.db")).exit_code == 0
    result = await asyncio.to_thread(_to_full_device, office.config)
    assert (result.returncode, "internal error" in result.stderr) == (75, False)
    assert "No space left" in result.stderr


def _to_full_device(config: str) -> "subprocess.CompletedProcess[str]":
    with Path("/dev/full").open("wb") as full:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "openparallax", "backup", "-", "-c", config],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


@pytest.mark.parametrize(
    ("answer", "exit_code", "says"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nhalf", 69, "broke off"),
        (http_answer("200 OK", b"no database" * 1000), 1, "is no database, or is damaged"),
    ],
)
def test_half_a_backup_or_none_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, exit_code: int, says: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"storage: {{url: 'sqlite:///{tmp_path}/x.db'}}\n")
    target = tmp_path / "copy.db"
    target.write_text("the old one")
    with answering(tmp_path, answer) as path:
        monkeypatch.setattr(control, "daemon_of", lambda _database: path)
        result = run("backup", str(target), "--force", "-c", str(config))
    assert (result.exit_code, says in result.stderr) == (exit_code, True)
    assert target.read_text() == "the old one"
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_is_no_place_to_write_a_backup_over(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"storage: {{url: 'sqlite:///{tmp_path}/x.db'}}\n")
    result = run("backup", str(tmp_path), "-c", str(config))
    assert (result.exit_code, "is a folder" in result.stderr) == (1, True)
    assert "--force" not in result.stderr


@pytest.mark.parametrize("words", [("check", "config.yaml"), ("sessions", "show", "+49", "151")])
def test_what_is_too_much_on_the_command_line_is_explained(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "A configuration is named with -c FILE, and what has spaces" in result.stderr
