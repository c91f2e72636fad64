"""A closed customer service window holds; the person's next message lets go."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.behaviours import (
    Behaviour,
    Call,
    cut_before_accepting,
    error,
    http_500_after_accepting,
    ok,
)
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN, BOB

DAY = 86400.0


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        yield town


async def test_a_closed_window_holds_until_the_person_writes(town: TurnedTown) -> None:
    town.graph.queue(error(131047))
    await town.say(ANN, "held")
    await town.until(lambda: bool(town.logged("parcel_held")))
    await town.say(BOB, "other")
    await town.hears(BOB, 1)
    await town.turn(600)
    assert len(town.graph.calls) == 2
    assert await town.states() == ["HELD", "ACCEPTED"]
    await town.until(lambda: is_idle(town))
    await town.say(ANN, "again")
    assert await town.hears(ANN, 2) == ["held", "again"]


async def test_all_parts_of_a_turn_are_held_and_none_is_tried_in_vain(town: TurnedTown) -> None:
    town.graph.queue(error(131047))
    await town.say(ANN, "a " * 4000)
    await town.until(lambda: bool(town.logged("parcel_held")))
    await town.until(lambda: is_idle(town))
    assert await town.states() == ["HELD", "HELD"]
    assert len(town.graph.calls) == 1
    await town.restart()
    await town.say(ANN, "now")
    heard = await town.hears(ANN, 3)
    assert "".join(heard[:2]).count("a") == 4000
    assert heard[2] == "now"


async def test_a_failed_status_holds_too(town: TurnedTown) -> None:
    await town.say(ANN, "held")
    await town.graph.wait_for(1)
    await town.until(lambda: is_idle(town))
    await town.report(town.graph.calls[0], "failed", 131047)
    await town.report(town.graph.calls[0], "failed", 131047)
    await town.report(town.graph.calls[0], "sent")
    assert await town.states() == ["HELD"]
    await town.turn(600)
    await town.say(ANN, "again")
    assert await town.hears(ANN, 3) == ["held", "held", "again"]
    assert town.count("statuses", "sent_twice") == 0


async def test_of_replies_held_only_the_newest_turns_are_kept(town: TurnedTown) -> None:
    # The window closes while the number is paused; three turns wait.
    town.plan_with(lambda _call: error(190, 401))
    for word in ("first", "second", "third " + "word " * 1500):
        await town.say(ANN, word)
        await town.settle()
    await town.until(lambda: not town.up.dispatcher.waiting and not town.up.dispatcher.running)
    town.plan_with(lambda _call: ok())
    town.turned.jump(2 * DAY)
    await town.turn(30)
    await town.until(lambda: is_idle(town))
    assert await town.states() == ["HELD", "HELD", "HELD", "HELD"]
    assert not town.graph.accepted
    await town.say(ANN, "back")
    heard = await town.hears(ANN, 3)
    assert heard[0].startswith("third")
    assert heard[2] == "back"
    await town.turn(60)
    assert len(town.heard(ANN)) == 3
    assert (await town.states())[:2] == ["WITHDRAWN", "WITHDRAWN"]


async def test_a_later_message_keeps_the_window_open_for_what_waited(town: TurnedTown) -> None:
    town.plan_with(lambda _call: error(190, 401))
    await town.say(ANN, "first")
    await town.until(lambda: bool(town.logged("account_paused")))
    town.turned.jump(23 * 3600)
    await town.say(ANN, "second")
    await town.settle()
    town.turned.jump(2 * 3600)
    town.plan_with(lambda _call: ok())
    await town.turn_until(lambda: len(town.graph.accepted) == 2)
    assert town.heard(ANN) == ["first", "second"]


async def test_a_status_for_what_is_held_says_that_it_arrived_after_all(town: TurnedTown) -> None:
    town.graph.queue(http_500_after_accepting())
    await town.say(ANN, "once")
    await town.until(lambda: bool(town.logged("send_unanswered")))
    town.turned.jump(2 * DAY)
    await town.turn(11)
    assert await town.states() == ["HELD"]
    await town.report(town.graph.calls[0], "delivered")
    await town.say(ANN, "next")
    assert await town.hears(ANN, 2) == ["once", "next"]
    await town.turn(60)
    assert len(town.graph.calls) == 2


async def test_released_while_a_later_part_is_in_mid_air_nothing_is_sent_twice(
    town: TurnedTown,
) -> None:
    hanging = town.graph.hang(accepts=True)
    town.plan_with(lambda call: hanging if call.body.startswith("b") else ok())
    await town.say(ANN, "a " * 2040 + "b " * 1500)
    await town.graph.wait_for(2)
    await town.report(town.graph.calls[0], "failed", 131047)
    await town.say(ANN, "back")
    await town.settle()
    town.graph.release()
    town.plan_with(lambda _call: ok())
    await town.turn_until(lambda: len(town.graph.accepted) == 4)
    await town.turn(60)
    assert [body.split()[0] for body in town.heard(ANN)] == ["a", "b", "a", "back"]
    await town.until(lambda: is_idle(town))


async def test_released_while_a_later_part_may_be_out_both_arrive(town: TurnedTown) -> None:
    town.plan_with(lambda call: cut_before_accepting() if call.body.startswith("b") else ok())
    await town.say(ANN, "a " * 2040 + "b " * 1500)
    await town.graph.wait_for_calls(2)
    await town.until(lambda: bool(town.logged("send_unanswered")))
    await town.report(town.graph.calls[0], "failed", 131047)
    town.plan_with(lambda _call: ok())
    await town.say(ANN, "back")
    await town.turn_until(lambda: len(town.graph.accepted) == 4, most=60)
    assert [body.split()[0] for body in town.heard(ANN)] == ["a", "b", "a", "back"]
    await town.until(lambda: is_idle(town))


# -- a clock that was wrong -----------------------------------------------------------------------


async def test_a_clock_a_day_ahead_and_back_loses_no_reply(town: TurnedTown) -> None:
    def slow_first(call: Call) -> Behaviour:
        return error(130429) if len(town.graph.calls) == 0 else ok()

    town.plan_with(slow_first)
    await town.say(ANN, "reply")
    await town.graph.wait_for_calls(1)
    town.turned.jump(DAY)
    await town.turn(5)
    assert await town.states() == ["HELD"]
    town.turned.jump(-DAY)
    town.up.outbox.look_again()
    await town.turn(2)
    assert town.heard(ANN) == ["reply"]
    await town.until(lambda: is_idle(town))


async def test_nor_any_of_several_replies_that_waited(town: TurnedTown) -> None:
    town.plan_with(lambda _call: error(190, 401))
    for word in ("first", "second", "third"):
        await town.say(ANN, word)
        await town.settle()
    await town.until(lambda: not town.up.dispatcher.waiting and not town.up.dispatcher.running)
    town.plan_with(lambda _call: ok())
    town.turned.jump(DAY)
    await town.turn(70)
    assert await town.states() == ["HELD", "HELD", "HELD"]
    town.turned.jump(-DAY)
    await town.turn(70)  # housekeeping notices
    assert await town.hears(ANN, 3) == ["first", "second", "third"]


async def test_a_clock_set_right_before_a_restart_loses_no_reply_either(town: TurnedTown) -> None:
    town.graph.queue(error(130429))
    await town.say(ANN, "reply")
    await town.graph.wait_for_calls(1)
    town.turned.jump(DAY)
    await town.turn(5)
    town.turned.jump(-DAY)
    await town.restart()
    await town.turn(1)
    assert town.heard(ANN) == ["reply"]


async def test_looking_again_does_not_try_what_meta_called_closed(town: TurnedTown) -> None:
    town.graph.queue(error(131047))
    await town.say(ANN, "held")
    await town.until(lambda: bool(town.logged("parcel_held")))
    for _ in range(3):
        town.up.outbox.look_again()
        await town.turn(60)
    await town.restart()
    await town.turn(60)
    assert len(town.graph.calls) == 1
    assert await town.states() == ["HELD"]
