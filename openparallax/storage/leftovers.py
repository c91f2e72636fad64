"""What waits on numbers of ours that nobody serves any more: counted, and in the end let go.

Seldom: it looks at every chat of such numbers.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from openparallax.model.envelope import Envelope
from openparallax.storage import envelopes
from openparallax.storage.database import Connection
from openparallax.storage.parcels import KEPT_S

EXPIRES_AFTER_S = KEPT_S
"""Counted from when a message was sent, and from when a part was written."""

_MESSAGES = """
SELECT a.phone_number_id, count(*), min(e.sent_at) FROM envelopes e
JOIN chats c ON c.id = e.chat JOIN accounts a ON a.id = c.account
WHERE a.id IN ({marks}) GROUP BY a.id"""
_PARTS = """
SELECT a.phone_number_id, count(*), min(p.created_at) FROM parcels p INDEXED BY open_parcels
JOIN chats c ON c.id = p.chat JOIN accounts a ON a.id = c.account
WHERE p.state < 10 AND a.id IN ({marks}) GROUP BY a.id"""
_OLD_MESSAGES = """
SELECT e.number FROM envelopes e JOIN chats c ON c.id = e.chat
WHERE c.account IN ({marks}) AND e.sent_at < ? ORDER BY e.number LIMIT ?"""
_OLD_PARTS = """
SELECT p.number FROM parcels p INDEXED BY open_parcels JOIN chats c ON c.id = p.chat
WHERE p.state < 10 AND c.account IN ({marks}) AND p.created_at < ? LIMIT ?"""


class Leftover(NamedTuple):
    """What waits on one number.

    Attributes:
        account: Its phone number id.
        messages: Those that were not answered.
        parts: Those that were not sent.
        oldest: When the oldest of it was sent or written, unix seconds.
    """

    account: str
    messages: int
    parts: int
    oldest: int

    @property
    def expires_at(self) -> int:
        """When the oldest of it is let go, unix seconds."""
        return self.oldest + EXPIRES_AFTER_S


def leftovers(connection: Connection, served: Collection[str]) -> tuple[Leftover, ...]:
    """What waits on numbers other than those with the phone number ids ``served``."""
    others = _others(connection, served)
    if not others:
        return ()
    found: dict[str, Leftover] = {}
    for place, query in enumerate((_MESSAGES, _PARTS)):
        for account, count, oldest in connection.execute(_with(query, others), others):
            known = found.get(account, Leftover(account, 0, 0, oldest))
            messages = count if place == 0 else known.messages
            parts = count if place == 1 else known.parts
            found[account] = Leftover(account, messages, parts, min(known.oldest, oldest))
    return tuple(found[account] for account in sorted(found))


def past_their_time(
    connection: Connection, served: Collection[str], now: float, most: int
) -> tuple[Sequence[Envelope], Sequence[int]]:
    """At most ``most`` messages, and numbers of parts, that have waited too long."""
    others = _others(connection, served)
    if not others:
        return (), ()
    asked = (*others, int(now - EXPIRES_AFTER_S), most)
    numbers = [row[0] for row in connection.execute(_with(_OLD_MESSAGES, others), asked)]
    parts = [row[0] for row in connection.execute(_with(_OLD_PARTS, others), asked)]
    return envelopes.by_numbers(connection, numbers) if numbers else (), parts


def drop_parts(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete parts that are not to be sent any more."""
    connection.executemany("DELETE FROM parcels WHERE number = ?", [(one,) for one in numbers])


def _others(connection: Connection, served: Collection[str]) -> list[int]:
    rows = connection.execute("SELECT id, phone_number_id FROM accounts").fetchall()
    return [account for account, phone_number_id in rows if phone_number_id not in served]


def _with(query: str, others: Collection[int]) -> str:
    return query.format(marks=", ".join("?" * len(others)))
