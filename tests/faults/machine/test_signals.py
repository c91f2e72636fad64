"""Signals in the middle of everything, and a machine that is suspended."""

import asyncio
import random
import signal

import pytest

from tests.app.patience import until
from tests.faults.daemon import LONG_S, Daemon
from tests.faults.machine.short import mostly_long
from tests.faults.machine.trial import used_file
from tests.faults.talk import Talk

SOME = pytest.param(2, id="some")
MANY = pytest.param(40, id="many", marks=pytest.mark.long)
DRAIN_S = 2


@pytest.mark.parametrize("count", [SOME, MANY])
@pytest.mark.parametrize(
    "number",
    mostly_long([signal.SIGTERM, signal.SIGINT], lambda one: one.name, short={"SIGTERM"}),
)
async def test_at_many_moments(daemon: Daemon, number: signal.Signals, count: int) -> None:
    """Turns run, sends are under way, Meta posts on: it ends with 0 and nothing is lost."""
    dice = random.Random(7)  # noqa: S311 - repeatable moments
    talk = Talk(daemon)
    daemon.reports_statuses()
    for _ in range(count):
        await daemon.start()
        writing = asyncio.ensure_future(_write(talk))
        await asyncio.sleep(dice.random() * 0.6)
        daemon.signal(number)
        assert await daemon.ended(LONG_S) == 0
        await writing
        assert daemon.integrity() == "ok"
    await daemon.start()
    await talk.bring_again()
    await talk.is_answered()
    talk.judge(in_order=False)
    assert not daemon.lines("turn_broke")


async def _write(talk: Talk) -> None:
    for turn in range(4):
        await talk.try_at_once(1, "slow" if turn % 2 else "")


async def test_a_turn_that_does_not_end_is_waited_for_as_long_as_is_said(daemon: Daemon) -> None:
    await daemon.start()
    talk = Talk(daemon)
    await talk.say(0, "until told")  # which nobody does
    await until((daemon.folder / "asked").exists)
    loop = asyncio.get_running_loop()
    began = loop.time()
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended(LONG_S) == 0
    assert loop.time() - began > DRAIN_S
    stopped = daemon.lines("stopped")
    assert stopped[-1]["count"] == 1


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
async def test_twice_in_a_row(daemon: Daemon, second: signal.Signals) -> None:
    """The second ends it at once; nothing is lost but the time of a turn."""
    daemon.configure(conversation={"drain_seconds": 60})
    daemon.reports_statuses()
    await daemon.start()
    talk = Talk(daemon)
    await talk.say(0, "until told")
    await until((daemon.folder / "asked").exists)
    daemon.signal(signal.SIGTERM)
    await daemon.says('"event": "draining"')
    daemon.signal(second)
    assert await daemon.ended(LONG_S) == 128 + second
    (daemon.folder / "go").touch()
    await daemon.start()
    await talk.is_answered()
    talk.judge()


@pytest.mark.parametrize("count", [pytest.param(1, id="once"), MANY])
@pytest.mark.parametrize("is_old", [False, True], ids=["start", "migration"])
async def test_while_it_starts(daemon: Daemon, count: int, *, is_old: bool) -> None:
    """Whenever it comes: nothing is broken, and the next start is as if nothing had been."""
    daemon.reports_statuses()
    talk = Talk(daemon, people=2)
    await daemon.start()
    loop = asyncio.get_running_loop()
    await daemon.kill()
    began = loop.time()
    await daemon.start()
    start_s = loop.time() - began
    await daemon.kill()
    for place in range(count):
        if is_old:
            for file in daemon.state.iterdir():
                file.unlink()
            used_file(daemon.database, 1, *(f"words {number}" for number in range(2000)))
        await daemon.launch()
        await asyncio.sleep(start_s * (place + 0.5) / count)
        daemon.signal(signal.SIGTERM)
        code = await daemon.ended(LONG_S)
        assert code in (0, -signal.SIGTERM, 130, 143), (place, code, daemon.said[-2000:])
        assert "internal error" not in daemon.said
        if daemon.database.exists():
            assert daemon.integrity() == "ok"
        if not is_old:
            await daemon.start()
            await talk.say(0)
            await talk.say(1, "slow")
            await daemon.kill()
    await daemon.start()
    await talk.say(0)
    await talk.is_answered()
    if not is_old:
        talk.judge(in_order=False)


async def test_a_hangup_changes_nothing(daemon: Daemon) -> None:
    await daemon.start()
    talk = Talk(daemon)
    for _ in range(3):
        await talk.say(0, "slow")
        daemon.signal(signal.SIGHUP)
        await talk.try_at_once(1)
    await talk.is_answered()
    talk.judge(in_order=False)
    await daemon.becomes_ready()
    await until(lambda: daemon.lines("reloaded") != [])


@pytest.mark.parametrize(
    "seconds", [pytest.param(4, id="short"), pytest.param(30, id="long", marks=pytest.mark.long)]
)
async def test_a_laptop_that_sleeps(daemon: Daemon, seconds: float) -> None:
    """Stopped with turns, sends and requests under way: it goes on where it was."""
    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    for person in range(4):
        await talk.say(person, "slow")
    daemon.signal(signal.SIGSTOP)
    waiting = asyncio.ensure_future(talk.try_at_once(2))
    await asyncio.sleep(seconds)
    assert not waiting.done()
    daemon.signal(signal.SIGCONT)
    assert await waiting <= {200, 0}
    await talk.bring_again()
    await talk.is_answered()
    await daemon.becomes_ready()
    talk.judge(in_order=False)
    assert await daemon.stop() == 0
