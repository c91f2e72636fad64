"""What travels inbound: a message without its words."""

from dataclasses import field
from enum import Enum, IntEnum

from openparallax.model.noun import noun
from openparallax.model.session import Session
from openparallax.model.text import SessionId


class EnvelopeState(IntEnum):
    """Where an envelope is. The numbers stand in the database; a finished one has no row."""

    QUEUED = 0
    RUNNING = 1
    HELD = 2
    """Its customer service window closed before it was answered; joins the next message."""


class Errand(Enum):
    """What an envelope asks for. The values stand in the database."""

    TURN = "turn"
    """Answer the words that lie in the transcript."""
    NEW = "/new"
    NEW_AFTER_OTR = "/new after /otr"
    OTR_OFF = "/otr off"
    OTR_OFF_IDLE = "/otr off, was on the record"
    OTR_REFUSED = "/otr, refused"
    STILL_OFF = "came late, still off the record"
    HELP = "/help"
    STATUS = "/status"
    MISTYPED = "mistyped"
    """Looked like a command; ``detail`` names the nearest real one."""
    ONLY_TEXT = "only text"
    RESEND = "resend"
    RATE_LIMITED = "rate limited"


@noun(frozen=True, slots=True)
class Envelope:
    """One message that waits for its outcome; it holds no words.

    Attributes:
        number: Rises with every message admitted; the key of its words in the transcript.
        chat: Opaque id of the chat.
        session: Where its words lie, and by its mode in which room.
        errand: What is to be done.
        sent_at: Meta's timestamp, unix seconds; compared with other timestamps of Meta's only.
        window_until: When the customer service window that it opened closes, unix seconds.
        length: Number of characters of its words.
        detail: For ``MISTYPED`` the nearest command (one of ours, never what was typed); for a
            ``TURN`` `HAS_DETAILS` where the transcript holds more than the words.
        state: Where it is.
        turn: Number of the first envelope that it is answered with, once claimed.
        attempts: How often it was claimed.
        wamid: Meta's id of the message, for marking it read; in memory only, since it holds the
            person's number: "" once read from the table.
    """

    number: int
    chat: int
    session: Session
    errand: Errand
    sent_at: int
    window_until: int = 0
    length: int = 0
    detail: str = ""
    state: EnvelopeState = EnvelopeState.QUEUED
    turn: int | None = None
    attempts: int = 0
    wamid: str = field(default="", repr=False)


HAS_DETAILS = "details"


@noun(frozen=True, slots=True)
class Move:
    """Turns that were placed on the record and belong off it: ``/otr`` came late."""

    chat: int
    turns: list[int]
    left: frozenset[SessionId]
    session: Session
