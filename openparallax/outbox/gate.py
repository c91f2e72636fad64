"""The gate of one of our numbers: its state and its pace, which every send has to pass."""

from collections.abc import Callable

from openparallax.logs import Logger
from openparallax.model.parcel import Parcel
from openparallax.outbox.account import AccountState
from openparallax.outbox.pacing import Pacing


class Gate:
    """Lets sends through, unless nobody serves the number: then everything waits.

    Args:
        serves: Whether a number is in the configuration; may change while the daemon runs.
    """

    __slots__ = ("_is_told", "_log", "_serves", "pacing", "state")

    def __init__(
        self, state: AccountState, pacing: Pacing, serves: Callable[[str], bool], log: Logger
    ) -> None:
        self.state = state
        self.pacing = pacing
        self._serves = serves
        self._log = log
        self._is_told = False

    def wait_s(self) -> float:
        """Seconds until the number may send to anybody.

        Infinite while it is being probed, and where nobody serves it.
        """
        if not self._serves(self.state.account):
            self._tell_not_served()
            return float("inf")
        return max(self.state.wait_s(), self.pacing.number_wait_s())

    def is_open(self, chat: int) -> bool:
        """Whether a message to this chat may go out at once, and not as a probe."""
        return not (self.state.is_paused or self.wait_s() or self.pacing.chat_wait_s(chat))

    def _tell_not_served(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._log.warning(
                "account_not_served",
                account=self.state.account,
                hint="what is to be sent from this number waits, since the configuration does not"
                " name it; put it back among the accounts to have it sent",
            )

    def try_soon(self) -> None:
        """What the number was paused or slowed for may be mended; or it is served again."""
        self.state.try_soon()
        self._is_told = False

    def begin(self, parcel: Parcel) -> None:
        """A step that may send ``parcel`` begins."""
        self.state.begin(parcel.number)
        self.pacing.take(parcel.chat)

    def end(self, parcel: Parcel, *, has_sent: bool) -> None:
        """It is over; if nothing was sent, the pace is as if it had not been."""
        self.state.ended(parcel.number)
        if not has_sent:
            self.pacing.give_back(parcel.chat)
