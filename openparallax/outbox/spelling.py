"""A number that was refused as Meta gave it is tried once in its other spelling.

Numbers of Brazil, Mexico and Argentina have two, and Meta may take only the one that it did not
give. Whichever is taken stands in the chat's row from then on; if neither is, the one that Meta
gave.

Source:
    Facts on the numbers of these countries: 131030 is what a test number answers for a recipient
    that is listed under the other spelling, 131026 what any number answers for nobody's. In
    Argentina the form without the 9 may be somebody's landline, so there only 131030 counts.
"""

from dataclasses import dataclass

from openparallax.chats.numbers import alternate_form
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Session
from openparallax.storage import Connection, parcels
from openparallax.storage.database import execute
from openparallax.transcript import Transcripts

NOT_LISTED = 131030
UNDELIVERABLE = 131026
UNTRIED, IN_USE, IN_VAIN = 0, 1, 2
"""What a chat's row says of the other spelling of its address."""
_ARGENTINA = "54"
_CODES = (NOT_LISTED, UNDELIVERABLE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a refusal.

    Attributes:
        goes_again: The parcel is to be sent to what is then the chat's address.
        address: The chat's address from now on, if it changes.
        alternate: Which spelling that is.
    """

    goes_again: bool
    address: str | None = None
    alternate: int = UNTRIED


_OVER = Verdict(goes_again=False)
_AGAIN = Verdict(goes_again=True)


def judge(
    code: int | None, address: str, alternate: int, *, sent_to: str | None, before: int | None
) -> Verdict:
    """Whether a refused parcel goes again, and to which spelling. Pure.

    Args:
        code: Why it was refused.
        address: Where the chat is answered now.
        alternate: Which spelling that is.
        sent_to: Where the refused attempt went; None where that is not known any more, after a
            status.
        before: Why the parcel was refused before, if it was.
    """
    other = alternate_form(address)
    if code not in _CODES or other is None:
        return _OVER
    if sent_to is not None and sent_to != address:
        return _AGAIN  # the address has changed meanwhile, and this one was not tried
    may_try = code == NOT_LISTED or not address.startswith(_ARGENTINA)
    if alternate == UNTRIED and may_try:
        return Verdict(goes_again=True, address=other, alternate=IN_USE)
    if alternate != IN_USE:
        return _OVER
    if may_try and sent_to is None and before not in _CODES:
        return _AGAIN  # perhaps it went to the first spelling, before another parcel changed it
    return Verdict(goes_again=False, address=other, alternate=IN_VAIN)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What became of a refused parcel.

    Attributes:
        goes_again: It waits to be sent to another address; otherwise it has failed.
        has_moved: The chat's row has another address now.
        is_stale: The parcel had left its state before, and nothing was changed.
        unsaid: The session of its words, if by this nothing of them went out.
    """

    goes_again: bool = False
    has_moved: bool = False
    is_stale: bool = False
    unsaid: Session | None = None


def refuse(
    connection: Connection,
    parcel: Parcel,
    code: int | None,
    *,
    sent_to: str | None,
    transcripts: Transcripts,
) -> Refusal:
    """Part of a unit: settle a parcel that its recipient cannot get, or let it go again.

    Args:
        connection: Inside a unit.
        parcel: Leaves the state that it has here.
        code: Meta's error code.
        sent_to: Where the attempt went; None after a status, which may be told again and whose
            token is kept for that.
        transcripts: The room of each mode.
    """
    address, alternate, before = parcels.spelling_of(connection, parcel)
    verdict = judge(code, address, alternate, sent_to=sent_to, before=before)
    if verdict.goes_again:
        write = parcels.wait(
            parcel.number, parcel.state, 0.0, keeps_token=sent_to is None, code=code
        )
    else:
        write = parcels.settle(parcel.number, parcel.state, ParcelState.FAILED, code=code)
    if not parcels.change(connection, write):
        return Refusal(is_stale=True)
    if verdict.address is not None:
        parcels.respell(connection, parcel.chat, verdict.address, verdict.alternate)
    unsaid = None
    if not verdict.goes_again and not parcel.notice and parcels.is_unsaid(connection, parcel):
        unsaid = _unsay(connection, parcel, transcripts)
    return Refusal(verdict.goes_again, has_moved=verdict.address is not None, unsaid=unsaid)


def _unsay(connection: Connection, parcel: Parcel, transcripts: Transcripts) -> Session:
    """Later prompts do not show the words as said."""
    known = parcels.by_number(connection, parcel.number)
    session = parcel.session if known is None else known.parcel.session  # it may have been moved
    for write in transcripts[session.mode].unsay(parcel.turn):
        execute(connection, write)
    return session
