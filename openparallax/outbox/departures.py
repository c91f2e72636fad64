"""Who goes next: the gates of all our numbers, and the lanes that stand before them."""

from collections.abc import Callable, Collection

from openparallax.clock import Clock
from openparallax.logs import Logger
from openparallax.model.parcel import Parcel
from openparallax.outbox.account import AccountState
from openparallax.outbox.gate import Gate
from openparallax.outbox.lane import Lane
from openparallax.outbox.lanes import Lanes, Line
from openparallax.outbox.pacing import Pacing


class Departures:
    """Takes one lane after the other out of its line, where its number's gate is open."""

    def __init__(
        self,
        lanes: Lanes,
        *,
        pacing: Callable[[str], Pacing],
        serves: Callable[[str], bool],
        rest: Callable[[Lane, float], None],
        go_on: Callable[[], None],
        clock: Clock,
        log: Logger,
    ) -> None:
        self._lanes = lanes
        self._make_pacing = pacing
        self._serves = serves
        self._rest = rest
        self._go_on = go_on
        self._clock = clock
        self._log = log
        self._gates: dict[str, Gate] = {}

    def gate(self, account: str) -> Gate:
        """The gate of one of our numbers."""
        gate = self._gates.get(account)
        if gate is None:
            state = AccountState(account, self._clock, self._log)
            pacing = self._make_pacing(account)
            gate = self._gates[account] = Gate(state, pacing, self._serves, self._log)
        return gate

    def change_pace(self, change: Callable[[Pacing], None]) -> None:
        """Have ``change`` change the pace of every number that has one by now.

        What rests looks again for how long it has to.
        """
        for gate in self._gates.values():
            change(gate.pacing)
        self._lanes.look_at_all()
        self._lanes.wake_all()
        self._go_on()

    def try_soon(self, accounts: Collection[str]) -> None:
        """What these numbers were paused or slowed for may be mended, or they are served now."""
        for account in accounts:
            self.gate(account).try_soon()
            self._lanes.look_again(account)
        self._go_on()

    def next(self) -> tuple[Lane, Parcel | None] | None:
        """The lane whose step is next, and the parcel for which a gate was passed, if one was.

        Every gate that was passed is to be left with `end`. None if nobody may go now; then
        ``go_on`` is called when the time has come for somebody.
        """
        while line := self._lanes.next_line:
            if line.account is None:
                return self._lanes.take(), None
            gate = self.gate(line.account)
            if wait_s := gate.wait_s():
                self._lanes.pass_over()
                self._come_back(line, wait_s)
            elif wait_s := gate.pacing.chat_wait_s(line.first.chat):
                self._rest(self._lanes.take(), wait_s)
            else:
                lane = self._lanes.take()
                parcel = lane.parcels[0]
                gate.begin(parcel)
                return lane, parcel
        return None

    def end(self, parcel: Parcel, *, has_sent: bool) -> None:
        """What passed a gate is over; perhaps the number may send again, or sooner."""
        self.gate(parcel.account).end(parcel, has_sent=has_sent)
        self._lanes.look_again(parcel.account)

    def _come_back(self, line: Line, wait_s: float) -> None:
        """Let a line take turns again after ``wait_s``; the end of a probe needs no timer."""
        due = self._clock.monotonic() + wait_s
        if wait_s == float("inf") or (line.timer is not None and line.due <= due):
            return
        if line.timer is not None:
            line.timer.cancel()

        def come_back() -> None:
            line.timer = None
            self._lanes.join(line)
            self._go_on()

        line.due = due
        line.timer = self._clock.call_later(wait_s, come_back)
