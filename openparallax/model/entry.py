"""One entry of a transcript: whose words, and where they stand."""

from dataclasses import dataclass
from enum import IntEnum

from openparallax.model.session import Session
from openparallax.model.text import Text


class Role(IntEnum):
    """Whose words an entry holds. The numbers stand in the database, one byte each.

    Only ``CONTACT`` and ``ENGINE`` are history, that is, part of a later prompt. ``PART`` is what
    was sent (rendered and split), ``NOTICE`` the daemon's own sentences.
    """

    CONTACT = 2
    ENGINE = 3
    PART = 4
    NOTICE = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """Words under their key: (session, turn, part).

    Attributes:
        session: Decides, by its mode, which transcript keeps the entry.
        turn: Number of the message, or of the turn's last message for what answers it.
        part: 0 for what the contact said, `ENGINE_PART` for what the engine wrote, 1 and up for
            what is sent.
        sent_at: Meta's timestamp of a contact's message, else our own; unix seconds.
    """

    session: Session
    turn: int
    part: int
    role: Role
    text: Text
    sent_at: int


CONTACT_PART = 0
ENGINE_PART = -1
"""Part number of what the engine wrote, as it wrote it; the parts sent count from 1."""
