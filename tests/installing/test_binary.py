"""The one-file program where nothing else is: no Python, no shell, a C library and zlib."""

import os
import pty
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import click
import pytest

from openparallax import __version__
from openparallax.cli import main
from tests.app.ports import free_port
from tests.architecture.source import ROOT
from tests.installing.conftest import recent
from tests.installing.empty import EmptyRoot, Running
from tests.installing.talk import PATIENCE_S, a_page_is_served, answers, ports_of_dev, until

PLUGIN = """
import colorsys, wsgiref.util  # which this program itself needs for nothing
from openparallax.engines.echo import Echo
from openparallax.plugin import Reply
class Loud(Echo):
    async def answer(self, turn): return Reply("LOUD")
"""
CONFIG = """\
channels:
  whatsapp:
    phone_number_id: "1234567890123456"
    verify_token: "a-token"
    access_token: "another-token"
    app_secret: "a-secret"
    allowed_numbers: ["+1234567890"]
engine: {type: loud}
"""


def paths(command: click.Command, *above: str) -> list[list[str]]:
    """Every command, as the words that call it."""
    found = [list(above)]
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            found += paths(one, *above, name)
    return found


def test_there_is_nothing_else_in_the_root(empty: EmptyRoot) -> None:
    files = [one.relative_to(empty.folder) for one in empty.folder.rglob("*") if one.is_file()]
    programs = [str(one) for one in files if os.access(empty.folder / one, os.X_OK)]
    others = [one for one in programs if not re.search(r"/(lib|ld-)[^/]*\.so", "/" + one)]
    assert others == ["usr/bin/openparallax"]
    assert not [one for one in files if "python" in one.name]


def test_dev_answers_in_the_terminal(empty: EmptyRoot) -> None:
    done = empty.run("dev", "--terminal", *ports_of_dev(), said="good morning\n/status\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "good morning" in done.stdout
    assert list((empty.folder / "tmp").iterdir()) == []


def test_dev_serves_its_page_and_ends_with_whoever_started_it(
    empty: EmptyRoot, tmp_path: Path
) -> None:
    page, webhook, admin = free_port(), free_port(), free_port()
    ports = ["--port", page, "--webhook-port", webhook, "--admin-port", admin]
    with Running(
        empty.argv("dev", "--no-browser", *map(str, ports)), empty.environment, tmp_path / "log"
    ) as dev:
        until(lambda: answers(f"http://127.0.0.1:{page}/"), dev)
        a_page_is_served(f"http://127.0.0.1:{page}/")
        until(lambda: answers(f"http://127.0.0.1:{webhook}/healthz"), dev)
        until(lambda: answers(f"http://127.0.0.1:{admin}/metrics"), dev)
        [unpacked] = (empty.folder / "tmp").glob("_MEI*")  # the daemon uses it too
    until(lambda: not answers(f"http://127.0.0.1:{webhook}/healthz"), None)
    # What a power cut left is cleared away by the next start, once it cannot be one just begun.
    empty.run("--version")
    assert unpacked.exists()
    os.utime(unpacked, (1000, 1000))

    def is_cleared_away() -> bool:
        empty.run("--version")
        return not unpacked.exists()

    until(is_cleared_away, None)  # once all that were killed have let go of it


def test_every_command_is_in_it(empty: EmptyRoot) -> None:
    asked = paths(main)
    assert len(asked) > 12

    def ask(words: list[str]) -> tuple[int, str, str]:
        done = empty.run(*words, "--help")
        return done.returncode, done.stdout.split("\n", 1)[0], done.stderr

    with ThreadPoolExecutor(4) as several:
        said = list(several.map(ask, asked))
    usage = [f"Usage: {' '.join(['openparallax', *words])} " for words in asked]
    wrong = [
        (words, told)
        for words, told, begins in zip(asked, said, usage, strict=True)
        if told[0] != 0 or not told[1].startswith(begins) or told[2]
    ]
    assert wrong == []


def test_commands_do_what_they_do(empty: EmptyRoot) -> None:
    """What each takes with it: metadata, the schema of the database, pages, texts."""
    version = empty.run("--version").stdout
    assert version in {f"openparallax {__version__} (commit {one[:12]})\n" for one in recent()}
    schema = empty.run("schema")
    assert '"anthropic"' in schema.stdout, schema.stderr
    assert '"time_limit"' in schema.stdout
    for shell in ("bash", "zsh", "fish"):
        assert "_OPENPARALLAX_COMPLETE" in empty.run("completion", shell).stdout
    assert ".SH EXIT STATUS" in empty.run("man").stdout
    assert "Caddyfile" in empty.run("example").stdout
    text = CONFIG.replace("loud", "echo") + "tracing: {enabled: true}\n"  # the extra is in it
    (empty.folder / "home/config.yaml").write_text(text)
    config = ["-c", "/home/config.yaml"]
    checked = empty.run("check", *config)
    assert (checked.returncode, "in order" in checked.stdout) == (0, True), checked.stderr
    assert empty.run("status", *config).returncode == 69
    assert empty.run("healthcheck", *config).returncode == 1
    assert empty.run("backup", "/home/x.db", *config).returncode == 1  # there is no database yet


def test_a_daemon_is_served_asked_and_stopped(empty: EmptyRoot, tmp_path: Path) -> None:
    """Its signals, its socket, its file; and a kill of what was started kills all of it."""
    webhook, admin = free_port(), free_port()
    text = CONFIG.replace("loud", "echo") + "tracing: {enabled: true}\n"
    text += f"admin: {{port: {admin}}}\n"
    text = text.replace("    verify", f"    webhook_port: {webhook}\n    verify")
    (empty.folder / "home/config.yaml").write_text(text)
    config = ["-c", "/home/config.yaml"]
    with Running(empty.argv("serve", *config), empty.environment, tmp_path / "log") as serve:
        until(lambda: answers(f"http://127.0.0.1:{webhook}/healthz"), serve)
        assert empty.run("healthcheck", *config).returncode == 0
        assert '"state": "running"' in empty.run("status", "--json", *config).stdout
        assert empty.run("sessions", "list", *config).returncode == 0
        assert empty.run("backup", "/home/x.db", *config).returncode == 0
        [first, second] = _processes_of(serve.process.pid)
        os.kill(first, signal.SIGTERM)
        assert serve.process.wait(PATIENCE_S) == 0
        assert serve.said.count("signal_received") == 1, serve.said
    assert empty.run("restore", "/home/x.db", "--yes", *config).returncode == 0
    assert empty.run("migrate", *config).returncode == 0
    with Running(empty.argv("serve", *config), empty.environment, tmp_path / "log") as serve:
        until(lambda: answers(f"http://127.0.0.1:{webhook}/healthz"), serve)
        [first, second] = _processes_of(serve.process.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{second}").exists(), None)


def _processes_of(enter: int) -> list[int]:
    """Of the program that `unshare` runs: what unpacks it, and the daemon itself."""
    found: list[int] = []
    above = enter
    while below := Path(f"/proc/{above}/task/{above}/children").read_text().split():
        above = int(below[0])
        if "openparallax" in str(Path(f"/proc/{above}/exe").readlink()):
            found.append(above)
    return found


def test_a_plugin_in_a_folder(empty: EmptyRoot) -> None:
    """As ``pip install --target`` leaves it; and it has what the standard library has."""
    folder = empty.folder / "home/plugins"
    (folder / "loud-1.0.dist-info").mkdir(parents=True)
    (folder / "loud.py").write_text(PLUGIN)
    (folder / "loud-1.0.dist-info/METADATA").write_text("Name: loud\nVersion: 1.0\n")
    (folder / "loud-1.0.dist-info/entry_points.txt").write_text(
        "[openparallax.engines]\nloud = loud:Loud\n"
    )
    (empty.folder / "home/config.yaml").write_text(CONFIG)
    asked = ["check", "-c", "/home/config.yaml"]
    found = empty.run(*asked, OPENPARALLAX_PLUGINS="/home/none:/home/plugins")
    assert (found.returncode, found.stderr) == (0, "")
    assert empty.run(*asked).returncode == 78
    talked = empty.run(
        "dev",
        "--terminal",
        "--engine",
        "loud",
        *ports_of_dev(),
        said="hush\n",
        OPENPARALLAX_PLUGINS="/home/plugins",
    )
    assert (talked.returncode, "LOUD" in talked.stdout) == (0, True), talked.stderr


def test_what_it_starts_loads_its_own_libraries(binary: Path, tmp_path: Path) -> None:
    """A browser here; an alert's command would do the same. It prints what it was told."""
    told = tmp_path / "told"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nenv >"{told}.new"\nmv "{told}.new" "{told}"\n')
    browser.chmod(0o755)
    page, webhook, admin = free_port(), free_port(), free_port()
    ports = ["--port", page, "--webhook-port", webhook, "--admin-port", admin]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "BROWSER": str(browser)}
    with Running(
        [str(binary), "dev", *map(str, ports)],
        {**environment, "LD_LIBRARY_PATH": "/nowhere"},
        tmp_path / "log",
    ) as dev:
        until(told.exists, dev)
        os.kill(dev.process.pid, signal.SIGTERM)
        dev.process.wait(PATIENCE_S)
    said = told.read_text().splitlines()
    assert "LD_LIBRARY_PATH=/nowhere" in said
    assert not [line for line in said if line.startswith("_PYI_")]


def test_ctrl_c_at_a_prompt_arrives_once(binary: Path, tmp_path: Path) -> None:
    """Of two, the second would cut off how it ends: it was killed by the signal then, at times."""
    for _ in range(5):
        reader, terminal = pty.openpty()
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        asking = subprocess.Popen(  # noqa: S603 - ours
            ["setsid", "--ctty", "--wait", binary, "init", "--offline", "-c", "x.yaml"],  # noqa: S607
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment,
            cwd=tmp_path,
        )
        os.close(terminal)
        said = b""
        while b"App ID" not in said:
            said += os.read(reader, 4096)
        os.write(reader, b"\x03")
        with suppress(OSError):  # its other end is closed
            while more := os.read(reader, 4096):
                said += more
        os.close(reader)
        assert asking.wait(60) == 130, said
        assert said.count(b"Nothing was written.") == 1


def test_how_large_and_how_quick(binary: Path, installed: Path, say: Callable[[str], None]) -> None:
    package = sum(
        one.stat().st_size
        for one in installed.parent.parent.joinpath("lib").rglob("*")
        if one.is_file() and "pip" not in one.parts and "setuptools" not in one.parts
    )
    megabytes = binary.stat().st_size / 1e6
    ours, venvs = (_start(one) for one in (binary, installed))
    say(
        f"one file: {megabytes:.1f} MB (in an environment {package / 1e6:.1f} MB, without Python);"
        f" --version {ours:.2f} s, {ours / venvs:.1f} times that of an environment ({venvs:.2f} s)"
    )
    assert megabytes < 40


def _start(program: Path) -> float:
    """Seconds of a start, the middle one of five, after one for the machine's caches."""
    took = []
    for _ in range(6):
        began = time.perf_counter()
        subprocess.run([program, "--version"], check=True, capture_output=True)  # noqa: S603
        took.append(time.perf_counter() - began)
    return statistics.median(took[1:])


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
def test_the_script_says_what_it_lacks(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - ours
        [ROOT / "scripts/build-binary", "--nonsense"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "usage" in done.stderr) == (2, True)
