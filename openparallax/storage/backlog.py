"""What waits, counted in the tables: the operator's figures, and nothing that a message needs.

Looks through all that is unfinished, so it is for the reading thread and not for every second.
"""

from collections.abc import Collection
from typing import NamedTuple

from openparallax.storage.database import Connection

_MESSAGES = """
SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2),
       min(sent_at) FILTER (WHERE state = 0)
FROM envelopes"""
# The index holds what is open and nothing else; what is settled may be a million rows.
_PARTS = """
SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2),
       count(*) FILTER (WHERE state = 3), min(created_at) FILTER (WHERE state IN (0, 2))
FROM parcels INDEXED BY open_parcels WHERE state < 10"""


class Backlog(NamedTuple):
    """What waits on our numbers; what waits on one that nobody serves any more is left out.

    Attributes:
        messages: Those that wait for their turn.
        messages_held: Those whose window closed, which wait for the person's next one.
        oldest_message: When the oldest waiting message was sent, by Meta's timestamp; None: none.
        parts: Those that wait to be sent.
        parts_in_doubt: Those that Graph may have accepted, and whose status is waited for.
        parts_held: Those that a closed window holds.
        oldest_part: When the oldest part to be sent, or in doubt, was written; None: none.
    """

    messages: int
    messages_held: int
    oldest_message: int | None
    parts: int
    parts_in_doubt: int
    parts_held: int
    oldest_part: int | None


def backlog(connection: Connection, served: Collection[str]) -> Backlog:
    """Count what waits on the numbers of ours with the phone number ids ``served``."""
    rows = connection.execute("SELECT id, phone_number_id FROM accounts").fetchall()
    others = [account for account, phone_number_id in rows if phone_number_id not in served]
    left_out = f"chat NOT IN (SELECT id FROM chats WHERE account IN ({_marks(others)}))"
    # Seldom: it looks at every chat of the numbers that are left out.
    where, also = (f" WHERE {left_out}", f" AND {left_out}") if others else ("", "")
    messages = connection.execute(_MESSAGES + where, others).fetchone()
    parts = connection.execute(_PARTS + also, others).fetchone()
    return Backlog(*messages, *parts)


def _marks(values: Collection[int]) -> str:
    return ", ".join("?" * len(values))
