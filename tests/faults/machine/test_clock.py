"""The machine's clock jumps by a day, forth and back, while the daemon runs and while it does not.

Meta keeps the right time. So to a clock that is a whole day ahead every customer service window is
closed: what comes then is held, and answered when the clock is right again.
"""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from tests.fakes.behaviours import error, http_500_before_accepting
from tests.faults.daemon import LONG_S, Daemon
from tests.faults.machine.shim import Shim
from tests.faults.talk import Talk

DAY_S = 86_400
NEARLY_S = DAY_S - 3_600
"""Ahead by so much, windows that opened just now are open still."""
PAIR_RATE = 131056


@pytest.mark.parametrize("first", [NEARLY_S, -DAY_S], ids=["forth", "back"])
async def test_a_jump_while_it_runs(daemon: Daemon, shim: Shim, first: int) -> None:
    """In the middle of turns, of sends and of waits; then back again."""
    await daemon.start()
    daemon.reports_statuses()
    talk = Talk(daemon)
    for ahead in (first, 0):
        for person in range(4):
            await talk.say(person, "slow")
        daemon.graph.queue(error(PAIR_RATE), http_500_before_accepting())
        await talk.try_at_once(1)
        shim.set_clock(ahead)
        await talk.try_at_once(2)
        await talk.is_answered()
        await daemon.becomes_ready()
    talk.judge(in_order=False)
    await daemon.graph.reported(LONG_S)
    talk.judge(in_order=False)
    assert await daemon.stop() == 0


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param(NEARLY_S, id="forth"),
        pytest.param(-DAY_S, id="back", marks=pytest.mark.long),  # waits for most of a minute
    ],
)
@pytest.mark.parametrize(
    "is_killed",
    [
        pytest.param(True, id="killed"),
        pytest.param(False, id="stopped", marks=pytest.mark.long),
    ],
)
async def test_a_jump_over_a_restart(
    daemon: Daemon, shim: Shim, ahead: int, *, is_killed: bool
) -> None:
    """What waits, for a pace or for a status, waits no longer than it may."""
    await daemon.start()
    daemon.reports_statuses()  # else what is sent in the moment of the kill is sent again
    talk = Talk(daemon)
    daemon.graph.queue(*(error(PAIR_RATE) for _ in range(2)), http_500_before_accepting())
    for person in range(4):
        await talk.say(person)
    await daemon.graph.wait_for_calls(4, LONG_S)
    for person in range(4):
        await talk.say(person, "slow")
    await (daemon.kill() if is_killed else daemon.stop())
    shim.set_clock(ahead)
    await daemon.start()
    await talk.is_answered()  # after a back-off of some seconds, not a day of 86,400
    talk.judge(in_order=False)
    for request in talk.said:
        assert await talk.post(request) == 200
    await talk.try_at_once(1)
    await talk.is_answered()
    talk.judge(in_order=False)
    await daemon.becomes_ready()


@pytest.mark.long
async def test_what_a_clock_ahead_held_is_answered_when_it_is_right(
    daemon: Daemon, shim: Shim
) -> None:
    await daemon.start()
    daemon.reports_statuses()
    shim.set_clock(DAY_S + 3_600)
    talk = Talk(daemon)
    await talk.try_at_once(1)
    await asyncio.sleep(65)  # seen to be ahead
    shim.set_clock(0)
    await talk.is_answered()  # within the minute in which that is noticed
    talk.judge()
    assert daemon.lines("clock_set_back")


@pytest.mark.parametrize("days", [2, pytest.param(-2, marks=pytest.mark.long)])
async def test_what_is_to_be_kept_is_kept(daemon: Daemon, shim: Shim, days: int) -> None:
    """A retention of three days deletes nothing of today's for a jump by a day or two."""
    daemon.configure(storage=daemon.storage(retention_days=3))
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(3)
    await talk.is_answered()
    await daemon.stop()
    before = kept(daemon)
    shim.set_clock(days * DAY_S)
    await daemon.start()  # which sweeps at once
    await asyncio.sleep(1)
    await talk.try_at_once(1)
    await daemon.stop()
    shim.set_clock(0)
    await daemon.start()
    await asyncio.sleep(1)
    # Known as seen by both clocks: not answered again.
    for request in talk.said:
        assert await talk.post(request) == 200
    await talk.try_at_once(1)
    await talk.is_answered()
    talk.judge(in_order=False)
    await daemon.stop()
    assert before <= kept(daemon)


def kept(daemon: Daemon) -> set[str]:
    with closing(sqlite3.connect(daemon.database)) as file:
        return {words for (words,) in file.execute("SELECT words FROM transcript")}
