"""Commands as a person meets them: words, and exit codes."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from openparallax import __version__
from openparallax.cli import main
from openparallax.errors import ConfigError, NotStored, StartError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openparallax.app.keyring import Reread
    from openparallax.config import Settings

ECHO = """\
channels:
  whatsapp:
    phone_number_id: "1234567890123456"
    verify_token: "my-secret-verify-token"
    allowed_numbers: ["+1234567890"]
engine: {type: echo}
"""
ENVIRONMENT = {"WHATSAPP_ACCESS_TOKEN": "token", "WHATSAPP_APP_SECRET": "app-secret"}
WRONG = ECHO + "log: {level: loud}\ncolour: red\n"


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENPARALLAX_CONFIG", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(ECHO)
    return path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def _daemon(monkeypatch: pytest.MonkeyPatch, run: "Callable[[Settings, Reread], int]") -> None:
    daemon = ModuleType("openparallax.app.daemon")
    vars(daemon)["run"] = run
    monkeypatch.setitem(sys.modules, "openparallax.app.daemon", daemon)
    monkeypatch.setattr("openparallax.app.daemon", daemon, raising=False)


def test_check_says_that_a_file_is_in_order(file: Path) -> None:
    result = _run("check", "-c", str(file))

    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{file} is in order\n", "")


def test_check_prints_warnings(file: Path) -> None:
    file.write_text(ECHO.replace('["+1234567890"]', "[]"))

    result = _run("check", "--config", str(file))

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{file} is in order"
    assert f"{file}: warning: channels.whatsapp.allowed_numbers is empty" in result.stdout


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_wrong_file_ends_with_78_and_every_problem(file: Path, command: str) -> None:
    file.write_text(WRONG)

    result = _run(command, "-c", str(file))

    assert result.exit_code == 78
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{file}:7: log.level: must be debug, info, warning or error",
        f"{file}:8: colour: is not a setting",
    ]


def test_the_names_of_notices_are_known(file: Path) -> None:
    file.write_text(ECHO + "notices: {only_text: Nur Text., only_txt: x}\n")

    result = _run("check", "-c", str(file))

    assert result.exit_code == 78
    [problem] = result.stderr.splitlines()
    assert "notices.only_txt: is not the name of a notice; did you mean only_text?" in problem


def test_the_engine_without_a_key_names_both_ways_out(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    file.write_text(ECHO.replace("engine: {type: echo}\n", ""))

    for command in ("check", "serve"):
        result = _run(command, "-c", str(file))
        assert result.exit_code == 78
        assert "ANTHROPIC_API_KEY" in result.stderr
        assert "engine: {type: echo}" in result.stderr


def test_the_file_is_looked_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPARALLAX_CONFIG", str(file))
    assert _run("check").stdout == f"{file} is in order\n"

    monkeypatch.setenv("OPENPARALLAX_CONFIG", str(file.with_name("gone.yaml")))
    gone = _run("check")
    assert (gone.exit_code, gone.stderr) == (
        78,
        f"{file.with_name('gone.yaml')}: there is no such file\n",
    )


@pytest.mark.skipif(
    Path("/etc/openparallax/config.yaml").exists(), reason="this machine has a configuration"
)
def test_no_file_anywhere(tmp_path: Path) -> None:
    result = _run("check")

    assert result.exit_code == 78
    assert "no configuration found: name one with -c FILE, or put it at one of" in result.stderr
    assert f"{tmp_path}/openparallax/config.yaml" in result.stderr


@pytest.mark.parametrize("code", [0, 3])
def test_serve_hands_the_settings_over_and_ends_as_the_daemon_does(
    file: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    served: list[Settings] = []
    file_now: list[Settings] = []

    def run(settings: "Settings", reread: "Reread") -> int:
        served.append(settings)
        file.write_text(ECHO.replace("echo", "anthropic, model: x, api_key: y"))
        file_now.append(reread(None))
        return code

    _daemon(monkeypatch, run)

    monkeypatch.setenv("SSLKEYLOGFILE", "keys.txt")

    result = _run("serve", "-c", str(file))

    assert "SSLKEYLOGFILE" not in os.environ  # it would hold what opens each connection
    assert (result.exit_code, result.output) == (code, "")
    assert [settings.engine.type for settings in served] == ["echo"]
    assert [settings.engine.type for settings in file_now] == ["anthropic"]


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (StartError("port 9443 is taken", exit_code=69), 69, "openparallax: port 9443 is taken\n"),
        (
            ConfigError(["the stage x could not be made", "two"]),
            78,
            "the stage x could not be made\ntwo\n",
        ),
        (NotStored("the disk is full"), 75, "openparallax: the disk is full; try again\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, "\n"),
    ],
)
def test_how_serve_fails(
    file: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, said: str
) -> None:
    def run(_settings: "Settings", _reread: "Reread") -> int:
        raise raised

    _daemon(monkeypatch, run)

    result = _run("serve", "-c", str(file))

    assert (result.exit_code, result.stderr, result.stdout) == (code, said, "")


def test_a_mistake_of_ours_shows_types_and_lines_and_no_words(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_settings: "Settings", _reread: "Reread") -> int:
        try:
            return int(os.environ["SESAME"])
        except KeyError as error:
            raise ExceptionGroup("sesame", [ValueError("sesame")]) from error

    _daemon(monkeypatch, run)

    result = _run("serve", "-c", str(file))

    assert result.exit_code == 70
    assert result.stderr.startswith("openparallax: internal error: ExceptionGroup (")
    assert "test_commands.py:" in result.stderr
    assert "of ValueError" in result.stderr
    assert "after KeyError" in result.stderr
    assert "sesame" not in result.stderr.lower()
    assert "Traceback" not in result.stderr


def test_usage_ends_with_2() -> None:
    assert _run("chekc").exit_code == 2
    assert _run("check", "--nonsense").exit_code == 2
    assert _run("check", "-c").exit_code == 2


def test_version() -> None:
    result = _run("--version")

    assert result.exit_code == 0
    of = rf"openparallax {re.escape(__version__)} \((commit [0-9a-f]{{12}}|unknown commit)\)\n"
    assert re.fullmatch(of, result.stdout)


def test_as_a_process(file: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "openparallax", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    good = run("check", "-c", str(file))
    file.write_text(WRONG)
    wrong = run("check", "-c", str(file))
    gone = run("serve", "-c", str(file.with_name("gone.yaml")))

    assert (good.returncode, good.stdout, good.stderr) == (0, f"{file} is in order\n", "")
    assert (wrong.returncode, wrong.stdout, len(wrong.stderr.splitlines())) == (78, "", 2)
    assert (gone.returncode, "Traceback" in gone.stderr) == (78, False)


def test_examples_in_the_help_keep_their_lines() -> None:
    said = _run("sessions", "list", "--help").stdout

    assert "\n      openparallax sessions list | cut -f2\n" in said
    assert "\\b" not in said


def commands(group: click.Group, *before: str) -> list[tuple[str, ...]]:
    """The words of each command."""
    found = []
    for name, one in group.commands.items():
        found.append((*before, name))
        if isinstance(one, click.Group):
            found += commands(one, *before, name)
    return found


@pytest.mark.parametrize("words", [(), *commands(main)], ids=" ".join)
def test_help_fits_eighty_columns_and_says_whole_sentences(words: tuple[str, ...]) -> None:
    said = _run(*words, "--help").stdout

    assert [line for line in said.splitlines() if len(line) > 80] == []
    listed = said.partition("Commands:\n")[2]
    assert "..." not in listed
    assert not listed or listed.rstrip().endswith(".")


def test_what_would_command_the_terminal_is_written_out() -> None:
    said = _run("check", "-c", "\x1b]0;yours\x07").stderr

    assert said.startswith(r"\x1b]0;yours\x07: ")


def test_help_imports_nothing_heavy() -> None:
    """In a process of its own, where nothing is imported yet."""
    script = (
        "import sys\n"
        "from openparallax.cli import main\n"
        "for line in ('--help', 'serve --help', 'send --help', '--version'):\n"
        "    try:\n"
        "        main(line.split())\n"
        "    except SystemExit as end:\n"
        "        assert not end.code, (line, end.code)\n"
        "heavy = {'aiohttp', 'anthropic', 'pydantic', 'yaml', 'structlog', 'asyncio', 'sqlite3'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )

    result = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert result.stdout.splitlines()[-1] == "heavy: []"
