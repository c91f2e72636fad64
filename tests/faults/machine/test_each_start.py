"""The n-th call of a start fails, for each n: it ends in a sentence, and the next one succeeds."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.daemon import LONG_S, Daemon
from tests.faults.machine.shim import Call, File, Shim
from tests.faults.machine.short import mostly_long
from tests.faults.machine.test_each_call import Sweep, spread
from tests.faults.machine.trial import used_file
from tests.faults.talk import Talk

SOME = pytest.param(1, id="some")
MANY = pytest.param(40, id="many", marks=pytest.mark.long)
SWEEPS = [
    Sweep("write fails", Call.WRITE, errno.EIO),
    Sweep("no room", Call.WRITE, errno.ENOSPC, torn=True),
    Sweep("sync fails", Call.SYNC, errno.EIO),
    Sweep("open fails", Call.OPEN, errno.EIO),
    Sweep("map fails", Call.MAP, errno.ENOMEM, files=File.INDEX),
    Sweep("no memory", Call.MALLOC, errno.ENOMEM),
]


SHORT = {"no room", "open fails", "no memory"}


async def attempt(daemon: Daemon, shim: Shim, sweep: Sweep, number: int) -> int | None:
    """Start with the so-manieth call failing, and all behind it; the exit code, if it ended."""
    shim.arm(sweep.calls, sweep.error, files=sweep.files, first=number, torn=sweep.torn)
    told = len(daemon.said)
    await daemon.launch()
    code = await daemon.ended_or_started()
    shim.disarm()
    if code is not None:
        said = daemon.said[told:]
        assert code == 75, (number, code, said)
        assert "openparallax: " in said
        assert str(daemon.state) in said
        assert "internal error" not in said
    return code


async def calls_of_a_start(daemon: Daemon, shim: Shim, sweep: Sweep) -> int:
    await attempt(daemon, shim, sweep, 0)
    return shim.seen


@pytest.mark.parametrize("count", [SOME, MANY])
@pytest.mark.parametrize("sweep", mostly_long(SWEEPS, lambda sweep: sweep.name, short=SHORT))
async def test_with_work_left(daemon: Daemon, shim: Shim, sweep: Sweep, count: int) -> None:
    """What an earlier process had acknowledged is answered by the next one that can start."""
    daemon.reports_statuses()
    await daemon.start()
    await daemon.kill()
    total = await calls_of_a_start(daemon, shim, sweep)  # of one that finds a file
    await daemon.kill()
    failed = 0
    for number in spread(total, count):
        await daemon.start()
        talk = Talk(daemon, people=2)
        await talk.say(0, "slow")
        await talk.say(1, "slow")
        await daemon.kill()
        if await attempt(daemon, shim, sweep, number) is not None:
            await daemon.start()
        failed += shim.failed
        await talk.is_answered()
        talk.judge()
        await daemon.graph.reported(LONG_S)
        await daemon.kill()
        assert daemon.integrity() == "ok", number
    assert failed


@pytest.mark.parametrize("version", [1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize("count", [SOME, MANY])
@pytest.mark.parametrize("sweep", mostly_long(SWEEPS, lambda sweep: sweep.name, short=SHORT))
async def test_with_an_older_file(
    daemon: Daemon, shim: Shim, sweep: Sweep, count: int, version: int
) -> None:
    """The file is of the old schema or of the new one, whole and with its words."""
    make_old(daemon, version)
    total = await calls_of_a_start(daemon, shim, sweep)
    await daemon.kill()
    failed = 0
    for number in spread(total, count):
        make_old(daemon, version)
        code = await attempt(daemon, shim, sweep, number)
        failed += shim.failed
        if code is not None:
            assert daemon.integrity() == "ok", number
            assert words_in(daemon.database) == WORDS
            await daemon.start()
        talk = Talk(daemon, people=1)
        await talk.say()
        await talk.is_answered()
        await daemon.kill()
        assert daemon.integrity() == "ok", number
        assert words_in(daemon.database)[: len(WORDS)] == WORDS
        copy = daemon.database.with_name(f"openparallax.db.schema-{version}.copy")
        assert words_in(copy) == WORDS
    assert failed


WORDS = [f"words of old {number}" for number in range(50)]


def make_old(daemon: Daemon, version: int) -> None:
    """Have a file of an older schema there and nothing else."""
    daemon.state.mkdir(exist_ok=True)
    for file in daemon.state.iterdir():
        file.unlink()
    used_file(daemon.database, version, *WORDS)


def words_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        return [words for (words,) in file.execute("SELECT words FROM transcript ORDER BY turn")]
