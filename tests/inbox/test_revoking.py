"""Second thoughts and takeovers, in whatever order requests bring them."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.inbox import revoking
from openparallax.model.entry import CAME_IN
from openparallax.model.messages import Echo, Inbound, Kind, Sender
from openparallax.model.text import Text
from tests.inbox.doorway import ACCOUNT, Doorway, message

T0 = 1_789_999_000
ANN, BOB = "4915112345678", "4915187654321"


def deletes(one: Inbound | Echo, at: int, sender: str = ANN) -> Inbound:
    return replace(message("", at, sender=sender), kind=Kind.REVOKE, text=None, original=one.wamid)


def echo(words: str, at: int, to: str = ANN) -> Echo:
    return Echo(ACCOUNT, f"wamid.echo.{words}", Sender(wa_id=to), at, "text", Text(words))


def takes_back(one: Echo, at: int) -> Echo:
    return replace(one, wamid=f"{one.wamid}.back", sent_at=at, text=None, original=one.wamid)


def words_of(one: Inbound | Echo) -> str:
    assert one.text is not None
    return one.text.words


async def test_what_was_deleted_before_it_came_is_remembered_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revoking, "REMEMBERED", 3)
    async with Doorway(tmp_path) as doorway:
        late = [message(f"{place}", T0) for place in range(4)]
        for one in (*late[:3], late[2], late[3]):
            await doorway.admit(deletes(one, T0 + 1))
        assert len(doorway.door._revoked._hashes) == 3
        admission = await doorway.admit(*late)
        assert [entry.text.words for entry in admission.entries] == ["0"]
        assert admission.counts == {"admitted": 1, "revoked": 3}


@pytest.mark.parametrize("what", ["echo", "moved", "message"])
async def test_in_the_same_commit_as_what_it_deletes(tmp_path: Path, what: str) -> None:
    """Off the record nothing is in the table, and in memory not yet."""
    async with Doorway(tmp_path) as doorway:
        if what == "moved":
            said = message("canary", T0 + 5)
            await doorway.admit(said)
            await doorway.answer()
            bringing = doorway.admit(message("/otr", T0))
            deleting = doorway.admit(deletes(said, T0 + 6))
        elif what == "message":
            await doorway.admit(message("/otr", T0))
            said = message("canary", T0 + 5)
            bringing, deleting = doorway.admit(said), doorway.admit(deletes(said, T0 + 6))
        else:
            await doorway.admit(message("/otr", T0))
            mine = echo("canary", T0 + 5)
            bringing = doorway.admit(echoes=[mine])
            deleting = doorway.admit(echoes=[takes_back(mine, T0 + 6)])
        await asyncio.gather(bringing, deleting)
        assert "canary" not in await _kept(doorway)
        assert await doorway.waiting() == []


async def test_a_story_by_hand(tmp_path: Path) -> None:
    async with Doorway(tmp_path) as doorway:
        one, two = message("one", T0), message("two", T0 + 1)
        await doorway.admit(one, two)
        admission = await doorway.admit(deletes(one, T0 + 5), deletes(one, T0 + 5))
        assert admission.counts == {"revoked": 1, "revoke_of_nothing": 1}
        assert admission.has_scrubbed
        assert [envelope.length for envelope in await doorway.waiting()] == [3]
        prompts = await doorway.answer()
        assert [prompt for _, prompt in prompts] == ["two"]
        admission = await doorway.admit(deletes(two, T0 + 6, BOB))
        assert not admission.has_scrubbed
        admission = await doorway.admit(deletes(two, T0 + 6))
        assert len(admission.erased) == 1
        assert await doorway.waiting() == []


async def test_a_revoke_opens_no_window_and_places_nothing(tmp_path: Path) -> None:
    async with Doorway(tmp_path) as doorway:
        admission = await doorway.admit(deletes(message("never", T0), T0 + 1))
        assert (admission.envelopes, admission.entries, admission.parcels) == ([], [], [])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_of_requests(seed: int) -> None:
    asyncio.run(_play(Random(seed)))  # noqa: S311 - a story for each number


async def _play(chance: Random) -> None:
    messages = [message(f"said{n:03d}z", T0 + chance.randrange(40)) for n in range(8)]
    echoes = [
        echo(f"echo{n:03d}z", T0 + chance.randrange(40)) for n in range(chance.choice([0, 3]))
    ]
    gone = chance.sample(messages, 3)
    taken_back = chance.sample(echoes, len(echoes) // 2)
    otr = message("/otr", T0 + chance.randrange(60))
    said: list[Inbound | Echo] = [*messages, *echoes]
    deleted: list[Inbound | Echo] = [*gone, *taken_back]
    story: list[Inbound | Echo] = [
        *said,
        *(deletes(one, one.sent_at + chance.randrange(20)) for one in gone),
        *(takes_back(one, one.sent_at + chance.randrange(20)) for one in taken_back),
        *([otr] if chance.random() < 0.7 else []),
    ]
    # By time, and then some of them late.
    late = {id(one): one.sent_at + chance.choice([0, 0, 0, 15]) for one in story}
    story.sort(key=lambda one: late[id(one)])
    with tempfile.TemporaryDirectory() as folder:
        async with Doorway(Path(folder)) as doorway:
            while story:
                count = chance.randrange(1, 5)
                request, story = story[:count], story[count:]
                for _ in range(chance.choice([1, 1, 2])):
                    await doorway.admit(
                        *(one for one in request if isinstance(one, Inbound)),
                        echoes=[one for one in request if isinstance(one, Echo)],
                    )
                if chance.random() < 0.5:
                    await doorway.answer(chance.randrange(1, 5))
            await doorway.answer()
            kept = await _kept(doorway)
            assert [one for one in deleted if words_of(one) in kept] == []
            written = doorway.written()
            if id(otr) in late:
                off = [one for one in said if one.sent_at > otr.sent_at]
                assert [one for one in off if words_of(one).encode() in written] == []
            assert {words_of(one) for one in messages if one not in gone} <= kept


async def _kept(doorway: Doorway) -> set[str]:
    """The words of messages, in both rooms."""
    rows = await doorway.database.read(
        lambda c: c.execute("SELECT words FROM transcript WHERE role IN (2, 7, 8)").fetchall()
    )
    held = [
        entry.text.words
        for session in doorway.volatile._sessions.values()
        for entry in session.entries.values()
        if entry.role in CAME_IN
    ]
    return {*(words for (words,) in rows), *held}
