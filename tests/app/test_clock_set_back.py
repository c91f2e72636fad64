"""A clock that ran ahead for a while loses nobody's message."""

from tests.fakes.clock import TurnedClock
from tests.town import ANN, Town

DAY_S = 86400


async def test_what_seemed_past_its_window_is_answered_when_the_clock_is_right_again(
    town: Town,
) -> None:
    clock = TurnedClock()
    town.clock = clock
    await town.restart()
    now = int(clock.now())
    clock.jump(3 * DAY_S)
    await town.say(ANN, "hello", at=now)
    await town.until(lambda: town.up.metrics.value("turns", "held") == 1)
    await town.quiet()
    assert town.heard(ANN) == []
    clock.jump(-3 * DAY_S)
    await town.up.housekeeping.sweep()
    assert await town.hears(ANN, 1) == ["hello"]
    assert "clock_set_back" in town.log.getvalue()


async def test_what_is_held_stays_held_while_the_clock_is_right(town: Town) -> None:
    clock = TurnedClock()
    town.clock = clock
    await town.restart()
    await town.say(ANN, "hello", at=int(clock.now()) - 2 * DAY_S)
    await town.until(lambda: town.up.metrics.value("turns", "held") == 1)
    clock.jump(-120)
    await town.up.housekeeping.sweep()
    await town.quiet()
    assert town.heard(ANN) == []
