"""Forgetting inside a unit: what it ends, what it marks, and what it leaves."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from openparallax.model.entry import Entry, Role
from openparallax.model.parcel import ParcelState
from openparallax.model.session import Mode, Session
from openparallax.model.text import Text
from openparallax.session import erasing as session_erasing
from openparallax.storage import Connection, chats, envelopes, erasing, parcels, sessions
from openparallax.storage.database import execute
from openparallax.storage.transcripts import close_turn, keep, recent_sessions
from tests.storage.rows import add_chat, empty_file, envelope, parcel

NOW = 5000


@pytest.fixture
def file() -> Iterator[Connection]:
    connection = empty_file()
    yield connection
    connection.close()


def say(connection: Connection, session: Session, turn: int, words: str = "words") -> None:
    entry = Entry(session, turn, 0, Role.CONTACT, Text(words), 100 + turn, turn)
    for write in (keep(entry), *close_turn(session.id, [turn])):
        execute(connection, write)


def words(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT turn, role, words FROM transcript ORDER BY id").fetchall()


def test_work_ends_in_every_state(file: Connection) -> None:
    chat, session = add_chat(file)
    for number in (1, 2, 3):
        envelopes.queue(file, envelope(number, chat, session), number)
    file.execute("UPDATE envelopes SET state = 1, turn = 1 WHERE number = 1")
    file.execute("UPDATE envelopes SET state = 2 WHERE number = 3")
    states = {10: 1, 11: 0, 12: 3, 13: 10}
    for number, state in states.items():
        execute(file, parcels.post(parcel(number, chat, session), 0))
        file.execute(
            "UPDATE parcels SET state = ?, tokens = 'ab' WHERE number = ?", (state, number)
        )
    ended = session_erasing.begin(file, chat, NOW)
    assert ended == session_erasing.Ended(chat, [1, 2, 3], 3, [])
    assert envelopes.of_chat(file, chat) == []
    assert file.execute("SELECT number, state, tokens FROM parcels ORDER BY number").fetchall() == [
        (10, ParcelState.UNCONFIRMED, ""),
        (11, ParcelState.WITHDRAWN, ""),
        (12, ParcelState.WITHDRAWN, ""),
        (13, ParcelState.ACCEPTED, "ab"),
    ]
    assert parcels.sent_to(file, [chat], 0, 100) == ([10, 11, 12, 13], None)
    assert parcels.sent_to(file, [chat], 0, 4) == ([10, 11, 12, 13], 13)
    parcels.close_to_statuses(file, [13])
    assert file.execute("SELECT DISTINCT tokens FROM parcels").fetchall() == [("",)]


def test_what_comes_then_is_in_a_new_session(file: Connection) -> None:
    chat, session = add_chat(file)
    say(file, session, 1)
    assert recent_sessions(file, chat, 0) == [session.id]
    file.execute("UPDATE chats SET left_on = 1, left_on_at = 1 << 40, held = 3")
    session_erasing.begin(file, chat, NOW)
    row = chats.chat_by_id(file, chat)
    assert row is not None
    assert row.session.mode is Mode.ON_THE_RECORD
    assert row.session != session
    assert (row.name, row.held, row.left_on, row.opened_at) == ("", 0, None, NOW)
    assert erasing.marked(file) == {chat: [session.id]}
    # A late /otr finds nothing of it, in whatever state the scrubbing is.
    assert recent_sessions(file, chat, 0) == [row.session.id]


def test_off_the_record_it_stays_and_what_lies_beneath_is_new(file: Connection) -> None:
    chat, session = add_chat(file)
    sessions.suspend(file, session.id)
    off = sessions.open_session(file, chat, Mode.OFF_THE_RECORD, 50, session.id)
    assert session_erasing.begin(file, chat, NOW).off == [off.id]
    row = chats.chat_by_id(file, chat)
    assert row is not None
    assert row.session == off
    assert row.before not in {None, session.id}
    assert erasing.marked(file) == {chat: [session.id]}


def test_scrubbed_in_its_place(file: Connection) -> None:
    _, session = add_chat(file)
    other_chat = chats.add_chat(file, 1, chats.add_contact(file, "Bob"), "492")
    other = sessions.open_session(file, other_chat, Mode.ON_THE_RECORD, 0)
    said = ["", "żółw\0\n", "x" * 9000, " "]
    for turn, one in enumerate(said):
        say(file, session, turn, one)
    say(file, other, 10, "stays")
    rows = erasing.rows_of(file, [session.id], 0)
    assert [row.length for row in rows] == [len(one.encode()) for one in said]
    erasing.scrub(file, rows)
    assert words(file) == [
        *((turn, 6, " " * len(one.encode())) for turn, one in enumerate(said)),
        (10, Role.CONTACT, "stays"),
    ]
    assert erasing.rows_of(file, [session.id], 0) == []
    assert erasing.drop_history(file, session.id) == len(said)
    assert erasing.drop_history(file, session.id) == 0
    erasing.unmark(file, [session.id])
    assert erasing.marked(file) == {}


def test_steps_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "STEP", 3)
    monkeypatch.setattr(erasing, "STEP_BYTES", 100)
    rows = [erasing.Row(n, n, 1, length) for n, length in enumerate([1, 1, 1, 1, 500, 90, 20])]
    assert [[row.id for row in step] for step in erasing.in_steps(rows)] == [
        [0, 1, 2], [3], [4], [5], [6]
    ]  # fmt: skip
    assert list(erasing.in_steps([])) == []


def test_what_is_busy_is_put_off(file: Connection) -> None:
    chat, session = add_chat(file)
    for turn in (1, 2):
        say(file, session, turn)
    envelopes.queue(file, envelope(2, chat, session), 2)
    assert erasing.busy(file) == {session.id}
    found = erasing.due(file, 0, 0, 1000, 1000)
    assert (found.above, found.arrived, found.is_all) == (2, 102, True)
    assert session_erasing.put_away(file, found.rows, erasing.busy(file)) == 0
    assert len([one for one in words(file) if one[1] == Role.CONTACT]) == 2
    late = erasing.overdue(file, 0, 2)
    assert late.turns == [(1, session.id), (2, session.id)]
    envelopes.drop(file, [2])
    assert session_erasing.put_away(file, late.rows, erasing.busy(file)) == 2
    erasing.done_late(file, [1, 2])
    assert erasing.overdue(file, 0, 2) == erasing.Overdue([], [])
    assert {role for _, role, _ in words(file)} == {6}


def test_no_earlier_than_what_came_before(file: Connection) -> None:
    """A message that Meta brings late came in when it came in, not when it was written."""
    _, session = add_chat(file)
    times = [100, 5000, 200, 99_999, 5100, 300]
    for turn, at in enumerate(times):
        say(file, session, turn)
        file.execute("UPDATE transcript SET sent_at = ? WHERE turn = ?", (at, turn))
    found = erasing.due(file, 0, 0, 4000, 9000)
    assert [row.turn for row in found.rows] == [0]
    erasing.move_on(file, found.above, found.arrived)
    assert erasing.where(file) == (1, 100)
    found = erasing.due(file, *erasing.where(file), 5050, 9000)
    assert [row.turn for row in found.rows] == [1, 2]  # 3 is in doubt until one behind it is old
    assert erasing.due(file, found.above, found.arrived, 5050, 9000).rows == []
    found = erasing.due(file, found.above, found.arrived, 5101, 9000)
    assert [row.turn for row in found.rows] == [3, 4, 5]


def test_the_schema_refuses_words_off_the_record_all_the_same(file: Connection) -> None:
    chat, _ = add_chat(file)
    session_erasing.begin(file, chat, NOW)
    off = Session(file.execute("SELECT max(id) + 1 FROM sessions").fetchone()[0], Mode(1))
    with pytest.raises(sqlite3.IntegrityError):
        say(file, off, 9)
