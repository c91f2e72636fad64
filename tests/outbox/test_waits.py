"""How long an open parcel waits."""

from dataclasses import replace

import pytest

from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.outbox import waits as waits_module
from openparallax.outbox.waits import Waits
from tests.fakes.clock import TurnedClock

PARCEL = Parcel(
    number=1,
    chat=1,
    account="1",
    to="4915112345678",
    session=Session(SessionId(1), Mode.ON_THE_RECORD),
    turn=1,
    part=1,
    attempts=1,
)
UNKNOWN = replace(PARCEL, state=ParcelState.UNKNOWN, ambiguous=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def waits(clock: TurnedClock) -> Waits:
    return Waits(clock, receipt_wait_s=10)


def test_what_is_new_or_claimed_does_not_wait(waits: Waits) -> None:
    assert waits.left_s(PARCEL) == 0
    assert waits.left_s(replace(PARCEL, state=ParcelState.SENDING, not_before=9e9)) == 0
    assert not waits._waits


async def test_the_wait_for_a_status_runs_on_and_is_longer_each_time(
    waits: Waits, clock: TurnedClock
) -> None:
    assert waits.left_s(UNKNOWN) == 10
    await clock.turn(4)
    clock.jump(-1e6)
    assert waits.left_s(UNKNOWN) == 6
    await clock.turn(7)
    assert waits.left_s(UNKNOWN) == 0
    assert waits.left_s(UNKNOWN) == 0  # asked again, it has waited all the same
    assert waits.left_s(replace(UNKNOWN, attempts=2, ambiguous=2)) == 20
    assert waits.left_s(replace(UNKNOWN, attempts=3, ambiguous=3)) == 40


async def test_back_offs_grow_for_the_same_reason_only(waits: Waits, clock: TurnedClock) -> None:
    assert [waits.pair_rate_s(PARCEL) for _ in range(6)] == [1, 4, 16, 64, 256, 300]
    assert [waits.unreachable_s(PARCEL) for _ in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert waits.pair_rate_s(PARCEL) == 1
    waiting = replace(PARCEL, not_before=clock.now() + 1)
    assert waits.left_s(waiting) == 1


@pytest.mark.parametrize("jump", [0, -1e6, 1e6])
async def test_what_an_earlier_process_wrote_is_clamped(clock: TurnedClock, jump: float) -> None:
    waiting = replace(PARCEL, attempts=3, not_before=clock.now() + 16)
    clock.jump(jump)
    left_s = Waits(clock, receipt_wait_s=10).left_s(waiting)
    assert left_s == {0: 16, -1e6: 64, 1e6: 0}[jump]


async def test_what_is_over_is_forgotten(
    waits: Waits, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits_module, "PRUNED_PAST", 100)
    waits._pruned_past = 100
    waits.left_s(UNKNOWN)
    waits.forget(UNKNOWN)
    assert not waits._waits
    for number in range(500):
        waits.left_s(replace(UNKNOWN, number=number))
        await clock.turn(1)
    assert len(waits._waits) <= 100
