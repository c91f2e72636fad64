"""Forgetting a person, inside a unit: what is unfinished ends, and what is new begins afresh.

The order makes it safe. First, in one unit, all work of the chat is ended and its sessions on the
record are marked and closed over: whoever writes from then on writes into a new session, so no late
write brings old words back, and no later prompt shows them. Then the words are overwritten, in
small steps and in the copies too. The mark goes last, when the words are in no file: whoever is
interrupted begins again from the marks.

The chat, its ids and its mode stay: the allow-list, repeats of messages and the promise of ``/otr``
hang by them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from openparallax.model.text import SessionId
from openparallax.session import placement
from openparallax.storage import (
    Connection,
    chats,
    envelopes,
    erasing,
    names,
    open_parcels,
    sessions,
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended in a chat.

    Attributes:
        chat: Which one.
        turns: Its unfinished messages.
        parcels: How many were not sent yet, as far as is known.
        off: Its sessions off the record, whose words are in memory.
    """

    chat: int
    turns: list[int]
    parcels: int
    off: list[SessionId]


def begin(connection: Connection, chat: int, now: float) -> Ended:
    """End all of a chat's work and mark its words; part of a unit. May be repeated.

    What is remembered of chats is to be dropped in the same unit. A turn that runs finds at its end
    that it was overtaken; a send that runs is waited for no longer and not repeated.

    Args:
        connection: Inside the unit.
        chat: Which one; it exists.
        now: Unix seconds.
    """
    unfinished = [envelope.number for envelope in envelopes.of_chat(connection, chat)]
    envelopes.drop(connection, unfinished)
    settled = open_parcels.abandon(connection, chat)
    off = sessions.off_the_record(connection, chat)
    erasing.mark(connection, chat)
    row = chats.chat_by_id(connection, chat)
    if row is not None:
        names.forget(connection, row.contact)
        placement.close_over(connection, row, int(now))
        chats.release(connection, chat)
    return Ended(chat, unfinished, settled, off)


def put_away(connection: Connection, rows: Collection[erasing.Row], busy: Collection[int]) -> int:
    """Scrub rows that are past their time, save those of busy sessions; part of a unit.

    Returns:
        How many were scrubbed.
    """
    late = [row for row in rows if row.session in busy]
    free = [row for row in rows if row.session not in busy]
    erasing.put_off(connection, late)
    erasing.scrub(connection, free)
    erasing.leave_history(connection, free)
    return len(free)
