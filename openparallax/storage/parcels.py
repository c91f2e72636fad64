"""What is to be sent, and for 31 days what became of it. No words.

Every change names the state that it leaves, so that a late timeout cannot undo a status.
"""

from collections.abc import Sequence
from typing import Any

from openparallax.model.messages import DeliveryStatus
from openparallax.model.parcel import OPEN_BELOW, Parcel, ParcelState
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage.database import Connection, Write

TOKEN_DIGITS = 32
KEPT_S = 31 * 86400
"""Meta tries to deliver for 30 days, so a status may come that late."""

_PARCEL = """
SELECT p.number, p.chat, a.phone_number_id, c.address, p.session, p.mode, p.turn, p.part, p.notice,
       p.state, p.attempts, p.ambiguous, p.tokens, p.window_until, p.not_before
FROM parcels p JOIN chats c ON c.id = p.chat JOIN accounts a ON a.id = c.account
"""


def _row(row: tuple[Any, ...]) -> Parcel:
    return Parcel(
        number=row[0],
        chat=row[1],
        account=row[2],
        to=row[3],
        session=Session(SessionId(row[4]), Mode(row[5])),
        turn=row[6],
        part=row[7],
        notice=row[8],
        state=ParcelState(row[9]),
        attempts=row[10],
        ambiguous=row[11],
        token=row[12][:TOKEN_DIGITS],
        window_until=row[13],
        not_before=row[14],
    )


def post(parcel: Parcel, now: float) -> Write:
    """Write a new parcel, waiting or already claimed (``SENDING``, with its first token)."""
    return Write(
        "INSERT INTO parcels (number, chat, session, mode, turn, part, notice, state, attempts,"
        " tokens, window_until, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            parcel.number,
            parcel.chat,
            parcel.session.id,
            int(parcel.session.mode),
            parcel.turn,
            parcel.part,
            parcel.notice,
            int(parcel.state),
            parcel.attempts,
            parcel.token,
            parcel.window_until,
            int(now),
        ),
    )


def claim(number: int, leaves: ParcelState, token: str) -> Write:
    """A send begins, under a new token. On disk before anything goes out."""
    return Write(
        "UPDATE parcels SET state = 1, attempts = attempts + 1, tokens = ? || tokens "
        "WHERE number = ? AND state = ?",
        (token, number, int(leaves)),
        expect=1,
    )


def settle(
    number: int,
    leaves: Sequence[ParcelState],
    state: ParcelState,
    *,
    code: int | None = None,
    accepted: int | None = None,
) -> Write:
    """A parcel has its outcome."""
    marks = ",".join(str(int(left)) for left in leaves)
    return Write(
        f"UPDATE parcels SET state = ?, code = coalesce(?, code), "
        f"accepted = coalesce(?, accepted) WHERE number = ? AND state IN ({marks})",
        (int(state), code, accepted, number),
        expect=1,
    )


def wait(number: int, leaves: ParcelState, not_before: float) -> Write:
    """Refused for now, or never sent: wait and try again."""
    return Write(
        "UPDATE parcels SET state = 0, not_before = ? WHERE number = ? AND state = ?",
        (not_before, number, int(leaves)),
        expect=1,
    )


def unknown(number: int) -> Write:
    """A send whose outcome nobody knows."""
    return Write(
        "UPDATE parcels SET state = 2, ambiguous = ambiguous + 1 WHERE number = ? AND state = 1",
        (number,),
        expect=1,
    )


def hold(number: int, leaves: ParcelState) -> Write:
    """The customer service window is closed."""
    return Write(
        "UPDATE parcels SET state = 3 WHERE number = ? AND state = ?",
        (number, int(leaves)),
        expect=1,
    )


def withdraw_older(chat: int, turn: int) -> Write:
    """Of the replies held by a closed window only the newest turn's are kept."""
    return Write(
        "UPDATE parcels SET state = 13 WHERE chat = ? AND state IN (0, 3) AND turn < ?",
        (chat, turn),
    )


def release(connection: Connection, chat: int, window_until: int) -> list[Parcel]:
    """Let go what was held for the chat; return it in order."""
    connection.execute(
        "UPDATE parcels SET state = 0, not_before = 0, window_until = ? "
        "WHERE chat = ? AND state = 3",
        (window_until, chat),
    )
    return open_of_chat(connection, chat)


def open_of_chat(connection: Connection, chat: int) -> list[Parcel]:
    rows = connection.execute(
        _PARCEL + "WHERE p.chat = ? AND p.state < 10 ORDER BY p.number", (chat,)
    ).fetchall()
    return [_row(row) for row in rows]


def chats_with_work(connection: Connection, above: int, most: int) -> list[int]:
    """The next ``most`` chats above ``above`` with parcels to send, by rising id."""
    rows = connection.execute(
        "SELECT DISTINCT chat FROM parcels WHERE state < 10 AND chat > ? ORDER BY chat LIMIT ?",
        (above, most),
    ).fetchall()
    return [row[0] for row in rows]


def by_number(
    connection: Connection, number: int
) -> tuple[Parcel, str, DeliveryStatus | None] | None:
    """A parcel, all its tokens, and the highest status that came for it."""
    row = connection.execute(_PARCEL + "WHERE p.number = ?", (number,)).fetchone()
    if row is None:
        return None
    (status,) = connection.execute(
        "SELECT status FROM parcels WHERE number = ?", (number,)
    ).fetchone()
    return _row(row), row[12], DeliveryStatus(status) if status >= 0 else None


def note_status(
    connection: Connection, number: int, status: DeliveryStatus, accepted: int | None
) -> bool:
    """Move a parcel's delivery status up, never down; False if it stood there already."""
    return (
        connection.execute(
            "UPDATE parcels SET status = ?, accepted = coalesce(accepted, ?) "
            "WHERE number = ? AND status < ?",
            (int(status), accepted, number, int(status)),
        ).rowcount
        == 1
    )


def note_twice(connection: Connection, number: int) -> bool:
    """Note that Meta accepted a part more than once; False if that was known."""
    return (
        connection.execute(
            "UPDATE parcels SET twice = 1 WHERE number = ? AND twice = 0", (number,)
        ).rowcount
        == 1
    )


def accepted_as(connection: Connection, number: int) -> int | None:
    """The hash of the id under which Meta accepted a parcel first."""
    row = connection.execute("SELECT accepted FROM parcels WHERE number = ?", (number,)).fetchone()
    return None if row is None else row[0]


def move_turn(connection: Connection, chat: int, turn: int, session: Session) -> None:
    """Place what is still to be sent of a turn in another session."""
    connection.execute(
        "UPDATE parcels SET session = ?, mode = ? WHERE chat = ? AND turn = ? AND state < 10",
        (session.id, int(session.mode), chat, turn),
    )


def forget_old(connection: Connection, now: float, most: int) -> int:
    """Delete parcels past their time; return how many there were.

    Parcels rise with time, so this looks at the oldest only and stops at the first young one. One
    that is still open after so long has expired: its window closed a month ago.
    """
    rows = connection.execute(
        "SELECT number FROM (SELECT number, created_at FROM parcels ORDER BY number LIMIT ?) "
        "WHERE created_at < ?",
        (most, int(now - KEPT_S)),
    ).fetchall()
    connection.executemany("DELETE FROM parcels WHERE number = ?", rows)
    return len(rows)
