"""The commands: what they ask, show and refuse, on a machine whose systemd is a double."""

import grp
import json
import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import click.testing
import pytest
from click.testing import CliRunner, Result

from openparallax.app import service as seen
from openparallax.cli import main
from openparallax.errors import Refusal
from openparallax.service import system
from openparallax.service.installing import Installation
from openparallax.service.layout import of_machine, of_user
from openparallax.service.plan import SHIPPED, Plan
from openparallax.service.reach import unreadable
from tests.service.machine import Machine

CONFIG = """\
channels: {whatsapp: {phone_number_id: "1234567890123456", webhook_port: 8443}}
engine: {type: echo}
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """It runs, and whoever asks is root."""
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", machine.path)
    monkeypatch.setattr(system, "BOOTED", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(seen, "this_program", lambda _layout: SHIPPED)
    return machine


def run(line: str, *more: str, said: str = "") -> Result:
    return CliRunner().invoke(main, ["service", *line.split(), *more], input=said)


def configure(machine: Machine) -> None:
    """As `openparallax init` leaves it."""
    machine.layout.credentials.mkdir(parents=True)
    machine.layout.config.write_text(CONFIG)
    for name in ("access_token", "app_secret", "verify_token"):
        (machine.layout.credentials / f"whatsapp_{name}").write_text("made-up")


# -- what is written ------------------------------------------------------------------------------


def test_what_is_printed_is_what_is_written(machine: Machine) -> None:
    configure(machine)
    before = machine.files()
    printed = run(f"install --print --root {machine.root}")
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert machine.files() == before
    installed = run(f"install --root {machine.root}")
    assert (installed.exit_code, installed.stderr) == (0, "")
    written = {f"{machine.root}/{name}": text for name, text in machine.files().items()}
    shown = dict(
        part.split("\n", 1) for part in f"\n{printed.stdout}".split("\n### ") if part.strip()
    )
    assert {name: f"{text}".rstrip("\n") for name, text in shown.items()} == {
        name: text.rstrip("\n")
        for name, text in written.items()
        if name.removeprefix(f"{machine.root}/") not in before
    }
    assert "ListenStream=127.0.0.1:8443" in printed.stdout
    assert f"LoadCredential=whatsapp_app_secret:{machine.layout.credentials}" in printed.stdout


def test_without_a_configuration_the_defaults_are_shown_and_nothing_is_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = run(f"install --print --root {machine.root}")
    assert printed.exit_code == 0
    assert "there is no configuration, so the defaults hold" in printed.stderr
    monkeypatch.setattr("openparallax.service.layout.of_machine", lambda _root: machine.layout)
    refused = run("install")
    assert refused.exit_code == 78
    assert "sudo openparallax init --system writes one" in refused.stderr
    assert machine.files() == {}


def test_a_wrong_configuration_installs_nothing(machine: Machine) -> None:
    configure(machine)
    machine.layout.config.write_text(CONFIG + "conversation: {drain_seconds: soon}\n")
    before = machine.files()
    refused = run(f"install --root {machine.root}")
    assert refused.exit_code == 78
    assert "conversation.drain_seconds" in refused.stderr
    assert machine.files() == before


# -- who, and with what ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["install", "uninstall", "uninstall --purge --yes"])
def test_a_machine_s_service_wants_root(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    refused = run(command)
    assert refused.exit_code == 77
    assert "needs root: sudo, or --user" in refused.stderr
    assert machine.calls() == []


@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_where_systemd_is_missing_or_does_not_run_that_is_said(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.setattr(system, "BOOTED", tmp_path / "nowhere")
    refused = run(command)
    assert refused.exit_code == 1
    assert "does not run here, as in most containers" in refused.stderr
    monkeypatch.setattr(system.System, "find", lambda _self, _program: None)
    refused = run(command)
    assert refused.exit_code == 1
    assert "there is no systemctl here" in refused.stderr
    assert machine.calls() == []


@pytest.mark.parametrize(
    "prefix", ["/srv/.cache/uv/archive-v0/abc", "/var/lib/uv/archive-v0/abc", "/x/.cache/env"]
)
def test_a_program_that_may_be_gone_tomorrow_is_refused(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setattr("sys.prefix", prefix)
    with pytest.raises(Refusal, match=r"lies in a cache .* uv tool install openparallax"):
        seen.this_program(of_user({"HOME": "/home/ann"}))


@pytest.mark.parametrize("home", ["home/ann/.venv", "root/.local/venv", "run/user/1000/venv"])
def test_a_program_in_a_home_folder_is_refused_but_to_a_user(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setattr("sys.prefix", f"/{home}")
    tried: list[tuple[str, ...]] = []
    monkeypatch.setattr(seen, "_try", tried.append)
    with pytest.raises(Refusal, match=r"in a home folder .* --user"):
        seen.this_program(of_machine())
    assert tried == []
    assert [seen.this_program(of_user({"HOME": "/home/ann"}))] == tried


def test_what_the_service_s_user_cannot_read_is_said_before_it_is_started(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "closed" / "secret"
    secret.parent.mkdir()
    secret.write_text("made-up")
    somebody = SimpleNamespace(pw_uid=12345, pw_gid=12345)
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: somebody)
    monkeypatch.setattr(grp, "getgrall", list)
    secret.chmod(0o640)
    [(_, part)] = unreadable([secret])
    assert part in {secret, *secret.parents}
    with pytest.raises(Refusal, match=r"the service's user cannot read .*chgrp openparallax") as it:
        Installation(
            plan=Plan(),
            layout=machine.layout,
            system=machine.system,
            needed=[secret],
            says=lambda _said: None,
        ).install()
    assert it.value.exit_code == 78
    assert machine.files() == {}
    assert not machine.is_running


# -- how it is, and what it says ------------------------------------------------------------------


def test_the_status_in_words_and_for_programs(machine: Machine) -> None:
    machine.note("why", "StatusText=answering · 0 turns running\nNRestarts=2\nMainPID=77\n")
    stopped = run("status")
    assert stopped.exit_code == 1
    assert "does not run (inactive): systemctl start openparallax starts it" in stopped.stdout
    machine.note("runs")
    machine.note("enabled")
    up = run("status")
    assert up.exit_code == 0
    assert up.stdout.splitlines() == [
        "runs",
        "answering · 0 turns running",
        "was restarted 2 times since somebody started it",
        "systemd holds 127.0.0.1:9443: a restart refuses nobody",
        "starts with the machine",
    ]
    found = json.loads(run("status --json").stdout)
    assert found["running"] is found["installed"] is found["enabled"] is True
    assert (found["pid"], found["restarts"]) == (77, 2)
    assert found["socket"] == {"held": True, "listens": ["127.0.0.1:9443"]}


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ("ExecMainCode=1\nExecMainStatus=78\nResult=exit-code", "openparallax check says what"),
        ("ExecMainCode=1\nExecMainStatus=203\nResult=exit-code", "the program cannot be run"),
        ("ExecMainCode=1\nExecMainStatus=217\nResult=exit-code", "the user openparallax is not"),
        ("ExecMainCode=1\nExecMainStatus=243\nResult=exit-code", "a credential that the unit"),
        ("ExecMainCode=2\nExecMainStatus=6\nResult=watchdog", "it hung, and the watchdog"),
        ("ExecMainCode=2\nExecMainStatus=9\nResult=signal", "it was ended by signal 9"),
        ("Result=oom-kill", "the machine ran out of memory"),
    ],
)
def test_why_it_does_not_run_is_said(machine: Machine, noted: str, said: str) -> None:
    machine.note("why", f"ActiveState=failed\n{noted}\n")
    shown = run("status")
    assert shown.exit_code == 1
    assert "does not run: " in shown.stdout
    assert said in shown.stdout


def test_what_is_not_installed(machine: Machine) -> None:
    machine.note("why", "LoadState=not-found\n")
    shown = run("status")
    assert shown.exit_code == 1
    assert shown.stdout.startswith("not installed: openparallax service install")


def test_the_log_is_journalctl_s(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system, "BOOTED", Path("/nowhere"))  # a journal may be read all the same
    assert run("logs -n 5 -f --since", "1 hour ago").exit_code == 0
    assert capfd.readouterr().out == "the words of all lives\n"
    assert machine.asked[-1] == (
        "journalctl --no-hostname -u openparallax.service -u openparallax.socket -n 5 -f"
        " --since=1 hour ago"
    )
    assert run("logs --user").exit_code == 0
    assert machine.asked[-1].startswith("journalctl --user --no-hostname ")
    monkeypatch.setattr(system.System, "find", lambda _self, _program: None)
    refused = run("logs")
    assert refused.exit_code == 1
    assert "there is no journalctl here" in refused.stderr


# -- removing -------------------------------------------------------------------------------------


@pytest.fixture
def kept(machine: Machine) -> dict[str, str]:
    """What lies there once it is installed."""
    configure(machine)
    machine.layout.state.mkdir(parents=True)
    (machine.layout.state / "openparallax.db").write_text("words")
    assert run(f"install --root {machine.root}").exit_code == 0
    return machine.files()


def test_a_purge_that_cannot_ask_removes_nothing(machine: Machine, kept: dict[str, str]) -> None:
    refused = run(f"uninstall --purge --root {machine.root}")
    assert refused.exit_code == 2
    assert "--purge asks first: say --yes" in refused.stderr
    assert machine.files() == kept


@pytest.mark.parametrize(("said", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_a_purge_asks_and_says_what_goes(
    machine: Machine,
    kept: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    code: int,
) -> None:
    terminal = click.testing._NamedTextIOWrapper
    monkeypatch.setattr(terminal, "isatty", lambda _self: True, raising=False)
    answered = run(f"uninstall --purge --root {machine.root}", said=said)
    assert answered.exit_code == code
    for path in (machine.layout.folder, machine.layout.state):
        assert f"  {path}\n" in answered.stderr
    assert "with every word in it?" in answered.stderr
    assert machine.files() == (kept if code else {})
    if code:
        assert "nothing was removed" in answered.stderr


def test_what_is_kept_is_said(machine: Machine, kept: dict[str, str]) -> None:
    done = run(f"uninstall --root {machine.root}")
    assert done.exit_code == 0
    assert f"kept: {machine.layout.folder}, the credentials and the database" in done.stdout
    written = {str(one.relative_to(machine.root)) for one in machine.layout.written}
    assert machine.files() == {name: text for name, text in kept.items() if name not in written}
