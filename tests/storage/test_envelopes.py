"""The moves of unfinished messages, on the real schema."""

import sqlite3

import pytest

from openparallax.errors import Stale
from openparallax.model.envelope import Envelope, EnvelopeState
from openparallax.model.session import Mode, Session
from openparallax.storage import Connection, Write, envelopes, sessions
from openparallax.storage.database import execute
from tests.storage.rows import add_chat, envelope, file

__all__ = ["file"]


def run(connection: Connection, writes: list[Write]) -> None:
    for write in writes:
        execute(connection, write)


def queued(connection: Connection, *numbers: int) -> list[Envelope]:
    chat, session = add_chat(connection)
    made = [envelope(number, chat, session) for number in numbers]
    for one in made:
        envelopes.queue(connection, one, one.number)
    return made


def states(connection: Connection) -> list[tuple[int, EnvelopeState, int | None, int]]:
    return [(e.number, e.state, e.turn, e.attempts) for e in envelopes.after(connection, 0, 99)]


def test_queued_claimed_and_done(file: Connection) -> None:
    made = queued(file, 1, 2, 3)
    assert envelopes.after(file, 0, 99) == made
    run(file, envelopes.claim([1, 2], 1))
    assert states(file) == [
        (1, EnvelopeState.RUNNING, 1, 1),
        (2, EnvelopeState.RUNNING, 1, 1),
        (3, EnvelopeState.QUEUED, None, 0),
    ]
    run(file, envelopes.done(made[:2]))
    assert [number for number, *_ in states(file)] == [3]
    with pytest.raises(Stale):
        run(file, envelopes.done(made[:2]))
    with pytest.raises(Stale):
        run(file, envelopes.claim([1], 2))


def test_a_chat_has_one_running_turn(file: Connection) -> None:
    queued(file, 1, 2)
    queued(file, 3)
    run(file, envelopes.claim([1], 1))
    run(file, envelopes.claim([3], 1))
    with pytest.raises(sqlite3.IntegrityError):
        run(file, envelopes.claim([2], 1))


def test_claimed_again_after_a_death_together_with_an_older_one(file: Connection) -> None:
    """The turn of 2 and 3 ran when the process died; 1 was held then and is put before it."""
    queued(file, 1, 2, 3)
    run(file, envelopes.claim([2, 3], 1))
    run(file, envelopes.claim([1, 2, 3], 2))
    assert states(file) == [(n, EnvelopeState.RUNNING, 1, 2) for n in (1, 2, 3)]


def test_a_stop_is_no_death(file: Connection) -> None:
    queued(file, 1, 2)
    run(file, envelopes.claim([1, 2], 1))
    run(file, envelopes.unclaim([1, 2]))
    assert states(file) == [(n, EnvelopeState.QUEUED, 1, 0) for n in (1, 2)]
    run(file, envelopes.unclaim([1, 2]))
    assert states(file) == [(n, EnvelopeState.QUEUED, 1, 0) for n in (1, 2)]


def test_held_and_let_go(file: Connection) -> None:
    made = queued(file, 1, 2)
    others = queued(file, 3)
    run(file, envelopes.hold(made))
    run(file, envelopes.hold(others))
    assert envelopes.release(file, made[0].chat) == made
    assert envelopes.release(file, made[0].chat) == []
    assert [state for _, state, *_ in states(file)] == [
        EnvelopeState.QUEUED,
        EnvelopeState.QUEUED,
        EnvelopeState.HELD,
    ]


def test_what_was_moved_meanwhile_is_neither_done_nor_held(file: Connection) -> None:
    (made,) = queued(file, 1)
    sessions.suspend(file, made.session.id)
    off = sessions.open_session(file, made.chat, Mode.OFF_THE_RECORD, 5)
    envelopes.move(file, 1, off)
    for writes in (envelopes.done([made]), envelopes.hold([made])):
        with pytest.raises(Stale):
            run(file, writes)
    (now,) = envelopes.by_numbers(file, [1])
    assert now.session == off
    assert envelopes.off_the_record_by_hash(file, 1) == [now]
    run(file, envelopes.done([now]))


def test_read_in_pages_behind_a_number(file: Connection) -> None:
    made = queued(file, *range(1, 8))
    assert envelopes.after(file, 0, 3) == made[:3]
    assert envelopes.after(file, 3, 3) == made[3:6]
    assert envelopes.after(file, 6, 3) == made[6:]
    assert envelopes.by_numbers(file, [5, 2, 99]) == [made[1], made[4]]


def test_no_word_of_an_off_the_record_session_gets_on_disk(file: Connection) -> None:
    chat, session = add_chat(file)
    sessions.suspend(file, session.id)
    off = sessions.open_session(file, chat, Mode.OFF_THE_RECORD, 5)
    insert = (
        "INSERT INTO transcript (turn, part, session, role, sent_at, words) "
        "VALUES (1, 0, ?, 2, 5, 'w')"
    )
    for number in (off.id, 4711):
        with pytest.raises(sqlite3.IntegrityError, match="off the record"):
            file.execute(insert, (number,))
    file.execute(insert, (session.id,))
    with pytest.raises(sqlite3.IntegrityError, match="off the record"):
        file.execute("UPDATE transcript SET session = ?", (off.id,))
    with pytest.raises(sqlite3.IntegrityError, match="one mode for life"):
        file.execute("UPDATE sessions SET mode = 0 WHERE id = ?", (off.id,))
    assert Session(off.id, Mode.OFF_THE_RECORD) == off
