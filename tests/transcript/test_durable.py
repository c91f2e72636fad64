"""The room with a disk: its caches, and that the schema refuses what is off the record."""

import asyncio

import pytest

from openparallax.errors import NotStored
from openparallax.model.entry import ENGINE_PART, Role
from openparallax.model.session import Mode, Session
from openparallax.storage import Connection, Database, transcripts
from openparallax.storage.database import Write, execute
from openparallax.transcript import durable as module
from openparallax.transcript.durable import DurableTranscript
from tests.transcript.rooms import durable, entry, volatile


async def test_the_schema_refuses_words_off_the_record(database: Database) -> None:
    """The second lock: even if words come this far, they get no further."""
    off = await volatile(database).session()
    room = durable(database)
    with pytest.raises(NotStored):
        await room.keep(entry(off, 1, Role.CONTACT, "canary"))
    lying = Session(off.id, Mode.ON_THE_RECORD)
    with pytest.raises(NotStored):
        await room.keep(entry(lying, 1, Role.CONTACT, "canary"))
    unknown = Session(type(off.id)(9999), Mode.ON_THE_RECORD)
    with pytest.raises(NotStored):
        await room.keep(entry(unknown, 1, Role.CONTACT, "canary"))
    (count,) = await database.read(
        lambda c: c.execute("SELECT count(*) FROM transcript").fetchone()
    )
    assert count == 0


async def test_the_schema_refuses_to_move_words_off_the_record(database: Database) -> None:
    on = durable(database)
    session, off = await on.session(), await volatile(database).session()
    await on.keep(entry(session, 1, Role.CONTACT, "asked"))

    def move(connection: Connection) -> None:
        execute(connection, Write("UPDATE transcript SET session = ?", (off.id,)))

    def turn(connection: Connection) -> None:
        execute(connection, Write("UPDATE sessions SET mode = 1 - mode"))

    for change in (move, turn):
        with pytest.raises(NotStored):
            await database.unit(change)


async def test_words_survive_the_room(database: Database) -> None:
    room = durable(database)
    session = await room.session()
    await room.turn(session, 1, "asked", "said")
    other = durable(database)
    assert await other.said(session) == [("contact", "asked"), ("engine", "said")]
    found = await other.transcript.read(session, 1, 0)
    assert found is not None
    assert found.words == "asked"


async def test_what_was_scrubbed_is_not_at_hand(database: Database) -> None:
    room = durable(database)
    session = await room.session()
    await room.turn(session, 1, "kept", "kept too")
    await room.turn(session, 2, "canary", "canary")
    assert len(await room.said(session)) == 4
    await database.unit(lambda c: transcripts.scrub_turn(c, session.id, 2))
    assert isinstance(room.transcript, DurableTranscript)
    room.transcript.forget([session.id], [2])
    assert await room.transcript.read(session, 2, 0) is None
    assert await room.transcript.read(session, 2, -1) is None
    assert [text for _, text in await room.said(session)] == ["kept", "kept too"]
    assert "canary" not in str(
        (
            room.transcript._at_hand,
            [one.text for h in room.transcript._histories.values() for one in h.spoken],
        )
    )


async def test_a_history_that_was_being_read_while_it_was_scrubbed(database: Database) -> None:
    room = durable(database)
    session = await room.session()
    await room.turn(session, 1, "kept", "kept too")
    await room.turn(session, 2, "canary", "canary")
    cold = DurableTranscript(database, history_entries=8)
    reading = asyncio.ensure_future(cold.history(session, 9))
    await asyncio.sleep(0)
    await database.unit(
        lambda c: transcripts.scrub_turn(c, session.id, 2),
        lambda _: cold.forget([session.id], [2]),
    )
    await reading
    assert [one.text for one in await cold.history(session, 9)] == ["kept", "kept too"]


async def test_what_is_at_hand_is_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_HAND_CHARACTERS", 100)
    monkeypatch.setattr(module, "HISTORY_CHARACTERS", 100)
    room = durable(database)
    transcript = room.transcript
    assert isinstance(transcript, DurableTranscript)
    made = [await room.session() for _ in range(5)]
    for number, session in enumerate(made * 3, start=1):
        await room.turn(session, number, "x" * 30, "y" * 30)
        await room.said(session)
        assert sum(map(len, transcript._at_hand.values())) == transcript._at_hand_characters <= 100
        kept = transcript._histories.values()
        counted = sum(len(one.text) for said in kept for one in said.spoken)
        assert counted == transcript._history_characters
        assert counted <= 100 or len(transcript._histories) == 1
    for number, session in enumerate(made * 3, start=1):
        found = await transcript.read(session, number, 0)
        assert found is not None
        assert len(found) == 30


async def test_only_what_will_be_read_is_at_hand(database: Database) -> None:
    room = durable(database)
    session = await room.session()
    transcript = room.transcript
    assert isinstance(transcript, DurableTranscript)
    written = entry(session, 1, Role.ENGINE, "**yes**", part=ENGINE_PART)
    sent = entry(session, 1, Role.PART, "*yes*", part=1)
    plain = entry(session, 2, Role.ENGINE, "yes", part=ENGINE_PART)
    typed = entry(session, 3, Role.PERSON, "I do it", part=ENGINE_PART)

    transcript.hold(written, sent)
    transcript.hold(plain)
    transcript.hold(typed)

    assert set(transcript._at_hand) == {(1, 1), (2, ENGINE_PART)}
