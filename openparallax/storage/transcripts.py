"""Words on disk, of sessions on the record only."""

from collections.abc import Sequence
from typing import Any

from openparallax.model.entry import CONTACT_PART, DETAILS_PART, ENGINE_PART, Entry, Role
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId, Text
from openparallax.storage.database import Connection, Write

REPEATED_FOR_S = 8 * 86400
"""Meta repeats for seven days: what was sent more than this before a moment was here by then."""
PAGE = 200
SCRUBBED = 6
"""Stands as the role of an entry whose words were overwritten."""


def keep(entry: Entry) -> Write:
    """Write an entry down; the schema refuses one of a session that is off the record."""
    return Write(
        "INSERT INTO transcript (turn, part, session, role, sent_at, words, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            entry.turn,
            entry.part,
            entry.session.id,
            int(entry.role),
            entry.sent_at,
            entry.text.words,
            entry.hashed,
        ),
    )


def close_turn(session: SessionId, turns: Sequence[int]) -> list[Write]:
    """Make turns part of their session's history."""
    return [
        Write("INSERT INTO session_turns VALUES (?, ?) ON CONFLICT DO NOTHING", (session, turn))
        for turn in turns
    ]


def read(connection: Connection, turn: int, part: int) -> Text | None:
    row = connection.execute(
        "SELECT words FROM transcript WHERE turn = ? AND part = ? AND role != ?",
        (turn, part, SCRUBBED),
    ).fetchone()
    return None if row is None else Text(row[0])


def _entry(row: tuple[Any, ...]) -> Entry:
    session = Session(SessionId(row[2]), Mode.ON_THE_RECORD)
    return Entry(session, row[0], row[1], Role(row[3]), Text(row[5]), row[4], row[6])


def history(connection: Connection, session: SessionId, before: int, most: int) -> list[Entry]:
    """The latest ``most`` entries of a session's finished turns, oldest first."""
    rows = connection.execute(
        "SELECT t.turn, t.part, t.session, t.role, t.sent_at, t.words, t.hash FROM session_turns s "
        "JOIN transcript t ON t.turn = s.turn AND t.part IN (?, ?) "
        "WHERE s.session = ? AND s.turn < ? AND t.role IN (2, 3, 7) "
        "ORDER BY s.turn DESC, t.part ASC LIMIT ?",
        (CONTACT_PART, ENGINE_PART, session, before, most),
    ).fetchall()
    return [_entry(row) for row in reversed(rows)]


def words_of_turn(connection: Connection, turn: int) -> list[Entry]:
    """Every entry of a turn."""
    rows = connection.execute(
        "SELECT turn, part, session, role, sent_at, words, hash FROM transcript "
        "WHERE turn = ? AND role != ?",
        (turn, SCRUBBED),
    ).fetchall()
    return [_entry(row) for row in rows]


def recent_sessions(connection: Connection, chat: int, sent_at: int) -> list[SessionId]:
    """The chat's sessions on the record that may have words newer than ``sent_at``.

    From the latest back to the first one that was open already so long before that all before it
    must have been here by then (`REPEATED_FOR_S`). Not those that are just being forgotten.
    """
    found = []
    for session, opened_at in connection.execute(
        "SELECT id, opened_at FROM sessions WHERE chat = ? AND mode = 0 "
        "AND id NOT IN (SELECT session FROM forgotten) ORDER BY id DESC",
        (chat,),
    ):
        found.append(SessionId(session))
        if opened_at < sent_at - REPEATED_FOR_S:
            break
    return found


def first_newer(
    connection: Connection, session: SessionId, sent_at: int, before: int = 1 << 62
) -> int | None:
    """The first finished turn of a session from between two moments, both excluded.

    That is when the contact, or a person of ours, sent the message: later than ``sent_at`` and
    earlier than ``before``. Walks back from the latest turn and stops at a message so old that
    everything before it must have been here already at that time.
    """
    first: int | None = None
    below = 1 << 62
    while True:
        rows = connection.execute(
            "SELECT s.turn, t.sent_at FROM session_turns s "
            "JOIN transcript t ON t.turn = s.turn AND t.part IN (?, ?) "
            "WHERE s.session = ? AND s.turn < ? AND (t.role IN (2, 6, 7) OR t.role = 9 AND NOT "
            "EXISTS (SELECT 1 FROM transcript c WHERE c.turn = t.turn AND c.part = ?)) "
            "ORDER BY s.turn DESC LIMIT ?",
            (CONTACT_PART, ENGINE_PART, session, below, CONTACT_PART, PAGE),
        ).fetchall()
        for turn, sent in rows:
            if sent < sent_at - REPEATED_FOR_S:
                return first
            if sent_at < sent < before:
                first = turn
        if len(rows) < PAGE:
            return first
        below = rows[-1][0]


def turns_from(connection: Connection, session: SessionId, number: int) -> list[int]:
    """Finished turns of a session from ``number`` on."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT turn FROM session_turns WHERE session = ? AND turn >= ?", (session, number)
        )
    ]


def scrub_turn(connection: Connection, session: SessionId, turn: int) -> None:
    """Overwrite every word of a turn; gone from the files after the next truncating checkpoint.

    In place and byte for byte, so that SQLite moves nothing and leaves no copy behind.
    """
    rows = connection.execute("SELECT id, words FROM transcript WHERE turn = ?", (turn,)).fetchall()
    for row, words in rows:
        connection.execute(
            "UPDATE transcript SET role = ?, words = ? WHERE id = ?",
            (SCRUBBED, " " * len(words.encode()), row),
        )
    connection.execute("DELETE FROM session_turns WHERE session = ? AND turn = ?", (session, turn))


def erase(turn: int) -> Write:
    """Overwrite, in place, what came in with a message; what answered it stays."""
    return Write(
        "UPDATE transcript SET role = ?, "
        "words = printf('%*s', length(CAST(words AS BLOB)), '') "
        "WHERE turn = ? AND (part IN (?, ?) OR role = ?)",
        (SCRUBBED, turn, CONTACT_PART, DETAILS_PART, int(Role.PERSON)),
    )


def is_by_hand(connection: Connection, turn: int) -> bool:
    """Whether a person of ours wrote what was sent as ``turn``."""
    (found,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM transcript WHERE turn = ? AND part = ? AND role = ?)",
        (turn, ENGINE_PART, int(Role.PERSON)),
    ).fetchone()
    return bool(found)


def say_again(turn: int) -> Write:
    """What was taken out of the history went out after all: an answer, or an operator's words."""
    return Write(
        "UPDATE transcript SET role = CASE WHEN EXISTS "
        "(SELECT 1 FROM transcript c WHERE c.turn = transcript.turn AND c.part = ?) "
        "THEN ? ELSE ? END WHERE turn = ? AND part = ? AND role = ?",
        (CONTACT_PART, *map(int, (Role.ENGINE, Role.PERSON)), turn, ENGINE_PART, int(Role.UNSAID)),
    )


def unsay(turn: int) -> Write:
    """What we wrote never went out: it stays, and is no part of the history.

    The engine's words, or the operator's; what somebody sent from the phone came in with a hash.
    """
    return Write(
        "UPDATE transcript SET role = ? "
        "WHERE turn = ? AND part = ? AND role IN (?, ?) AND hash IS NULL",
        (int(Role.UNSAID), turn, ENGINE_PART, int(Role.ENGINE), int(Role.PERSON)),
    )


def turn_of(
    connection: Connection, session: SessionId, hashed: int, since: int, most: int = 1 << 62
) -> int | None:
    """The finished turn of a session whose message has this hash.

    None sent before ``since``, and none but the latest ``most``. Walks back from the latest turn;
    there is no index by hash, since its random keys would cost every message what only a revoked or
    a quoted one needs.
    """
    below = 1 << 62
    while True:
        rows = connection.execute(
            "SELECT s.turn, t.sent_at, t.hash FROM session_turns s "
            "JOIN transcript t ON t.turn = s.turn AND t.part IN (?, ?) "
            "WHERE s.session = ? AND s.turn < ? AND t.role IN (2, 7) "
            "ORDER BY s.turn DESC LIMIT ?",
            (CONTACT_PART, ENGINE_PART, session, below, PAGE),
        ).fetchall()
        for turn, sent_at, hash_ in rows:
            if hash_ == hashed:
                return int(turn)
            if sent_at < since:
                return None
        most -= len(rows)
        if len(rows) < PAGE or most <= 0:
            return None
        below = rows[-1][0]
