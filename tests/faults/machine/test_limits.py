"""What a process may have too little of: descriptors, memory."""

import asyncio
import errno
import shutil
from contextlib import ExitStack, suppress
from socket import create_connection

import pytest

from tests.faults.daemon import Daemon
from tests.faults.machine import trial
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


@pytest.mark.long
@needs_prlimit
async def test_little_memory(daemon: Daemon) -> None:
    """Of addresses as many as it has, and some: what cannot be taken is to come again.

    Whose memory fails is chance: SQLite's, a body's, aiohttp's (which ends the connection), or a
    turn's, whose person is told so. What was acknowledged is on disk in any case.
    """
    daemon.may_panic = True  # pydantic's parser, where Python has no memory for an object
    await daemon.start()
    used = daemon.address_space()
    talk = Talk(daemon)
    await daemon.limit("--as", used + 8 * 1024 * 1024)
    for _ in range(5):
        assert await talk.try_at_once(4, "lorem ipsum " * 5000) <= {200, 503, 0}
    await daemon.limit("--as", None)
    assert any(not one.is_taken for one in talk.said)
    assert {one.word for one in talk.said if one.is_taken} <= trial.stored_words(daemon)
    if not daemon.is_running:
        await daemon.ended()
        await daemon.start()
    await talk.bring_again()
    await daemon.becomes_ready()
    later = Talk(daemon)
    await later.try_at_once(1)
    await later.is_answered()
    later.judge()
    assert await daemon.stop() == 0
