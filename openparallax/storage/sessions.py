"""Sessions: opened, suspended, ended; never changed in mode."""

from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import Connection
from openparallax.storage.transcripts import recent_sessions

OPEN, SUSPENDED, ENDED = 0, 1, 2


def _leave(connection: Connection, session: SessionId, state: int) -> None:
    connection.execute("UPDATE sessions SET state = ? WHERE id = ?", (state, session))


def open_session(
    connection: Connection, chat: int, mode: Mode, opened_at: int, before: SessionId | None = None
) -> Session:
    """Open a session and make it the chat's; the one before must have been left."""
    new = connection.execute(
        "INSERT INTO sessions (chat, mode, opened_at, before) VALUES (?, ?, ?, ?)",
        (chat, int(mode), opened_at, before),
    ).lastrowid
    connection.execute("UPDATE chats SET session = ? WHERE id = ?", (new, chat))
    return Session(SessionId(new or 0), mode)


def open_again(connection: Connection, session: SessionId, at: int) -> None:
    """The command that opened a session was said at another time too, earlier or later."""
    connection.execute(
        "UPDATE sessions SET opened_at = min(opened_at, ?), again_at = max(again_at, opened_at, ?) "
        "WHERE id = ?",
        (at, at, session),
    )


def suspend(connection: Connection, session: SessionId) -> None:
    """Lay a session aside until ``/otr off``."""
    _leave(connection, session, SUSPENDED)


def end(connection: Connection, session: SessionId) -> None:
    _leave(connection, session, ENDED)


def resume(connection: Connection, chat: int, session: SessionId) -> int | None:
    """Open a suspended session again; its ``opened_at``, or None if it is not there."""
    row = connection.execute(
        "UPDATE sessions SET state = 0 WHERE id = ? AND chat = ? AND state = 1 RETURNING opened_at",
        (session, chat),
    ).fetchone()
    if row is None:
        return None
    connection.execute("UPDATE chats SET session = ? WHERE id = ?", (session, chat))
    return int(row[0])


def replace_suspended(connection: Connection, chat: ChatRow, opened_at: int) -> SessionId:
    """End the session that lies beneath the open one, and lay a fresh one there."""
    if chat.before is not None:
        _leave(connection, chat.before, ENDED)
    new = connection.execute(
        "INSERT INTO sessions (chat, mode, state, opened_at) VALUES (?, 0, ?, ?)",
        (chat.id, SUSPENDED, opened_at),
    ).lastrowid
    connection.execute("UPDATE sessions SET before = ? WHERE id = ?", (new, chat.session.id))
    return SessionId(new or 0)


def note_left_off(connection: Connection, chat: int, session: SessionId, at: int) -> None:
    """Remember the off-the-record session that a command of time ``at`` ended."""
    connection.execute(
        "UPDATE chats SET left_off = ?, left_off_at = ? WHERE id = ?", (session, at, chat)
    )


def note_left_on(connection: Connection, chat: int, session: SessionId, at: int) -> None:
    """Remember the session on the record that a command of time ``at`` ended."""
    connection.execute(
        "UPDATE chats SET left_on = ?, left_on_at = ? WHERE id = ?", (session, at, chat)
    )


def forget_left_on(connection: Connection, chat: int) -> None:
    """Nothing that comes late belongs to the session on the record that was ended last."""
    connection.execute("UPDATE chats SET left_on = NULL, left_on_at = NULL WHERE id = ?", (chat,))


def place_of(connection: Connection, chat: int, session: SessionId) -> int:
    """Which of its chat's sessions it is, counted from 1."""
    row = connection.execute(
        "SELECT count(*) FROM sessions WHERE chat = ? AND id <= ?", (chat, session)
    ).fetchone()
    return int(row[0])


def chat_and_state(connection: Connection, session: SessionId) -> tuple[int, int] | None:
    row = connection.execute("SELECT chat, state FROM sessions WHERE id = ?", (session,)).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def recent(connection: Connection, chat: int, sent_at: int) -> list[Session]:
    """Sessions of a chat, of both modes, that may hold what was sent in the days before.

    Those off the record are few, and forgotten after a day: the latest ones will do.
    """
    off = connection.execute(
        "SELECT id FROM sessions WHERE chat = ? AND mode = 1 ORDER BY id DESC LIMIT 4", (chat,)
    ).fetchall()
    return [
        *(Session(one, Mode.ON_THE_RECORD) for one in recent_sessions(connection, chat, sent_at)),
        *(Session(SessionId(row[0]), Mode.OFF_THE_RECORD) for row in off),
    ]


def off_the_record(connection: Connection, chat: int) -> list[SessionId]:
    """Every session of a chat that is or was off the record."""
    rows = connection.execute(
        "SELECT id FROM sessions WHERE chat = ? AND mode = 1 ORDER BY id", (chat,)
    ).fetchall()
    return [SessionId(row[0]) for row in rows]
