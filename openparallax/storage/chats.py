"""Accounts, contacts, chats, and which of these turned out to be one person's."""

from dataclasses import dataclass
from typing import Any

from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage import names
from openparallax.storage.database import Connection
from openparallax.storage.transcripts import REPEATED_FOR_S

HELD_ENVELOPES = 1
HELD_PARCELS = 2


@dataclass(slots=True)
class ChatRow:
    """A chat as the file has it, with its open session; a cache of this may be dropped any time.

    Attributes:
        id: Opaque id of the chat.
        contact: Opaque id of the contact.
        account: Phone number id of ours.
        address: Where answers go.
        name: The contact's display name, or "".
        session: The open session.
        opened_at: Timestamp of what opened it, the latest if it was said again.
        before: The session that ``/otr off`` returns to, if any.
        held: Bits `HELD_ENVELOPES` and `HELD_PARCELS`.
        left_off: The off-the-record session ended last, or 0.
        left_off_at: Timestamp of the command that ended it.
        left_on: The session on the record that ``/new`` ended last, or 0.
        left_on_at: Timestamp of that command.
        taken_until: A person of ours answers; what was sent before is left to them. Unix seconds.
        alternate: 1: ``address`` is the other spelling of the number, since Meta's own did not
            work; 2: neither did.
        latest: Timestamp of the newest message admitted while this is cached, or None.
    """

    id: int
    contact: int
    account: str
    address: str
    name: str
    session: Session
    opened_at: int
    before: SessionId | None
    held: int
    left_off: SessionId | None
    left_off_at: int
    left_on: SessionId | None
    left_on_at: int
    taken_until: int
    alternate: int
    latest: int | None = None


_CHAT = """
SELECT c.id, c.contact, a.phone_number_id, c.address, p.name, c.session, s.mode,
       max(s.opened_at, s.again_at), s.before, c.held, c.left_off, c.left_off_at, c.left_on,
       c.left_on_at, c.taken_until, c.alternate
FROM chats c
JOIN accounts a ON a.id = c.account
JOIN contacts p ON p.id = c.contact
JOIN sessions s ON s.id = c.session
"""


def _row(row: tuple[Any, ...]) -> ChatRow:
    return ChatRow(
        id=row[0],
        contact=row[1],
        account=row[2],
        address=row[3],
        name=names.shown(row[4]),
        session=Session(SessionId(row[5]), Mode(row[6])),
        opened_at=row[7],
        before=row[8],
        held=row[9],
        left_off=row[10],
        left_off_at=row[11] or 0,
        left_on=row[12],
        left_on_at=row[13] or 0,
        taken_until=row[14],
        alternate=row[15],
    )


def account_id(connection: Connection, phone_number_id: str) -> int:
    """The row of one of our numbers; made at the first call."""
    connection.execute(
        "INSERT INTO accounts (phone_number_id) VALUES (?) ON CONFLICT DO NOTHING",
        (phone_number_id,),
    )
    row = connection.execute(
        "SELECT id FROM accounts WHERE phone_number_id = ?", (phone_number_id,)
    ).fetchone()
    return int(row[0])


def find_account(connection: Connection, phone_number_id: str) -> int | None:
    """The row of one of our numbers, if there is one yet."""
    row = connection.execute(
        "SELECT id FROM accounts WHERE phone_number_id = ?", (phone_number_id,)
    ).fetchone()
    return None if row is None else int(row[0])


def displays(connection: Connection) -> dict[str, str]:
    """Phone number id of ours -> its digits as Meta prints them, where a webhook has told."""
    rows = connection.execute(
        "SELECT phone_number_id, display FROM accounts WHERE display <> ''"
    ).fetchall()
    return dict(rows)


def note_display(connection: Connection, phone_number_id: str, digits: str) -> None:
    """Remember the digits of one of our numbers."""
    account = account_id(connection, phone_number_id)
    connection.execute("UPDATE accounts SET display = ? WHERE id = ?", (digits, account))


def add_contact(connection: Connection, name: str) -> int:
    row = (names.stored(name),)
    return int(connection.execute("INSERT INTO contacts (name) VALUES (?)", row).lastrowid or 0)


def name_contact(connection: Connection, contact: int, name: str) -> None:
    names.change(connection, contact, name)


def merge(connection: Connection, loser: ChatRow, survivor: ChatRow) -> None:
    """Both are one person's: every alias of the one goes to the other, and nothing else does.

    What the loser still has to do it does before the survivor goes on (`merges`). What was promised
    to the one holds for both: no marketing, and that a person of ours answers.
    """
    connection.execute(
        "UPDATE aliases SET contact = ? WHERE contact = ? "
        "AND account = (SELECT account FROM chats WHERE id = ?)",
        (survivor.contact, loser.contact, loser.id),
    )
    connection.execute(
        "INSERT INTO merges VALUES (?, ?) "
        "ON CONFLICT (loser) DO UPDATE SET survivor = excluded.survivor",
        (loser.id, survivor.id),
    )
    connection.execute("DELETE FROM merges WHERE loser = ?", (survivor.id,))
    connection.execute(
        "UPDATE contacts SET no_marketing = 1 WHERE id = ? "
        "AND (SELECT no_marketing FROM contacts WHERE id = ?)",
        (survivor.contact, loser.contact),
    )
    if loser.taken_until > survivor.taken_until:
        take_over(connection, survivor.id, loser.taken_until)
    if loser.held:
        hold(connection, survivor.id, loser.held)


def losers_of(connection: Connection, chat: int) -> list[int]:
    """The chats that turned out to be the same person's as ``chat``, theirs included."""
    rows = connection.execute(
        "WITH RECURSIVE before(chat) AS (SELECT loser FROM merges WHERE survivor = ? "
        "UNION SELECT loser FROM merges JOIN before ON survivor = before.chat) "
        "SELECT chat FROM before ORDER BY chat",
        (chat,),
    ).fetchall()
    return [row[0] for row in rows]


def contacts_of(connection: Connection, chat: int) -> list[int]:
    """The contact of a chat, and those of the chats that it was merged with since, in order.

    The last one has every id by which the person is known.
    """
    rows = connection.execute(
        "WITH RECURSIVE since(chat) AS (SELECT ? "
        "UNION SELECT survivor FROM merges JOIN since ON loser = since.chat) "
        "SELECT contact FROM since JOIN chats ON chats.id = since.chat",
        (chat,),
    ).fetchall()
    return [row[0] for row in rows]


def unfinished_merges(connection: Connection) -> list[tuple[int, int]]:
    """Loser and survivor of each merge whose loser still has something to do."""
    return connection.execute(
        "SELECT loser, survivor FROM merges WHERE loser IN "
        "(SELECT chat FROM envelopes UNION SELECT chat FROM parcels WHERE state < 10)"
    ).fetchall()


def take_over(connection: Connection, chat: int, until: int) -> None:
    """A person of ours answers the chat until then; unix seconds."""
    connection.execute("UPDATE chats SET taken_until = ? WHERE id = ?", (until, chat))


def prefer(connection: Connection, contact: int, *, wants_marketing: bool) -> None:
    """Note whether a contact wants marketing."""
    connection.execute(
        "UPDATE contacts SET no_marketing = ? WHERE id = ?", (int(not wants_marketing), contact)
    )


def address_of(connection: Connection, chat: int) -> str:
    """Where answers to a chat go at this moment."""
    row = connection.execute("SELECT address FROM chats WHERE id = ?", (chat,)).fetchone()
    return str(row[0])


def taken_until(connection: Connection, chat: int) -> int:
    """Until when a person of ours answers a chat; unix seconds, 0 if none ever did."""
    row = connection.execute("SELECT taken_until FROM chats WHERE id = ?", (chat,)).fetchone()
    return int(row[0])


def find_chat(connection: Connection, account: int, contact: int) -> ChatRow | None:
    row = connection.execute(
        _CHAT + "WHERE c.account = ? AND c.contact = ?", (account, contact)
    ).fetchone()
    return None if row is None else _row(row)


def chat_by_id(connection: Connection, chat: int) -> ChatRow | None:
    row = connection.execute(_CHAT + "WHERE c.id = ?", (chat,)).fetchone()
    return None if row is None else _row(row)


def add_chat(connection: Connection, account: int, contact: int, address: str) -> int:
    """A chat without a session yet; `sessions.open_session` gives it one in the same unit."""
    return int(
        connection.execute(
            "INSERT INTO chats (account, contact, address, session) VALUES (?, ?, ?, 0)",
            (account, contact, address),
        ).lastrowid
        or 0
    )


def move_chat(connection: Connection, chat: int, address: str) -> None:
    """Send to ``address`` from now on, as it stands; "" is nowhere.

    What chats that turned out to be this one have still to say goes there too.
    """
    connection.execute("UPDATE chats SET address = ?, alternate = 0 WHERE id = ?", (address, chat))
    for loser in losers_of(connection, chat):
        connection.execute(
            "UPDATE chats SET address = ?, alternate = 0 WHERE id = ?", (address, loser)
        )


def open_since(connection: Connection, chat: ChatRow) -> int:
    """Timestamp of what opened the chat's session first."""
    (since,) = connection.execute(
        "SELECT opened_at FROM sessions WHERE id = ?", (chat.session.id,)
    ).fetchone()
    return int(since)


def off_before(connection: Connection, chat: ChatRow) -> int | None:
    """Since when a chat was off the record before it came back, as far as that matters still.

    Of several times in the days in which something may come late, the first one.
    """
    if chat.left_off is None:
        return None
    (since,) = connection.execute(
        "SELECT min(opened_at) FROM sessions WHERE chat = ? AND mode = 1 AND state = 2 "
        "AND opened_at > (SELECT opened_at FROM sessions WHERE id = ?) - ?",
        (chat.id, chat.left_off, REPEATED_FOR_S),
    ).fetchone()
    return None if since is None else int(since)


def hold(connection: Connection, chat: int, bit: int) -> None:
    """Note that something of the chat waits for the person's next message.

    That may come in the chat that this one was merged with, so it is noted there too.
    """
    connection.execute(
        "WITH RECURSIVE theirs(chat) AS (SELECT ? UNION "
        "SELECT survivor FROM merges JOIN theirs ON loser = theirs.chat) "
        "UPDATE chats SET held = held | ? WHERE id IN (SELECT chat FROM theirs)",
        (chat, bit),
    )


def release(connection: Connection, chat: int) -> None:
    connection.execute("UPDATE chats SET held = 0 WHERE id = ?", (chat,))
