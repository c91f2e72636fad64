"""The gate of one of our numbers: its state and its pace, which every send has to pass."""

from openparallax.model.parcel import Parcel
from openparallax.outbox.account import AccountState
from openparallax.outbox.pacing import Pacing


class Gate:
    """Lets sends through."""

    __slots__ = ("pacing", "state")

    def __init__(self, state: AccountState, pacing: Pacing) -> None:
        self.state = state
        self.pacing = pacing

    def wait_s(self) -> float:
        """Seconds until the number may send to anybody; infinite while it is being probed."""
        return max(self.state.wait_s(), self.pacing.number_wait_s())

    def is_open(self, chat: int) -> bool:
        """Whether a message to this chat may go out at once, and not as a probe."""
        return not (self.state.is_paused or self.wait_s() or self.pacing.chat_wait_s(chat))

    def begin(self, parcel: Parcel) -> None:
        """A step that may send ``parcel`` begins."""
        self.state.begin(parcel.number)
        self.pacing.take(parcel.chat)

    def end(self, parcel: Parcel, *, has_sent: bool) -> None:
        """It is over; if nothing was sent, the pace is as if it had not been."""
        self.state.ended(parcel.number)
        if not has_sent:
            self.pacing.give_back(parcel.chat)
