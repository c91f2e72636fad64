"""``tail``: through a daemon that is a process, and what it does with slow readers and wrong."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from openparallax.app import tailing
from openparallax.cli.tail import _Steps
from openparallax.cli.ways import Ways
from openparallax.errors import Refusal
from openparallax.trail import Step
from tests.app.patience import LONG_S
from tests.app.process import ROOT, Daemon
from tests.app.test_commands import ran
from tests.canary import Canary
from tests.fakes import behaviours, meta
from tests.fakes.engines import FakeEngine
from tests.town import ANN, BOB, Town


@asynccontextmanager
async def following(daemon: Daemon, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openparallax", "tail", "-c", str(daemon.config), *words),
        cwd=ROOT,
        env=daemon.variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), LONG_S)).decode()


async def test_through_a_daemon(daemon: Daemon) -> None:
    canary = Canary()
    assert (await ran(daemon, "tail")).code == 69
    await daemon.start()
    async with following(daemon, "--json") as whole, following(daemon, "--messages") as short:
        # What was sent before a reader was there is among the latest steps.
        await daemon.deliver(meta.text(ANN, canary.words))
        found: list[dict[str, Any]] = []
        while not found or found[-1]["step"] != "sent":
            found.append(json.loads(await line(whole)))
        assert [one["step"] for one in found] == ["queued", "asked", "answered", "posted", "sent"]
        assert {one["contact"] for one in found} == {"49…78"}
        assert len({one["turn"] for one in found}) == 1
        way = await line(short)
        assert "49…78" in way
        assert "queued (text) > asked (moody for tests)" in way
        assert canary.core not in json.dumps(found) + way

        short.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(short.wait(), LONG_S) == 130

        ended = await ran(daemon, "tail", "--no-follow", "-n", "2")
        assert (ended.code, ended.err) == (0, "")
        assert [row.split()[2] for row in ended.out.splitlines()] == ["posted", "sent"]

        daemon.signal(signal.SIGTERM)
        assert json.loads(await line(whole))["step"] == "draining"
        _, err = await asyncio.wait_for(whole.communicate(), LONG_S)
        assert (whole.returncode, err) == (69, b"openparallax: the daemon is stopping.\n")
    assert await daemon.ended() == 0
    assert "control_failed" not in daemon.said
    assert canary.core not in daemon.said


# -- inside a house --------------------------------------------------------------------------------


async def tailed(town: Town, **asked: Any) -> list[dict[str, Any]]:
    """All that is remembered, as a reader gets it."""
    tail = tailing.Tailing(town.up.condition.parts.trail, town.up.database, clock=town.clock)
    found = [
        json.loads(one)
        async for piece in await tail.tail({"latest": 1000, "follow": False, **asked})
        for one in piece.splitlines()
    ]
    assert all(printed for one in found for printed in _Steps().lines(one))
    return found


async def test_only_what_was_asked_for(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "one")
    await town.say(BOB, "two")
    await town.hears(ANN, 1)
    await town.hears(BOB, 1)
    await town.quiet()
    everybody = await tailed(town)
    ann, bob = await tailed(town, who=f"+{ANN}"), await tailed(town, chat=2)
    assert len(ann) + len(bob) == len(everybody) == 10
    assert {one["contact"] for one in ann} == {"49…78"}
    assert {one["contact"] for one in bob} == {"49…21"}
    assert await tailed(town, account="9") == []
    assert await tailed(town, account=meta.PHONE_NUMBER_ID) == everybody
    assert len(await tailed(town, latest=3)) == 3
    for wrong in ({"follow": 1}, {"latest": -1}, {"who": "x", "chat": 1}, {"chat": 99}):
        with pytest.raises(Refusal):
            await tailed(town, **wrong)


async def test_who_the_steps_do_not_name_is_looked_up(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "one")
    await town.hears(ANN, 1)
    await town.restart()
    town.up.condition.parts.trail.note(Step.READ, 1, 1002)
    assert [one["contact"] for one in await tailed(town)] == ["49…78"]


async def test_a_slow_reader_holds_nobody_up(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing, "MOST_BEHIND", 5)
    monkeypatch.setattr(tailing, "BEAT_S", 0.01)
    trail = town.up.condition.parts.trail
    desk = tailing.Tailing(trail, town.up.database, clock=town.clock)
    before = trail._hearers
    tail = await desk.tail({"latest": 0})
    assert await anext(tail) == b"\n"
    for turn in range(1, 13):
        trail.note(Step.READ, 0, turn)
    lines = [json.loads(one) for one in (await anext(tail)).splitlines()]
    assert lines[0] == {"left_out": 7}
    assert [one["turn"] for one in lines[1:]] == [8, 9, 10, 11, 12]
    assert len(list(_Steps().lines(lines[0]))) == 1
    readers = [await desk.tail({}) for _ in range(tailing.MOST_READERS - 1)]
    with pytest.raises(Refusal) as refused:
        await desk.tail({})
    assert refused.value.exit_code == 75
    for one in (*readers, tail):
        await one.aclose()
        await one.aclose()
    assert trail._hearers == before
    ended = await desk.tail({"latest": 0})
    ended.end()
    assert [one async for one in ended] == [b'{"end": "stopping"}\n']


async def test_the_whole_way_as_a_line(town: Town, engine: FakeEngine) -> None:
    town.changes = {"channels": {"whatsapp": {"allowed_numbers": [f"+{ANN}"]}}}
    await town.restart()
    town.graph.queue(behaviours.error(131026))
    await town.say(ANN, "one")
    await town.say(BOB, "two")
    await town.post(meta.media(ANN))
    await town.graph.wait_for_calls(2)
    await town.quiet()
    ways = Ways()
    lines = [one for found in await tailed(town) for one in ways.lines(found)]
    assert list(ways.rest()) == []
    assert len(lines) == 3
    [first] = [one for one in lines if "turn=1002" in one]
    assert "failed" in first
    assert "code 131026" in first
    assert sum("not allowed" in one for one in lines) == 1
    assert sum("unreadable" in one for one in lines) == 1
