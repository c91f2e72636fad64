"""What travels outbound: one part of an answer, without its words."""

from enum import IntEnum

from openparallax.model.noun import noun
from openparallax.model.session import Session


class ParcelState(IntEnum):
    """Where a parcel is. The numbers stand in the database; from ``ACCEPTED`` on it is settled."""

    WAITING = 0
    SENDING = 1
    UNKNOWN = 2
    """Perhaps accepted: waits for a status before it is sent again."""
    HELD = 3
    """The customer service window is closed; released by the person's next message."""
    ACCEPTED = 10
    FAILED = 11
    LOST = 12
    """Its words were off the record and went with a restart."""
    WITHDRAWN = 13
    """Superseded while it was held, or left to a person of ours before it was sent."""
    UNCONFIRMED = 14
    """Sent as often as the design allows and never answered for."""


@noun(frozen=True, slots=True)
class Parcel:
    """One message of ours that waits to be sent; it holds no words.

    Attributes:
        number: Rises with every parcel; part of the callback data of each send.
        chat: Opaque id of the chat; parcels of a chat are sent in order, one at a time.
        account: Phone number id that it is sent from.
        to: Where it goes, a number or a business-scoped id, as known when it was posted or read;
            a send that is claimed later asks the chat's row again.
        session: Where its words lie, and by its mode in which room.
        turn: With ``part``, the key of its words.
        part: 1 and up.
        notice: Name of the daemon's sentence, or "" for an answer.
        state: Where it is.
        attempts: Sends begun.
        ambiguous: Sends whose outcome is not known.
        token: Random 128-bit token of the latest attempt, hex, or "".
        window_until: When the customer service window closes as far as known; unix seconds.
        not_before: Not to be sent earlier; unix seconds.
    """

    number: int
    chat: int
    account: str
    to: str
    session: Session
    turn: int
    part: int
    notice: str = ""
    state: ParcelState = ParcelState.WAITING
    attempts: int = 0
    ambiguous: int = 0
    token: str = ""
    window_until: int = 0
    not_before: float = 0.0
