"""A person of ours takes over: what was not sent yet is not sent any more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from openparallax.model.messages import DeliveryStatus
from openparallax.model.parcel import ParcelState
from tests.outbox.office import Office


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path / "outbox.db")
    await office.open()
    await office.settle()
    yield office
    await office.close()


async def states(office: Office) -> list[str]:
    return [parcel.state.name for parcel in (await office.parcels()).values()]


async def test_what_is_being_sent_goes_out_and_the_rest_does_not(office: Office) -> None:
    office.graph.moods.append("hang")
    await office.post(0, 3)
    await office.post(1)
    await office.settle()
    assert await office.withdraw(0) == 2
    await office.settle()
    assert await states(office) == ["SENDING", "WITHDRAWN", "WITHDRAWN", "ACCEPTED"]
    office.graph.release()
    await office.until_idle()
    assert await states(office) == ["ACCEPTED", "WITHDRAWN", "WITHDRAWN", "ACCEPTED"]
    assert await office.withdraw(0) == 0
    await office.post(0)
    await office.until_idle()
    assert [call.number for call in office.graph.calls] == [1, 4, 5]


async def test_what_answers_a_command_is_sent_all_the_same(office: Office) -> None:
    office.graph.moods.append("hang")
    await office.post(0)
    await office.post(0, notice="engine_failed", claims=False)
    await office.post(0, notice="otr", claims=False)
    await office.settle()
    assert await office.withdraw(0, keeps=("otr", "help")) == 1
    office.graph.release()
    await office.until_idle()
    assert [call.number for call in office.graph.calls] == [1, 3]


async def test_what_rests_or_is_held_is_withdrawn_too_and_what_may_be_out_is_not(
    office: Office,
) -> None:
    office.graph.moods.extend([131056, 131047])
    await office.post(0, 2)
    await office.settle()
    await office.post(1, 2)
    await office.settle()
    assert await states(office) == ["WAITING", "WAITING", "HELD", "HELD"]
    assert await office.withdraw(0) == 2
    assert await office.withdraw(1) == 2
    await office.until_idle()
    office.graph.moods.append("taken")
    await office.post(0)
    await office.settle()
    assert await office.withdraw(0) == 0
    await office.tell(office.graph.calls[-1], DeliveryStatus.SENT)
    await office.until_idle()
    assert await states(office) == ["WITHDRAWN"] * 4 + ["ACCEPTED"]
    await office.write(1)
    await office.turn(100, 25)
    assert len(office.graph.calls) == 3


async def test_a_parcel_withdrawn_in_the_moment_before_its_claim_is_not_sent(
    office: Office,
) -> None:
    withdrawn: list[int] = []
    words = office.delivery._words

    async def withdraw_first(parcel: object) -> object:
        said = await words(parcel)  # type: ignore[arg-type]
        if not withdrawn:
            withdrawn.append(await office.withdraw(0))
        return said

    office.delivery._words = withdraw_first  # type: ignore[method-assign, assignment]
    await office.post(0, 2, claims=False)
    await office.until_idle()
    assert withdrawn == [2]
    assert not office.graph.calls
    assert {one.state for one in (await office.parcels()).values()} == {ParcelState.WITHDRAWN}
