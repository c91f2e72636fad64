"""What a process may have too little of: descriptors, memory."""

import asyncio
import errno
import shutil
from contextlib import ExitStack, suppress
from socket import create_connection

import pytest

from tests.faults.daemon import Daemon
from tests.faults.machine.shim import Shim
from tests.faults.talk import Talk

needs_prlimit = pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs prlimit")


@needs_prlimit
@pytest.mark.parametrize("most", [40, pytest.param(64, marks=pytest.mark.long)])
async def test_out_of_descriptors(daemon: Daemon, most: int) -> None:
    """Connections are held until there is none left, and let go again."""
    daemon.wrapped_by = ("prlimit", f"--nofile={most}:{most}")
    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    for person in range(4):
        await talk.say(person, "slow")
    with ExitStack() as stack:
        for _ in range(most + 20):
            with suppress(OSError):
                stack.enter_context(create_connection(("127.0.0.1", daemon.port), 5))
        await asyncio.sleep(1)
        assert daemon.is_running
    await talk.is_answered()
    assert await talk.try_at_once(2) == {200}
    await talk.is_answered()
    talk.judge(in_order=False)
    await daemon.becomes_ready()
    assert len(daemon.said.splitlines()) < 200
    assert daemon.integrity() == "ok"
    assert await daemon.stop() == 0


@pytest.mark.parametrize(
    "number", [errno.EMFILE, pytest.param(errno.ENFILE, marks=pytest.mark.long), errno.ENOMEM]
)
async def test_connections_cannot_be_taken(daemon: Daemon, shim: Shim, number: int) -> None:
    await daemon.start()
    talk = Talk(daemon)
    for person in range(4):
        await talk.say(person, "slow")
    shim.refuse_connections(number)
    await daemon.session.close()
    daemon.renew_session()
    waiting = asyncio.ensure_future(talk.try_at_once(1))
    await asyncio.sleep(3)
    assert daemon.is_running
    shim.refuse_connections(0)
    assert await waiting <= {0, 200}
    await talk.bring_again()
    await talk.is_answered()
    talk.judge(in_order=False)
    assert len(daemon.said.splitlines()) < 100


@needs_prlimit
async def test_little_memory(daemon: Daemon) -> None:
    """Of addresses as many as it has, and some: it answers, or ends and is started again."""
    await daemon.start()
    used = daemon.address_space()
    talk = Talk(daemon)
    await daemon.limit("--as", used + 8 * 1024 * 1024)
    for _ in range(5):
        await talk.try_at_once(4, "lorem ipsum " * 300)  # whatever is no 200, Meta brings again
    await daemon.limit("--as", None)
    if daemon.is_running:
        await talk.bring_again()
        await talk.is_answered()
        talk.judge(in_order=False)
        assert await daemon.stop() == 0
