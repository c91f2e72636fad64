"""A lane for each chat with something to send: one parcel at a time, in order."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from openparallax.clock import Timer
from openparallax.model.noun import noun
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.outbox.account import AccountState

if TYPE_CHECKING:
    from openparallax.outbox.lanes import Line


@noun(frozen=True, slots=True)
class Next:
    """What follows a step of delivery.

    Attributes:
        rest_s: The chat's lane rests for so long; 0 to go on.
        is_over: The parcel has left the lane.
        parcel: As it is now, if it stays.
        has_sent: A send was begun, so that the pace is to be kept.
        must_read: The table knows better than the lane: read it anew.
    """

    rest_s: float = 0.0
    is_over: bool = True
    parcel: Parcel | None = None
    has_sent: bool = False
    must_read: bool = False


Deliver = Callable[[Parcel, AccountState, Callable[[], None]], Awaitable[Next]]
"""Takes a parcel a step further; the callable is called when its send is over, before the outcome
is on disk."""


class Lane:
    """What is known of a chat that has something to send, or is about to.

    Attributes:
        parcels: Open ones, by rising number; one in doubt stands first.
        is_busy: A step is under way, or the lane rests or is reserved: no other step may begin.
        is_reserved: A turn is about to post a parcel that it has claimed for sending.
        is_claimed: The first parcel was claimed for the very next step, in the turn's transaction.
        is_cold: To be read from the table before its next send.
        has_place: It counts among the sends under way; see `places`.
        is_cut: The step under way was ended from outside, since its parcel is settled.
        line: Where it stands among those that want a step, if it does.
        timer: Ends the lane's rest.
        task: The delivery under way.
    """

    __slots__ = (
        "chat",
        "has_place",
        "is_busy",
        "is_claimed",
        "is_cold",
        "is_cut",
        "is_reserved",
        "line",
        "parcels",
        "task",
        "timer",
    )

    def __init__(self, chat: int) -> None:
        self.chat = chat
        self.parcels: deque[Parcel] = deque()
        self.is_busy = False
        self.is_reserved = False
        self.is_claimed = False
        self.is_cold = False
        self.is_cut = False
        self.has_place = False
        self.line: Line | None = None
        self.timer: Timer | None = None
        self.task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """End the lane's rest, if it rests."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.is_busy = False

    def follow(self, parcel: Parcel, follows: Next) -> None:
        """Take over what became of the first parcel."""
        if follows.must_read:
            self.is_cold = True
        elif self.parcels and self.parcels[0] is parcel:
            if follows.is_over:
                self.parcels.popleft()
            elif follows.parcel is not None:
                self.parcels[0] = follows.parcel

    def replace(self, found: Iterable[Parcel], known_before: set[int]) -> None:
        """Take over what the table has, and keep what came while it was read.

        A parcel in doubt stays first, even before older ones that it overtook: a confirmation of
        ``/otr`` may get its number while an answer is on its way. The table lets nothing pass it.
        """
        merged = {parcel.number: parcel for parcel in found}
        for parcel in self.parcels:
            if parcel.number not in known_before:
                merged[parcel.number] = parcel
        self.parcels = deque(sorted(merged.values(), key=_place))


def _place(parcel: Parcel) -> tuple[bool, int]:
    return parcel.state is not ParcelState.UNKNOWN, parcel.number
