"""When trouble is told, told again, and told to be over; on a clock that is turned."""

import json

import pytest

from openparallax.watching.ledger import FIRST_RETRY_S, LONGEST_RETRY_S, Kind, Ledger, State
from tests.fakes.clock import TurnedClock

WAIT_S, REPEAT_S = 120.0, 3600.0
DISK, ENGINE = Kind.DISK, Kind.ENGINE


class Told:
    """A ledger, and whoever tells what it says is due."""

    def __init__(self, *, all_clear: bool = True) -> None:
        self.clock = TurnedClock()
        self.ledger = Ledger(self.clock, wait_s=WAIT_S, repeat_s=REPEAT_S, all_clear=all_clear)
        self.works = True

    async def after(self, seconds: float, **found: str) -> list[tuple[Kind | None, State]]:
        """What is told after so many seconds in which this was found, twice a minute."""
        told = []
        for _ in range(int(seconds // 30)):
            await self.clock.turn(30)
            self.ledger.see({Kind(kind): says for kind, says in found.items()})
            for kind, state in self.ledger.due():
                if self.works:
                    self.ledger.told(kind)
                    told.append((kind, state))
                else:
                    self.ledger.failed(kind)
                    told.append((kind, state))
        return told


async def test_trouble_is_told_once_it_has_lasted() -> None:
    house = Told()
    assert await house.after(120, disk="full") == []
    assert await house.after(30, disk="full") == [(DISK, State.RAISED)]
    assert await house.after(3570, disk="full") == []
    assert await house.after(60, disk="full") == [(DISK, State.REPEATED)]


async def test_what_passes_soon_is_not_told() -> None:
    house = Told()
    assert await house.after(60, disk="full") == []
    assert await house.after(7200, disk="") == []


async def test_all_is_well_again_once_nothing_is_wrong_for_a_while() -> None:
    house = Told()
    await house.after(300, disk="full", engine="silent")
    assert await house.after(600, disk="", engine="silent") == []
    assert await house.after(120, disk="", engine="") == []
    assert house.ledger.over() == []
    assert await house.after(30, disk="", engine="") == [(None, State.ALL_CLEAR)]
    assert await house.after(7200, disk="", engine="") == []


async def test_what_comes_and_goes_is_told_once_in_its_time() -> None:
    house = Told()
    told = []
    for _ in range(6):  # ten minutes each
        told += await house.after(300, disk="full")
        told += await house.after(300, disk="")
    assert told.count((DISK, State.RAISED)) == 1
    assert told.count((None, State.ALL_CLEAR)) == 1
    assert (DISK, State.REPEATED) not in told


async def test_while_something_is_wrong_that_was_not_told_all_is_not_well() -> None:
    house = Told()
    await house.after(300, disk="full")
    assert await house.after(90, disk="", engine="silent") == []
    assert await house.after(60, disk="", engine="silent") == [(ENGINE, State.RAISED)]
    assert await house.after(600, disk="", engine="silent") == []


async def test_what_is_not_known_is_neither_wrong_nor_well() -> None:
    house = Told()
    await house.after(300, disk="full")
    assert await house.after(1200) == []
    assert house.ledger.entries()[DISK].says == "full"
    assert await house.after(150, disk="") == [(None, State.ALL_CLEAR)]


async def test_without_all_clear() -> None:
    house = Told(all_clear=False)
    assert await house.after(300, disk="full") == [(DISK, State.RAISED)]
    assert await house.after(600, disk="") == []


async def test_what_could_not_be_told_is_tried_again_later_each_time() -> None:
    house = Told()
    house.works = False
    told = await house.after(6 * 3600, disk="full")
    # After 1, 2, 4 … minutes and then every hour; each look comes half a minute apart.
    assert FIRST_RETRY_S * 2**6 > LONGEST_RETRY_S
    assert 10 <= len(told) <= 13
    assert set(told) == {(DISK, State.RAISED)}
    house.works = True
    assert await house.after(LONGEST_RETRY_S + 30, disk="full") == [(DISK, State.RAISED)]


async def test_an_all_clear_that_failed_is_tried_again() -> None:
    house = Told()
    await house.after(300, disk="full")
    house.works = False
    assert await house.after(180, disk="") == [(None, State.ALL_CLEAR)]
    house.works = True
    assert await house.after(60, disk="") == [(None, State.ALL_CLEAR)]


async def test_a_restart_neither_repeats_nor_forgets() -> None:
    house, next_one = Told(), Told()
    await house.after(300, disk="full")
    next_one.ledger.restore(json.loads(json.dumps(house.ledger.kept())))
    next_one.clock.jump(house.clock.now() - next_one.clock.now())
    assert await next_one.after(1800, disk="full") == []
    assert await next_one.after(1800, disk="full") == [(DISK, State.REPEATED)]
    third = Told()
    third.ledger.restore(next_one.ledger.kept())
    assert await third.after(120) == []
    assert await third.after(180, disk="") == [(None, State.ALL_CLEAR)]


@pytest.mark.parametrize(
    "kept", [None, [], {"disk": 3}, {"disk": ["x", True]}, {"made_up": [1, True]}, {"disk": []}]
)
async def test_what_was_kept_may_be_anything(kept: object) -> None:
    house = Told()
    house.ledger.restore(kept)
    assert await house.after(150, disk="full") == [(DISK, State.RAISED)]


async def test_a_clock_that_was_set_back_silences_nothing_for_longer() -> None:
    house = Told()
    await house.after(300, disk="full")
    house.clock.jump(-30 * 86_400)
    assert await house.after(REPEAT_S + 60, disk="full") == [(DISK, State.REPEATED)]
