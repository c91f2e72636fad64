"""What the file knows of the way of a person's latest messages. No words.

A finished message has no row of its own: there are the words that were kept on the record, and what
was sent. So the file knows nothing of who was not let in, and off the record only what was sent.
"""

from collections.abc import Sequence
from typing import NamedTuple

from openparallax.model.entry import CONTACT_PART, ENGINE_PART, Role
from openparallax.model.messages import DeliveryStatus
from openparallax.model.parcel import ParcelState
from openparallax.model.session import Mode
from openparallax.storage.database import Connection
from openparallax.storage.transcripts import SCRUBBED

_SESSIONS = 20
"""Of a chat that are looked at, the latest."""
_LOOKED_BACK = 50_000
"""Settled parts that are looked at, of all chats together: they have no index by chat."""


class Kept(NamedTuple):
    """A finished message whose words were kept on the record.

    Attributes:
        turn: Its number.
        chat: Whose.
        session: Where its words lie.
        sent_at: Meta's timestamp, unix seconds.
        is_revoked: Its words were overwritten since.
    """

    turn: int
    chat: int
    session: int
    sent_at: int
    is_revoked: bool


class Part(NamedTuple):
    """A part of an answer, or a notice.

    Attributes:
        parcel: Its number.
        turn: Of the last message that it answers.
        by_hand: An operator wrote it.
        status: The highest that Meta told.
        created_at: Unix seconds.
        not_before: It is not tried earlier; unix seconds, or 0.
    """

    parcel: int
    chat: int
    turn: int
    notice: str
    mode: Mode
    state: ParcelState
    attempts: int
    status: DeliveryStatus | None
    code: int | None
    created_at: int
    not_before: float
    by_hand: bool


def kept(connection: Connection, chats: Sequence[int], most: int) -> list[Kept]:
    """The latest ``most`` kept messages of these chats, by rising number."""
    found = []
    for chat in chats:
        for (session,) in connection.execute(
            "SELECT id FROM sessions WHERE chat = ? AND mode = 0 ORDER BY id DESC LIMIT ?",
            (chat, _SESSIONS),
        ).fetchall():
            rows = connection.execute(
                "SELECT s.turn, t.sent_at, t.role FROM session_turns s "
                "JOIN transcript t ON t.turn = s.turn AND t.part = ? "
                "WHERE s.session = ? AND t.role IN (?, ?) ORDER BY s.turn DESC LIMIT ?",
                (CONTACT_PART, session, int(Role.CONTACT), SCRUBBED, most),
            )
            found += [
                Kept(turn, chat, session, sent_at, role == SCRUBBED)
                for turn, sent_at, role in rows.fetchall()
            ]
    return sorted(found)[-most:]


_PART = """
SELECT p.number, p.chat, p.turn, p.notice, p.mode, p.state, p.attempts, p.status, p.code,
       p.created_at, p.not_before,
       EXISTS (SELECT 1 FROM transcript t WHERE t.turn = p.turn AND t.part = ? AND t.role = ?)
FROM """


def parts(connection: Connection, chats: Sequence[int], most: int) -> list[Part]:
    """All that is to be sent to these chats, and the latest ``most`` that were, as they stand."""
    marks = ",".join("?" * len(chats))
    by_hand = (ENGINE_PART, int(Role.PERSON))
    rows = connection.execute(
        f"{_PART} parcels p WHERE p.chat IN ({marks}) AND p.state < 10", (*by_hand, *chats)
    ).fetchall()
    rows += connection.execute(
        f"{_PART} (SELECT * FROM parcels ORDER BY number DESC LIMIT ?) p "
        f"WHERE p.chat IN ({marks}) AND p.state >= 10 ORDER BY p.number DESC LIMIT ?",
        (*by_hand, _LOOKED_BACK, *chats, most),
    ).fetchall()
    return sorted(_part(row) for row in rows)


def _part(row: tuple[int, int, int, str, int, int, int, int, int | None, int, float, int]) -> Part:
    return Part(
        parcel=row[0],
        chat=row[1],
        turn=row[2],
        notice=row[3],
        mode=Mode(row[4]),
        state=ParcelState(row[5]),
        attempts=row[6],
        status=DeliveryStatus(row[7]) if row[7] >= 0 else None,
        code=row[8],
        created_at=row[9],
        not_before=row[10],
        by_hand=bool(row[11]),
    )


def chat_of_turn(connection: Connection, turn: int) -> int | None:
    """Whose message has this number, as far as the file knows."""
    row = connection.execute(
        "SELECT chat FROM envelopes WHERE number = ?1 UNION ALL "
        "SELECT s.chat FROM transcript t JOIN sessions s ON s.id = t.session WHERE t.turn = ?1 "
        "LIMIT 1",
        (turn,),
    ).fetchone()
    if row is None:
        row = connection.execute(
            "SELECT chat FROM (SELECT chat, turn FROM parcels ORDER BY number DESC LIMIT ?) "
            "WHERE turn = ? LIMIT 1",
            (_LOOKED_BACK, turn),
        ).fetchone()
    return None if row is None else int(row[0])


def chat_of_parcel(connection: Connection, parcel: int) -> int | None:
    """To whom that was sent."""
    row = connection.execute("SELECT chat FROM parcels WHERE number = ?", (parcel,)).fetchone()
    return None if row is None else int(row[0])
