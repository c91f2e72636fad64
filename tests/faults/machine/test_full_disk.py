"""A real disk without room: while the daemon runs, when it starts, for a backup."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from tests.app.process import ROOT
from tests.faults.daemon import LONG_S, Daemon
from tests.faults.machine import trial
from tests.faults.machine.disks import fill, make_room, needs_mounts, small_disk
from tests.faults.talk import Talk

pytestmark = needs_mounts
ROOM_KB = 6000


@pytest.fixture(autouse=True)
def disk(daemon: Daemon) -> Iterator[None]:
    with small_disk(daemon.state, ROOM_KB):
        yield


async def test_room_is_made(daemon: Daemon) -> None:
    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    await talk.try_at_once(2)
    for person in range(4):
        await talk.say(person, "slow")
    await _is_full(daemon, talk)
    trial.check_answers(daemon, talk)
    await trial.check_pages(daemon, "make room")
    trial.check_log(daemon, "SQLITE_FULL")
    make_room(daemon.state)
    await trial.has_recovered(daemon, talk)
    assert await daemon.stop() == 0


async def _is_full(daemon: Daemon, talk: Talk) -> None:
    """Fill the disk until nothing can be stored any more.

    What SQLite has in reserve is used up first, and a log that is cut gives room back.
    """
    async with asyncio.timeout(3 * LONG_S):
        while True:
            fill(daemon.state)
            answers = await talk.try_at_once(1, "lorem " * 300)
            if answers == {503} and daemon.lines("log_truncated"):
                fill(daemon.state)
                if (await daemon.readiness())[0] == 503:
                    return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "but", [0, 60_000, *(pytest.param(but, marks=pytest.mark.long) for but in (20_000, 120_000))]
)
async def test_a_start_without_room_says_so(daemon: Daemon, but: int) -> None:
    fill(daemon.state, but=but)
    await daemon.launch()
    assert await daemon.ended(LONG_S) == 75
    assert "See whether the disk is full" in daemon.said
    assert "internal error" not in daemon.said
    make_room(daemon.state)
    await _goes_on(daemon)


async def test_a_restart_without_room(daemon: Daemon) -> None:
    """What is acknowledged waits for room, through a death and a start in between."""
    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    for person in range(4):
        await talk.say(person, "slow")
    await daemon.kill()
    fill(daemon.state)
    await daemon.launch()
    code = await daemon.ended_or_started()
    assert code in (None, 75)
    if code is None:  # it had room in its log
        await daemon.kill()
    make_room(daemon.state)
    await daemon.start()
    await talk.is_answered()
    talk.judge()


async def test_a_backup_without_room_is_refused_and_nothing_else_suffers(daemon: Daemon) -> None:
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(2)
    target = daemon.folder / "copy.db"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openparallax", "backup", str(target), "-c", str(daemon.config)),
        cwd=ROOT,
        env=daemon.variables,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 75, said
    assert b"has room for" in said
    assert b"Make room and try again" in said
    assert not target.exists()
    await _goes_on(daemon, is_up=True)
    await talk.is_answered()


async def _goes_on(daemon: Daemon, *, is_up: bool = False) -> None:
    if not is_up:
        await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(1)
    await talk.is_answered()
    talk.judge()
    await daemon.becomes_ready()
