"""``openparallax dev`` on the command line: what is refused, and how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openparallax.app.dev.outside import OF_PROGRAM
from openparallax.app.dev.ports import any_port
from openparallax.app.dev.run import Options
from openparallax.cli import main

SCENARIO = """\
scenario: A promise that echo does not keep
within: 0.3
steps:
  - ann: hello
  - ann hears: goodbye
"""


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ANTHROPIC_API_KEY", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def dev(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["dev", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-c", "x.yaml", "--bot", "http://localhost:1"], "choose one"),
        (["-c", "x.yaml", "--engine", "echo"], "--engine does not go with -c: the file says it"),
        (["-c", "x.yaml", "--webhook-port", "9"], "--webhook-port does not go with -c"),
        (["--bot", "http://localhost:1", "--admin-port", "9"], "does not go with --bot"),
        (["--bot", "http://localhost:1", "--fresh"], "--fresh does not go with --bot"),
        (["--scenario", "x.yaml", "--terminal"], "--terminal does not go with --scenario"),
        (["--port", "0"], "--port"),
        (["hello"], "unexpected extra argument"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], said: str) -> None:
    result = dev(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_wrong_configuration_is_told_with_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("log: {level: loud}\ncolour: red\n")
    result = dev("-c", str(file))
    assert result.exit_code == 78
    assert f"{file}:1: log.level: must be debug, info, warning or error" in result.stderr
    assert f"{file}:2: colour: is not a setting" in result.stderr


def test_an_engine_that_cannot_be_had(tmp_path: Path) -> None:
    unknown, keyless = dev("--engine", "eco"), dev("--engine", "anthropic")
    assert (unknown.exit_code, keyless.exit_code) == (78, 78)
    assert "engine.type: names no engine that is installed; did you mean echo?" in unknown.stderr
    assert "ANTHROPIC_API_KEY" in keyless.stderr


def test_a_program_elsewhere(tmp_path: Path) -> None:
    result = dev("--bot", "http://example.org/")
    assert (result.exit_code, result.stdout) == (78, "")
    assert "on this machine" in result.stderr


def test_a_scenario_whose_promise_is_not_kept_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "promise.yaml"
    script.write_text(SCENARIO)
    state = tmp_path / "tmp"
    state.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(state))
    result = dev("--scenario", str(script), "--verbose")
    assert result.exit_code == 1, result.output
    assert "goodbye" in result.output
    assert "turn_done" in result.output.partition("NOT as the script says")[2]  # the daemon's log
    assert list(state.iterdir()) == []
    assert not (tmp_path / ".local").exists()


def test_a_scenario_that_cannot_be_read_is_not_played(tmp_path: Path) -> None:
    script = tmp_path / "odd.yaml"
    script.write_text("steps: [{juggle: 3}]\n")
    result = dev("--scenario", str(script))
    assert result.exit_code == 78
    assert str(script) in result.stderr
    gone = dev("--scenario", str(tmp_path / "gone.yaml"))
    assert gone.exit_code == 78


def test_a_scenario_for_a_program_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must be up, and what both must know cannot be made for it."""
    script = tmp_path / "promise.yaml"
    script.write_text(SCENARIO)
    port, free = any_port(), any_port()
    asked = ("--scenario", str(script), "--bot", f"http://127.0.0.1:{free}/", "--port", str(port))
    for name in OF_PROGRAM:
        monkeypatch.delenv(name, raising=False)
    result = dev(*asked)
    assert (result.exit_code, result.stdout) == (78, "")
    assert f"set {', '.join(OF_PROGRAM)} to what the program has" in result.stderr
    for name in OF_PROGRAM:
        monkeypatch.setenv(name, "x")
    result = dev(*asked)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"start the program first, with http://127.0.0.1:{port} as Graph" in result.stderr


def test_an_interrupt_while_everything_is_read_is_no_traceback() -> None:
    code = (
        "import sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'openparallax.cli.entry': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "import openparallax.cli"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (130, "")


def test_help_of_others_does_not_wait_for_it() -> None:
    code = (
        "import sys; from openparallax.cli import main;"
        "print([m for m in sys.modules if m.startswith(('aiohttp', 'openparallax.emulator'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"


def test_options_have_the_names_that_the_command_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Options] = []

    async def run(options: Options, _show: object) -> int:
        asked.append(options)
        return 0

    monkeypatch.setattr("openparallax.app.dev.run.run", run)
    assert dev().exit_code == 0
    flags = ["--fresh", "--no-browser", "--terminal", "--verbose"]
    assert dev("--engine", "echo", *flags).exit_code == 0
    assert dev("--port", "1", "--webhook-port", "2", "--admin-port", "3").exit_code == 0
    assert asked == [
        Options(),
        Options(engine="echo", fresh=True, browser=False, terminal=True, verbose=True),
        Options(port=1, webhook_port=2, admin_port=3),
    ]
