"""Taking over, seen from the door: also what did not happen, and what a stop leaves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.errors import NotStored
from openparallax.inbox.admission import Admission, Draining
from openparallax.model.entry import ENGINE_PART, Role
from openparallax.model.envelope import Errand
from openparallax.model.messages import Kind
from openparallax.model.session import Mode
from openparallax.storage import Connection
from tests.inbox.doorway import Doorway, message
from tests.inbox.test_revoking import deletes, echo

ANN, BOB = "4915112345678", "4915187654321"
HOUR = 3600


@pytest_asyncio.fixture
async def doorway(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with Doorway(tmp_path) as doorway:
        yield doorway


@pytest.fixture
def t0(doorway: Doorway) -> int:
    return int(doorway.clock.now()) - 600


async def test_what_is_ended_and_what_stays(doorway: Doorway, t0: int) -> None:
    picture = replace(message("", t0 + 1), kind=Kind.UNREADABLE, text=None)
    await doorway.admit(message("words", t0), picture, message("/status", t0 + 2))
    await doorway.admit(message("another's", t0, sender=BOB))
    admission = await doorway.admit(echoes=[echo("mine", t0 + 3)])
    waiting = await doorway.waiting()
    assert [(one.errand, one.chat) for one in waiting] == [(Errand.STATUS, 1), (Errand.TURN, 2)]
    assert [chat for chat, _ in admission.ended] == [1, 1]
    assert admission.handed_over == {1}
    (entry,) = admission.entries
    assert (entry.part, entry.role) == (ENGINE_PART, Role.PERSON)
    assert "mine" not in repr(admission)


async def test_a_takeover_that_did_not_happen_silences_nobody(doorway: Doorway, t0: int) -> None:
    await doorway.admit(message("hello", t0))

    def work(connection: Connection) -> Admission:
        doorway.door.admit(connection, echoes=[echo("mine", t0 + 1)])
        raise NotStored

    with pytest.raises(NotStored):
        await doorway.database.unit(work, doorway._hold)
    admission = await doorway.admit(message("and?", t0 + 2))
    assert [one.errand for one in admission.envelopes] == [Errand.TURN]
    assert len(await doorway.waiting()) == 2


async def test_what_the_same_request_brought_is_left_to_them_too(doorway: Doorway, t0: int) -> None:
    admission = await doorway.admit(
        message("before", t0), message("after", t0 + 2), echoes=[echo("mine", t0 + 1)]
    )
    assert (admission.envelopes, await doorway.waiting()) == ([], [])
    assert [one.text.words for one in admission.entries] == ["before", "mine", "after"]


async def test_a_restart_keeps_the_silence(doorway: Doorway, t0: int) -> None:
    await doorway.admit(echoes=[echo("mine", t0)])
    await doorway.restart()
    assert (await doorway.admit(message("hello", t0 + HOUR - 1))).counts == {"handed_over": 1}
    assert (await doorway.admit(message("hello", t0 + HOUR))).counts == {"admitted": 1}


async def test_while_draining_only_words_off_the_record_are_put_off(
    doorway: Doorway, t0: int
) -> None:
    said = message("said", t0 + 1)
    await doorway.admit(message("/otr", t0), said)
    doorway.door.is_draining = True
    with pytest.raises(Draining):
        await doorway.admit(echoes=[echo("canary", t0 + 2)])
    # Nothing of it has happened: the engine still answers.
    assert [one.errand for one in await doorway.waiting()] == [Errand.TURN]
    await doorway.admit(deletes(said, t0 + 3))
    await doorway.admit(echoes=[replace(echo("", t0 + 4), text=None)])
    with pytest.raises(Draining):
        await doorway.admit(message("canary", t0 + 5))
    await doorway.admit(echoes=[echo("kept", t0 + 2, BOB)])
    assert await doorway.waiting() == []
    written = doorway.written()
    assert b"canary" not in written
    assert b"kept" in written


async def test_the_later_end_of_two_silences_counts(doorway: Doorway, t0: int) -> None:
    await doorway.admit(echoes=[echo("late", t0 + 100)])
    await doorway.admit(echoes=[echo("early", t0)])
    silent = await doorway.admit(message("hello", t0 + 99 + HOUR))
    assert silent.counts == {"handed_over": 1}
    (session,) = {entry.session for entry in silent.entries}
    assert session.mode is Mode.ON_THE_RECORD
