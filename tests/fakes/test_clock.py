import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fakes.clock import TurnedClock

if TYPE_CHECKING:
    from openparallax.clock import Clock


def test_it_is_a_clock() -> None:
    clock: Clock = TurnedClock(now=5.0)
    assert clock.now() == 5.0


async def test_timers_fire_in_order_at_their_time() -> None:
    clock = TurnedClock()
    begun = clock.monotonic()
    fired: list[tuple[str, float]] = []

    def note(name: str) -> None:
        fired.append((name, clock.monotonic() - begun))

    clock.call_later(3, lambda: note("third"))
    clock.call_later(1, lambda: note("first"))
    clock.call_later(1, lambda: note("second"))
    clock.call_later(9, lambda: note("never"))
    await clock.turn(0.5)
    assert fired == []
    await clock.turn(4.5)
    assert fired == [("first", 1.0), ("second", 1.0), ("third", 3.0)]
    assert clock.monotonic() - begun == 5.0
    assert clock.waiting == 1


async def test_a_cancelled_timer_does_not_fire() -> None:
    clock = TurnedClock()
    fired: list[int] = []
    timer = clock.call_later(1, lambda: fired.append(1))
    timer.cancel()
    timer.cancel()
    assert clock.waiting == 0
    await clock.turn(2)
    assert fired == []


async def test_what_a_timer_sets_going_runs_before_the_next_one() -> None:
    clock = TurnedClock()
    seen: list[float] = []

    async def ticker() -> None:
        for _ in range(3):
            await clock.sleep(1)
            seen.append(clock.monotonic())

    begun = clock.monotonic()
    task = asyncio.create_task(ticker())
    await clock.turn(3)
    assert [moment - begun for moment in seen] == [1.0, 2.0, 3.0]
    await task


async def test_sleeping_nothing_only_yields() -> None:
    clock = TurnedClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock.waiting == 0


async def test_a_cancelled_sleeper_leaves_no_timer() -> None:
    clock = TurnedClock()
    task = asyncio.create_task(clock.sleep(10))
    await clock.settle()
    assert clock.waiting == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock.waiting == 0


async def test_a_jump_moves_wall_time_alone() -> None:
    clock = TurnedClock(now=1000.0)
    fired: list[int] = []
    clock.call_later(10, lambda: fired.append(1))
    monotonic = clock.monotonic()
    clock.jump(86_400)
    assert clock.now() == 87_400.0
    clock.jump(-2 * 86_400)
    assert clock.now() == -85_400.0
    assert clock.monotonic() == monotonic
    await clock.settle()
    assert fired == []
    await clock.turn(10)
    assert fired == [1]
    assert clock.now() == -85_390.0


async def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        await TurnedClock().turn(-1)
