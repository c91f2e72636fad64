"""How fast: token buckets, one for each of our numbers and one for each chat."""

from openparallax.clock import Clock


class Bucket:
    """At most ``burst`` at once, refilled at ``per_second``; None means no limit."""

    __slots__ = ("_at", "_burst", "_clock", "_left", "_per_second")

    def __init__(self, burst: float, per_second: float, clock: Clock) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left = burst
        self._at = clock.monotonic()

    def wait_s(self) -> float:
        """Seconds until one more is allowed; 0 if it is now."""
        now = self._clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        return 0.0 if self._left >= 1 else (1 - self._left) / self._per_second

    def take(self) -> None:
        """Count one; the caller has asked `wait_s`."""
        self._left -= 1

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
        self._number = None if per_second is None else Bucket(per_second, per_second, clock)
        self._pair_burst = pair_burst
        self._pair_per_second = 1 / pair_interval_s
        self._pairs: dict[int, Bucket] = {}

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
            if len(self._pairs) >= self.PRUNED_PAST:
                self._pairs = {one: b for one, b in self._pairs.items() if not b.is_full}
            bucket = self._pairs[chat] = Bucket(
                self._pair_burst, self._pair_per_second, self._clock
            )
        bucket.take()
