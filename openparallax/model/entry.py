"""One entry of a transcript: whose words, and where they stand."""

from enum import IntEnum

from openparallax.model.noun import noun
from openparallax.model.session import Session
from openparallax.model.text import Text


class Role(IntEnum):
    """Whose words an entry holds. The numbers stand in the database, one byte each.

    Only ``CONTACT``, ``ENGINE`` and ``PERSON`` are history, that is, part of a later prompt.
    ``PART`` is what was sent (rendered and split), ``NOTICE`` the daemon's own sentences,
    ``DETAILS`` what came beside the contact's words, ``PERSON`` what somebody of ours wrote from
    the phone or by hand, ``UNSAID`` what never went out, since somebody answered first or Meta
    refused it for good. 6 stands on disk for an entry that was scrubbed.
    """

    CONTACT = 2
    ENGINE = 3
    PART = 4
    NOTICE = 5
    PERSON = 7
    DETAILS = 8
    UNSAID = 9


CAME_IN = frozenset({Role.CONTACT, Role.DETAILS, Role.PERSON})
"""What Meta brought; the others are what answered it."""


@noun(frozen=True, slots=True)
class Entry:
    """Words under their key: (session, turn, part).

    Attributes:
        session: Decides, by its mode, which transcript keeps the entry.
        turn: Number of the message, or of the turn's last message for what answers it.
        part: 0 for what the contact said, `DETAILS_PART` for what came with it, `ENGINE_PART` for
            what the engine (or a person of ours) wrote, 1 and up for what is sent.
        sent_at: Meta's timestamp of a contact's message, else our own; unix seconds.
        hashed: Keyed hash of Meta's id, for a message that came in; by it a quoted or a revoked
            message is found.
    """

    session: Session
    turn: int
    part: int
    role: Role
    text: Text
    sent_at: int
    hashed: int | None = None


CONTACT_PART = 0
ENGINE_PART = -1
"""Part number of what the engine wrote, as it wrote it; the parts sent count from 1."""
DETAILS_PART = -2
"""Part number of what came beside the contact's words."""
