"""Installed, again, in vain, and removed: what is written, and what the manager is asked."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from openparallax.errors import Refusal
from openparallax.service import placing, removing, units
from openparallax.service.installing import Installation
from openparallax.service.plan import Plan
from tests.service.machine import Machine

FILES = [
    "etc/systemd/system/openparallax.service",
    "etc/systemd/system/openparallax.socket",
    "etc/sysusers.d/openparallax.conf",
    "etc/tmpfiles.d/openparallax.conf",
]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def install(machine: Machine, plan: Plan | None = None, **changes: Any) -> list[str]:
    said: list[str] = []
    Installation(
        plan=plan or Plan(),
        layout=machine.layout,
        system=machine.system,
        says=said.append,
        **changes,
    ).install()
    return said


def test_everything_is_written_verified_and_started(machine: Machine) -> None:
    said = install(machine)
    assert list(machine.files()) == FILES
    first, *calls = machine.calls()
    assert first.startswith("systemd-analyze --man=no verify ")
    assert calls == [
        f"systemd-sysusers --root={machine.root} openparallax.conf",
        f"systemd-tmpfiles --root={machine.root} --create openparallax.conf",
        "systemctl daemon-reload",
        "systemctl enable openparallax.service openparallax.socket",
        "systemctl reset-failed openparallax.service openparallax.socket",
        "systemctl start openparallax.socket",
        "systemctl start openparallax.service",
    ]
    assert machine.is_running
    assert said[-1] == "started, and ready"


def test_again_it_changes_nothing(machine: Machine) -> None:
    install(machine)
    before = machine.files()
    machine.calls()
    assert install(machine) == ["nothing has changed: it goes on running"]
    assert machine.files() == before
    changing = {"start", "stop", "restart", "daemon-reload", "enable", "disable"}
    assert [one for one in machine.calls() if changing & set(one.split())] == []


@pytest.mark.parametrize(
    ("plan", "call", "said"),
    [
        (Plan(most_stop_s=300), "systemctl restart openparallax.service", "unit has changed"),
        (Plan(listens=["[::1]:9443"]), "systemctl restart openparallax.socket", "the new port"),
    ],
)
def test_what_changed_is_said_and_restarted(
    machine: Machine, plan: Plan, call: str, said: str
) -> None:
    own = machine.layout.units / "openparallax.service.d" / "own.conf"
    install(machine)
    own.parent.mkdir()
    own.write_text("[Service]\nNice=5\n")
    machine.calls()
    changed, last = install(machine, plan)
    assert changed.startswith("changed /")
    assert said in last
    assert call in machine.calls()
    assert own.read_text() == "[Service]\nNice=5\n"


def test_another_version_or_a_newer_configuration_is_a_reason_to_restart(
    machine: Machine, tmp_path: Path
) -> None:
    install(machine)
    machine.calls()
    [said] = install(machine, differs=lambda: "it was version 0.0.1")
    assert said == "restarted without refusing anybody, since it was version 0.0.1"
    assert "systemctl restart openparallax.service" in machine.calls()
    config = tmp_path / "config.yaml"
    config.touch()
    machine.note("since", "1000")
    [said] = install(machine, watched=[config])
    assert said.endswith(f"since {config} is newer than it")


def test_a_drop_in_that_the_manager_has_not_read_is_a_reason_too(machine: Machine) -> None:
    install(machine)
    own = machine.layout.units / "openparallax.service.d" / "own.conf"
    own.parent.mkdir()
    own.write_text("[Service]\nNice=5\n")
    machine.calls()
    [said] = install(machine)
    assert said == "restarted without refusing anybody, since a drop-in has changed"
    calls = machine.calls()
    reloaded = calls.index("systemctl daemon-reload")
    assert reloaded < calls.index("systemctl restart openparallax.service")
    machine.note("why", f"DropInPaths={own}\n")
    assert install(machine) == ["nothing has changed: it goes on running"]


def test_a_start_that_fails_leaves_nothing_and_says_why(machine: Machine) -> None:
    machine.note("fails-start", "Job for start failed\n")
    machine.note("why", "ExecMainCode=1\nExecMainStatus=78\nResult=exit-code\n")
    with pytest.raises(Refusal) as raised:
        install(machine)
    assert "could not be opened" in str(raised.value)
    assert machine.files() == {}
    assert not (machine.root / "etc").exists()
    calls = machine.calls()
    assert "systemctl disable --now openparallax.socket openparallax.service" in calls
    assert calls[-2:] == [
        "systemctl daemon-reload",
        "systemctl reset-failed openparallax.service openparallax.socket",
    ]


def test_an_upgrade_that_fails_goes_back_to_what_ran(machine: Machine) -> None:
    install(machine)
    before = machine.files()
    machine.note("fails-restart", "restart: no\n")
    machine.note("why", "ExecMainCode=1\nExecMainStatus=78\nResult=exit-code\n")
    machine.note("said", "the last words\n")
    with pytest.raises(Refusal) as raised:
        install(machine, Plan(most_stop_s=300))
    assert "it ended with 78: the configuration" in str(raised.value)
    assert "The end of its log:\n    the last words\n" in str(raised.value)
    assert machine.files() == before
    assert machine.calls()[-1] == "systemctl restart openparallax.socket openparallax.service"


@pytest.mark.parametrize("lack", ["unborn", "said"])
def test_where_the_journal_knows_no_life_the_log_is_told_by_time(
    machine: Machine, lack: str
) -> None:
    """The start was refused before it came to one, or nothing stands in the journal by its name."""
    install(machine)
    machine.note(lack)
    machine.note("fails-restart", "restart: no\n")
    with pytest.raises(Refusal) as raised:
        install(machine, Plan(most_stop_s=300))
    assert "The end of its log:\n    the words since then\n" in str(raised.value)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("verify", "systemd finds a fault in the units, and nothing was written"),
        ("daemon-reload", "systemd could not take in the units"),
        ("enable", "the service could not be enabled"),
    ],
)
def test_each_call_that_fails_has_a_sentence(machine: Machine, call: str, sentence: str) -> None:
    machine.note(f"fails-{call}", f"{call}: Access denied\n")
    with pytest.raises(Refusal) as raised:
        install(machine)
    assert str(raised.value).startswith(f"{sentence}: that needs root: sudo. (")
    assert machine.files() == {}


def test_what_others_wrote_is_left_alone(machine: Machine) -> None:
    machine.layout.service.parent.mkdir(parents=True)
    machine.layout.service.write_text("[Service]\nExecStart=/bin/true\n")
    before = machine.files()
    with pytest.raises(Refusal, match="was not written by this command"):
        install(machine)
    removing.remove(machine.layout, machine.system, lambda _: None, is_live=True)
    assert machine.files() == before


def test_an_image_is_written_and_nothing_is_started(machine: Machine) -> None:
    install(machine, starts=False)
    assert list(machine.files()) == FILES
    assert [one for one in machine.calls() if "systemctl" in one] == [
        "systemctl enable openparallax.service openparallax.socket"
    ]


def test_removed_it_keeps_what_is_the_operator_s(machine: Machine) -> None:
    install(machine)
    config = machine.layout.config
    config.parent.mkdir()
    config.write_text("channels: {}\n")
    database = machine.layout.state / "openparallax.db"
    database.parent.mkdir(parents=True)
    database.touch()
    machine.calls()
    said: list[str] = []
    removing.remove(machine.layout, machine.system, said.append, is_live=True)
    assert list(machine.files()) == [
        "etc/openparallax/config.yaml",
        "var/lib/openparallax/openparallax.db",
    ]
    assert machine.calls()[:2] == [
        "systemctl stop openparallax.socket openparallax.service",
        "systemctl disable openparallax.socket openparallax.service",
    ]
    removing.remove(machine.layout, machine.system, said.append, is_live=True)
    assert said[-1] == "nothing is installed here"
    paths = list(removing.kept(machine.layout, database))
    removing.purge(paths, machine.layout, machine.system, said.append)
    assert machine.files() == {}


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        ([errno.EBUSY], "Device or resource busy ({folder}/held)."),
        # As an overlay does whose lower layer was changed: of the folder itself, and each time.
        ([errno.ENOENT] * 9, "it is shown, and is not there. So it is in an overlay"),
        ([errno.ENOTEMPTY, errno.ENOENT], ""),  # somebody else wrote, and removed, meanwhile
    ],
)
def test_what_cannot_be_removed_keeps_nothing_but_the_user(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, codes: list[int], sentence: str
) -> None:
    """The words above all: they lie in another folder than what is in the way."""
    folder, state = machine.layout.folder, machine.layout.state
    for one in (folder, state):
        one.mkdir(parents=True)
    (state / "openparallax.db").write_text("words")
    really = shutil.rmtree

    def refuses(path: Path) -> None:
        if path == folder and codes:
            code = codes.pop(0)
            raise OSError(code, os.strerror(code), str(path / "held"))
        really(path)

    monkeypatch.setattr(shutil, "rmtree", refuses)
    paths = list(removing.kept(machine.layout, state / "openparallax.db"))
    said: list[str] = []
    try:
        removing.purge(paths, machine.layout, machine.system, said.append)
        told = ""
    except Refusal as refusal:
        told = str(refusal)
    assert not state.exists()
    assert folder.exists() == bool(sentence)
    assert sentence.format(folder=folder) in told
    assert ("The user openparallax stays until then." in told) == bool(sentence)
    assert ("removed the user openparallax" in said) == (not sentence)


def test_every_file_says_who_wrote_it(machine: Machine) -> None:
    for text in units.files(Plan(), machine.layout).values():
        assert placing.is_ours(text)
