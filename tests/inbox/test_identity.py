"""Who is who at the door: each rule by a story of a few lines."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
import pytest_asyncio

from openparallax.model.messages import Echo, Relink, Sender
from openparallax.model.session import Mode
from openparallax.storage import Connection, chats
from openparallax.storage.chats import ChatRow
from tests.inbox.doorway import ACCOUNT, Doorway, message

T0 = 1_789_900_000
DAY_S = 86400
ANN, NEW, NEWER = "4915112345678", "4915187654321", "4915155555555"
ID, NEW_ID, NEWER_ID = "DE.1001", "DE.1002", "DE.1003"
BOB_ID = "DE.2001"
PARENT = "DE.ENT.1"


class Hall(Doorway):
    """The door, and who stands before it; times are seconds after a fixed one."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def say(
        self, words: str, at: int, number: str | None = None, user_id: str | None = None
    ) -> int:
        """Somebody says something; the chat that it went to, 0 for a command."""
        sender = Sender(number, user_id)
        admission = await self.admit(replace(message(words, T0 + at), sender=sender))
        self.admission = admission
        return admission.envelopes[0].chat if admission.envelopes else 0

    async def change(self, old: Sender, new: Sender, at: int) -> None:
        self.admission = await self.admit(relinks=[Relink(ACCOUNT, old, new, T0 + at)])

    async def row(self, chat: int) -> ChatRow:
        found = await self.database.read(lambda c: chats.chat_by_id(c, chat))
        assert found is not None
        return found

    async def look(self, ask: Callable[[Connection], Any]) -> Any:
        return await self.database.read(ask)

    async def count(self) -> int:
        """How many chats there are."""
        (found,) = await self.look(lambda c: c.execute("SELECT count(*) FROM chats").fetchone())
        return int(found)

    def has(self, words: str) -> bool:
        """Whether words are on disk."""
        return words.encode() in self.written()


@pytest_asyncio.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with Hall(tmp_path) as hall:
        yield hall


# -- what comes late ------------------------------------------------------------------------------


async def test_a_late_message_by_the_old_number_is_still_theirs(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN)
    await hall.say("/otr", 20, ANN)
    await hall.change(Sender(ANN), Sender(NEW), 30)
    assert await hall.say("canary", 25, ANN) == ann
    assert not hall.has("canary")
    assert (await hall.row(ann)).address == NEW
    # Whoever writes from it afterwards is another person, and on the record.
    stranger = await hall.say("good day", 40, ANN)
    assert stranger != ann
    assert (await hall.row(stranger)).session.mode is Mode.ON_THE_RECORD
    # Also while the stranger is remembered.
    assert await hall.say("nightingale", 26, ANN) == ann
    assert not hall.has("nightingale")


async def test_a_late_message_takes_no_number_and_no_address_back(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN, ID)
    await hall.change(Sender(user_id=ID), Sender(NEW, NEW_ID), 30)
    assert await hall.say("late", 20, ANN, ID) == ann
    assert await hall.say("later", 21, None, ID) == ann
    assert await hall.say("in that second", 30, ANN, ID) == ann
    assert (await hall.row(ann)).address == NEW
    assert await hall.say("good day", 40, ANN) != ann


async def test_a_change_told_again_changes_nothing_of_whoever_came_after(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN)
    await hall.change(Sender(ANN), Sender(NEW), 30)
    stranger = await hall.say("good day", 40, ANN)
    await hall.change(Sender(ANN), Sender(NEW), 30)
    assert await hall.say("more", 50, ANN) == stranger
    assert await hall.say("more", 50, NEW) == ann
    assert (await hall.row(stranger)).address == ANN
    assert (await hall.row(ann)).address == NEW


async def test_changes_may_be_told_in_any_order_and_again(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN, ID)
    first = (Sender(ANN, ID), Sender(NEW, NEW_ID), 20)
    second = (Sender(NEW, NEW_ID), Sender(NEWER, NEWER_ID), 30)
    for change in (second, first, second, first):
        await hall.change(*change)
        assert (await hall.row(ann)).address in (ANN, NEWER, NEWER_ID)
    for number, user_id, at in ((ANN, ID, 15), (NEW, NEW_ID, 25), (NEWER, NEWER_ID, 35)):
        assert await hall.say("x", at, number, user_id) == ann
        assert await hall.say("x", at, None, user_id) == ann
    assert await hall.say("x", 36, NEWER) == ann
    assert (await hall.row(ann)).address == NEWER
    assert await hall.say("good day", 40, NEW) != ann


async def test_a_change_told_by_the_number_before_the_id_is_known(hall: Hall) -> None:
    await hall.change(Sender(ANN), Sender(NEW, NEW_ID), 20)
    ann = await hall.say("canary", 30, NEW, NEW_ID)
    early = await hall.say("hello", 5, None, ID)
    assert early != ann
    await hall.say("/otr", 10, ANN, ID)
    assert not hall.has("canary")
    assert await hall.say("x", 40, NEW, NEW_ID) == await hall.say("x", 6, None, ID)


async def test_one_who_had_the_number_before_is_not_who_has_left_it(hall: Hall) -> None:
    ann = await hall.say("hello", 40, None, ID)
    bob = await hall.say("hello", 45, NEWER, BOB_ID)
    await hall.change(Sender(ANN, ID), Sender(NEW, ID), 30)  # told late: she had her id by then
    assert await hall.say("late, from my number of old", 5, ANN, BOB_ID) == bob
    assert await hall.say("more", 50, None, ID) == ann != bob


async def test_a_change_of_somebody_not_known_yet_is_remembered(hall: Hall) -> None:
    await hall.change(Sender(None, ID), Sender(None, NEW_ID), 20)
    assert await hall.count() == 0
    ann = await hall.say("canary", 30, None, NEW_ID)
    assert hall.has("canary")
    await hall.say("/otr", 10, None, ID)
    assert not hall.has("canary")
    row = await hall.row(ann)
    assert (row.session.mode, row.address) == (Mode.OFF_THE_RECORD, NEW_ID)
    assert await hall.count() == 1


# -- one who turns out to be another --------------------------------------------------------------


@pytest.mark.parametrize("ids", [(NEW, None), (NEW, NEW_ID), (None, NEW_ID)])
@pytest.mark.parametrize("old", [(ANN, ID), (None, ID), (ANN, None)])
async def test_the_first_words_under_new_ids_come_before_the_change(
    hall: Hall, ids: tuple[str | None, str | None], old: tuple[str | None, str | None]
) -> None:
    ann = await hall.say("hello", 10, *old)
    await hall.say("/otr", 20, *old)
    early = await hall.say("canary", 40, *ids)
    await hall.answer()
    assert hall.has("canary")
    await hall.change(Sender(*old), Sender(*ids), 30)
    assert not hall.has("canary")
    assert await hall.say("more", 50, *ids) == ann != early
    assert (await hall.row(early)).session.mode is Mode.OFF_THE_RECORD
    assert (await hall.row(ann)).address == (ids[0] or ids[1])


async def test_everything_in_one_second(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN, NEW_ID)
    await hall.say("/otr", 10, ANN, NEW_ID)
    await hall.change(Sender(ANN, NEW_ID), Sender(NEW, ID), 10)  # the ids in falling order
    assert await hall.say("canary", 10, NEW, ID) == ann
    assert (await hall.row(ann)).address == NEW
    await hall.change(Sender(NEW, ID), Sender(None, BOB_ID), 10)
    assert (await hall.row(ann)).address == BOB_ID
    assert await hall.say("canary", 10, None, BOB_ID) == ann
    assert not hall.has("canary")
    assert await hall.say("good day", 10, ANN, NEWER_ID) != ann


async def test_what_was_off_before_is_off_in_every_chat(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN, ID)
    await hall.say("/otr", 20, ANN, ID)
    early = await hall.say("robin", 25, NEW)
    await hall.answer()
    await hall.say("canary", 40, NEW)
    await hall.answer()
    await hall.say("/otr off", 50, ANN, ID)
    await hall.say("lark", 60, NEW)
    assert hall.has("canary")
    await hall.change(Sender(ANN, ID), Sender(NEW, NEW_ID), 24)
    assert not hall.has("canary")
    assert not hall.has("robin")
    assert (await hall.row(ann)).session.mode is Mode.ON_THE_RECORD
    assert (await hall.row(early)).session.mode is Mode.ON_THE_RECORD
    # And what comes late is so too, whichever of them goes on.
    await hall.say("nightingale", 45, NEW)
    assert not hall.has("nightingale")
    await hall.say("sparrow", 70, NEW)
    assert hall.has("sparrow")


async def test_an_off_the_record_session_is_not_ended_by_a_merge(hall: Hall) -> None:
    """The other chat had one that ended; this one is open."""
    ann = await hall.say("hello", 10, None, ID)
    await hall.say("/otr", 60, None, ID)
    session = (await hall.row(ann)).session
    await hall.say("/otr", 20, ANN)
    await hall.say("/otr off", 70, ANN)
    await hall.say("now both", 80, ANN, ID)
    assert (await hall.row(ann)).session == session
    assert session.mode is Mode.OFF_THE_RECORD


async def test_what_was_said_back_on_the_record_stays(hall: Hall) -> None:
    await hall.say("/otr", 20, None, ID)
    await hall.say("/otr off", 30, None, ID)
    await hall.say("before", 15, ANN)
    await hall.say("after", 40, ANN)
    await hall.answer()
    await hall.say("now both", 50, ANN, ID)
    assert hall.has("before")
    assert hall.has("after")


async def test_a_change_tells_whose_the_old_number_was(hall: Hall) -> None:
    ann = await hall.say("hello", 10, None, ID)
    await hall.say("/otr", 20, None, ID)
    await hall.say("canary", 30, ANN)
    await hall.answer()
    await hall.change(Sender(ANN, ID), Sender(NEW, NEW_ID), 40)
    assert not hall.has("canary")
    assert await hall.say("late", 35, ANN) == ann


@pytest.mark.parametrize("old", [(ANN, ID), (None, ID)])
async def test_a_number_that_is_not_said_to_be_theirs_any_more(
    hall: Hall, old: tuple[str | None, str]
) -> None:
    ann = await hall.say("hello", 10, ANN, ID)
    await hall.change(Sender(*old), Sender(None, NEW_ID), 40)
    assert (await hall.row(ann)).address == NEW_ID
    assert await hall.say("good day", 50, ANN) != ann


async def test_the_first_of_several_times_counts(hall: Hall) -> None:
    """Both off the record, one of them told so twice, late."""
    for at in (40, 20):
        await hall.say("/otr", at, None, ID)
    await hall.say("canary", 30, ANN)
    await hall.answer()
    await hall.say("/otr", 50, ANN)
    assert hall.has("canary")
    await hall.say("now both", 60, ANN, ID)
    assert not hall.has("canary")


async def test_the_last_of_several_times_counts_too(hall: Hall) -> None:
    """A command of before it does not end the session, in the next process either."""
    ann = await hall.say("hello", 10, ANN, ID)
    for at in (60, 20):
        await hall.say("/otr", at, ANN, ID)
    for late in (30, 40):
        await hall.restart()
        await hall.say("/otr off", late, ANN, ID)
        assert (await hall.row(ann)).session.mode is Mode.OFF_THE_RECORD


async def test_the_last_time_in_another_chat_counts_too(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN, ID)
    await hall.say("/otr", 20, ANN, ID)
    await hall.say("/otr", 50, None, NEW_ID)
    await hall.change(Sender(None, ID), Sender(None, NEW_ID), 40)
    for late in ("/new", "/otr off"):
        await hall.say(late, 30, ANN, ID)
        assert (await hall.row(ann)).session.mode is Mode.OFF_THE_RECORD


async def test_a_late_command_reaches_the_words_of_a_chat_that_was_merged(hall: Hall) -> None:
    await hall.say("hello", 10, None, ID)
    await hall.say("canary", 30, ANN)
    await hall.answer()
    await hall.say("now both", 40, ANN, ID)
    await hall.restart()
    assert hall.has("canary")
    await hall.say("/otr", 20, ANN, ID)
    assert not hall.has("canary")


async def test_a_merge_keeps_promises(hall: Hall) -> None:
    number = await hall.say("hello", 10, ANN)
    echo = Echo(ACCOUNT, "wamid.e", Sender(ANN), T0 + 20, "text")
    await hall.admit(echoes=[echo])
    await hall.database.unit(lambda c: chats.prefer(c, 1, wants_marketing=False))
    ann = await hall.say("hello", 30, None, ID)
    await hall.say("now both", 40, ANN, ID)
    row = await hall.row(ann)
    assert row.taken_until == (await hall.row(number)).taken_until > 0
    wants = "SELECT no_marketing FROM contacts WHERE id = ?"
    assert await hall.look(lambda c: c.execute(wants, (row.contact,)).fetchone()) == (1,)


async def test_what_a_merged_chat_has_still_to_say_follows_the_person(hall: Hall) -> None:
    number = await hall.say("hello", 10, ANN)
    ann = await hall.say("hello", 30, None, ID)
    await hall.say("now both", 40, ANN, ID)
    await hall.change(Sender(ANN, ID), Sender(None, NEW_ID), 50)
    assert (await hall.row(number)).address == (await hall.row(ann)).address == NEW_ID


async def test_three_chats_become_one(hall: Hall) -> None:
    first = await hall.say("hello", 10, ANN)
    second = await hall.say("hello", 20, None, ID)
    third = await hall.say("hello", 30, None, NEW_ID)
    await hall.say("/otr", 31, None, ID)
    assert await hall.say("now both", 40, ANN, ID) == second
    await hall.change(Sender(None, NEW_ID), Sender(None, ID), 50)
    assert await hall.say("x", 60, None, NEW_ID) == second
    losers = await hall.look(lambda c: chats.losers_of(c, second))
    assert losers == [first, third]


# -- somebody else ---------------------------------------------------------------------------------


async def test_a_recycled_number_is_another_person(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN, ID)
    await hall.say("/otr", 20, ANN, ID)
    bob = await hall.say("good day", 50, ANN, BOB_ID)
    assert bob != ann
    assert [parcel.notice for parcel in hall.admission.parcels] == ["otr"]
    assert (await hall.row(bob)).session.mode is Mode.OFF_THE_RECORD
    assert (await hall.row(ann)).address == ID
    assert await hall.say("late", 40, ANN, ID) == ann
    assert await hall.say("later", 41, ANN) == ann
    assert (await hall.row(ann)).address == ID
    assert (await hall.row(bob)).address == ANN
    assert await hall.say("x", 60, ANN) == bob


async def test_an_older_person_that_comes_late_leaves_the_number_alone(hall: Hall) -> None:
    bob = await hall.say("good day", 50, ANN, BOB_ID)
    ann = await hall.say("hello", 10, ANN, ID)
    assert ann != bob
    assert (await hall.row(ann)).address == ID
    assert await hall.say("late", 11, ANN) == ann
    assert (await hall.row(bob)).address == ANN


async def test_a_number_moved_to_is_not_that_of_whoever_had_it_before(hall: Hall) -> None:
    """Somebody without an id wrote from it days before: their words are not hers."""
    bob = await hall.say("good day", 10, NEW)
    ann = await hall.say("hello", 20, ANN, ID)
    await hall.change(Sender(ANN, ID), Sender(NEW, NEW_ID), 3 * DAY_S)
    assert await hall.say("hello", 3 * DAY_S + 1, NEW, NEW_ID) == ann
    assert (await hall.row(ann)).address == NEW
    assert (await hall.row(bob)).address == ""  # there is nowhere to reach them


async def test_a_person_has_one_number(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN, ID)
    assert await hall.say("hello", 20, NEW, ID) == ann
    assert await hall.say("good day", 30, ANN) != ann
    assert await hall.say("late", 15, ANN) == ann
    assert await hall.say("late", 15, ANN, ID) == ann
    assert (await hall.row(ann)).address == NEW


async def test_a_parent_id_alone(hall: Hall) -> None:
    """It changes nothing of the number, and of itself makes no two people one."""
    ann = await hall.say("hello", 10, ANN, ID)
    bob = await hall.say("good day", 10, NEW, BOB_ID)
    await hall.change(Sender(None, ID), Sender(None, ID, PARENT), 20)
    assert (await hall.row(ann)).address == ANN
    await hall.change(Sender(None, BOB_ID), Sender(None, BOB_ID, PARENT), 30)
    assert await hall.say("x", 40, ANN, ID) == ann
    assert await hall.say("x", 40, NEW, BOB_ID) == bob
    assert await hall.count() == 2


async def test_an_id_where_a_number_stands_is_no_number(hall: Hall) -> None:
    ann = await hall.say("hello", 10, ANN)
    assert await hall.say("good day", 20, f"DE.{ANN}") != ann
    assert (await hall.row(ann)).address == ANN


async def test_ids_of_any_length(hall: Hall) -> None:
    long = "DE." + "x" * 4000
    ann = await hall.say("hello", 10, "9" * 4000, long)
    assert await hall.say("hello", 20, None, long) == ann
    await hall.change(Sender(None, long), Sender("8" * 4000, long + "y"), 30)
    assert await hall.say("hello", 40, None, long + "y") == ann
