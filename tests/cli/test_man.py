"""``man``, ``healthcheck`` and ``completion``: what packages and probes use."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from openparallax.cli import control, main
from openparallax.cli.man import _escaped
from openparallax.errors import Refusal
from tests.architecture.source import ROOT

COMPLETE = """
source <("$1" completion bash)
COMP_WORDS=(openparallax "${@:2}")
COMP_CWORD=$(($# - 1))
_openparallax_completion openparallax
printf '%s\n' "${COMPREPLY[@]}"
"""


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture(scope="module")
def page() -> str:
    return run("man")


def commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            found += commands(one, f"{path} {name}")
    return found


def test_every_command_and_option_is_in_the_manual(page: str) -> None:
    text = page.replace(r"\-", "-")
    for path, command in commands(main, "openparallax"):
        if isinstance(command, click.Group):
            continue
        [told] = re.findall(rf"^\.SS {path}\n(.*?)(?=^\.S[SH] )", text, re.MULTILINE | re.DOTALL)
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert max(option.opts, key=len) in told, path
    assert "SSLKEYLOG" not in text
    for name in ("NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SIGNALS"):
        assert f"\n.SH {name}\n" in text


def test_it_is_roff_without_a_fault(page: str, tmp_path: Path) -> None:
    if shutil.which("groff") is None:  # what can be seen without it
        assert not re.search(r"^['.](?!\\\"|[A-Z]{2}|TP|PP|fi|nf|[BI] )", page, re.MULTILINE)
        return
    file = tmp_path / "openparallax.1"
    file.write_text(page)
    argv = ["groff", "-ww", "-man", "-Tutf8", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
    assert "openparallax migrate" in re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout)


@pytest.mark.parametrize(
    ("text", "written"),
    [(".x", r"\&.x"), (r"a\n", r"a\en"), ("'-c'", r"\(aq\-c\(aq"), ("~^", r"\(ti\(ha")],
)
def test_no_text_is_taken_for_a_request(text: str, written: str) -> None:
    assert _escaped(text) == written


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["mig"], "plain,migrate"),
        (["migrate", "--dr"], "plain,--dry-run"),
        (["sessions", "sh"], "plain,show"),
        (["completion", ""], "plain,fish"),
        (["check", "-c", ""], "file,"),
    ],
)
def test_what_a_shell_is_offered(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], offered: str
) -> None:
    """What the printed function calls, and is answered."""
    monkeypatch.setenv("COMP_WORDS", " ".join(["openparallax", *typed]))
    monkeypatch.setenv("COMP_CWORD", str(len(typed)))
    monkeypatch.setenv("_OPENPARALLAX_COMPLETE", "bash_complete")
    result = CliRunner().invoke(main, [], prog_name="openparallax")
    assert offered in result.output.splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(tmp_path: Path) -> None:
    """The function that is printed, in a bash that calls it as it does for a Tab."""
    command = tmp_path / "openparallax"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m openparallax "$@"\n')
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    command.chmod(0o755)
    done = subprocess.run(  # noqa: S603
        ["bash", "-c", COMPLETE, "bash", "openparallax", "migrate", "--dr"],  # noqa: S607
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "--dry-run\n", done.stderr


@pytest.mark.parametrize(
    ("ready", "asked", "code", "said"),
    [
        (True, [], 0, "alive and ready"),
        (True, ["--ready"], 0, "alive and ready"),
        (False, [], 0, "alive, not ready: \\x1b[2J"),
        (False, ["--ready"], 1, "alive, not ready: \\x1b[2J"),
        (None, [], 1, "not running"),
    ],
)
def test_a_probe_is_told_0_or_1(
    monkeypatch: pytest.MonkeyPatch, asked: list[str], code: int, said: str, *, ready: bool | None
) -> None:
    def ask(*_: object, **__: object) -> dict[str, object]:
        return {"ready": ready, "reasons": [] if ready else ["\x1b[2J"]}

    def running(*_: object) -> Path:
        if ready is None:
            raise Refusal("the daemon is not running", exit_code=69)
        return Path("socket")

    monkeypatch.setattr(control, "database_of", lambda _: Path("x.db"))
    monkeypatch.setattr(control, "running_daemon", running)
    monkeypatch.setattr(control, "ask", ask)
    result = CliRunner().invoke(main, ["healthcheck", *asked])
    assert (result.exit_code, said in result.output) == (code, True)
