"""What one request brings through the door."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.errors import NotStored
from openparallax.inbox.account import Account
from openparallax.inbox.admission import Admission, Draining
from openparallax.inbox.limits import Verdict
from openparallax.model.entry import Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.messages import Kind
from openparallax.model.session import Mode
from openparallax.storage import Connection, chats, envelopes
from openparallax.storage.database import execute
from tests.inbox.doorway import ACCOUNT, Doorway, message

T0 = 1_789_999_000
ANN, BOB = "4915112345678", "4915187654321"


@pytest_asyncio.fixture
async def doorway(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with Doorway(tmp_path) as doorway:
        yield doorway


async def test_a_request_is_taken_in_the_order_of_its_timestamps(doorway: Doorway) -> None:
    admission = await doorway.admit(
        message("c", T0 + 3), message("a", T0 + 1), message("b1", T0 + 2), message("b2", T0 + 2)
    )
    assert [entry.text.words for entry in admission.entries] == ["a", "b1", "b2", "c"]
    numbers = [envelope.number for envelope in admission.envelopes]
    assert numbers == sorted(set(numbers))


async def test_what_did_not_happen_is_held_nowhere(doorway: Doorway) -> None:
    """The unit fails behind the door's part: nothing of it may be in memory."""
    await doorway.admit(message("/otr", T0))
    marks = doorway.volatile.sessions()

    def work(connection: Connection) -> Admission:
        doorway.door.admit(connection, [message("canary", T0 + 1)])
        raise NotStored

    with pytest.raises(NotStored):
        await doorway.database.unit(work, doorway._hold)
    assert doorway.volatile.sessions() == marks
    assert await doorway.waiting() == []
    taken = message("canary", T0 + 1)
    assert len((await doorway.admit(taken)).envelopes) == 1
    assert (await doorway.admit(taken)).counts == {"duplicate": 1}


async def test_a_late_command_takes_along_what_its_own_request_released(doorway: Doorway) -> None:
    await doorway.admit(message("canary", T0 + 20))
    (envelope,) = await doorway.waiting()

    def hold(connection: Connection) -> None:
        for write in envelopes.hold([envelope]):
            execute(connection, write)
        chats.hold(connection, envelope.chat, chats.HELD_ENVELOPES)
        doorway.door.drop()

    await doorway.database.unit(hold)
    admission = await doorway.admit(message("/otr", T0 + 10))
    assert [one.number for one in admission.released] == [envelope.number]
    assert all(one.session.mode is Mode.OFF_THE_RECORD for one in admission.released)
    assert all(one.session.mode is Mode.OFF_THE_RECORD for one in admission.entries)
    assert await doorway.waiting() == [replace(admission.released[0])]
    assert b"canary" not in doorway.written()


async def test_a_late_command_takes_along_what_came_before_it_in_its_own_request(
    doorway: Doorway,
) -> None:
    """Older words behind newer ones: by the time that they are placed the command is not known."""
    await doorway.admit(message("newer", T0 + 20))
    admission = await doorway.admit(message("older", T0 + 5), message("/otr", T0 + 10))
    assert {one.session.mode for one in admission.envelopes} == {Mode.OFF_THE_RECORD}
    assert {one.session.mode for one in admission.entries} == {Mode.OFF_THE_RECORD}
    words = [one.text.words for one in admission.entries if one.role is Role.CONTACT]
    assert sorted(words) == ["newer", "older"]
    written = doorway.written()
    assert b"newer" not in written
    assert b"older" not in written


async def test_a_batch_that_is_put_off_leaves_nothing(doorway: Doorway) -> None:
    await doorway.admit(message("/otr", T0, sender=BOB))
    doorway.door.is_draining = True
    with pytest.raises(Draining):
        await doorway.admit(
            message("on the record", T0 + 1, sender=ANN), message("canary", T0 + 2, sender=BOB)
        )
    assert await doorway.waiting() == []
    assert b"canary" not in doorway.written()
    admission = await doorway.admit(message("on the record", T0 + 1, sender=ANN))
    assert len(admission.envelopes) == 1


@pytest.mark.parametrize("command", ["/new", "/otr", "/otr off", "/help", "/status", "/ort"])
async def test_while_draining_a_command_without_words_is_taken(
    doorway: Doorway, command: str
) -> None:
    doorway.door.is_draining = True
    admission = await doorway.admit(message(command, T0))
    assert admission.counts == {"command": 1}


async def test_envelopes_have_no_words(doorway: Doorway) -> None:
    for number, words in enumerate(["canary", "/otr canary", "/ort canary", "/new canary"]):
        admission = await doorway.admit(message(words, T0 + number))
        for travels in (*admission.envelopes, *admission.parcels, *admission.moves):
            assert "canary" not in str(travels)
        assert "canary" not in str(admission)
    (columns,) = await doorway.database.read(
        lambda c: c.execute("SELECT group_concat(errand || detail) FROM envelopes").fetchall()
    )
    assert "canary" not in columns[0]


@pytest.mark.parametrize("kind", [Kind.UNREADABLE, Kind.RESEND])
async def test_what_cannot_be_read_is_told_once_a_minute(doorway: Doorway, kind: Kind) -> None:
    def picture(at: int) -> object:
        return replace(message("", at), kind=kind, text=None, type="image")

    errand = {Kind.UNREADABLE: Errand.ONLY_TEXT, Kind.RESEND: Errand.RESEND}[kind]
    told: list[Envelope] = []
    for second in (0, 1, 59, 61, 62):
        await doorway.clock.turn(second - doorway.clock.monotonic() % 100)
        admission = await doorway.admit(picture(T0 + second))  # type: ignore[arg-type]
        told += admission.envelopes
    assert [one.errand for one in told] == [errand] * 2


async def test_a_command_from_the_future_can_be_taken_back(doorway: Doorway) -> None:
    """A timestamp is believed a day ahead, no more: nobody is locked in for ever."""
    now = int(doorway.clock.now())
    await doorway.admit(message("/otr", 253_402_300_799))
    await doorway.admit(message("/otr off", now + 10))
    assert (await doorway.waiting())[-1].errand is Errand.STILL_OFF
    await doorway.clock.turn(86_400 + 60)
    await doorway.admit(message("/otr off", now + 86_400 + 30))
    assert (await doorway.waiting())[-1].errand is Errand.OTR_OFF


async def test_what_was_let_in_while_the_list_was_changed_is_asked_about_again(
    doorway: Doorway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list changes on the loop, while the writer's thread is at it by the old one."""
    door, judge = doorway.door, doorway.limit.judge
    account = Account(
        ACCOUNT, allowed=(BOB,), limit=doorway.limit, takeover_s=0, hash_key=b"k" * 32
    )

    def judged(chat: int, sent_at: int, hashed: int) -> Verdict:
        door.adopt({ACCOUNT: account}, refuses_otr=False)
        monkeypatch.setattr(doorway.limit, "judge", judge)
        return judge(chat, sent_at, hashed)

    monkeypatch.setattr(doorway.limit, "judge", judged)
    [before] = (await doorway.admit(message("one", T0, sender=ANN))).envelopes
    assert door.lists.to_ask(ACCOUNT, before.number) is account.allowed
    assert (await doorway.admit(message("two", T0 + 1, sender=ANN))).envelopes == []
    [after] = (await doorway.admit(message("three", T0 + 2, sender=BOB))).envelopes
    assert door.lists.to_ask(ACCOUNT, after.number) is None
    assert door.lists.to_ask(ACCOUNT, before.number) is account.allowed
