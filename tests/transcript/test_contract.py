"""What holds for words in either room."""

import asyncio
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.model.entry import Role
from openparallax.storage import Database
from tests.transcript.rooms import Room, durable, entry, open_database, volatile


async def test_words_are_read_under_their_key(room: Room) -> None:
    session = await room.session()
    await room.keep(
        entry(session, 1, Role.CONTACT, "asked"),
        entry(session, 1, Role.ENGINE, "said"),
        entry(session, 1, Role.PART, "sa", 1),
        entry(session, 1, Role.PART, "id", 2),
    )
    read = room.transcript.read
    for _ in range(2):
        found = [await read(session, 1, part) for part in (0, -1, 1, 2)]
        assert [text.words if text else None for text in found] == ["asked", "said", "sa", "id"]
    assert await read(session, 1, 3) is None
    assert await read(session, 2, 0) is None


async def test_nothing_is_there_before_its_commit(room: Room) -> None:
    session = await room.session()
    room.transcript.keep(entry(session, 1, Role.CONTACT, "asked"))
    assert await room.transcript.read(session, 1, 0) is None
    assert await room.said(session) == []


async def test_holding_twice_is_holding_once(room: Room) -> None:
    session = await room.session()
    words = entry(session, 1, Role.CONTACT, "asked")
    await room.keep(words)
    room.transcript.hold(words)
    room.transcript.hold(words)
    found = await room.transcript.read(session, 1, 0)
    assert found is not None
    assert found.words == "asked"
    await room.finish(session, [1], [words], "said")
    assert await room.said(session) == [("contact", "asked"), ("engine", "said")]


async def test_history_is_what_was_said_below_a_turn(room: Room) -> None:
    session = await room.session()
    assert await room.said(session) == []
    for number in (3, 5, 9):
        await room.turn(session, number, f"asked {number}", f"said {number}")
    assert [text for _, text in await room.said(session)] == [
        "asked 3", "said 3", "asked 5", "said 5", "asked 9", "said 9",
    ]  # fmt: skip
    assert [text for _, text in await room.said(session, 9)] == [
        "asked 3", "said 3", "asked 5", "said 5",
    ]  # fmt: skip
    assert await room.said(session, 3) == []


async def test_messages_answered_together_come_before_the_answer(room: Room) -> None:
    session = await room.session()
    asked = [entry(session, number, Role.CONTACT, f"asked {number}") for number in (1, 2, 3)]
    await room.keep(*asked)
    await room.finish(session, [1, 2, 3], asked, "said")
    assert [text for _, text in await room.said(session)] == [
        "asked 1", "asked 2", "asked 3", "said",
    ]  # fmt: skip


async def test_parts_and_notices_are_no_history(room: Room) -> None:
    session = await room.session()
    words = entry(session, 1, Role.CONTACT, "asked")
    await room.keep(words, entry(session, 1, Role.NOTICE, "told", 1))
    await room.finish(session, [1], [words], None)
    await room.turn(session, 2, "again", "said")
    await room.keep(entry(session, 2, Role.PART, "sa", 1))
    assert [text for _, text in await room.said(session)] == ["asked", "again", "said"]


async def test_history_is_bounded_and_begins_with_the_contact(room: Room) -> None:
    session = await room.session()
    for number in range(1, 30):
        await room.turn(session, number, f"asked {number}", f"said {number}")
        said = await room.said(session)
        assert len(said) <= 8
        assert said[0][0] == "contact"
        assert said[-1] == ("engine", f"said {number}")


async def test_the_beginning_stays_the_same_for_several_turns(room: Room) -> None:
    """Trimmed in blocks: a prompt cache lives from that."""
    session = await room.session()
    beginnings = []
    for number in range(1, 41):
        await room.turn(session, number, f"asked {number}", f"said {number}")
        beginnings.append((await room.said(session))[0])
    changes = sum(one != other for one, other in pairwise(beginnings))
    assert changes < len(beginnings) - 1


async def test_sessions_do_not_see_each_other(room: Room) -> None:
    one, other = await room.session(), await room.session()
    await room.turn(one, 1, "mine", "yours")
    await room.turn(other, 2, "his", "hers")
    assert [text for _, text in await room.said(one)] == ["mine", "yours"]
    assert [text for _, text in await room.said(other)] == ["his", "hers"]


async def test_nothing_shows_in_reprs(room: Room) -> None:
    session = await room.session()
    await room.turn(session, 1, "canary", "canary")
    spoken = await room.transcript.history(session, 9)
    assert "canary" not in repr(spoken)
    assert "canary" not in repr(room.transcript)
    assert "canary" not in repr(entry(session, 1, Role.CONTACT, "canary"))


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
turn = st.tuples(st.lists(words, min_size=1, max_size=3), st.none() | words)


@pytest.mark.parametrize("made", [durable, volatile])
@settings(max_examples=25, deadline=None)
@given(script=st.lists(turn, max_size=12), looks=st.sets(st.integers(0, 12)))
def test_any_conversation_reads_the_same_in_both_rooms(
    made: Callable[[Database], Room], script: list[tuple[list[str], str | None]], looks: set[int]
) -> None:
    asyncio.run(_play(made, script, looks))


async def _play(
    made: Callable[[Database], Room], script: list[tuple[list[str], str | None]], looks: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = await open_database(Path(folder))
        room = made(database)
        session = await room.session()
        wanted: list[tuple[str, str]] = []
        number = 0
        for place, (asked, said) in enumerate(script):
            if place in looks:
                # Looking early fills caches, which must not matter.
                await room.said(session)
            entries = []
            for one in asked:
                number += 1
                entries.append(entry(session, number, Role.CONTACT, one))
                await room.keep(entries[-1])
            await room.finish(session, [one.turn for one in entries], entries, said)
            wanted += [("contact", one) for one in asked]
            wanted += [] if said is None else [("engine", said)]
        found = await room.said(session)
        assert found == wanted[len(wanted) - len(found) :]
        assert len(found) <= 8
        if len(wanted) <= 8:
            assert found == wanted
        await database.close()
