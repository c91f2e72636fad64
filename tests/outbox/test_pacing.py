"""How fast: windows for a number, buckets for its chats."""

from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.outbox.pacing import Bucket, Pacing, Window
from tests.fakes.clock import TurnedClock


async def run_for(window: Window | Bucket, clock: TurnedClock, count: int) -> list[float]:
    """When ``count`` sends go out that are in a hurry."""
    times: list[float] = []
    while len(times) < count:
        if wait_s := window.wait_s():
            await clock.turn(wait_s)
            continue
        window.take()
        times.append(clock.monotonic())
    return times


@settings(deadline=None)
@given(st.integers(1, 100), st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_the_limit_in_any_second(most: int, pauses: list[float]) -> None:
    clock = TurnedClock()
    window = Window(most, 1.0, clock)
    times: list[float] = []
    for pause in pauses:
        clock._monotonic += pause
        while window.wait_s() == 0.0 and len(times) < 2000:
            window.take()
            times.append(clock.monotonic())
    for at in times:
        assert len([one for one in times if at <= one < at + 0.9999]) <= most


async def test_a_window_lets_its_whole_rate_through() -> None:
    clock = TurnedClock()
    times = await run_for(Window(80, 1.0, clock), clock, 801)
    assert times[79] == times[0]
    assert times[-1] - times[0] < 10.01


async def test_a_rate_below_one_a_second() -> None:
    clock = TurnedClock()
    pacing = Pacing(clock, per_second=0.25, pair_burst=None, pair_interval_s=6)
    pacing.take(1)
    assert pacing.number_wait_s() == 4
    await clock.turn(4)
    assert pacing.number_wait_s() == 0


async def test_a_bucket_gives_its_burst_and_then_one_an_interval() -> None:
    clock = TurnedClock()
    times = await run_for(Bucket(3, 1 / 6, clock), clock, 6)
    assert [round(at - times[0], 3) for at in times] == [0, 0, 0, 6, 12, 18]


async def test_chats_do_not_share_a_bucket_and_what_is_given_back_counts() -> None:
    clock = TurnedClock()
    pacing = Pacing(clock, per_second=2, pair_burst=1, pair_interval_s=6)
    pacing.take(1)
    assert pacing.chat_wait_s(1) > 0
    assert pacing.chat_wait_s(2) == 0
    pacing.take(2)
    assert pacing.number_wait_s() > 0
    pacing.give_back(2)
    assert pacing.number_wait_s() == 0
    assert pacing.chat_wait_s(2) == 0


async def test_quiet_chats_are_forgotten_and_busy_ones_are_not() -> None:
    clock = TurnedClock()
    pacing = Pacing(clock, per_second=None, pair_burst=1, pair_interval_s=6)
    for chat in range(pacing.PRUNED_PAST):
        pacing.take(chat)
    await clock.turn(7)
    pacing.take(0)
    pacing.take(-1)
    assert len(pacing._pairs) == 2
    assert pacing.chat_wait_s(0) > 0


def test_without_limits_nothing_waits() -> None:
    pacing = Pacing(TurnedClock(), per_second=None, pair_burst=None, pair_interval_s=6)
    for _ in range(1000):
        assert pacing.number_wait_s() == pacing.chat_wait_s(1) == 0
        pacing.take(1)
