"""What an operator looks at: the chats, and one person.

By pages and by key. What counts messages stops counting at a thousand; nothing here looks through
what is finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from openparallax.model.session import Mode
from openparallax.storage import names
from openparallax.storage.database import Connection

MOST_COUNTED = 1000
MOST_SESSIONS = 100
_LOOKED_BACK = 8
"""Sessions in which the latest message of a chat is looked for."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A chat as lists show it; no words.

    Attributes:
        chat: Opaque id.
        account: Phone number id of ours.
        address: Where answers go.
        name: The contact's display name, or "".
        mode: Of the open session.
        session: The open session.
        opened_at: When that was opened; unix seconds.
        last_at: When something was said last on the record; unix seconds, or None.
        messages: How many of the open session, on the record, are finished; at most `MOST_COUNTED`.
        waiting: Unfinished messages.
        sending: Open parcels.
        taken_until: A person of ours answers until then; unix seconds, 0 if none ever did.
    """

    chat: int
    account: str
    address: str
    name: str
    mode: Mode
    session: int
    opened_at: int
    last_at: int | None
    messages: int
    waiting: int
    sending: int
    taken_until: int


class SessionLine(NamedTuple):
    """A session of a chat.

    Attributes:
        session: Its id.
        mode: For life.
        state: 0 open, 1 suspended beneath one off the record, 2 ended.
        opened_at: Unix seconds.
        messages: Finished ones, on the record; at most `MOST_COUNTED`.
    """

    session: int
    mode: Mode
    state: int
    opened_at: int
    messages: int


class Said(NamedTuple):
    """An entry of a transcript, with its words."""

    turn: int
    sent_at: int
    role: int
    words: str


_CHAT = """
SELECT c.id, a.phone_number_id, c.address, p.name, s.mode, s.id, s.opened_at, c.taken_until
FROM chats c
JOIN accounts a ON a.id = c.account
JOIN contacts p ON p.id = c.contact
JOIN sessions s ON s.id = c.session
"""


def page(connection: Connection, account: str | None, after: int, most: int) -> list[ChatLine]:
    """The next chats by rising id; those that were merged into another are shown as that one."""
    return _lines(
        connection,
        connection.execute(
            _CHAT + "WHERE c.id > ? AND (? IS NULL OR a.phone_number_id = ?) "
            "AND c.id NOT IN (SELECT loser FROM merges) ORDER BY c.id LIMIT ?",
            (after, account, account, most),
        ).fetchall(),
    )


def chats(connection: Connection, ids: Sequence[int]) -> list[ChatLine]:
    """These chats, by rising id; those that do not exist are left out."""
    rows = []
    for chat in sorted(set(ids)):
        rows += connection.execute(_CHAT + "WHERE c.id = ?", (chat,)).fetchall()
    return _lines(connection, rows)


def _lines(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> list[ChatLine]:
    if not rows:
        return []
    first, last = rows[0][0], rows[-1][0]
    waiting = dict(
        connection.execute(
            "SELECT chat, count(*) FROM envelopes WHERE chat BETWEEN ? AND ? GROUP BY chat",
            (first, last),
        )
    )
    sending = dict(
        connection.execute(
            "SELECT chat, count(*) FROM parcels WHERE state < 10 AND chat BETWEEN ? AND ? "
            "GROUP BY chat",
            (first, last),
        )
    )
    return [
        ChatLine(
            chat=row[0],
            account=row[1],
            address=row[2],
            name=names.shown(row[3]),
            mode=Mode(row[4]),
            session=row[5],
            opened_at=row[6],
            last_at=_last_at(connection, row[0]),
            messages=_count(connection, row[5]),
            waiting=waiting.get(row[0], 0),
            sending=sending.get(row[0], 0),
            taken_until=row[7],
        )
        for row in rows
    ]


def _last_at(connection: Connection, chat: int) -> int | None:
    rows = connection.execute(
        "SELECT id FROM sessions WHERE chat = ? ORDER BY id DESC LIMIT ?", (chat, _LOOKED_BACK)
    ).fetchall()
    for (session,) in rows:
        (at,) = connection.execute(
            "SELECT max(sent_at) FROM transcript WHERE turn = "
            "(SELECT max(turn) FROM session_turns WHERE session = ?)",
            (session,),
        ).fetchone()
        if at is not None:
            return int(at)
    return None


def _count(connection: Connection, session: int) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM session_turns WHERE session = ? LIMIT ?)",
        (session, MOST_COUNTED),
    ).fetchone()
    return int(count)


def sessions(connection: Connection, chat: int) -> list[SessionLine]:
    """The latest sessions of a chat, the latest first."""
    rows = connection.execute(
        "SELECT id, mode, state, opened_at FROM sessions WHERE chat = ? ORDER BY id DESC LIMIT ?",
        (chat, MOST_SESSIONS),
    ).fetchall()
    return [
        SessionLine(row[0], Mode(row[1]), row[2], row[3], _count(connection, row[0]))
        for row in rows
    ]


def said(connection: Connection, session: int, below: int, most: int) -> list[Said]:
    """The entries of the latest ``most`` finished turns below one, oldest first.

    What was sent stands beside what the engine wrote; it is left out.
    """
    rows = connection.execute(
        "SELECT t.turn, t.sent_at, t.role, t.words FROM "
        "(SELECT turn FROM session_turns WHERE session = ? AND turn < ? ORDER BY turn DESC LIMIT ?)"
        " s JOIN transcript t ON t.turn = s.turn WHERE t.role NOT IN (4, 6) ORDER BY t.id",
        (session, below, most),
    ).fetchall()
    return [Said(*row) for row in rows]


# -- who is asked for -----------------------------------------------------------------------------

# The accounts come first, by force: an alias is found by account and value, and not by value alone.
_BY_ALIAS = """
FROM accounts a CROSS JOIN aliases x ON x.account = a.id
CROSS JOIN chats c ON c.contact = x.contact AND c.account = a.id
AND (?1 IS NULL OR a.phone_number_id = ?1)"""


def chats_known_by(connection: Connection, values: Sequence[str], account: str | None) -> list[int]:
    """Chats of whom any of these aliases stands for, with one or any of our numbers."""
    found: set[int] = set()
    for value in values:
        rows = connection.execute(
            f"SELECT c.id {_BY_ALIAS} WHERE x.value = ?2",
            (account, value),
        )
        found.update(row[0] for row in rows)
    return sorted(found)


def chats_that_left(connection: Connection, number: str, account: str | None) -> list[int]:
    """Chats of whoever had a number and left it last; ``number`` as an alias."""
    rows = connection.execute(
        f"SELECT c.id, max(x.value) {_BY_ALIAS} "
        "WHERE x.value >= 'w:' || ?2 || '<' AND x.value < 'w:' || ?2 || '=' GROUP BY a.id",
        (account, number),
    )
    return sorted(row[0] for row in rows)


def same_person(connection: Connection, ids: Sequence[int]) -> list[int]:
    """These chats and all that were merged with them, either way."""
    found = set(ids)
    new = set(ids)
    while new:
        marks = ",".join("?" * len(new))
        rows = connection.execute(
            f"SELECT loser FROM merges WHERE survivor IN ({marks}) "
            f"UNION SELECT survivor FROM merges WHERE loser IN ({marks})",
            (*new, *new),
        )
        new = {row[0] for row in rows} - found
        found |= new
    return sorted(found)


def aliases_of(connection: Connection, chat: int) -> list[tuple[str, int]]:
    """Every alias of a chat's contact, those left included, and since when it is theirs."""
    return connection.execute(
        "SELECT x.value, x.since FROM chats c JOIN aliases x "
        "ON x.contact = c.contact AND x.account = c.account WHERE c.id = ? ORDER BY x.value",
        (chat,),
    ).fetchall()
