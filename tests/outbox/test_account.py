"""A number that is paused, probed, slowed down."""

import io
import json
from math import inf
from typing import Any

import pytest

from openparallax import logs
from openparallax.outbox.account import AccountState
from tests.fakes.clock import TurnedClock


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def account(clock: TurnedClock, written: io.StringIO) -> AccountState:
    return AccountState("123", clock, logs.configure(render="json", stream=written))


def lines(written: io.StringIO, event: str) -> list[dict[str, Any]]:
    return [
        line for line in map(json.loads, written.getvalue().splitlines()) if line["event"] == event
    ]


async def probe(account: AccountState, clock: TurnedClock, parcel: int) -> None:
    await clock.turn(account.wait_s())
    account.begin(parcel)
    assert account.wait_s() == inf


async def test_what_fails_together_pauses_once(
    account: AccountState, clock: TurnedClock, written: io.StringIO
) -> None:
    for parcel in range(50):
        account.begin(parcel)
    for parcel in range(50):
        account.pause(190, "renew it", parcel)
        account.ended(parcel)
    assert account.wait_s() == 5
    assert len(lines(written, "account_paused")) == 1
    assert account.code == 190


async def test_what_was_under_way_neither_resumes_nor_ends_a_probe(
    account: AccountState, clock: TurnedClock
) -> None:
    account.begin(1)
    account.begin(2)
    account.begin(3)
    account.pause(190, "", 1)
    account.accepted(2)
    assert account.is_paused
    await probe(account, clock, 9)
    account.pause(190, "", 3)
    account.ended(3)
    assert account.wait_s() == inf
    account.accepted(9)
    assert account.wait_s() == 0
    account.begin(10)
    assert account.wait_s() == 0, "no probe: it is not paused any more"


async def test_probes_are_rarer_and_rarer_up_to_five_minutes(
    account: AccountState, clock: TurnedClock
) -> None:
    account.pause(190, "", 0)
    waits = []
    for parcel in range(9):
        waits.append(account.wait_s())
        await probe(account, clock, parcel)
        account.pause(190, "", parcel)
        account.ended(parcel)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


async def test_a_probe_that_tells_nothing_lets_the_next_one_go(
    account: AccountState, clock: TurnedClock
) -> None:
    account.pause(190, "", 0)
    await probe(account, clock, 1)
    account.ended(1)
    assert account.is_paused
    assert account.wait_s() == 0


async def test_a_relapse_goes_on_where_it_was_and_a_later_pause_begins_anew(
    account: AccountState, clock: TurnedClock
) -> None:
    account.pause(131042, "")
    for parcel, wait_s in ((1, 10), (2, 20)):
        await probe(account, clock, parcel)
        account.accepted(parcel)
        account.pause(131042, "")
        assert account.wait_s() == wait_s
    await probe(account, clock, 3)
    account.accepted(3)
    await clock.turn(3600)
    account.pause(131042, "")
    assert account.wait_s() == 5


async def test_a_status_does_not_lengthen_a_pause(
    account: AccountState, clock: TurnedClock
) -> None:
    account.pause(190, "", 1)
    account.pause(190, "")
    await probe(account, clock, 2)
    account.pause(190, "")
    assert account.wait_s() == inf


async def test_slowing_down_grows_and_a_message_that_is_taken_ends_that(
    account: AccountState, clock: TurnedClock, written: io.StringIO
) -> None:
    waits = []
    for _ in range(7):
        for _ in range(20):
            account.slow_down(130429)
        waits.append(account.wait_s())
        await clock.turn(waits[-1])
    assert waits == [1, 4, 16, 64, 256, 300, 300]
    assert len(lines(written, "account_slowed")) == 7
    account.accepted(1)
    account.slow_down(4)
    assert account.wait_s() == 1
