"""Who is next: those who wrote just now, and those whose messages have waited out an outage."""

from collections import deque

from openparallax.clock import Clock
from openparallax.dispatch.lane import Lane
from openparallax.storage.window import WINDOW_S

LATE_S = 120
"""Whose latest message is older than this when its chat wants a turn, waits since an outage."""


class Ready:
    """Lanes that want a turn, in two lines that take turns; in each, first come, first served.

    After an outage thousands want a turn at once. Whoever writes now has waited for nothing yet and
    does not stand behind all of them; nor do they stand behind everybody who writes now.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._fresh: deque[Lane] = deque()
        self._late: deque[Lane] = deque()
        self._is_late_next = False

    def __len__(self) -> int:
        """How many lanes there are, at most: who changed over is counted twice."""
        return len(self._fresh) + len(self._late)

    def add(self, lane: Lane) -> None:
        """A lane wants a turn."""
        lane.is_ready = True
        lane.is_late = self._has_waited(lane)
        (self._late if lane.is_late else self._fresh).append(lane)

    def look_again(self, lane: Lane) -> None:
        """A lane that stands here got another message: its person is here, so it changes over."""
        if lane.is_late and not self._has_waited(lane):
            lane.is_late = False
            self._fresh.append(lane)

    def take(self) -> Lane | None:
        """The next lane; None if there is none."""
        while True:
            if self._late and (self._is_late_next or not self._fresh):
                lane = self._late.popleft()
                if not (lane.is_ready and lane.is_late):
                    continue  # it changed over
                self._is_late_next = False
            elif self._fresh:
                lane = self._fresh.popleft()
                self._is_late_next = True
            else:
                return None
            lane.is_ready = False
            return lane

    def _has_waited(self, lane: Lane) -> bool:
        # By the window, which is counted from Meta's timestamp only where that can be true.
        return self._clock.now() - LATE_S > lane.window_until - WINDOW_S
