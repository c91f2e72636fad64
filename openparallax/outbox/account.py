"""The state of one of our numbers: sending, slowed down, or paused."""

from openparallax.clock import Clock
from openparallax.logs import Logger

FIRST_PROBE_S = 5.0
LONGEST_PROBE_S = 300.0


class AccountState:
    """Whether a number may send.

    A paused number keeps everything that waits. One parcel is tried at growing intervals; as soon
    as Graph takes one, all go on. Each failed probe is logged as an error: somebody has to act.
    """

    def __init__(self, account: str, clock: Clock, log: Logger) -> None:
        self.account = account
        self._clock = clock
        self._log = log
        self._interval_s = 0.0
        self._not_before = 0.0
        self._is_probing = False
        self.code: int | None = None

    @property
    def is_paused(self) -> bool:
        return self._interval_s > 0

    def wait_s(self) -> float:
        """Seconds until the number may send one; infinite while a probe is under way."""
        if self.is_paused and self._is_probing:
            return float("inf")
        return max(0.0, self._not_before - self._clock.monotonic())

    def begin(self) -> None:
        """A send begins; on a paused number it is the probe."""
        self._is_probing = self.is_paused

    def slow_down(self, seconds: float) -> None:
        """A rate of the whole number was passed: nothing goes out for a while."""
        self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def pause(self, code: int | None, hint: str) -> None:
        """Graph refused for a reason that holds for the whole number."""
        if self.is_paused and not self._is_probing:
            return  # was under way already when the number was paused
        self._interval_s = min(max(FIRST_PROBE_S, self._interval_s * 2), LONGEST_PROBE_S)
        self._not_before = self._clock.monotonic() + self._interval_s
        self._is_probing = False
        self.code = code
        self._log.error(
            "account_paused",
            account=self.account,
            code=code,
            hint=hint,
            wait_s=self._interval_s,
        )

    def ended(self) -> None:
        """A probe ended without saying anything about the number."""
        self._is_probing = False

    def resume(self) -> None:
        """Graph took a message."""
        self._is_probing = False
        if self.is_paused:
            self._interval_s = 0.0
            self._not_before = 0.0
            self.code = None
            self._log.warning("account_resumed", account=self.account)
