"""Accounts, contacts, their aliases, and chats."""

from dataclasses import dataclass
from typing import Any

from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage.database import Connection

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
        opened_at: Timestamp of what opened it.
        before: The session that ``/otr off`` returns to, if any.
        held: Bits `HELD_ENVELOPES` and `HELD_PARCELS`.
        left_off: The off-the-record session ended last, or 0.
        left_off_at: Timestamp of the command that ended it.
        left_on: The session on the record that ``/new`` ended last, or 0.
        left_on_at: Timestamp of that command.
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
    latest: int | None = None


_CHAT = """
SELECT c.id, c.contact, a.phone_number_id, c.address, p.name, c.session, s.mode, s.opened_at,
       s.before, c.held, c.left_off, c.left_off_at, c.left_on, c.left_on_at
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
        name=row[4],
        session=Session(SessionId(row[5]), Mode(row[6])),
        opened_at=row[7],
        before=row[8],
        held=row[9],
        left_off=row[10],
        left_off_at=row[11] or 0,
        left_on=row[12],
        left_on_at=row[13] or 0,
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


def contact_of(connection: Connection, alias: str) -> int | None:
    """The contact that an alias stands for."""
    row = connection.execute("SELECT contact FROM aliases WHERE value = ?", (alias,)).fetchone()
    return None if row is None else int(row[0])


def add_contact(connection: Connection, name: str) -> int:
    return int(connection.execute("INSERT INTO contacts (name) VALUES (?)", (name,)).lastrowid or 0)


def name_contact(connection: Connection, contact: int, name: str) -> None:
    connection.execute("UPDATE contacts SET name = ? WHERE id = ?", (name, contact))


def add_alias(connection: Connection, alias: str, contact: int) -> None:
    """Let ``alias`` stand for ``contact``; whom it stood for before stays as it was."""
    connection.execute("INSERT INTO aliases VALUES (?, ?) ON CONFLICT DO NOTHING", (alias, contact))


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
    """Send to ``address`` from now on."""
    connection.execute("UPDATE chats SET address = ? WHERE id = ?", (address, chat))


def hold(connection: Connection, chat: int, bit: int) -> None:
    """Note that something of the chat waits for the person's next message."""
    connection.execute("UPDATE chats SET held = held | ? WHERE id = ?", (bit, chat))


def release(connection: Connection, chat: int) -> None:
    connection.execute("UPDATE chats SET held = 0 WHERE id = ?", (chat,))
