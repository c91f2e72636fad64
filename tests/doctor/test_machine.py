"""This machine: each thing that may be wrong with it is named, and only it."""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from openparallax.doctor.daemon import Running
from openparallax.doctor.finding import Finding, Level
from openparallax.doctor.machine import MB, Machine, see_machine
from openparallax.doctor.ports import Taker, taker_of, why_not_free
from openparallax.doctor.unit import NAME, Held, seconds, see_socket, see_unit
from tests.doctor.front import ending

NOW = 1_790_000_000.0
READY = {"ready": True, "reasons": [], "pid": 7, "started_at": NOW - 5, "now": NOW}
READY["last_webhook_at"] = None
DAEMON = Running(pid=7, socket=Path("/run/control.sock"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for path in (state / "openparallax.db", tmp_path / "config.yaml", tmp_path / "token"):
        path.touch(mode=0o600)
    return Machine(
        config=tmp_path / "config.yaml",
        database=state / "openparallax.db",
        secret_files=[tmp_path / "token"],
    )


def bad(machine: Machine, **changes: Any) -> list[Finding]:
    given: dict[str, Any] = {
        "running": DAEMON, "status": READY, "now": NOW, "room": lambda _: 50_000 * MB,
    } | changes  # fmt: skip
    found = see_machine(machine, given.pop("running"), given.pop("status"), given.pop("now"),
                        **given).found  # fmt: skip
    return [one for one in found if one.level is not Level.OK]


def test_a_machine_that_is_well(machine: Machine) -> None:
    assert bad(machine) == []


class Row(NamedTuple):
    check: str
    level: Level
    says: str
    changes: dict[str, Any]


F, W, N = Level.FAILURE, Level.WARNING, Level.NOTE
PAUSED = {"ready": False, "reasons": ["account 1 is paused (code 190): renew it"]}
TABLE = (
    Row("machine.daemon", W, "does not run", {"running": Running(), "status": None}),
    Row("machine.daemon", F, "does not answer", {"status": None}),
    Row("machine.daemon", N, "could not be examined",
        {"running": Running(pid=-1, trouble="cannot look at it."), "status": None}),
    Row("machine.ready", F, "is paused (code 190)", {"status": READY | PAUSED}),
    Row("machine.heard", N, "called nothing", {"status": READY | {"started_at": NOW - 7200}}),
    Row("machine.disk", W, "700 MB left", {"room": lambda _: 700 * MB}),
    Row("machine.disk", F, "9 MB left", {"room": lambda _: 9 * MB}),
)  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.says)
def test_each_is_named_and_nothing_else(machine: Machine, row: Row) -> None:
    [one] = bad(machine, **row.changes)
    assert (one.check, one.level) == (row.check, row.level)
    assert row.says in one.says
    assert one.to_do


def _open_folder(machine: Machine) -> None:
    machine.database.parent.chmod(0o755)


def _open_database(machine: Machine) -> None:
    machine.database.chmod(0o640)


def _open_tokens(machine: Machine) -> None:
    machine.database.with_name("openparallax.db.tokens").touch(mode=0o644)


def _open_secret(machine: Machine) -> None:
    machine.secret_files[0].chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "check", "command"),
    [
        (_open_folder, "machine.state", "chmod 700"),
        (_open_database, "machine.state", "chmod 600"),
        (_open_tokens, "machine.state", "openparallax.db.tokens"),
        (_open_secret, "machine.secrets", "chmod 600"),
    ],
)
def test_what_others_may_read_is_named_with_its_command(
    machine: Machine, spoil: Callable[[Machine], None], check: str, command: str
) -> None:
    before = os.umask(0)
    try:
        spoil(machine)
    finally:
        os.umask(before)
    [one] = bad(machine)
    assert (one.check, one.level) == (check, W)
    assert command in one.command


@pytest.mark.parametrize(("mode", "level"), [(0o600, W), (0o644, F)])
def test_a_secret_in_the_configuration_itself(machine: Machine, mode: int, level: Level) -> None:
    machine.config.chmod(mode)
    [one] = bad(replace(machine, literal_secrets=["channels.whatsapp.access_token"]))
    assert (one.check, one.level) == ("configuration.literal", level)
    assert "channels.whatsapp.access_token" in one.says


def test_no_state_folder_yet(machine: Machine, tmp_path: Path) -> None:
    [one] = bad(replace(machine, database=tmp_path / "new" / "here" / "openparallax.db"))
    assert (one.check, one.level) == ("machine.state", N)


def test_a_port_that_another_process_has(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taker = taker_of(port)
        assert taker.pid == os.getpid()
        asked = replace(machine, listeners={"webhook_port": ("127.0.0.1", port)})
        daemon, [one] = (
            "machine.daemon",
            [
                found
                for found in bad(asked, running=Running(), status=None)
                if found.check != "machine.daemon"
            ],
        )
        assert (one.check, one.level) == ("machine.port", F), daemon
        assert f"Port {port} (webhook_port) is taken by process {os.getpid()} (" in one.says
        assert str(port) in one.command
        assert bad(asked) == [], "the daemon itself has it"
    assert why_not_free("127.0.0.1", port) == 0


def test_a_port_that_the_service_manager_keeps_for_us(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.doctor.machine.taker_of", lambda _: Taker(1, "systemd"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        asked = replace(machine, listeners={"webhook_port": taken.getsockname()})
        found = bad(asked, running=Running(), status=None)
    assert [one.check for one in found] == ["machine.daemon"]


def test_an_address_of_another_machine(machine: Machine) -> None:
    asked = replace(machine, listeners={"webhook_port": ("192.0.2.1", 9443)})
    found = bad(asked, running=Running(), status=None)
    assert [one.check for one in found] == ["machine.daemon", "machine.port"]
    assert "Nothing can listen on 192.0.2.1" in found[1].says


@pytest.mark.parametrize(("days", "level"), [(90, None), (5, W), (-1, F)])
def test_the_certificate_of_the_listener(
    machine: Machine, tmp_path: Path, days: float, level: Level | None
) -> None:
    leaf = ending(days)
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    (tmp_path / "fullchain.pem").write_bytes(chain)
    (tmp_path / "key.pem").touch(mode=0o600)
    asked = replace(machine, tls=(tmp_path / "fullchain.pem", tmp_path / "key.pem"))
    found = bad(asked, now=time.time())
    assert [(one.check, one.level) for one in found] == (
        [("machine.certificate", level)] if level else []
    )


# -- the unit -------------------------------------------------------------------------------------


def unit(folder: Path, text: str, name: str = NAME) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("given", "is_enough"),
    [("60", True), ("30", False), ("1min", True), ("infinity", True), ("", True), ("44s", False)],
)
def test_the_unit_leaves_the_daemon_its_time(
    tmp_path: Path, given: str, *, is_enough: bool
) -> None:
    line = f"TimeoutStopSec={given}\n" if given else ""
    where = unit(tmp_path, f"[Unit]\nTimeoutStopSec=1\n[Service]\n{line}")
    found = [one for one in see_unit(45, [where]).found if one.level is not Level.OK]
    assert [one.check for one in found] == ([] if is_enough else ["machine.unit"])
    assert is_enough or "Set TimeoutStopSec to 55" in found[0].to_do


def test_what_was_laid_over_the_unit_counts(tmp_path: Path) -> None:
    where = unit(tmp_path / "lib", "[Service]\nTimeoutStopSec=10\n")
    over = unit(tmp_path / "etc", "[Service]\nTimeoutStopSec=90\n", f"{NAME}.d/more.conf")
    assert [one.level for one in see_unit(45, [over, where]).found] == [Level.OK]


def test_without_a_unit_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert see_unit(45, [tmp_path]).found == []


def test_a_service_of_a_user_who_logs_out(tmp_path: Path) -> None:
    where = unit(tmp_path / ".config/systemd/user", "[Service]\n")
    asked: dict[str, Any] = {"home": tmp_path, "user": "ann", "lingering": tmp_path / "linger"}
    [_, one] = see_unit(45, [where], **asked).found
    assert (one.check, one.command) == ("machine.linger", "loginctl enable-linger ann")
    unit(tmp_path / "linger", "", "ann")
    assert len(see_unit(45, [where], **asked).found) == 1


LISTENS = ["127.0.0.1:9443"]


@pytest.mark.parametrize(
    ("held", "says", "command"),
    [
        (None, "", ""),
        (Held(LISTENS, is_active=True, is_enabled=True), "", ""),
        (Held(["[::]:443", *LISTENS], is_active=True, is_enabled=True), "", ""),
        (
            Held(["0.0.0.0:443"], is_active=True, is_enabled=True),
            "listens at 0.0.0.0:443, and the configuration says 127.0.0.1:9443",
            "sudo openparallax service install",
        ),
        (
            Held(["[::1]:1"], is_active=False, is_enabled=False, is_user=True),
            "listens at [::1]:1, and the configuration says",
            "openparallax service install --user",
        ),
        (
            Held(LISTENS, is_active=False, is_enabled=True),
            "does not hold the port",
            "sudo openparallax service install",
        ),
        (
            Held(LISTENS, is_active=True, is_enabled=False, is_user=True),
            "is not enabled",
            "systemctl --user enable openparallax.socket",
        ),
    ],
)
def test_the_socket_is_held_where_the_configuration_says(
    held: Held | None, says: str, command: str
) -> None:
    found = see_socket(held, LISTENS).found
    assert [one.check for one in found] == ["machine.socket"] * (held is not None)
    wrong = [one for one in found if one.level is Level.WARNING]
    assert [one.command for one in wrong] == [command] * bool(says)
    assert all(says in one.says and one.why and one.to_do for one in wrong)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("90", 90), ("1min 30s", 90), ("2h", 7200), ("500ms", 0.5), ("0", None), ("soon", None)],
)
def test_lengths_of_time_of_systemd(text: str, wanted: float | None) -> None:
    assert seconds(text) == wanted
