"""Sends of which nobody knows whether Graph took them: statuses, repeats, crashes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes import meta
from tests.fakes.behaviours import (
    Behaviour,
    Call,
    cut_after_accepting,
    cut_before_accepting,
    error,
    garbage,
    http_500_after_accepting,
    http_500_before_accepting,
    ok,
)
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN, BOB


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    changes = {"channels": {"whatsapp": {"graph_timeout_seconds": 1}}}
    async with TurnedTown(tmp_path, monkeypatch, changes=changes) as town:
        yield town


async def with_patience(town: TurnedTown) -> None:
    """Graph's answer is waited for longer than a test lasts."""
    town.changes = {**(town.changes or {}), "channels": {"whatsapp": {"graph_timeout_seconds": 60}}}
    await town.restart()


def hang() -> Behaviour:
    return Behaviour(waits_for=asyncio.Event())


def accepted_with(code: int) -> Behaviour:
    """The message was taken, whatever the error says."""
    return Behaviour(status=500, answer=b'{"error": {"code": %d}}' % code)


TAKEN: dict[str, Callable[[], Behaviour]] = {
    "1": lambda: accepted_with(1),
    "2": lambda: accepted_with(2),
    "131000": lambda: accepted_with(131000),
    "131016": lambda: accepted_with(131016),
    "500": http_500_after_accepting,
    "cut": cut_after_accepting,
    "garbage": garbage,
    "hang": hang,
}
NOT_TAKEN: dict[str, Callable[[], Behaviour]] = {
    "2": lambda: error(2, 503),
    "131000": lambda: error(131000, 500),
    "500": http_500_before_accepting,
    "cut": cut_before_accepting,
}
taken = pytest.mark.parametrize("mood", TAKEN.values(), ids=TAKEN.keys())
not_taken = pytest.mark.parametrize("mood", NOT_TAKEN.values(), ids=NOT_TAKEN.keys())


@taken
@pytest.mark.parametrize("state", ["sent", "delivered", "read"])
async def test_with_a_status_in_time_it_is_never_repeated(
    town: TurnedTown, mood: Callable[[], Behaviour], state: str
) -> None:
    if mood is hang:
        await with_patience(town)
    town.graph.queue(mood())
    await town.say(ANN, "once")
    await town.graph.wait_for_calls(1)
    if mood is not hang:
        await town.until(lambda: bool(town.logged("send_unanswered")))
        await town.turn(9)
    await town.report(town.graph.calls[0], state)
    await town.say(ANN, "next")
    # The chat goes on at once, even while the answer is still out.
    await town.graph.wait_for(2)
    await town.turn(200)
    assert town.heard(ANN) == ["once", "next"]
    assert len(town.graph.calls) == 2
    assert set(await town.states()) == {"ACCEPTED"}
    assert town.count("parcels", "sent_again") == 0
    await town.until(lambda: is_idle(town))


@taken
async def test_without_a_status_it_is_sent_again_once_and_counted(
    town: TurnedTown, mood: Callable[[], Behaviour]
) -> None:
    town.graph.queue(mood())
    await town.say(ANN, "once")
    await town.until(lambda: bool(town.logged("send_unanswered")))
    await town.say(ANN, "next")
    await town.turn(9)
    assert len(town.graph.calls) == 1
    await town.turn(2)
    assert await town.hears(ANN, 3) == ["once", "once", "next"]
    assert town.count("parcels", "sent_again") == 1
    # Late statuses of both attempts say that it was taken twice: counted, once.
    for call in town.graph.calls[:2]:
        for state in ("sent", "delivered", "delivered"):
            await town.report(call, state)
    assert town.count("statuses", "sent_twice") == 1
    assert [row.twice for row in await town.rows()] == [1, 0]
    await town.turn(200)
    assert len(town.graph.calls) == 3


@not_taken
async def test_repeated_at_most_twice_and_waiting_longer_each_time(
    town: TurnedTown, mood: Callable[[], Behaviour]
) -> None:
    town.plan_with(lambda call: mood() if call.body == "never" else ok())
    await town.say(ANN, "never")
    await town.graph.wait_for_calls(1)
    await town.say(ANN, "next")
    await town.say(BOB, "other")
    assert await town.hears(BOB, 1) == ["other"]
    await town.turn_until(lambda: town.heard(ANN) == ["next"])
    tried = [
        when
        for when, call in zip(town.sent_at, town.graph.calls, strict=True)
        if call.body == "never"
    ]
    assert tried == pytest.approx([0, 10, 30], abs=0.1)
    assert town.sent_at[-1] == pytest.approx(70, abs=1)
    await town.until(lambda: is_idle(town))
    assert sorted(await town.states()) == ["ACCEPTED", "ACCEPTED", "UNCONFIRMED"]
    assert len(town.logged("parcel_unconfirmed")) == 1
    assert town.count("parcels", "sent_again") == 2
    # A status that comes after all is still the truth.
    await town.report(town.graph.calls[0], "read")
    assert set(await town.states()) == {"ACCEPTED"}
    await town.until(lambda: is_idle(town))


async def test_a_late_status_of_the_first_attempt_stops_the_second_in_mid_air(
    town: TurnedTown,
) -> None:
    await with_patience(town)
    town.graph.queue(http_500_after_accepting(), town.graph.hang(accepts=False))
    await town.say(ANN, "once")
    await town.graph.wait_for_calls(1)
    await town.turn(11)
    await town.graph.wait_for_calls(2)
    await town.report(town.graph.calls[0], "sent")
    await town.until(lambda: is_idle(town))
    assert town.heard(ANN) == ["once"]
    assert await town.states() == ["ACCEPTED"]


async def test_a_failed_status_settles_an_ambiguous_parcel_by_its_code(town: TurnedTown) -> None:
    for code, state, calls in ((131026, "FAILED", 1), (131000, "ACCEPTED", 2)):
        town.graph.calls.clear()
        town.graph.queue(http_500_after_accepting())
        await town.say(ANN, f"{code}")
        await town.graph.wait_for_calls(1)
        await town.until(lambda: town.up.outbox.in_flight == 0)
        await town.report(town.graph.calls[0], "failed", code)
        await town.turn(100)
        assert (await town.states())[-1] == state
        assert len(town.graph.calls) == calls
        await town.until(lambda: is_idle(town))


async def test_trouble_of_metas_own_reported_afterwards_is_repeated_at_most_twice(
    town: TurnedTown,
) -> None:
    await town.say(ANN, "hello")
    for count in range(1, 4):
        await town.graph.wait_for_calls(count)
        await town.until(lambda: is_idle(town))
        await town.report(town.graph.calls[-1], "failed", 131000)
        await town.turn(40)
    assert len(town.graph.calls) == 3
    assert await town.states() == ["FAILED"]


# -- the process dies between send and commit -----------------------------------------------------


async def crash_after_accepting(town: TurnedTown) -> Call:
    town.graph.queue(town.graph.hang(accepts=True))
    await town.say(ANN, "once")
    await town.graph.wait_for(1)
    await town.crash()
    await town.start()
    await town.until(lambda: not town.up.outbox.in_flight and bool(town.up.outbox.waiting))
    return town.graph.calls[0]


async def test_after_a_crash_a_status_says_that_it_was_sent(town: TurnedTown) -> None:
    call = await crash_after_accepting(town)
    assert await town.states() == ["UNKNOWN"]
    await town.turn(9)
    await town.report(call, "delivered")
    await town.turn(100)
    assert town.heard(ANN) == ["once"]
    assert len(town.graph.calls) == 1
    assert await town.states() == ["ACCEPTED"]
    await town.until(lambda: is_idle(town))


async def test_after_a_crash_without_a_status_it_is_sent_again_once_and_counted(
    town: TurnedTown,
) -> None:
    await crash_after_accepting(town)
    await town.say(ANN, "next")
    await town.turn(9.5)
    assert len(town.graph.calls) == 1
    await town.turn(1)
    assert await town.hears(ANN, 3) == ["once", "once", "next"]
    assert town.count("parcels", "sent_again") == 1
    await town.turn(100)
    assert len(town.graph.calls) == 3


async def test_only_time_in_which_the_listener_was_up_counts(town: TurnedTown) -> None:
    await crash_after_accepting(town)
    await town.turn(9)
    await town.crash()
    town.turned.jump(3600)
    await town.start()
    await town.turn(9)
    assert len(town.graph.calls) == 1
    await town.turn(2)
    assert await town.hears(ANN, 2) == ["once", "once"]


@pytest.mark.parametrize("jump", [20 * 3600.0, -86400.0])
async def test_a_clock_that_jumps_repeats_nothing_and_delays_nothing(
    town: TurnedTown, jump: float
) -> None:
    # Not so far ahead that the window seems closed: see test_sending_held for that.
    town.graph.queue(http_500_after_accepting(), error(131056), error(131056), error(131056))
    await town.say(ANN, "unknown")
    await town.say(BOB, "slow")
    await town.graph.wait_for_calls(2)
    await town.turn(6)  # the slow one has been refused three times and waits 16 seconds
    assert len(town.graph.calls) == 4
    town.turned.jump(jump)
    await town.restart()
    await town.turn(9)
    assert [call.body for call in town.graph.calls].count("unknown") == 1
    await town.turn(60)
    await town.until(lambda: is_idle(town))
    assert [call.body for call in town.graph.calls].count("unknown") == 2
    assert town.heard(BOB) == ["slow"]


async def test_a_stop_gives_sends_their_grace(town: TurnedTown) -> None:
    release = asyncio.Event()
    town.graph.queue(Behaviour(waits_for=release))
    await town.say(ANN, "once")
    await town.graph.wait_for(1)
    stopping = asyncio.create_task(town.stop())
    await asyncio.sleep(0.1)
    release.set()
    await stopping
    await town.start()
    await town.turn(100)
    assert town.heard(ANN) == ["once"]
    assert await town.states() == ["ACCEPTED"]


async def test_what_a_stop_leaves_is_ambiguous_for_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.app.house.SEND_GRACE_S", 0.2)
    async with TurnedTown(tmp_path, monkeypatch) as town:
        town.graph.queue(town.graph.hang(accepts=True))
        await town.say(ANN, "once")
        await town.graph.wait_for(1)
        await town.restart()
        await town.settle()
        assert await town.states() == ["UNKNOWN"]
        await town.post(
            meta.status(town.graph.calls[0].wamid, "sent", callback=town.graph.calls[0].callback)
        )
        await town.turn(100)
        assert town.heard(ANN) == ["once"]
