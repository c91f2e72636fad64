"""What waits on numbers of ours that nobody serves any more: counted, and in the end let go.

Seldom: it looks at every chat of such numbers.
"""

import json
from collections.abc import Collection, Sequence
from typing import NamedTuple

from openparallax.model.envelope import Envelope
from openparallax.storage import envelopes, meta
from openparallax.storage.database import Connection
from openparallax.storage.parcels import KEPT_S

EXPIRES_AFTER_S = KEPT_S
"""Of messages, counted while nobody serves the number and a process runs: neither a clock that is
wrong nor a number that is gone by mistake lets one go. Of a part, from when it was written.
"""

_WAITED = "left_over_waited_s"

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
WHERE c.account IN ({marks}) ORDER BY e.number LIMIT ?"""
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
        oldest_part: When the oldest of those was written, unix seconds.
        waited_s: For how long the number was gone; see `count`.
    """

    account: str
    messages: int = 0
    parts: int = 0
    oldest: int = 0
    oldest_part: int = 0
    waited_s: float = 0.0

    def expires_at(self, now: float) -> int:
        """When the first of it is let go, unix seconds."""
        ends = [now - self.waited_s] if self.messages else []
        ends += [self.oldest_part] if self.parts else []
        return int(min(ends)) + EXPIRES_AFTER_S


def leftovers(connection: Connection, served: Collection[str]) -> tuple[Leftover, ...]:
    """What waits on numbers other than those with the phone number ids ``served``."""
    others = _others(connection, served)
    if not others:
        return ()
    found: dict[str, Leftover] = {}
    counted = waited(connection)
    for account, messages, oldest in connection.execute(_with(_MESSAGES, others), (*others,)):
        so_far = counted.get(account, 0.0)
        found[account] = Leftover(account, messages, oldest=oldest, waited_s=so_far)
    for account, parts, oldest in connection.execute(_with(_PARTS, others), (*others,)):
        known = found.get(account, Leftover(account, oldest=oldest))
        oldest_of_both = min(known.oldest, oldest)
        found[account] = known._replace(parts=parts, oldest=oldest_of_both, oldest_part=oldest)
    return tuple(found[account] for account in sorted(found))


def waited(connection: Connection) -> dict[str, float]:
    """For how long each number has been gone on which messages wait, in seconds."""
    kept: dict[str, float] = json.loads(meta.recall(connection, _WAITED) or "{}")
    return kept


def count(connection: Connection, served: Collection[str], seconds: float) -> None:
    """So much time has gone by since the last count; inside a unit.

    A number that is served, or on which no message waits, begins anew.
    """
    found = [one for one in leftovers(connection, served) if one.messages]
    waits = {one.account: round(one.waited_s + seconds, 1) for one in found}
    if waits != waited(connection):
        meta.remember(connection, _WAITED, json.dumps(waits))


def past_their_time(
    connection: Connection, served: Collection[str], now: float, most: int
) -> tuple[Sequence[Envelope], Sequence[int]]:
    """At most ``most`` messages, and numbers of parts, that have waited too long."""
    others = _others(connection, served)
    if not others:
        return (), ()
    counted = waited(connection)
    is_late = {account for account in counted if counted[account] >= EXPIRES_AFTER_S}
    late = [one for one in others if others[one] in is_late]
    asked = (*others, int(now - EXPIRES_AFTER_S), most)
    parts = [row[0] for row in connection.execute(_with(_OLD_PARTS, others), asked)]
    numbers = [row[0] for row in connection.execute(_with(_OLD_MESSAGES, late), (*late, most))]
    return envelopes.by_numbers(connection, numbers) if numbers else (), parts


def drop_parts(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete parts that are not to be sent any more."""
    connection.executemany("DELETE FROM parcels WHERE number = ?", [(one,) for one in numbers])


def _others(connection: Connection, served: Collection[str]) -> dict[int, str]:
    """Their rows and phone number ids."""
    rows = connection.execute("SELECT id, phone_number_id FROM accounts").fetchall()
    return {account: number_id for account, number_id in rows if number_id not in served}


def _with(query: str, others: Collection[int]) -> str:
    return query.format(marks=", ".join("?" * len(others)))
