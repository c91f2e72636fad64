"""One of our numbers that cannot send delays no other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.outbox.gate import Gate
from tests.outbox.graph import ACCOUNT, OTHER
from tests.outbox.office import SLOTS, Office

PEOPLE = 12
"""Every second of them writes to the one number, the rest to the other."""


async def open_office(tmp_path: Path, **limits: Any) -> Office:
    office = Office(tmp_path / "outbox.db", people=PEOPLE, accounts=(ACCOUNT, OTHER), **limits)
    await office.open()
    await office.settle()
    return office


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = await open_office(tmp_path)
    yield office
    await office.close()


def accounts(office: Office) -> list[str]:
    return [call.account for call in office.graph.calls]


def idle(number: int, chat: int, account: str = ACCOUNT) -> Parcel:
    """A parcel that is in nobody's table."""
    return Parcel(
        number=number,
        chat=chat,
        account=account,
        to="491500000000",
        session=Session(SessionId(chat), Mode.ON_THE_RECORD),
        turn=number,
        part=1,
        window_until=2**40,
    )


@pytest.mark.parametrize("code", [190, 130429])
async def test_a_number_that_is_paused_or_slowed_delays_no_other(office: Office, code: int) -> None:
    office.graph.always[ACCOUNT] = code
    for place in range(PEOPLE):
        await office.post(place, 2, claims=False)
    await office.settle()
    refused = accounts(office).count(ACCOUNT)
    assert refused <= SLOTS
    assert accounts(office).count(OTHER) == PEOPLE
    del office.graph.always[ACCOUNT]
    await office.turn(6)
    await office.until_idle()
    assert {one.state for one in (await office.parcels()).values()} == {ParcelState.ACCEPTED}
    for place in range(PEOPLE):
        numbers = [
            call.number
            for call in office.graph.calls
            if call.chat == f"4915{place:08}" and call.outcome.__class__.__name__ == "Accepted"
        ]
        assert len(numbers) == 2
        assert numbers == sorted(numbers)


async def test_the_pace_of_one_number_is_not_the_others(tmp_path: Path) -> None:
    office = await open_office(tmp_path, per_second=1)
    for place in (0, 2, 4, 6, 1):
        await office.post(place, claims=False)
    await office.settle()
    assert sorted(accounts(office)) == sorted([ACCOUNT, OTHER])
    await office.turn(3.1, 0.5)
    begun = office.graph.calls[0].at
    at = [call.at - begun for call in office.graph.calls if call.account == ACCOUNT]
    assert at == pytest.approx([0, 1, 2, 3], abs=0.01)
    await office.close()


async def test_numbers_take_turns_whatever_stands_in_line(office: Office) -> None:
    office.graph.always[ACCOUNT] = office.graph.always[OTHER] = "hang"
    for place in (0, 2, 4, 6, 8, 10, 1, 3):
        await office.post(place, claims=False)
    await office.settle()
    assert accounts(office) == [ACCOUNT] * SLOTS
    office.graph.release()
    await office.settle()
    # Whoever came late to the other number does not wait for all of this one's.
    assert accounts(office)[SLOTS:] == [ACCOUNT, OTHER, ACCOUNT]
    office.graph.always.clear()
    office.graph.release()
    await office.until_idle()
    assert [call.number for call in office.graph.calls if call.account == ACCOUNT] == [*range(1, 7)]


async def test_a_right_to_send_at_once_minds_its_own_number_only(office: Office) -> None:
    office.graph.always[ACCOUNT] = 190
    await office.post(0)
    await office.post(2)
    await office.settle()
    assert office.outbox.account(ACCOUNT).is_paused
    assert office.outbox.reserve(ACCOUNT, office.chats[4]) is None
    assert office.outbox.reserve(OTHER, office.chats[1])
    office.outbox.unreserve(office.chats[1])


async def test_what_waits_for_one_number_costs_the_other_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {ACCOUNT: 0, OTHER: 0}
    wait_s = Gate.wait_s

    def count(gate: Gate) -> float:
        asked[gate.state.account] += 1
        return wait_s(gate)

    office.outbox.account(ACCOUNT).pause(190, "renew it")
    monkeypatch.setattr(Gate, "wait_s", count)
    office.outbox.take([idle(10_000 + n, 10_000 + n) for n in range(10_000)])
    assert office.outbox.waiting == 10_000
    before = dict(asked)
    for place in (1, 3, 5) * 10:
        await office.post(place, claims=False)
    await office.settle()
    assert accounts(office) == [OTHER] * 30
    assert asked[ACCOUNT] == before[ACCOUNT]
    assert asked[OTHER] < 150
    assert office.clock.waiting == 1, "one timer, for the number that waits"
    office.outbox._is_stopping = True


async def test_a_lane_is_read_even_while_its_number_is_paused(office: Office) -> None:
    office.outbox.account(ACCOUNT).pause(190, "renew it")
    await office.post(0, 3)
    await office.post(2, 1)
    assert office.outbox.waiting == 4
    assert await office.withdraw(0) == 3
    await office.settle()
    assert office.outbox.waiting == 1
    assert not office.graph.calls


async def test_what_a_number_without_configuration_has_to_send_waits(office: Office) -> None:
    office.not_served.add(ACCOUNT)
    for place in (0, 1, 2):
        await office.post(place)
    await office.turn(4000, 500)
    assert accounts(office) == [OTHER]
    assert office.clock.waiting == 0
    assert office.written.getvalue().count("account_not_served") == 1
    assert office.outbox.reserve(ACCOUNT, office.chats[4]) is None
    # Neither is anything lost by a restart, nor does that make anything of it ambiguous.
    await office.die()
    await office.settle()
    assert accounts(office) == [OTHER]
    office.not_served.clear()
    office.outbox.look_again()
    await office.until_idle()
    assert accounts(office) == [OTHER, ACCOUNT, ACCOUNT]


async def test_a_probe_whose_lane_turns_cold_in_that_moment_is_not_taken_for_under_way(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.graph.moods.append(190)
    await office.post(0)
    await office.settle()
    begun: list[int] = []
    begin = Gate.begin

    def begin_and_reload(gate: Gate, parcel: Parcel) -> None:
        begin(gate, parcel)
        if not begun:
            # Comes before the step that is about to be made.
            asyncio.get_running_loop().call_soon(office.outbox.reload, parcel.chat)
        begun.append(parcel.number)

    monkeypatch.setattr(Gate, "begin", begin_and_reload)
    await office.turn(5)
    await office.turn(5)
    await office.until_idle()
    assert begun == [1, 1]
    assert [call.number for call in office.graph.calls] == [1, 1]


async def test_before_all_is_read_every_chat_may_have_something_to_send(tmp_path: Path) -> None:
    """Who waits for a chat's work to be done waits for what an earlier process left, too."""
    office = Office(tmp_path / "outbox.db", people=PEOPLE)
    await office.open()
    assert office.outbox.has_work(office.chats[0])
    await office.settle()
    assert not office.outbox.has_work(office.chats[0])
    await office.close()
