"""Saying what is wrong once a minute, however often it happens."""

from typing import Any

from openparallax.clock import Clock
from openparallax.logs import Logger

_QUIET_S = 60.0


class Complaint:
    """One kind of trouble; its line says how often it came since the line before.

    Args:
        keys: What every line of this kind says besides the count.
    """

    def __init__(self, log: Logger, clock: Clock, event: str, **keys: Any) -> None:
        self._log = log
        self._clock = clock
        self._event = event
        self._keys = keys
        self._count = 0
        self._quiet_until: float | None = None

    def happened(self, **keys: Any) -> None:
        """Count it, and log a warning if the last one is a minute ago."""
        self._count += 1
        now = self._clock.monotonic()
        if self._quiet_until is None or now >= self._quiet_until:
            self._log.warning(self._event, count=self._count, **self._keys, **keys)
            self._count = 0
            self._quiet_until = now + _QUIET_S
