"""What can become of a send, and what each class of error means for what waits behind it."""

from enum import Enum

from openparallax.model.noun import noun


class ErrorClass(Enum):
    """What to do after Graph refused. The facts behind each code stand in `graph.errors`."""

    SLOW = "slow"
    """Refused before processing, because of a rate: repeat after a back-off."""
    AMBIGUOUS = "ambiguous"
    """May have been processed: wait for a status before repeating."""
    ACCOUNT = "account"
    """Token, permission, policy or payment: the account pauses and keeps everything."""
    WINDOW = "window"
    """The customer service window is closed: held until the person writes."""
    RECIPIENT = "recipient"
    """This recipient cannot be reached: failed."""
    OURS = "ours"
    """Our mistake or a setting's: failed, and worth a look."""


@noun(frozen=True, slots=True)
class Accepted:
    """Graph took the message; ``wamid`` is its id, ``wa_id`` the recipient as Graph spells it."""

    wamid: str
    wa_id: str | None = None


@noun(frozen=True, slots=True)
class Refused:
    """Graph answered with an error.

    Attributes:
        code: Meta's ``error.code``, or None where the answer had none.
        error_class: What follows from it.
        trace: Meta's ``fbtrace_id`` or "", for a support case.
    """

    code: int | None
    error_class: ErrorClass
    trace: str = ""


@noun(frozen=True, slots=True)
class Unanswered:
    """No usable answer came: timeout, cut connection, 5xx. Graph may have accepted the message."""

    reason: str


@noun(frozen=True, slots=True)
class NotSent:
    """The connection was never established, so Graph cannot have the message; safe to repeat."""

    reason: str


Outcome = Accepted | Refused | Unanswered | NotSent
