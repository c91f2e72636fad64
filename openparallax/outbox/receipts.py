"""Delivery statuses: what Meta says afterwards, matched by number, account and token.

In any order, repeated, before the send's own answer, months late or meant for another app: a status
only ever moves a parcel up, and one that cannot be matched is counted and dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from openparallax.clock import Clock
from openparallax.model.messages import DeliveryStatus, StatusUpdate
from openparallax.model.outcomes import ErrorClass
from openparallax.model.parcel import OPEN_BELOW, Parcel, ParcelState
from openparallax.outbox.delivery import id_hash
from openparallax.storage import Connection, chats, parcels
from openparallax.storage.database import execute
from openparallax.storage.parcels import TOKEN_DIGITS

_OPEN_SENDS = (ParcelState.SENDING, ParcelState.UNKNOWN)
SLOW_S = 30.0


@dataclass(slots=True)
class Receipts:
    """What the statuses of one request changed.

    Attributes:
        chats: Their lanes are to be read anew.
        paused: Code and account of statuses that say something about the whole number.
        counts: How often each thing happened.
    """

    chats: set[int] = field(default_factory=set)
    paused: list[tuple[str, int | None]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    holds: bool = False

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class ReceiptDesk:
    """Applies statuses inside a unit of work."""

    def __init__(self, *, classify: Callable[[int | None], ErrorClass], clock: Clock) -> None:
        self._classify = classify
        self._clock = clock

    def apply(self, connection: Connection, statuses: Sequence[StatusUpdate]) -> Receipts:
        """Apply what can be matched; part of the caller's unit of work. May be repeated."""
        receipts = Receipts()
        for status in statuses:
            self._apply(connection, status, receipts)
        return receipts

    def _apply(self, connection: Connection, status: StatusUpdate, receipts: Receipts) -> None:
        number, token = _parse(status.callback)
        found = parcels.by_number(connection, number) if number else None
        if (
            found is None
            or found[0].account != status.phone_number_id
            or token not in _tokens(found[1])
        ):
            receipts.count("foreign")
            return
        parcel, tokens, highest = found
        receipts.count(status.status.name.lower())
        if status.status is DeliveryStatus.FAILED:
            if token == tokens[:TOKEN_DIGITS] and (
                highest is None or highest <= DeliveryStatus.SENT
            ):
                self._failed(connection, parcel, status.code, receipts)
            return
        self._note_twice(connection, parcel, status, receipts)
        parcels.note_status(connection, parcel.number, status.status, id_hash(status.wamid))
        if parcel.state in _OPEN_SENDS or parcel.state is ParcelState.WAITING:
            execute(
                connection,
                parcels.settle(parcel.number, (parcel.state,), ParcelState.ACCEPTED),
            )
            receipts.count("confirmed")
            receipts.chats.add(parcel.chat)
        elif parcel.state in (ParcelState.UNCONFIRMED, ParcelState.FAILED):
            execute(
                connection,
                parcels.settle(parcel.number, (parcel.state,), ParcelState.ACCEPTED),
            )

    def _note_twice(
        self, connection: Connection, parcel: Parcel, status: StatusUpdate, receipts: Receipts
    ) -> None:
        """Another id than the first one's: Meta took this part more than once."""
        first = parcels.accepted_as(connection, parcel.number)
        if (
            first is not None
            and first != id_hash(status.wamid)
            and parcels.note_twice(connection, parcel.number)
        ):
            receipts.count("sent_twice")

    def _failed(
        self, connection: Connection, parcel: Parcel, code: int | None, receipts: Receipts
    ) -> None:
        """Meta says that the latest attempt failed: settle the parcel by the code."""
        if parcel.state < OPEN_BELOW and parcel.state not in _OPEN_SENDS:
            return  # is to be sent again anyway
        if parcel.state not in (*_OPEN_SENDS, ParcelState.ACCEPTED):
            return
        leaves = (parcel.state,)
        receipts.chats.add(parcel.chat)
        error_class = self._classify(code)
        if error_class is ErrorClass.WINDOW:
            execute(connection, parcels.settle(parcel.number, leaves, ParcelState.HELD, code=code))
            execute(connection, parcels.withdraw_older(parcel.chat, parcel.turn))
            chats.hold(connection, parcel.chat, chats.HELD_PARCELS)
            receipts.holds = True
        elif error_class in (ErrorClass.ACCOUNT, ErrorClass.SLOW):
            not_before = self._clock.now() + (SLOW_S if error_class is ErrorClass.SLOW else 0)
            execute(connection, parcels.wait(parcel.number, parcel.state, not_before))
            if error_class is ErrorClass.ACCOUNT:
                receipts.paused.append((parcel.account, code))
        else:
            execute(
                connection, parcels.settle(parcel.number, leaves, ParcelState.FAILED, code=code)
            )
        receipts.count(f"failed_{code}")


def _parse(callback: str | None) -> tuple[int, str]:
    """Number and token of a callback of ours; (0, "") if it is none."""
    if callback is None or len(callback) > 64:
        return 0, ""
    number, dot, token = callback.partition(".")
    if not dot or len(token) != TOKEN_DIGITS:
        return 0, ""
    try:
        parsed = int(number, 16)
    except ValueError:
        return 0, ""
    return (parsed, token) if 0 < parsed < 1 << 62 else (0, "")


def _tokens(joined: str) -> list[str]:
    return [joined[i : i + TOKEN_DIGITS] for i in range(0, len(joined), TOKEN_DIGITS)]
