"""The way to Graph is gone for a while: each answer goes out once when it is back.

A connection that was never established carried nothing: nothing is in doubt then.
"""

import asyncio

import pytest

from tests.app.patience import until
from tests.faults.daemon import LONG_S, NO_BOUNDS, Daemon
from tests.faults.machine.shim import Shim
from tests.faults.machine.short import mostly_long
from tests.faults.machine.wire import Way, Wire
from tests.faults.talk import Talk

NEVER_CONNECTED = [Way.REFUSED, Way.BLACK_HOLE]
NEVER_SECURED = [Way.RESET, Way.SILENT, Way.WRONG_NAME, Way.EXPIRED, Way.UNKNOWN_ISSUER]
SILENCE_S = 6
"""After which a send has failed, and after half of it one that was never connected: long enough for
one that is answered, on a machine that is busy."""
IN_DOUBT = [Way.RESET, Way.SILENT, Way.DYING]


async def sends(daemon: Daemon, outcome: str) -> float:
    return await daemon.metric(f'openparallax_sends_total{{outcome="{outcome}"}}')


async def begin(daemon: Daemon, wire: Wire, **more: str) -> Talk:
    daemon.configure(
        channels=daemon.whatsapp(graph_api_url=wire.url, graph_timeout_seconds=SILENCE_S),
        outbox={**NO_BOUNDS, "receipt_wait_seconds": 3},
    )
    trusted = daemon.folder / "trusted.pem"
    trusted.write_bytes(wire.trusted)
    daemon.environment |= {"SSL_CERT_FILE": str(trusted), **more}
    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    await talk.try_at_once(1)
    await talk.is_answered()

    async def are_known() -> bool:
        return await sends(daemon, "accepted") >= 4

    await until(are_known, LONG_S)  # else some of these would be in doubt
    return talk


async def without_a_doubt(daemon: Daemon, talk: Talk) -> None:
    """Everybody writes while nothing can be sent: it waits, and nothing is in doubt."""
    assert await talk.try_at_once(1) == {200}
    await until(
        lambda: len(daemon.lines("graph_unreachable") + daemon.lines("send_unanswered")) >= 4,
        LONG_S,
    )
    assert not daemon.lines("send_unanswered")
    await daemon.becomes_ready()  # never gated on Graph
    assert await sends(daemon, "not_sent") >= 4
    assert await sends(daemon, "unanswered") == 0


async def it_is_back(daemon: Daemon, talk: Talk, *, twice: int = 0) -> None:
    await talk.is_answered()
    talk.judge(twice=twice, in_order=False)
    assert await talk.try_at_once(1) == {200}
    await talk.is_answered()
    talk.judge(twice=twice, in_order=False)
    assert not daemon.lines("parcel_failed")


@pytest.mark.parametrize("way", NEVER_CONNECTED, ids=lambda way: way.name)
async def test_never_connected(daemon: Daemon, way: Way) -> None:
    async with Wire(daemon.graph.url, is_secured=False) as wire:
        talk = await begin(daemon, wire)
        await wire.turn(way)
        await without_a_doubt(daemon, talk)
        await wire.turn(Way.OPEN)
        await it_is_back(daemon, talk)


@pytest.mark.parametrize(
    "way", mostly_long(NEVER_SECURED, lambda way: way.name, short={"SILENT", "UNKNOWN_ISSUER"})
)
async def test_never_secured(daemon: Daemon, way: Way) -> None:
    async with Wire(daemon.graph.url, is_secured=True) as wire:
        talk = await begin(daemon, wire)
        await wire.turn(way)
        await without_a_doubt(daemon, talk)
        await wire.turn(Way.OPEN)
        await it_is_back(daemon, talk)


@pytest.mark.long
async def test_no_names(daemon: Daemon, shim: Shim) -> None:
    async with Wire(daemon.graph.url, is_secured=False) as wire:
        talk = await begin(daemon, wire)
        shim.take_names(are_gone=True)
        await wire.turn(Way.REFUSED)  # what is connected needs no name
        await wire.turn(Way.OPEN)
        await asyncio.sleep(10)  # for so long aiohttp remembers a name
        await without_a_doubt(daemon, talk)
        shim.take_names(are_gone=False)
        await it_is_back(daemon, talk)


@pytest.mark.parametrize("way", IN_DOUBT, ids=lambda way: way.name)
async def test_connected_and_then_nothing(daemon: Daemon, way: Way) -> None:
    """What may have arrived is waited for, and sent again: it had not arrived."""
    async with Wire(daemon.graph.url, is_secured=False) as wire:
        talk = await begin(daemon, wire)
        await wire.turn(way)
        assert await talk.try_at_once(1) == {200}
        await until(lambda: len(daemon.lines("send_unanswered")) >= 4, LONG_S)
        await wire.turn(Way.OPEN)
        await it_is_back(daemon, talk)
