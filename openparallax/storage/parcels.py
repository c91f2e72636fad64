"""What is to be sent, and for 31 days what became of it. No words.

Every change names the state that it leaves, so that a late timeout cannot undo a status.

The tokens of a parcel stand in one column, 32 hex digits for each attempt that Meta may have
accepted, the latest first; one that Meta called failed stands there in capitals.

Here is a parcel by itself, and its way through its states. What a chat has open is in
`open_parcels`, and what a closed window holds of that in `held_parcels`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from openparallax.model.messages import DeliveryStatus
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage.database import Connection, Write

TOKEN_DIGITS = 32
"""The statements below know it too; of more than 16 tokens the oldest go."""
MOST_PARTS = 64
"""Of one turn that are looked at: a quarter of a million characters."""
KEPT_S = 31 * 86400
"""Meta tries to deliver for 30 days, so a status may come that late."""

SELECT = """
SELECT p.number, p.chat, a.phone_number_id, c.address, p.session, p.mode, p.turn, p.part, p.notice,
       p.state, p.attempts, p.ambiguous, p.tokens, p.window_until, p.not_before, p.status,
       p.accepted
FROM parcels p JOIN chats c ON c.id = p.chat JOIN accounts a ON a.id = c.account
"""


class Known(NamedTuple):
    """A parcel and what Meta said about it.

    Attributes:
        parcel: As it is now.
        tokens: All its tokens; see the head of this file.
        status: The highest delivery status that came for it.
        accepted: Hash of the id under which Meta accepted it first.
    """

    parcel: Parcel
    tokens: str
    status: DeliveryStatus | None
    accepted: int | None


def from_row(row: tuple[Any, ...]) -> Parcel:
    """A parcel as `SELECT` finds it."""
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


def change(connection: Connection, write: Write) -> bool:
    """Make a change inside a unit; False, and no error, if the parcel had left the state before."""
    return connection.execute(write.sql, write.values).rowcount == 1


def claim(number: int, leaves: ParcelState, token: str) -> Write:
    """A send begins, under a new token. On disk before anything goes out.

    Not while an older one of the chat is held: where the window is open after all, since the clock
    was set back, that one goes first.
    """
    return Write(
        "UPDATE parcels SET state = 1, attempts = attempts + 1, "
        "tokens = substr(? || tokens, 1, 512) "
        "WHERE number = ? AND state = ? AND NOT EXISTS (SELECT 1 FROM parcels AS held WHERE "
        "held.chat = parcels.chat AND held.state < 10 AND held.state = 3 "
        "AND held.number < parcels.number)",
        (token, number, int(leaves)),
        expect=1,
    )


def settle(
    number: int,
    leaves: ParcelState,
    state: ParcelState,
    *,
    code: int | None = None,
    accepted: int | None = None,
) -> Write:
    """A parcel has its outcome."""
    return Write(
        "UPDATE parcels SET state = ?, code = coalesce(?, code), "
        "accepted = coalesce(?, accepted) WHERE number = ? AND state = ?",
        (int(state), code, accepted, number, int(leaves)),
        expect=1,
    )


def wait(
    number: int,
    leaves: ParcelState,
    not_before: float,
    *,
    keeps_token: bool = False,
    is_repeat: bool = False,
    code: int | None = None,
) -> Write:
    """Wait and try again.

    Args:
        number: Of the parcel.
        leaves: The state that it leaves.
        not_before: When to try again; unix seconds.
        keeps_token: A status may come for the latest attempt; False where it was refused before
            processing or never left.
        is_repeat: The next attempt counts as a repeat of an ambiguous one.
        code: Meta's error code, where it is to be known at the next refusal.
    """
    return Write(
        "UPDATE parcels SET state = 0, not_before = ?, tokens = substr(tokens, ?), "
        "ambiguous = ambiguous + ?, code = coalesce(?, code) WHERE number = ? AND state = ?",
        (
            not_before,
            1 if keeps_token else 1 + TOKEN_DIGITS,
            1 if is_repeat else 0,
            code,
            number,
            int(leaves),
        ),
        expect=1,
    )


def unknown(number: int) -> Write:
    """A send whose outcome nobody knows."""
    return Write(
        "UPDATE parcels SET state = 2, ambiguous = ambiguous + 1 WHERE number = ? AND state = 1",
        (number,),
        expect=1,
    )


def sent_to(
    connection: Connection, chats: Sequence[int], above: int, most: int
) -> tuple[list[int], int | None]:
    """Settled parcels of these chats that a status can reach, among the next ``most`` of all.

    Returns:
        Their numbers, and the last number that was looked at; None if there are no more.
    """
    rows = connection.execute(
        "SELECT number, chat FROM parcels WHERE number > ? ORDER BY number LIMIT ?", (above, most)
    ).fetchall()
    wanted = set(chats)
    numbers = [number for number, chat in rows if chat in wanted]
    return numbers, rows[-1][0] if len(rows) == most else None


def close_to_statuses(connection: Connection, numbers: Sequence[int]) -> None:
    """What Meta says of these later does not have them sent again; part of a unit."""
    connection.executemany(
        "UPDATE parcels SET tokens = '' WHERE number = ? AND state >= 10",
        [(number,) for number in numbers],
    )


def is_unsaid(connection: Connection, parcel: Parcel) -> bool:
    """Whether no part of a parcel's turn went out, or may have, or may still go."""
    first = parcel.number - max(parcel.part - 1, 0)
    (said,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM parcels WHERE number >= ? AND number < ? "
        "AND chat = ? AND turn = ? AND state NOT IN (11, 13))",
        (first, parcel.number + MOST_PARTS, parcel.chat, parcel.turn),
    ).fetchone()
    return not said


def spelling_of(connection: Connection, parcel: Parcel) -> tuple[str, int, int | None]:
    """The chat's address, which spelling of it that is, and the parcel's latest error code."""
    row: tuple[str, int, int | None] = connection.execute(
        "SELECT c.address, c.alternate, p.code FROM parcels p JOIN chats c ON c.id = p.chat "
        "WHERE p.number = ?",
        (parcel.number,),
    ).fetchone()
    return row


def respell(connection: Connection, chat: int, address: str, alternate: int) -> None:
    """Answer the chat under the other spelling of its number, or under the first one again."""
    connection.execute(
        "UPDATE chats SET address = ?, alternate = ? WHERE id = ?", (address, alternate, chat)
    )


def by_number(connection: Connection, number: int) -> Known | None:
    """A parcel and what Meta said about it."""
    row = connection.execute(SELECT + "WHERE p.number = ?", (number,)).fetchone()
    if row is None:
        return None
    return Known(from_row(row), row[12], DeliveryStatus(row[15]) if row[15] >= 0 else None, row[16])


def note_status(connection: Connection, number: int, status: DeliveryStatus, accepted: int) -> None:
    """Move a parcel's delivery status up, never down; ``accepted`` is the hash of its id."""
    connection.execute(
        "UPDATE parcels SET status = ?, accepted = coalesce(accepted, ?) "
        "WHERE number = ? AND status < ?",
        (int(status), accepted, number, int(status)),
    )


def note_failed(connection: Connection, number: int) -> None:
    """Meta took the latest attempt and it failed: whatever else comes, it was not accepted."""
    connection.execute(
        "UPDATE parcels SET accepted = NULL, "
        "tokens = upper(substr(tokens, 1, 32)) || substr(tokens, 33) WHERE number = ?",
        (number,),
    )


def note_twice(connection: Connection, number: int, accepted: int) -> bool:
    """Note that Meta accepted a part under another id too; False if it did not or it was known."""
    return (
        connection.execute(
            "UPDATE parcels SET twice = 1 WHERE number = ? AND twice = 0 AND accepted <> ?",
            (number, accepted),
        ).rowcount
        == 1
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
