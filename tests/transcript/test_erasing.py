"""What is deleted or quoted, found by the hash of its message: the same in both rooms."""

from dataclasses import replace

import pytest

from openparallax.model.entry import CONTACT_PART, DETAILS_PART, ENGINE_PART, Entry, Role
from openparallax.model.session import Session
from openparallax.model.text import Text
from openparallax.model.turn import Spoken
from openparallax.storage import Connection, Database
from openparallax.storage.database import execute
from openparallax.storage.transcripts import PAGE
from openparallax.transcript import durable as module
from tests.transcript.rooms import Room, durable, entry

DAY = 86400


def came(session: Session, number: int, words: str) -> Entry:
    """What the contact said; the hash is a hundred times its number."""
    return replace(entry(session, number, Role.CONTACT, words), hashed=number * 100)


async def say(room: Room, session: Session, number: int, words: str, said: str | None) -> None:
    asked = came(session, number, words)
    beside = Entry(session, number, DETAILS_PART, Role.DETAILS, Text(f"beside {words}"), 1000)
    await room.keep(asked, beside)
    await room.finish(session, [number], [asked], said)


async def step_in(room: Room, session: Session, number: int, words: str) -> None:
    """Somebody of ours writes from the phone."""
    said = Entry(session, number, ENGINE_PART, Role.PERSON, Text(words), 1000, number * 100)

    def work(connection: Connection) -> None:
        for write in (
            *room.transcript.keep(said),
            *room.transcript.close_turn(session, [number]),
        ):
            execute(connection, write)

    await room.database.unit(work)
    room.transcript.renew(session)
    room.transcript.hold(said)


async def erase(room: Room, session: Session, number: int) -> None:
    def work(connection: Connection) -> None:
        for write in room.transcript.erase(number):
            execute(connection, write)

    await room.database.unit(work)
    room.transcript.drop(session, number)


async def turn_of(room: Room, session: Session, hashed: int, before: int = 1000) -> int | None:
    return await room.database.unit(lambda c: room.transcript.turn_of(c, session, hashed, before))


async def words(room: Room, session: Session, number: int) -> list[str | None]:
    found = [
        await room.transcript.read(session, number, part)
        for part in (CONTACT_PART, DETAILS_PART, ENGINE_PART)
    ]
    return [text.words if text else None for text in found]


async def test_what_came_in_goes_and_what_answered_it_stays(room: Room) -> None:
    session = await room.session()
    for number in (1, 2):
        await say(room, session, number, f"asked {number}", f"said {number}")
    assert len(await room.said(session)) == 4
    await erase(room, session, 1)
    assert await words(room, session, 1) == [None, None, "said 1"]
    assert await words(room, session, 2) == ["asked 2", "beside asked 2", "said 2"]
    # It begins with the contact: what had answered the first is not shown without it.
    assert await room.said(session) == [("contact", "asked 2"), ("engine", "said 2")]
    await erase(room, session, 1)
    await say(room, session, 3, "asked 3", "said 3")
    assert [text for _, text in await room.said(session)][-2:] == ["asked 3", "said 3"]
    assert "asked 1" not in str(vars(room.transcript))


async def test_what_waits_for_its_turn_goes_too(room: Room) -> None:
    session = await room.session()
    await room.keep(came(session, 1, "asked"))
    await erase(room, session, 1)
    assert await words(room, session, 1) == [None, None, None]


async def test_words_of_a_person_of_ours_are_history_and_go_too(room: Room) -> None:
    session = await room.session()
    await say(room, session, 1, "asked", "said")
    assert len(await room.said(session)) == 2  # so that it is at hand
    await step_in(room, session, 2, "I am here")
    await say(room, session, 3, "thanks", None)
    assert await room.said(session) == [
        ("contact", "asked"), ("engine", "said"), ("engine", "I am here"), ("contact", "thanks"),
    ]  # fmt: skip
    assert await turn_of(room, session, 200) == 2
    await erase(room, session, 2)
    assert [text for _, text in await room.said(session)] == ["asked", "said", "thanks"]
    assert await turn_of(room, session, 200) is None


@pytest.mark.parametrize("length", [0, 1, 5000, 70_000])
async def test_any_words_are_overwritten_in_their_place(database: Database, length: int) -> None:
    """As many bytes as before: SQLite moves nothing then, and leaves no copy behind."""
    room = durable(database)
    session = await room.session()
    text = ("żö\0🐤" * length)[:length]
    await say(room, session, 1, text, "said")
    await erase(room, session, 1)
    found = await database.read(
        lambda c: c.execute(
            "SELECT role, words FROM transcript WHERE turn = 1 ORDER BY part"
        ).fetchall()
    )
    beside, said, asked = found
    assert asked == (6, " " * len(text.encode()))
    assert beside == (6, " " * len(f"beside {text}".encode()))
    assert said == (3, "said")


async def test_a_turn_is_found_by_the_hash_of_its_message(room: Room) -> None:
    session, other = await room.session(), await room.session()
    for number in range(1, 6):
        await say(room, session, number, "asked", "said")
    assert [await turn_of(room, session, number * 100) for number in range(7)] == [
        None, 1, 2, 3, 4, 5, None,
    ]  # fmt: skip
    assert await turn_of(room, other, 100) is None


async def test_the_search_goes_back_eight_days_and_over_pages(database: Database) -> None:
    room = durable(database)
    session = await room.session()

    def work(connection: Connection) -> None:
        for number in range(1, 2 * PAGE + 50):
            for write in (
                *room.transcript.keep(came(session, number, "asked")),
                *room.transcript.close_turn(session, [number]),
            ):
                execute(connection, write)

    await database.unit(work)
    # `entry` gives them the timestamps 1000 + number.
    assert await turn_of(room, session, 100, 1001) == 1
    assert await turn_of(room, session, 100, 1000 + 8 * DAY) == 1
    assert await turn_of(room, session, 100, 1100 + 8 * DAY) is None
    assert await turn_of(room, session, 200 * 100, 1100 + 8 * DAY) == 200


async def test_a_quote_is_what_was_said_and_by_whom(room: Room) -> None:
    session, other = await room.session(), await room.session()
    await say(room, session, 1, "asked", "said")
    await step_in(room, session, 2, "I am here")
    quoted = room.transcript.quoted
    for _ in range(2):
        assert await quoted(session, 100) == Spoken("contact", "asked")
        assert await quoted(session, 200) == Spoken("engine", "I am here")
    assert await quoted(session, 300) is None
    assert await quoted(other, 100) is None
    await erase(room, session, 1)
    assert await quoted(session, 100) is None


async def test_a_quote_of_long_ago_is_not_looked_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUOTED_TURNS", PAGE)
    room = durable(database)
    session = await room.session()

    def work(connection: Connection) -> None:
        for number in range(1, PAGE + 11):
            for write in (
                *room.transcript.keep(came(session, number, f"asked {number}")),
                *room.transcript.close_turn(session, [number]),
            ):
                execute(connection, write)

    await database.unit(work)
    assert await room.transcript.quoted(session, 1100) == Spoken("contact", "asked 11")
    assert await room.transcript.quoted(session, 1000) is None


async def test_a_session_is_read_anew(room: Room) -> None:
    """`renew` may be said of any session, at hand or not, again and again."""
    session = await room.session()
    room.transcript.renew(session)
    await say(room, session, 1, "asked", "said")
    before = await room.said(session)
    room.transcript.renew(session)
    room.transcript.renew(session)
    assert await room.said(session) == before
