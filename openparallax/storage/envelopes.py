"""Unfinished messages. A finished one has no row: what became of it stands in the transcript."""

from collections.abc import Sequence
from typing import Any

from openparallax.model.envelope import Envelope, EnvelopeState, Errand
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage.database import Connection, Write

_COLUMNS = (
    "number, chat, session, mode, errand, sent_at, window_until, length, detail, state, turn, "
    "attempts"
)


def _row(row: tuple[Any, ...]) -> Envelope:
    return Envelope(
        number=row[0],
        chat=row[1],
        session=Session(SessionId(row[2]), Mode(row[3])),
        errand=Errand(row[4]),
        sent_at=row[5],
        window_until=row[6],
        length=row[7],
        detail=row[8],
        state=EnvelopeState(row[9]),
        turn=row[10],
        attempts=row[11],
    )


def queue(connection: Connection, envelope: Envelope, hashed: int) -> None:
    """Write a new envelope; ``hashed`` stands for Meta's id of the message."""
    connection.execute(
        "INSERT INTO envelopes (number, chat, session, mode, errand, sent_at, window_until, length,"
        " detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            envelope.number,
            envelope.chat,
            envelope.session.id,
            int(envelope.session.mode),
            envelope.errand.value,
            envelope.sent_at,
            envelope.window_until,
            envelope.length,
            envelope.detail,
            hashed,
        ),
    )


def claim(numbers: Sequence[int], attempts: int) -> list[Write]:
    """One turn takes these envelopes of one chat, the first one giving it its number.

    The partial unique index refuses a second running turn of the chat; a turn that an earlier
    process left running behind an older message gives way, since the last is written first.
    """
    return [
        Write(
            "UPDATE envelopes SET state = 1, turn = ?, attempts = ? WHERE number = ?",
            (numbers[0], attempts, number),
            expect=1,
        )
        for number in reversed(numbers)
    ]


def unclaim(numbers: Sequence[int]) -> list[Write]:
    """A stop ended the turn before its time: that was not its fault."""
    return [
        Write(
            "UPDATE envelopes SET state = 0, attempts = max(attempts - 1, 0) "
            "WHERE number = ? AND state = 1",
            (number,),
        )
        for number in numbers
    ]


def unclaim_running(connection: Connection) -> None:
    """A stop in order: turns that did not heed their cancellation were not its cause."""
    connection.execute(
        "UPDATE envelopes SET state = 0, attempts = max(attempts - 1, 0) "
        "WHERE turn IN (SELECT number FROM envelopes WHERE state = 1 AND number = turn)"
    )


def done(envelopes: Sequence[Envelope]) -> list[Write]:
    """The envelopes have their outcome. Stale if one was moved to another session meanwhile."""
    return [
        Write(
            "DELETE FROM envelopes WHERE number = ? AND session = ?",
            (envelope.number, envelope.session.id),
            expect=1,
        )
        for envelope in envelopes
    ]


def hold(envelopes: Sequence[Envelope]) -> list[Write]:
    """Their window has closed: they wait for the person's next message."""
    return [
        Write(
            "UPDATE envelopes SET state = 2, turn = NULL WHERE number = ? AND session = ?",
            (envelope.number, envelope.session.id),
            expect=1,
        )
        for envelope in envelopes
    ]


def release(connection: Connection, chat: int, window_until: int = 0) -> list[Envelope]:
    """Queue again what was held for the chat; return it in order.

    Args:
        connection: Inside a unit.
        chat: Whose window is open.
        window_until: Until when, as far as the one who asks knows better than the envelopes.
    """
    rows = connection.execute(
        "UPDATE envelopes SET state = 0, window_until = max(window_until, ?) "
        f"WHERE chat = ? AND state = 2 RETURNING {_COLUMNS}",
        (window_until, chat),
    ).fetchall()
    return sorted((_row(row) for row in rows), key=lambda one: one.number)


def chats_held_open(connection: Connection, now: float) -> list[int]:
    """Chats with held envelopes whose window is open at ``now`` after all."""
    rows = connection.execute(
        "SELECT DISTINCT chat FROM envelopes WHERE state = 2 AND window_until > ?", (int(now),)
    ).fetchall()
    return [row[0] for row in rows]


def after(connection: Connection, number: int, most: int) -> list[Envelope]:
    """The next ``most`` unfinished envelopes behind ``number``, in order."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM envelopes WHERE number > ? ORDER BY number LIMIT ?",
        (number, most),
    ).fetchall()
    return [_row(row) for row in rows]


def chats_after(connection: Connection, number: int, most: int) -> list[tuple[int, int]]:
    """Number and chat of the next ``most`` unfinished envelopes behind ``number``, in order."""
    return connection.execute(
        "SELECT number, chat FROM envelopes WHERE number > ? ORDER BY number LIMIT ?",
        (number, most),
    ).fetchall()


def by_numbers(connection: Connection, numbers: Sequence[int]) -> list[Envelope]:
    """Those of ``numbers`` that are unfinished, in order."""
    marks = ",".join("?" * len(numbers))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM envelopes WHERE number IN ({marks}) ORDER BY number",
        tuple(numbers),
    ).fetchall()
    return [_row(row) for row in rows]


def off_the_record_by_hash(connection: Connection, hashed: int) -> list[Envelope]:
    """Unfinished off-the-record envelopes of one message, by the hash of its id."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM envelopes WHERE mode = 1 AND hash = ? ORDER BY number", (hashed,)
    ).fetchall()
    return [_row(row) for row in rows]


def of_chat(connection: Connection, chat: int) -> list[Envelope]:
    """Unfinished envelopes of a chat, in order, whatever their state.

    Looks through all that is unfinished; only what happens seldom asks this.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM envelopes WHERE chat = ? ORDER BY number", (chat,)
    ).fetchall()
    return [_row(row) for row in rows]


def words_by_hash(connection: Connection, chat: int, hashed: int) -> Envelope | None:
    """The unfinished words of one message of a chat, by the hash of its id."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM envelopes WHERE hash = ? AND chat = ? AND errand = 'turn'",
        (hashed, chat),
    ).fetchone()
    return None if row is None else _row(row)


def drop(connection: Connection, numbers: Sequence[int]) -> None:
    """These have their outcome, whether or not a turn of theirs runs: it will find them gone."""
    connection.executemany("DELETE FROM envelopes WHERE number = ?", [(n,) for n in numbers])


def on_the_record(connection: Connection, chat: int) -> list[Envelope]:
    """Unfinished envelopes of the chat that are on the record, in order.

    Looks through all that is unfinished; only a command that came late asks this.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM envelopes WHERE chat = ? AND mode = 0 ORDER BY number", (chat,)
    ).fetchall()
    return [_row(row) for row in rows]


def move(connection: Connection, number: int, session: Session) -> None:
    """Place an unfinished envelope in another session."""
    connection.execute(
        "UPDATE envelopes SET session = ?, mode = ? WHERE number = ?",
        (session.id, int(session.mode), number),
    )


def session_has_work(connection: Connection, session: SessionId, chat: int) -> bool:
    """Whether a session has an unfinished off-the-record message or an open parcel."""
    return (
        connection.execute(
            "SELECT 1 FROM envelopes WHERE mode = 1 AND session = ? LIMIT 1", (session,)
        ).fetchone()
        is not None
        or connection.execute(
            "SELECT 1 FROM parcels WHERE chat = ? AND state < 10 AND session = ? LIMIT 1",
            (chat, session),
        ).fetchone()
        is not None
    )
