"""A clock whose wall time can be set wrong; its waits are real and short."""

import time

from openparallax.clock import SystemClock


class Wall(SystemClock):
    """The machine's clock, ``ahead`` seconds ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead
