"""What may happen in the moments between: a status with a commit, a parcel with a reservation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.model.messages import DeliveryStatus
from openparallax.model.outcomes import Outcome
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.outbox import outbox
from openparallax.outbox.reading import read_lane
from openparallax.storage import Connection
from openparallax.storage.window import WINDOW_S
from tests.outbox.graph import ACCOUNT
from tests.outbox.office import Office


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path / "outbox.db", people=3)
    await office.open()
    await office.settle()
    yield office
    await office.close()


async def states(office: Office) -> list[str]:
    return [parcel.state.name for parcel in (await office.parcels()).values()]


async def test_a_status_in_the_very_commit_that_makes_a_parcel_ambiguous(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path / "outbox.db", people=1)
    telling: list[asyncio.Task[Any]] = []
    send = office.graph.send

    async def send_and_tell(**details: Any) -> Outcome:
        outcome = await send(**details)
        call = office.graph.calls[-1]
        telling.append(asyncio.create_task(office.tell(call, DeliveryStatus.SENT)))
        return outcome

    office.graph.send = send_and_tell  # type: ignore[method-assign]
    await office.open()
    await office.settle()
    office.graph.moods.append("taken")
    await office.post(0)
    # Without any time passing the chat is free again.
    await office.until_idle()
    assert await states(office) == ["ACCEPTED"]
    await office.close()


async def test_a_reservation_given_back_lets_go_what_came_meanwhile(office: Office) -> None:
    assert office.outbox.reserve(ACCOUNT, office.chats[0])
    await office.post(0, claims=False)
    await office.settle()
    assert not office.graph.calls
    office.outbox.unreserve(office.chats[0])
    await office.until_idle()
    assert len(office.graph.calls) == 1


async def test_reservations_are_bounded_and_one_for_each_chat(office: Office) -> None:
    first, second, third = office.chats
    assert office.outbox.reserve(ACCOUNT, first)
    assert office.outbox.reserve(ACCOUNT, first) is None
    assert office.outbox.reserve(ACCOUNT, second)
    assert office.outbox.reserve(ACCOUNT, third)
    assert office.outbox.reserve(ACCOUNT, 99) is None
    for chat in office.chats:
        office.outbox.unreserve(chat)
        office.outbox.unreserve(chat)
    assert office.is_idle


async def test_what_is_claimed_while_the_outbox_stops_is_given_back_unsent(
    office: Office,
) -> None:
    posting = asyncio.create_task(office.post(0))
    await asyncio.sleep(0)
    assert office.outbox._lanes.get(office.chats[0])
    await office.outbox.stop(0)
    await posting
    await office.settle()
    assert not office.graph.calls
    (parcel,) = (await office.parcels()).values()
    assert parcel.state is ParcelState.WAITING
    assert parcel.ambiguous == 0
    await office.die()
    await office.settle()
    assert [call.number for call in office.graph.calls] == [parcel.number]


async def test_parcels_taken_while_their_lane_is_read_are_not_lost(office: Office) -> None:
    office.graph.moods.append("hang")
    await office.post(0)
    await office.settle()
    read = office.database.read
    posting: list[asyncio.Task[None]] = []

    async def read_slowly(work: Any) -> Any:
        found = await read(work)
        if not posting:
            posting.append(asyncio.create_task(office.post(0, 2)))
            await posting[0]
        return found

    office.outbox.reload(office.chats[0])
    await office.settle()
    office.database.read = read_slowly  # type: ignore[method-assign]
    office.graph.release()
    await office.settle()
    await office.until_idle()
    assert posting
    assert [call.number for call in office.graph.calls] == [1, 2, 3]


async def test_what_was_held_while_the_person_wrote_goes_before_the_new_answer(
    office: Office,
) -> None:
    office.graph.moods.append(131047)
    await office.post(0)
    await office.until_idle()
    assert await states(office) == ["HELD"]
    # The door saw the message before it was held, so it let nothing go.
    await office.post(0)
    await office.until_idle()
    assert [call.number for call in office.graph.calls] == [1, 1, 2]
    assert await states(office) == ["ACCEPTED", "ACCEPTED"]


async def test_an_answer_posted_while_a_held_one_is_read_does_not_pass_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.graph.moods.append(131047)
    held: list[bool] = []

    async def read_and_post(*details: Any) -> tuple[list[Parcel], bool]:
        found, is_held = await read_lane(*details)
        if is_held and not held:
            held.append(is_held)
            await office.post(0)  # in the same group of units, say
        return found, is_held

    monkeypatch.setattr(outbox, "read_lane", read_and_post)
    await office.post(0)
    await office.until_idle()
    assert held
    assert [call.number for call in office.graph.calls] == [1, 1, 2]
    assert await states(office) == ["ACCEPTED", "ACCEPTED"]


async def test_a_clock_that_is_set_back_while_answers_are_held_swaps_none(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.graph.moods.append("hang")
    for _ in range(3):
        await office.post(0)
    await office.settle()
    held: list[bool] = []

    async def read_and_set_back(*details: Any) -> tuple[list[Parcel], bool]:
        found, is_held = await read_lane(*details)
        if is_held and not held:
            held.append(is_held)
            office.clock.jump(-2 * WINDOW_S)
        return found, is_held

    monkeypatch.setattr(outbox, "read_lane", read_and_set_back)
    office.clock.jump(2 * WINDOW_S)
    office.graph.release()
    await office.until_idle()
    assert held
    assert [call.number for call in office.graph.calls] == [1, 2, 3]
    assert await states(office) == ["ACCEPTED"] * 3


async def test_a_surprise_in_one_chat_is_logged_and_the_others_go_on(office: Office) -> None:
    send = office.graph.send

    async def trip(**details: Any) -> Outcome:
        outcome = await send(**details)
        if len(office.graph.calls) == 1:
            raise ZeroDivisionError("the words of a person")
        return outcome

    office.delivery._send = trip
    await office.post(0)
    await office.post(1)
    await office.settle()
    assert [call.chat for call in office.graph.calls] == ["491500000000", "491500000001"]
    # It may be out, so it waits for a status before it is sent again.
    await office.turn(5)
    assert await states(office) == ["UNKNOWN", "ACCEPTED"]
    await office.turn(8)
    assert await states(office) == ["ACCEPTED", "ACCEPTED"]
    assert "delivery_broke" in office.written.getvalue()
    assert "words of a person" not in office.written.getvalue()


async def test_tokens_of_attempts_that_never_left_are_not_kept(office: Office) -> None:
    office.graph.moods.extend(["taken", *["not_sent"] * 40])
    await office.post(0)
    await office.turn(2500, 5)

    def tokens(connection: Connection) -> str:
        return str(connection.execute("SELECT tokens FROM parcels").fetchone()[0])

    assert len(office.graph.calls) > 40
    assert len(await office.database.read(tokens)) == 2 * 32
    # The first attempt's status is still known for what it is.
    await office.tell(office.graph.calls[0], DeliveryStatus.DELIVERED)
    assert office.metrics.value("statuses", "sent_twice") == 1
