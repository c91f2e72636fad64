"""The n-th call of a programme fails, for each n: of the disk, and of SQLite's memory.

The daemon lives through all of them: what it does after a fault is part of the question.
"""

import errno
import itertools
from dataclasses import dataclass

import pytest

from tests.app.patience import until
from tests.canary import Canary, singing_in
from tests.faults.daemon import LONG_S, Daemon
from tests.faults.machine.shim import Call, File, Shim
from tests.faults.machine.short import mostly_long
from tests.faults.talk import Talk

SOME = pytest.param(4, id="some")
MANY = pytest.param(120, id="many", marks=pytest.mark.long)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Which calls fail, one at a time."""

    name: str
    calls: Call
    error: int
    files: File = File.ANY
    torn: bool = False


SWEEPS = [
    Sweep("write fails", Call.WRITE, errno.EIO),
    Sweep("no room", Call.WRITE, errno.ENOSPC, torn=True),
    Sweep("sync fails", Call.SYNC, errno.EIO),
    Sweep("read fails", Call.READ, errno.EIO),
    Sweep("truncate fails", Call.TRUNCATE, errno.EIO),
    Sweep("no memory", Call.MALLOC, errno.ENOMEM),
]


SHORT = {"no room", "sync fails", "no memory"}


async def programme(daemon: Daemon, talk: Talk, canary: Canary) -> None:
    """Several people at once, one after the other, in a batch, on and off the record."""
    for _ in range(3):
        await talk.try_at_once(1)
        await talk.bring_again()
    await talk.say_until_taken(0, "slow")
    await talk.say_together(0, 1, 1)
    await talk.say_off_the_record(str(canary))
    await talk.is_answered()
    await daemon.graph.reported(LONG_S)


def spread(total: int, count: int) -> list[int]:
    """So many numbers from 1 to a little more than ``total``, evenly; of one, the middle."""
    if count == 1:
        return [max(1, total // 2)]
    step = max(1, total * 11 // 10 // count)
    return list(itertools.islice(range(1, total * 11 // 10 + step, step), count + 1))


@pytest.mark.parametrize("count", [SOME, MANY])
@pytest.mark.parametrize("sweep", mostly_long(SWEEPS, lambda sweep: sweep.name, short=SHORT))
async def test_one_fails(daemon: Daemon, shim: Shim, sweep: Sweep, count: int) -> None:
    await daemon.start()
    daemon.reports_statuses()
    canary = Canary()
    shim.arm(sweep.calls, sweep.error, files=sweep.files, first=0)
    await programme(daemon, Talk(daemon, people=3), canary)
    failed = 0
    for number in spread(shim.seen, count):
        talk = Talk(daemon, people=3)
        shim.arm(sweep.calls, sweep.error, files=sweep.files, first=number, many=1, torn=sweep.torn)
        await programme(daemon, talk, canary)
        failed += shim.failed
        shim.disarm()
        talk.judge(in_order=False)
        assert daemon.integrity() == "ok", number
    assert failed or sweep.calls in Call.READ | Call.TRUNCATE  # some are never needed
    # The log is cut again and again until it is.
    await until(lambda: singing_in(daemon.folder, canary) == [], LONG_S)
    assert await daemon.stop() == 0
    assert singing_in(daemon.folder, canary) == []
