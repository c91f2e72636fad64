"""The clock that a person may move."""

import asyncio

import pytest

from openparallax.clock import SystemClock
from openparallax.emulator import MovableClock
from tests.fakes.clock import TurnedClock


@pytest.fixture
def inner() -> TurnedClock:
    return TurnedClock(now=1000.0)


@pytest.fixture
def clock(inner: TurnedClock) -> MovableClock:
    return MovableClock(inner)


async def test_it_runs_as_the_other_one_does(inner: TurnedClock, clock: MovableClock) -> None:
    begun, fired = clock.monotonic(), list[float]()
    clock.call_later(3, lambda: fired.append(3))
    clock.call_later(1, lambda: fired.append(1))
    clock.call_later(1, lambda: fired.append(2))
    await inner.turn(0.5)
    assert (clock.now(), clock.monotonic() - begun, fired) == (1000.5, 0.5, [])
    await inner.turn(2.5)
    assert fired == [1, 2, 3]
    assert inner.waiting == 0


async def test_moving_it_forth_lets_what_is_due_fire(
    inner: TurnedClock, clock: MovableClock
) -> None:
    fired = list[str]()
    clock.call_later(3600, lambda: fired.append("an hour"))
    clock.call_later(60, lambda: fired.append("a minute"))
    clock.call_later(86_400, lambda: fired.append("a day"))
    clock.move(3600)
    assert fired == ["a minute", "an hour"]
    assert (clock.now(), clock.ahead_s) == (4600.0, 3600.0)
    await inner.turn(82_800)
    assert fired[-1] == "a day"


async def test_moving_it_back_changes_what_it_shows_and_nothing_else(
    inner: TurnedClock, clock: MovableClock
) -> None:
    fired, before = list[str](), clock.monotonic()
    clock.call_later(60, lambda: fired.append("a minute"))
    clock.move(-3600)
    assert (clock.now(), clock.monotonic(), fired) == (-2600.0, before, [])
    await inner.turn(60)
    assert fired == ["a minute"]


async def test_it_can_show_the_machines_time_again(clock: MovableClock) -> None:
    told = list[float]()
    clock.on_move = lambda: told.append(clock.now())
    clock.move(10)
    monotonic = clock.monotonic()
    clock.reset()
    assert told == [1010.0, 1000.0]
    assert clock.monotonic() == monotonic


async def test_sleepers_wake_when_it_is_moved(clock: MovableClock) -> None:
    sleeper = asyncio.create_task(clock.sleep(600))
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.move(600)
    await asyncio.wait_for(sleeper, 20)
    await clock.sleep(0)
    await clock.sleep(-1)


async def test_what_was_called_off_does_not_fire(inner: TurnedClock, clock: MovableClock) -> None:
    fired = list[int]()
    timer = clock.call_later(5, lambda: fired.append(1))
    sleeper = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    timer.cancel()
    timer.cancel()
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper
    clock.move(10)
    await inner.turn(10)
    assert (fired, inner.waiting) == ([], 0)


async def test_a_call_that_fails_holds_up_no_other(inner: TurnedClock, clock: MovableClock) -> None:
    fired = list[int]()
    clock.call_later(1, lambda: fired.append(1 // 0))
    clock.call_later(2, lambda: fired.append(2))
    with pytest.raises(ZeroDivisionError):
        clock.move(5)
    await inner.turn(0)
    assert fired == [2]


@pytest.mark.parametrize("delay_s", [0.1, 0.3, 1e-9, 1 / 3, 59.999999999])
async def test_sums_of_floats_do_not_hang_it(
    inner: TurnedClock, clock: MovableClock, delay_s: float
) -> None:
    fired = list[int]()
    clock.move(0.7)
    await inner.turn(0.1)
    clock.move(86_400.1)
    clock.call_later(delay_s, lambda: fired.append(1))
    await asyncio.wait_for(inner.turn(delay_s + 0.001), 20)
    assert fired == [1]


async def test_what_is_due_within_a_rounding_error_is_due(clock: MovableClock) -> None:
    fired = list[int]()
    clock.call_later(1e-7, lambda: fired.append(1))
    clock.move(0)
    assert fired == [1]


async def test_it_runs_on_the_machines_clock() -> None:
    clock, fired = MovableClock(SystemClock()), asyncio.Event()
    clock.call_later(3600, fired.set)
    clock.move(3600)
    await asyncio.wait_for(fired.wait(), 20)
