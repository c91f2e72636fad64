"""How fast: at most so many a second for each of our numbers, and a bucket for each chat."""

from collections import deque

from openparallax.clock import Clock

_HAIR = 1e-6
"""Who has waited as long as he was told is not sent away for a rounding error."""


class Window:
    """At most ``most`` in any stretch of ``seconds``."""

    __slots__ = ("_clock", "_most", "_seconds", "_times")

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._times: deque[float] = deque()

    def followed_by(self, after: "Window") -> None:
        """What went out under this pace counts in another."""
        for at in self._times:
            after.note(at)

    def note(self, at: float) -> None:
        """Count one that went out at this monotonic time, the latest so far."""
        if len(self._times) >= self._most:
            self._times.popleft()
        self._times.append(at)

    def wait_s(self) -> float:
        """Seconds until one more is allowed; 0 if it is now."""
        if len(self._times) < self._most:
            return 0.0
        left = self._times[-self._most] + self._seconds - self._clock.monotonic()
        return left if left > _HAIR else 0.0

    def take(self) -> None:
        """Count one; the caller has asked `wait_s`."""
        self.note(self._clock.monotonic())

    def give_back(self) -> None:
        """The latest one was not needed after all."""
        if self._times:
            self._times.pop()


class Bucket:
    """At most ``burst`` at once, refilled at ``per_second``."""

    __slots__ = ("_at", "_burst", "_clock", "_left", "_per_second")

    def __init__(self, burst: float, per_second: float, clock: Clock) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left = burst
        self._at = clock.monotonic()

    def change(self, burst: float, per_second: float) -> None:
        """Another pace from now on; what has gone out of this bucket is not put back."""
        self.wait_s()
        self._left += burst - self._burst
        self._burst = burst
        self._per_second = per_second

    def wait_s(self) -> float:
        """Seconds until one more is allowed; 0 if it is now."""
        now = self._clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        left = (1 - self._left) / self._per_second
        return left if left > _HAIR else 0.0

    def take(self) -> None:
        """Count one; the caller has asked `wait_s`."""
        self._left -= 1

    def give_back(self) -> None:
        """The latest one was not needed after all."""
        self._left += 1

    @property
    def is_full(self) -> bool:
        """Whether nothing would be forgotten if this bucket were."""
        self.wait_s()
        return self._left >= self._burst


class Pacing:
    """The pace of one of our numbers and of each of its chats.

    Source:
        Cloud API: 80 messages a second and number; one message in six seconds to the same person,
        after a burst of up to 45.
    """

    PRUNED_PAST = 10_000

    def __init__(
        self,
        clock: Clock,
        *,
        per_second: float | None,
        pair_burst: int | None,
        pair_interval_s: float,
    ) -> None:
        self._clock = clock
        self._number: Window | None = None
        self._pairs: dict[int, Bucket] = {}
        self._pruned_past = self.PRUNED_PAST
        self.change(per_second, pair_burst, pair_interval_s)

    def change(
        self, per_second: float | None, pair_burst: int | None, pair_interval_s: float
    ) -> None:
        """Another pace from now on; what has gone out so far counts in it."""
        before, self._number = self._number, None
        if per_second is not None:
            most = max(1, int(per_second))
            self._number = Window(most, most / per_second, self._clock)
            if before is not None:
                before.followed_by(self._number)
        self._pair_burst = pair_burst
        self._pair_per_second = 1 / pair_interval_s
        if pair_burst is None:
            self._pairs.clear()
        for bucket in self._pairs.values():
            bucket.change(pair_burst or 0, self._pair_per_second)

    def number_wait_s(self) -> float:
        """Seconds until the number may send."""
        return 0.0 if self._number is None else self._number.wait_s()

    def chat_wait_s(self, chat: int) -> float:
        """Seconds until the number may send to this chat."""
        bucket = self._pairs.get(chat)
        return 0.0 if bucket is None else bucket.wait_s()

    def take(self, chat: int) -> None:
        """Count one send to this chat."""
        if self._number is not None:
            self._number.take()
        if self._pair_burst is None:
            return
        bucket = self._pairs.get(chat)
        if bucket is None:
            if len(self._pairs) >= self._pruned_past:
                self._prune()
            bucket = self._pairs[chat] = Bucket(
                self._pair_burst, self._pair_per_second, self._clock
            )
        bucket.take()

    def give_back(self, chat: int) -> None:
        """The latest send that was counted did not take place."""
        if self._number is not None:
            self._number.give_back()
        bucket = self._pairs.get(chat)
        if bucket is not None:
            bucket.give_back()

    def _prune(self) -> None:
        """Forget the chats that were quiet; look again only when twice as many have come."""
        self._pairs = {chat: bucket for chat, bucket in self._pairs.items() if not bucket.is_full}
        self._pruned_past = max(self.PRUNED_PAST, 2 * len(self._pairs))
