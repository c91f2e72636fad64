"""Running a program of the operator's: what it is given, and that it cannot do harm."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from openparallax.watching import alert
from openparallax.watching.alert import SUBJECTS, Alert
from openparallax.watching.command import TAIL_BYTES, Ended, run
from openparallax.watching.ledger import Entry, Kind, State

ENOUGH_S = 60.0
SECRETS = {"WHATSAPP_ACCESS_TOKEN": "EAAsecret", "ANTHROPIC_API_KEY": "sk-ant-secret"}


async def ran(*command: str, timeout_s: float = ENOUGH_S, **environment: str) -> Ended:
    given = {"PATH": os.environ["PATH"], **SECRETS, **environment}
    return await run(command, alert.test(1.8e9), timeout_s=timeout_s, environment=given)


async def test_the_alert_is_on_standard_input() -> None:
    ended = await ran("cat")
    assert (ended.code, ended.reason) == (0, "")
    assert ended.tail == alert.test(0).text
    assert ended.written == len(ended.tail)


async def test_what_is_in_the_environment_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    ended = await ran("env", ALERT_PASSWORD="a b", LC_ALL="C.UTF-8", NOTIFY_SOCKET="/x")
    lines = ended.tail.splitlines()
    assert "OPENPARALLAX_ALERT_KIND=test" in lines
    assert "OPENPARALLAX_ALERT_STATE=test" in lines
    assert "OPENPARALLAX_ALERT_SEVERITY=info" in lines
    assert "OPENPARALLAX_ALERT_SINCE=2027-01-15T08:00:00Z" in lines
    assert any(line.startswith("OPENPARALLAX_ALERT_SUBJECT=OpenParallax on ") for line in lines)
    assert "ALERT_PASSWORD=a b" in lines
    assert "LC_ALL=C.UTF-8" in lines
    assert "secret" not in ended.tail
    assert "NOTIFY_SOCKET" not in ended.tail


async def test_no_shell_reads_it() -> None:
    ended = await ran("echo", "$HOME;", "`id`", "*")
    assert ended.tail == "$HOME; `id` *\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "ended with exit code 3"),
        ("kill -KILL $$", "ended with signal SIGKILL"),
        ("exec 0<&-; exit 0", ""),
    ],
)
async def test_how_it_ends(script: str, reason: str) -> None:
    assert (await ran("sh", "-c", script)).reason == reason


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    assert (await ran("no-such-program")).reason == (
        "could not be started: No such file or directory"
    )
    file = tmp_path / "alert"
    file.write_text("#!/bin/sh\n")
    assert (await ran(str(file))).reason == "could not be started: Permission denied"


async def test_one_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    script = f"sleep 1000 & echo $! $$ > {file}; wait"
    for timeout_s in (1, 30):
        ended = await ran("sh", "-c", script, timeout_s=timeout_s)
        assert ended.reason == f"took longer than {timeout_s} seconds"
        assert ended.code is None
        if file.exists() and file.read_text():
            break  # else the machine was too slow for even this
    for pid in map(int, file.read_text().split()):
        while _lives(pid):  # a killed child of nobody's waits for its new parent
            await asyncio.sleep(0.01)


async def test_one_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openparallax.watching.command.KILL_S", 0.1)
    ended = await ran("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done", timeout_s=0.3)
    assert ended.reason.startswith("took longer")


async def test_it_ends_where_whoever_runs_it_is_cancelled(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    task = asyncio.ensure_future(
        ran("sh", "-c", f"echo $$ > {file}.new; mv {file}.new {file}; cat >/dev/null; sleep 1000")
    )
    while not file.exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not _lives(int(file.read_text()))


async def test_what_it_leaves_behind_holds_nobody_up(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    ended = await ran("sh", "-c", f"sleep 1000 & echo $! > {file}; echo done")
    assert ended.tail == "done\n"
    os.kill(int(file.read_text()), 15)


async def test_however_much_it_writes() -> None:
    script = "import sys; sys.stdout.write('x' * 3_000_000); sys.stdout.write('end')"
    ended = await ran(sys.executable, "-c", script)
    assert ended.code == 0
    assert ended.written == 3_000_003
    assert len(ended.tail) == TAIL_BYTES
    assert ended.tail.endswith("xend")


def test_what_an_alert_says() -> None:
    entry = Entry(says="No room.", since=1.8e9)
    told = alert.trouble(Kind.DISK, State.RAISED, entry)
    assert told.subject.endswith(f": {SUBJECTS[Kind.DISK]}")
    assert told.text.startswith("No room.\n")
    assert told.severity == "warning"
    again = alert.trouble(Kind.STORAGE, State.REPEATED, entry)
    assert ", still: " in again.subject
    assert again.severity == "critical"
    over = alert.all_clear([Kind.DISK, Kind.ENGINE], 1.8e9)
    assert (over.kind, over.state, over.severity) == ("all_clear", State.ALL_CLEAR, "info")
    for kind in (Kind.DISK, Kind.ENGINE):
        assert SUBJECTS[kind] in over.text
    for one in (told, again, over, alert.test(0)):
        assert "\n" not in one.subject
        assert isinstance(one, Alert)


def test_every_kind_has_words() -> None:
    assert SUBJECTS.keys() == set(Kind)


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
