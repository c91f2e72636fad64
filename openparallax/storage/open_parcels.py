"""What a chat has open: to be sent, being sent, sent and not answered for, or held."""

from collections.abc import Sequence

from openparallax.model.parcel import Parcel
from openparallax.model.session import Session
from openparallax.storage import parcels
from openparallax.storage.database import Connection


def of_chat(connection: Connection, chat: int) -> list[Parcel]:
    """What is open in a chat, in order."""
    rows = connection.execute(
        parcels.SELECT + "WHERE p.chat = ? AND p.state < 10 ORDER BY p.number", (chat,)
    ).fetchall()
    return [parcels.from_row(row) for row in rows]


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


def move_turn(connection: Connection, chat: int, turn: int, session: Session) -> None:
    """Place what is still to be sent of a turn in another session."""
    connection.execute(
        "UPDATE parcels SET session = ?, mode = ? WHERE chat = ? AND turn = ? AND state < 10",
        (session.id, int(session.mode), chat, turn),
    )


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
    withdrawn = [one for one in of_chat(connection, chat) if one.number in numbers]
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
