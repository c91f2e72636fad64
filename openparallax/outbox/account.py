"""The state of one of our numbers: sending, slowed down, or paused."""

from openparallax.clock import Clock
from openparallax.logs import Logger

FIRST_PROBE_S = 5.0
LONGEST_PROBE_S = 300.0
LONGEST_SLOW_S = 300.0
RELAPSE_S = 60.0


class AccountState:
    """Whether a number may send.

    A paused number keeps everything that waits. One parcel is tried at growing intervals, the
    *probe*; as soon as Graph takes it, all go on. Each failed probe is logged as an error: somebody
    has to act. What was under way when the number was paused says nothing new: it neither lengthens
    the interval nor ends the pause.
    """

    def __init__(self, account: str, clock: Clock, log: Logger) -> None:
        self.account = account
        self.code: int | None = None
        self._clock = clock
        self._log = log
        self._interval_s = 0.0
        self._last_interval_s = 0.0
        self._resumed_at = 0.0
        self._slow_s = 0.0
        self._not_before = 0.0
        self._probe: int | None = None

    @property
    def is_paused(self) -> bool:
        return self._interval_s > 0

    def wait_s(self) -> float:
        """Seconds until the number may send one; infinite while a probe is under way."""
        if self._probe is not None:
            return float("inf")
        return max(0.0, self._not_before - self._clock.monotonic())

    def begin(self, parcel: int) -> None:
        """A send begins; on a paused number it is the probe."""
        if self.is_paused:
            self._probe = parcel

    def ended(self, parcel: int) -> None:
        """A send has ended; if it was the probe and told nothing, the next may be tried at once."""
        if self._probe == parcel:
            self._probe = None

    def accepted(self, parcel: int) -> bool:
        """Graph took a message; True if the number was paused, and goes on for that."""
        self._slow_s = 0.0
        if self._probe == parcel and self.is_paused:
            self._last_interval_s, self._interval_s = self._interval_s, 0.0
            self._resumed_at = self._clock.monotonic()
            self._not_before = 0.0
            self._probe = None
            self.code = None
            self._log.warning("account_resumed", account=self.account)
            return True
        return False

    def pause(self, code: int | None, hint: str, parcel: int | None = None) -> None:
        """Graph refused for a reason that holds for the whole number.

        Args:
            code: Meta's error code.
            hint: What a person is to do.
            parcel: Which send was refused; None where a status said so.
        """
        now = self._clock.monotonic()
        if not self.is_paused:
            # Soon after a resumption it goes on where it was: a number may take messages and let
            # each of them fail afterwards.
            relapsed = now - self._resumed_at < self._last_interval_s + RELAPSE_S
            interval_s = self._last_interval_s * 2 if relapsed else 0.0
        elif parcel is not None and parcel == self._probe:
            interval_s = self._interval_s * 2
        else:
            return
        self._interval_s = min(max(FIRST_PROBE_S, interval_s), LONGEST_PROBE_S)
        self._not_before = now + self._interval_s
        self._probe = None
        self.code = code
        self._log.error(
            "account_paused",
            account=self.account,
            code=code,
            hint=hint,
            wait_s=self._interval_s,
        )

    def try_soon(self) -> None:
        """Something was mended, perhaps what it was paused or slowed for: it may be tried now."""
        self._not_before = 0.0
        if self.is_paused:
            self._interval_s = FIRST_PROBE_S

    def slow_down(self, code: int | None) -> float:
        """A rate of the whole number was passed: nothing goes out for a while.

        Longer each time, until a message is taken again; those that were under way together count
        as once.

        Returns:
            For how many seconds nothing goes out.
        """
        now = self._clock.monotonic()
        if now >= self._not_before:
            self._slow_s = min(max(1.0, self._slow_s * 4), LONGEST_SLOW_S)
            self._not_before = now + self._slow_s
            self._log.warning(
                "account_slowed", account=self.account, code=code, wait_s=self._slow_s
            )
        return self._not_before - now
