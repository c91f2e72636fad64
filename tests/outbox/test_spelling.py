"""A number that is refused as Meta gave it is tried once in its other spelling."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.model.messages import DeliveryStatus
from openparallax.model.parcel import ParcelState
from openparallax.outbox.spelling import Verdict, judge
from tests.outbox.office import Office

BRAZIL = ("5531987654321", "553187654321")
MEXICO = ("5215512345678", "525512345678")
ARGENTINA = ("5491123456789", "541123456789")
GERMANY = "4915112345678"
US_ID = "US.13491208655302741918"
BR_ID = "BR.5531987654321"
ADDRESSES = (BRAZIL[0], MEXICO[0], ARGENTINA[0], GERMANY, US_ID, BR_ID)
NOBODY, NOT_LISTED = 131026, 131030


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path / "outbox.db", people=6, addresses=ADDRESSES)
    await office.open()
    await office.settle()
    yield office
    await office.close()


def called(office: Office) -> list[tuple[int, str]]:
    return [(call.number, call.chat) for call in office.graph.calls]


async def states(office: Office) -> list[str]:
    return [parcel.state.name for parcel in (await office.parcels()).values()]


@pytest.mark.parametrize("claims", [True, False])
@pytest.mark.parametrize(
    ("place", "code", "spellings"),
    [
        (0, NOBODY, BRAZIL),
        (0, NOT_LISTED, BRAZIL),
        (1, NOBODY, MEXICO),
        (1, NOT_LISTED, MEXICO),
        (2, NOT_LISTED, ARGENTINA),
    ],
)
async def test_the_spelling_that_is_taken_is_remembered(
    office: Office, place: int, code: int, spellings: tuple[str, str], *, claims: bool
) -> None:
    first, other = spellings
    office.graph.always[first] = code
    await office.post(place, 2, claims=claims)
    await office.until_idle()
    await office.post(place)
    await office.until_idle()
    assert called(office) == [(1, first), (1, other), (2, other), (3, other)]
    assert await states(office) == ["ACCEPTED"] * 3
    assert await office.row(place) == (other, 1)
    assert office.metrics.value("parcels", "other_spelling") == 1
    log = office.written.getvalue()
    assert "parcel_failed" not in log
    assert first not in log
    assert other not in log


async def test_where_neither_is_taken_the_first_one_stays(office: Office) -> None:
    first, other = BRAZIL
    office.graph.always[first] = office.graph.always[other] = NOBODY
    await office.post(0)
    await office.until_idle()
    assert called(office) == [(1, first), (1, other)]
    assert await office.row(0) == (first, 2)
    await office.post(0)
    await office.until_idle()
    assert called(office)[2:] == [(2, first)]
    assert await states(office) == ["FAILED", "FAILED"]
    assert await office.row(0) == (first, 2)


@pytest.mark.parametrize(
    ("place", "code"),
    [(2, NOBODY), (3, NOBODY), (3, NOT_LISTED), (4, NOBODY), (5, NOT_LISTED), (0, 131049)],
)
async def test_other_numbers_ids_and_refusals_are_not_touched(
    office: Office, place: int, code: int
) -> None:
    office.graph.moods.append(code)
    await office.post(place)
    await office.until_idle()
    assert called(office) == [(1, ADDRESSES[place])]
    assert await states(office) == ["FAILED"]
    assert await office.row(place) == (ADDRESSES[place], 0)


async def test_what_fails_afterwards_is_tried_in_the_other_spelling_too(office: Office) -> None:
    first, other = MEXICO
    await office.post(1, 2)
    await office.until_idle()
    one, two = office.graph.calls
    receipts = await office.tell(one, DeliveryStatus.FAILED, NOBODY)
    assert receipts.holds, "what is remembered of the chat is to be dropped"
    assert not receipts.failures
    await office.tell(one, DeliveryStatus.FAILED, NOBODY)
    await office.until_idle()
    # The second part went to the first spelling as well, before that was changed.
    await office.tell(two, DeliveryStatus.FAILED, NOBODY)
    await office.until_idle()
    assert called(office) == [(1, first), (2, first), (1, other), (2, other)]
    assert await office.row(1) == (other, 1)
    for call in office.graph.calls[2:]:
        await office.tell(call, DeliveryStatus.DELIVERED)
    await office.tell(office.graph.calls[2], DeliveryStatus.FAILED, NOBODY)
    await office.turn(100, 25)
    assert await states(office) == ["ACCEPTED", "ACCEPTED"]
    assert len(office.graph.calls) == 4


async def test_what_fails_afterwards_in_both_spellings_has_failed(office: Office) -> None:
    first, other = BRAZIL
    await office.post(0)
    await office.until_idle()
    await office.tell(office.graph.calls[0], DeliveryStatus.FAILED, NOBODY)
    await office.until_idle()
    receipts = await office.tell(office.graph.calls[1], DeliveryStatus.FAILED, NOBODY)
    assert [failure.code for failure in receipts.failures] == [NOBODY]
    await office.until_idle()
    assert called(office) == [(1, first), (1, other)]
    assert await states(office) == ["FAILED"]
    assert await office.row(0) == (first, 2)


async def test_a_crash_between_the_two_changes_neither_the_spelling_nor_the_order(
    office: Office,
) -> None:
    first, other = BRAZIL
    office.graph.always[first] = NOBODY
    office.graph.always[other] = "hang"
    await office.post(0, 2)
    await office.settle()
    assert await office.row(0) == (other, 1)
    await office.die()
    del office.graph.always[other]
    await office.turn(12)
    await office.until_idle()
    assert called(office) == [(1, first), (1, other), (1, other), (2, other)]
    assert await states(office) == ["ACCEPTED", "ACCEPTED"]


@pytest.mark.parametrize("reloads", [True, False])
async def test_what_waits_goes_where_the_person_is_answered_now(
    office: Office, *, reloads: bool
) -> None:
    office.graph.moods.extend(["taken", 131056])
    await office.post(3, 2)
    await office.post(0, 2)
    await office.settle()
    # Both numbers may be other people's by now.
    await office.move(3, US_ID)
    await office.move(0, "5531900000000")
    if reloads:
        office.outbox.reload(office.chats[3])
    await office.turn(15)
    await office.until_idle()
    assert [call.chat for call in office.graph.calls if call.chat in (GERMANY, US_ID)] == [
        GERMANY,
        US_ID,
        US_ID,
    ]
    assert [chat for _, chat in called(office)].count(BRAZIL[0]) == 1
    assert {one.state for one in (await office.parcels()).values()} == {ParcelState.ACCEPTED}


async def test_a_refusal_of_an_address_that_was_left_says_nothing_of_the_new_one(
    office: Office,
) -> None:
    office.graph.moods.append("hang")
    send = office.graph.send

    async def refuse_late(**details: object) -> object:
        await send(**details)  # type: ignore[arg-type]
        office.delivery._send = send
        await office.move(0, MEXICO[0])
        office.graph.moods.append(NOBODY)
        return await send(**{**details, "body": "part 99"})  # type: ignore[arg-type]

    office.delivery._send = refuse_late  # type: ignore[assignment]
    await office.post(0)
    await office.settle()
    office.graph.release()
    await office.until_idle()
    assert called(office)[-1] == (1, MEXICO[0])
    assert await office.row(0) == (MEXICO[0], 0)


@pytest.mark.parametrize(
    ("alternate", "before", "verdict"),
    [
        (0, None, Verdict(goes_again=True, address=BRAZIL[1], alternate=1)),
        (1, None, Verdict(goes_again=True)),
        (1, 131047, Verdict(goes_again=True)),
        (1, NOBODY, Verdict(goes_again=False, address=BRAZIL[1], alternate=2)),
        (1, NOT_LISTED, Verdict(goes_again=False, address=BRAZIL[1], alternate=2)),
        (2, None, Verdict(goes_again=False)),
        (2, NOBODY, Verdict(goes_again=False)),
    ],
)
def test_after_a_status_one_more_is_allowed(
    alternate: int, before: int | None, verdict: Verdict
) -> None:
    assert judge(NOBODY, BRAZIL[0], alternate, sent_to=None, before=before) == verdict


def test_in_argentina_only_the_list_of_a_test_number_counts() -> None:
    first, other = ARGENTINA
    assert judge(NOBODY, first, 0, sent_to=first, before=None) == Verdict(goes_again=False)
    again = Verdict(goes_again=True, address=other, alternate=1)
    assert judge(NOT_LISTED, first, 0, sent_to=first, before=None) == again
    over = Verdict(goes_again=False, address=first, alternate=2)
    assert judge(NOBODY, other, 1, sent_to=other, before=NOT_LISTED) == over
    assert judge(NOBODY, other, 1, sent_to=None, before=None) == over
