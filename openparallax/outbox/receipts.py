"""Delivery statuses: what Meta says afterwards, matched by number, account and token.

In any order, repeated, before the send's own answer, months late or meant for another app: a status
only ever moves a parcel up, and one that cannot be matched is counted and dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from openparallax.clock import Clock
from openparallax.model.messages import DeliveryStatus, StatusUpdate
from openparallax.model.outcomes import ErrorClass
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Session
from openparallax.model.wamids import id_hash
from openparallax.outbox.delivery import MOST_REPEATS
from openparallax.outbox.spelling import refuse
from openparallax.outbox.tokens import parse_callback, split_tokens
from openparallax.outbox.waits import LATER_S
from openparallax.storage import Connection, chats, held_parcels, parcels
from openparallax.storage.database import execute
from openparallax.trail import Step, Taken
from openparallax.transcript import Transcripts

_NOT_SAID = (ParcelState.FAILED, ParcelState.WITHDRAWN)
_TOLD = {
    DeliveryStatus.DELIVERED: Step.DELIVERED,
    DeliveryStatus.READ: Step.READ,
    DeliveryStatus.PLAYED: Step.PLAYED,
}
_MAY_FAIL = (ParcelState.SENDING, ParcelState.UNKNOWN, ParcelState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Failure:
    """A part that Meta took and could not deliver; it is over."""

    parcel: int
    chat: int
    code: int | None
    error_class: ErrorClass


@dataclass(slots=True)
class Receipts:
    """What the statuses of one request changed.

    Attributes:
        chats: Their lanes are to be read anew.
        paused: Account and code of statuses that say something about the whole number.
        failures: To be logged.
        unsaid: Session and turn of words of ours that never went out.
        said_again: The same of those of which that was said, and which came all the same.
        counts: How often each thing happened.
        holds: Rows of chats were changed, so that what is remembered of them is to be read anew:
            something is held for a chat's next message, or its number is spelt in another way.
        at: When they were applied, unix seconds.
        steps: For the trail.
    """

    chats: set[int] = field(default_factory=set)
    paused: list[tuple[str, int | None]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unsaid: list[tuple[Session, int]] = field(default_factory=list)
    said_again: list[tuple[Session, int]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    holds: bool = False
    at: float = 0.0
    steps: list[Taken] = field(default_factory=list)

    def step(self, step: Step, parcel: Parcel, code: int | None = None) -> None:
        """Note a step of a parcel on the trail."""
        self.steps.append(
            (
                self.at, step, parcel.chat, parcel.turn, 0, parcel.number,
                parcel.account, "", "", code, None, 0,
            )
        )  # fmt: skip

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class ReceiptDesk:
    """Applies statuses inside a unit of work."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        classify: Callable[[int | None], ErrorClass],
        clock: Clock,
    ) -> None:
        self._transcripts = transcripts
        self._classify = classify
        self._clock = clock

    def apply(self, connection: Connection, statuses: Sequence[StatusUpdate]) -> Receipts:
        """Apply what can be matched; part of the caller's unit of work. May be repeated."""
        receipts = Receipts(at=self._clock.now())
        for status in statuses:
            self._apply(connection, status, receipts)
        return receipts

    def _apply(self, connection: Connection, status: StatusUpdate, receipts: Receipts) -> None:
        number, token = parse_callback(status.callback)
        known = parcels.by_number(connection, number) if number else None
        if known is None or known.parcel.account != status.phone_number_id:
            receipts.count("foreign")
            return
        tokens = split_tokens(known.tokens)
        is_dead = token.upper() in tokens and token not in tokens
        if token not in tokens and not is_dead:
            receipts.count("foreign")
            return
        receipts.count(status.status.name.lower())
        seen = known.status or DeliveryStatus.FAILED
        if status.status is DeliveryStatus.FAILED:
            # What failed in an older attempt says nothing about the latest.
            if token == tokens[0] and seen <= DeliveryStatus.SENT:
                self._failed(connection, known.parcel, status.code, receipts)
            return
        if is_dead and status.status is DeliveryStatus.SENT:
            return  # it was sent, then it failed; they came in another order
        accepted = id_hash(status.wamid)
        if (
            known.accepted is not None
            and known.accepted != accepted
            and parcels.note_twice(connection, number, accepted)
        ):
            receipts.count("sent_twice")
        if status.status > seen:
            parcels.note_status(connection, number, status.status, accepted)
            if status.status in _TOLD:
                receipts.step(_TOLD[status.status], known.parcel)
        self._confirm(connection, known.parcel, receipts)

    def _confirm(self, connection: Connection, parcel: Parcel, receipts: Receipts) -> None:
        """Meta has it: whatever we thought, it is not sent again."""
        if parcel.state is ParcelState.ACCEPTED:
            return
        parcels.change(
            connection, parcels.settle(parcel.number, parcel.state, ParcelState.ACCEPTED)
        )
        if parcel.state < ParcelState.ACCEPTED:
            receipts.count("confirmed")
            receipts.step(Step.SENT, parcel)
            receipts.chats.add(parcel.chat)
        elif parcel.state in _NOT_SAID and not parcel.notice:
            for write in self._transcripts[parcel.session.mode].say_again(parcel.turn):
                execute(connection, write)
            receipts.said_again.append((parcel.session, parcel.turn))

    def _failed(
        self, connection: Connection, parcel: Parcel, code: int | None, receipts: Receipts
    ) -> None:
        """Meta says that the latest attempt failed: settle the parcel by the code."""
        if parcel.state not in _MAY_FAIL:
            return  # it was refused at once too, or is over
        parcels.note_failed(connection, parcel.number)
        receipts.chats.add(parcel.chat)
        receipts.count(f"failed_{code}")
        later = self._clock.now() + LATER_S
        match self._classify(code):
            case ErrorClass.WINDOW:
                held_parcels.hold(connection, parcel, code=code or 0)
                chats.hold(connection, parcel.chat, chats.HELD_PARCELS)
                receipts.holds = True
                receipts.step(Step.HELD, parcel, code)
            case ErrorClass.SLOW:
                self._wait(connection, parcel, later)
                receipts.step(Step.DEFERRED, parcel, code)
            case ErrorClass.ACCOUNT:
                receipts.step(Step.DEFERRED, parcel, code)
                self._wait(connection, parcel, 0.0)
                receipts.paused.append((parcel.account, code))
            case ErrorClass.AMBIGUOUS if parcel.ambiguous < MOST_REPEATS:
                # Trouble on Meta's side. It is known not to have arrived, so it may be repeated.
                self._wait(connection, parcel, later, is_repeat=True)
                receipts.step(Step.DEFERRED, parcel, code)
            case error_class:
                # It is known not to have arrived, so it may go again under another spelling.
                refusal = refuse(
                    connection, parcel, code, sent_to=None, transcripts=self._transcripts
                )
                if refusal.unsaid is not None:
                    receipts.unsaid.append((refusal.unsaid, parcel.turn))
                receipts.holds = receipts.holds or refusal.has_moved
                if refusal.goes_again:
                    receipts.count("other_spelling")
                    receipts.step(Step.DEFERRED, parcel, code)
                else:
                    receipts.failures.append(Failure(parcel.number, parcel.chat, code, error_class))
                    receipts.step(Step.FAILED, parcel, code)

    def _wait(
        self,
        connection: Connection,
        parcel: Parcel,
        not_before: float,
        *,
        is_repeat: bool = False,
    ) -> None:
        wait = parcels.wait(
            parcel.number, parcel.state, not_before, keeps_token=True, is_repeat=is_repeat
        )
        parcels.change(connection, wait)
