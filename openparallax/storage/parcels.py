"""What is to be sent, and for 31 days what became of it. No words.

Every change names the state that it leaves, so that a late timeout cannot undo a status.

The tokens of a parcel stand in one column, 32 hex digits for each attempt that Meta may have
accepted, the latest first; one that Meta called failed stands there in capitals.
"""

from collections.abc import Collection, Sequence
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
_LATEST = 1000
"""Envelopes looked at, the newest first."""
KEPT_S = 31 * 86400
"""Meta tries to deliver for 30 days, so a status may come that late."""

_PARCEL = """
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


def change(connection: Connection, write: Write) -> bool:
    """Make a change inside a unit; False, and no error, if the parcel had left the state before."""
    return connection.execute(write.sql, write.values).rowcount == 1


def claim(number: int, leaves: ParcelState, token: str) -> Write:
    """A send begins, under a new token. On disk before anything goes out."""
    return Write(
        "UPDATE parcels SET state = 1, attempts = attempts + 1, "
        "tokens = substr(? || tokens, 1, 512) "
        "WHERE number = ? AND state = ?",
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


def hold(connection: Connection, parcel: Parcel, *, code: int | None = None) -> bool:
    """The customer service window is closed: keep the parcel until the person writes.

    Args:
        connection: Inside a unit.
        parcel: Leaves the state that it has here.
        code: Meta's error code where Meta said so; what our clock believes of the window counts no
            more then, for this turn and older ones, and for all that were posted under no newer
            message: else they would let this one go at once, again and again.

    Returns:
        False if the parcel had left its state; nothing was changed.
    """
    is_held = change(
        connection,
        Write(
            "UPDATE parcels SET state = 3, code = coalesce(?, code) WHERE number = ? AND state = ?",
            (code, parcel.number, int(parcel.state)),
        ),
    )
    if not is_held:
        return False
    if code is not None:
        connection.execute(
            "UPDATE parcels SET state = 3, window_until = 0 "
            "WHERE chat = ? AND state < 10 AND state IN (0, 3) "
            "AND (turn <= ? OR window_until <= ?)",
            (parcel.chat, parcel.turn, parcel.window_until),
        )
    return True


def latest_window(connection: Connection, parcel: Parcel) -> int:
    """Until when the window is open by the newest message of the chat that is not settled.

    That is one whose answer is on its way, or one that nobody has answered yet. A parcel that
    waited long was posted under an older message than the newest; where that one keeps the window
    open, the parcel is told so. Of a backlog only the latest are looked at: who wrote in the last
    moment is among them, and envelopes have no index by chat.
    """
    (latest,) = connection.execute(
        "SELECT max(window_until) FROM ("
        "SELECT window_until FROM parcels WHERE chat = ?1 AND state < 10 "
        "UNION ALL SELECT window_until FROM ("
        "SELECT chat, window_until FROM envelopes ORDER BY number DESC LIMIT ?2) WHERE chat = ?1)",
        (parcel.chat, _LATEST),
    ).fetchone()
    if latest is None or latest <= parcel.window_until:
        return parcel.window_until
    connection.execute(
        "UPDATE parcels SET window_until = ? WHERE number = ?", (latest, parcel.number)
    )
    return int(latest)


def held_before_newest(connection: Connection, chat: int) -> list[Parcel]:
    """What is held for the chat and is of an older turn than the newest that is."""
    held = [one for one in open_of_chat(connection, chat) if one.state is ParcelState.HELD]
    newest = max((one.turn for one in held), default=0)
    return [one for one in held if one.turn < newest]


def release(
    connection: Connection,
    chat: int,
    window_until: int,
    *,
    is_late: bool = True,
    keeps: Collection[int] = (),
) -> list[Parcel]:
    """Let go what was held for the chat; return that, in order.

    Args:
        connection: Inside a unit.
        chat: Whose window is open.
        window_until: Until when.
        is_late: It was closed meanwhile, so that only the newest turn's are kept; False where it
            only seemed so.
        keeps: Older turns whose parcels are kept all the same.
    """
    if is_late:
        for one in held_before_newest(connection, chat):
            if one.turn not in keeps:
                change(connection, settle(one.number, one.state, ParcelState.WITHDRAWN))
    numbers = {
        row[0]
        for row in connection.execute(
            "UPDATE parcels SET state = 0, not_before = 0, window_until = ? "
            "WHERE chat = ? AND state < 10 AND state = 3 RETURNING number",
            (window_until, chat),
        ).fetchall()
    }
    if not numbers:
        return []
    return [parcel for parcel in open_of_chat(connection, chat) if parcel.number in numbers]


def withdraw(
    connection: Connection,
    chat: int,
    *,
    keeps: Sequence[str] = (),
    window_until: int | None = None,
) -> list[Parcel]:
    """A person of ours has taken over: what was not sent yet is not sent any more.

    What is being sent, and what may have been, stays. The chat's lane is to be read anew.

    Args:
        connection: Inside a unit.
        chat: Whose parcels.
        keeps: Names of notices that are sent all the same, such as answers to a command.
        window_until: Only what answers messages whose window closes by then; None: all.

    Returns:
        What was withdrawn, as it was before.
    """
    kept = f"AND notice NOT IN ({', '.join('?' * len(keeps))})" if keeps else ""
    numbers = {
        row[0]
        for row in connection.execute(
            "SELECT number FROM parcels WHERE chat = ? AND state < 10 AND state IN (0, 3) "
            f"AND window_until <= ? {kept}",
            (chat, 1 << 62 if window_until is None else window_until, *keeps),
        ).fetchall()
    }
    withdrawn = [one for one in open_of_chat(connection, chat) if one.number in numbers]
    connection.executemany(
        "UPDATE parcels SET state = 13 WHERE number = ?", [(one.number,) for one in withdrawn]
    )
    return withdrawn


def abandon(connection: Connection, chat: int) -> int:
    """Settle all that is open in a chat: nothing of it is sent, or sent again; how many it were.

    Without their tokens, so that no status that comes later brings one of them back. What may have
    been sent counts as never answered for. The chat's lane is to be read anew.
    """
    return connection.execute(
        "UPDATE parcels SET state = CASE WHEN state IN (1, 2) THEN 14 ELSE 13 END, tokens = '' "
        "WHERE chat = ? AND state < 10",
        (chat,),
    ).rowcount


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


def open_of_chat(connection: Connection, chat: int) -> list[Parcel]:
    rows = connection.execute(
        _PARCEL + "WHERE p.chat = ? AND p.state < 10 ORDER BY p.number", (chat,)
    ).fetchall()
    return [_row(row) for row in rows]


def has_to_send(connection: Connection, chats: Sequence[int]) -> bool:
    """Whether something of these chats is to be sent, or may be sent again; not what is held."""
    found = (
        connection.execute(
            "SELECT 1 FROM parcels WHERE chat = ? AND state < 10 AND state <> 3", (chat,)
        ).fetchone()
        for chat in chats
    )
    return any(found)


def chats_with_work(connection: Connection, above: int, most: int, open_after: float) -> list[int]:
    """The next ``most`` chats above ``above`` with parcels to send, by rising id.

    What a closed window holds counts only where the window is open at ``open_after``, after all.
    """
    rows = connection.execute(
        "SELECT DISTINCT chat FROM parcels WHERE state < 10 AND chat > ? "
        "AND (state <> 3 OR window_until > ?) ORDER BY chat LIMIT ?",
        (above, open_after, most),
    ).fetchall()
    return [row[0] for row in rows]


def by_number(connection: Connection, number: int) -> Known | None:
    """A parcel and what Meta said about it."""
    row = connection.execute(_PARCEL + "WHERE p.number = ?", (number,)).fetchone()
    if row is None:
        return None
    return Known(_row(row), row[12], DeliveryStatus(row[15]) if row[15] >= 0 else None, row[16])


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
