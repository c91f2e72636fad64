"""A disk that refuses for a while, in every way that it can, under a daemon that runs."""

import asyncio
import errno
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from tests.app.patience import until
from tests.faults.daemon import LONG_S, Daemon
from tests.faults.machine import trial
from tests.faults.machine.shim import Call, File, Shim
from tests.faults.machine.short import mostly_long
from tests.faults.talk import Talk


@dataclass(frozen=True, slots=True)
class Fault:
    """What fails, how, and what the log and the operator's page are to call it."""

    name: str
    calls: Call
    error: int
    reason: str
    advice: str
    files: File = File.ANY
    torn: bool = False


FAULTS = [
    Fault("disk full", Call.WRITE, errno.ENOSPC, "SQLITE_FULL", "make room"),
    Fault("quota", Call.WRITE, errno.EDQUOT, "SQLITE_IOERR_WRITE", "the disk fails, or is full"),
    Fault("log full", Call.WRITE, errno.ENOSPC, "SQLITE_FULL", "make room", files=File.WAL),
    Fault("write fails", Call.WRITE, errno.EIO, "SQLITE_IOERR_WRITE", "the disk fails"),
    Fault("torn write", Call.WRITE, errno.EIO, "SQLITE_IOERR_WRITE", "the disk fails", torn=True),
    Fault("sync fails", Call.SYNC, errno.EIO, "SQLITE_IOERR_FSYNC", "the disk fails"),
    Fault("no memory", Call.MALLOC, errno.ENOMEM, "SQLITE_NOMEM", "no memory left"),
    Fault("read-only", Call.WRITE | Call.OPEN, errno.EROFS, "SQLITE_IOERR_WRITE", "the disk fails"),
]


SHORT = {"disk full", "quota", "torn write", "sync fails", "no memory"}


@pytest.mark.parametrize("fault", mostly_long(FAULTS, lambda fault: fault.name, short=SHORT))
async def test_a_disk_that_refuses(daemon: Daemon, shim: Shim, fault: Fault) -> None:
    def failing() -> AbstractContextManager[None]:
        return shim.failing(fault.calls, fault.error, files=fault.files, torn=fault.torn)

    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    await talk.try_at_once(2)
    await talk.is_answered()
    # For a while; what was begun before is to be written down and sent meanwhile.
    for person in range(4):
        await talk.say(person, "slow")
    with failing():
        assert await talk.try_all(1) == {503}
        assert await talk.try_at_once(3) == {503}
        trial.check_answers(daemon, talk)
        await asyncio.sleep(1.5)
        await trial.check_pages(daemon, fault.advice)
        assert await talk.try_all(1) == {503}
    trial.check_log(daemon, fault.reason)
    await trial.has_recovered(daemon, talk)
    # Until it is told to end: that takes no longer than ever.
    for person in range(4):
        await talk.say(person, "slow")
    with failing():
        assert await talk.try_at_once(1) == {503}
        assert await daemon.stop() == 0
    await daemon.start()
    # Until it is killed: what was acknowledged is on the disk, not only in the mind of a process.
    for person in range(4):
        await talk.say(person, "slow")
    with failing():
        assert await talk.try_at_once(1) == {503}
        trial.check_answers(daemon, talk)
        await daemon.kill()
    await daemon.start()
    await talk.bring_again()
    await talk.is_answered()
    talk.judge(in_order=False)
    trial.check_answers(daemon, talk)


async def test_a_slow_disk_is_waited_for(daemon: Daemon, shim: Shim) -> None:
    """Each sync takes half a second: nobody is refused, and others share the commit."""
    await daemon.start()
    talk = Talk(daemon, people=20)
    await talk.try_at_once(1)
    await talk.is_answered()
    shim.slow_down(0.5)
    shim.arm(Call.SYNC, first=0)  # counts them
    assert await talk.try_at_once(10) == {200}
    assert shim.seen < 200 / 2  # far fewer syncs than messages
    assert await daemon.is_healthy()
    await talk.is_answered()
    talk.judge(in_order=False)
    shim.slow_down(0)
    await daemon.becomes_ready()


async def test_a_disk_that_hangs_is_said_to_hang(daemon: Daemon, shim: Shim) -> None:
    """A sync does not end: whoever watches is not left waiting too."""
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(1)
    await talk.is_answered()
    shim.slow_down(10 * LONG_S)
    post = asyncio.ensure_future(talk.post(talk.write(0), 2 * LONG_S))

    async def is_said() -> bool:
        status, why = await daemon.readiness()
        return status == 503 and "does not answer: see whether its disk does" in why

    await until(is_said)  # what was found before the disk hung is told for some seconds
    assert await daemon.is_healthy()
    assert not post.done()
    shim.slow_down(0)
    assert await post == 200
    await talk.is_answered()
    await daemon.becomes_ready()
    talk.judge()
