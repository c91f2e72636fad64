"""How long an open parcel is to wait before it may be sent, or sent again.

Counted in monotonic time from the moment in which this process learnt of it: a clock that jumps
neither shortens nor lengthens a wait, and time in which our listener was down does not count. What
an earlier process wrote down in wall time is clamped to the longest legal wait.
"""

from dataclasses import dataclass

from openparallax.clock import Clock
from openparallax.model.parcel import Parcel, ParcelState

LONGEST_BACKOFF_S = 300.0
LONGEST_UNREACHABLE_S = 60.0
LATER_S = 30.0
"""After a failed status that says "later"."""
PRUNED_PAST = 10_000


@dataclass(slots=True)
class _Wait:
    """One wait.

    Attributes:
        state: With ``attempts``, what the parcel was like: a change of either ends the wait.
        due: When it is over, in monotonic time.
        reason: Why; waits for the same reason in a row grow.
        count: How many in a row there were.
    """

    state: ParcelState
    attempts: int
    due: float
    reason: str = ""
    count: int = 0


class Waits:
    """The waits of all parcels that have one.

    Attributes:
        receipt_wait_s: How long a status is waited for; another counts for waits that begin later.
    """

    def __init__(self, clock: Clock, *, receipt_wait_s: float) -> None:
        self._clock = clock
        self.receipt_wait_s = receipt_wait_s
        self._waits: dict[int, _Wait] = {}
        self._pruned_past = PRUNED_PAST

    def left_s(self, parcel: Parcel) -> float:
        """Seconds until the parcel may be sent; 0 if it may be now."""
        if parcel.state is ParcelState.SENDING:
            return 0.0  # claimed for this very moment
        if parcel.state is not ParcelState.UNKNOWN and not parcel.not_before:
            return 0.0
        wait = self._waits.get(parcel.number)
        if wait is None or wait.state is not parcel.state or wait.attempts != parcel.attempts:
            wait = self._begin(parcel, self._first_s(parcel))
        return max(0.0, wait.due - self._clock.monotonic())

    def _first_s(self, parcel: Parcel) -> float:
        if parcel.state is ParcelState.UNKNOWN:
            # For a status that says what became of the latest attempt; longer for each further one.
            return self.receipt_wait_s * 2.0 ** max(0, parcel.ambiguous - 1)
        legal_s = min(max(LATER_S, 4.0 ** min(parcel.attempts, 5)), LONGEST_BACKOFF_S)
        return min(parcel.not_before - self._clock.now(), legal_s)

    def pair_rate_s(self, parcel: Parcel) -> float:
        """Begin the back-off after "too many messages to this contact": 1, 4, 16, 64 … seconds.

        Source:
            Cloud API, code 131056: retry after 4^X seconds.
        """
        count = self._count(parcel, "pair_rate")
        return self._back_off(
            parcel, "pair_rate", count, min(4.0 ** (count - 1), LONGEST_BACKOFF_S)
        )

    def unreachable_s(self, parcel: Parcel) -> float:
        """Begin the back-off after a connection that was not established: 2, 4, 8 … seconds."""
        count = self._count(parcel, "unreachable")
        return self._back_off(parcel, "unreachable", count, min(2.0**count, LONGEST_UNREACHABLE_S))

    def forget(self, parcel: Parcel) -> None:
        """The parcel is over."""
        if self._waits:
            self._waits.pop(parcel.number, None)

    def _count(self, parcel: Parcel, reason: str) -> int:
        wait = self._waits.get(parcel.number)
        return min(wait.count + 1, 20) if wait is not None and wait.reason == reason else 1

    def _back_off(self, parcel: Parcel, reason: str, count: int, seconds: float) -> float:
        wait = self._begin(parcel, seconds)
        wait.state, wait.reason, wait.count = ParcelState.WAITING, reason, count
        return seconds

    def _begin(self, parcel: Parcel, seconds: float) -> _Wait:
        now = self._clock.monotonic()
        if len(self._waits) >= self._pruned_past:
            self._waits = {n: wait for n, wait in self._waits.items() if wait.due > now}
            self._pruned_past = max(PRUNED_PAST, 2 * len(self._waits))
        wait = self._waits[parcel.number] = _Wait(parcel.state, parcel.attempts, now + seconds)
        return wait
