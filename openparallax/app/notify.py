"""What the service manager is told: ready, alive, stopping. systemd's protocol, over its socket.

Source:
    sd_notify(3) and sd_watchdog_enabled(3): one datagram of ``NAME=VALUE`` lines to the socket that
    ``$NOTIFY_SOCKET`` names, a path or, behind an ``@``, a name that is in no folder.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any, Self

from openparallax.build import is_one_file
from openparallax.clock import Clock, Timer
from openparallax.logs import Logger

BEAT_S = 20.0
"""Longest time between two beats; the watchdog's are a third of its interval apart, if less."""
STUCK_S = 300.0
"""A write that has not ended after so long is stuck and not slow."""
PROGRESS_S = 120.0
"""What a long start is given more, each time that it has got on."""


class Notifier:
    """Tells the service manager how things are; does nothing where there is none.

    Never waits and never fails: a manager that does not listen must not hurt the daemon. The first
    failure is logged; what got lost comes again with the next beat. May be used from any thread.
    """

    def __init__(self, address: str = "", *, log: Logger) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._log = log
        self._has_failed = False
        self.is_wanted = address.startswith(("/", "@"))

    @classmethod
    def take(cls, environment: MutableMapping[str, str], log: Logger) -> Self:
        """As the environment says, and remove it there.

        Engines and stages may start programs of their own; what one of those said to the manager
        would be taken for ours, or be warned of, and it is nobody's business but ours.
        """
        return cls(environment.pop("NOTIFY_SOCKET", ""), log=log)

    def tell(self, **fields: object) -> None:
        """Send, such as ``READY=1, STATUS="answering"``; no value holds a line break."""
        if not self.is_wanted:
            return
        message = "\n".join(f"{name}={value}" for name, value in fields.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.sendto(message.encode(), socket.MSG_DONTWAIT, self._address)
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                self._log.warning("notify_failed", reason=error.strerror or str(error))

    def starts_slowly(self) -> None:
        """The start has got on, and takes its time; may be called as often as one likes."""
        self.tell(EXTEND_TIMEOUT_USEC=_usec(PROGRESS_S), STATUS="starting · upgrading the database")


def take_watchdog(environment: MutableMapping[str, str]) -> float | None:
    """After how many seconds without a beat this process is to be killed, None: never.

    Removed from the environment, as `Notifier.take` does.
    """
    given = environment.pop("WATCHDOG_USEC", "")
    wanted = environment.pop("WATCHDOG_PID", "")
    is_ours = wanted in {"", str(os.getpid())} or (is_one_file() and wanted == str(os.getppid()))
    if not is_ours:
        return None
    with suppress(ValueError):
        if (usec := int(given)) > 0:
            return usec / 1_000_000
    return None


class Heartbeat:
    """Says again and again how the house is and, where there is a watchdog, that it lives.

    It is the event loop that beats, so a loop that hangs does not. Nor does it beat when a write
    has not ended for `STUCK_S`: then nothing is acknowledged any more and only a new process can
    help. Sooner would do harm: a disk that is merely slow is no faster after a kill, the turns
    under way would be asked for again, and the daemon's own answer to it is the 503 that makes Meta
    come back.

    Args:
        describe: The state in words, with no contact in it.
        touch: Begins a write that changes nothing; its future is done when the writer is through.
        watchdog_s: After how long without a beat the process is killed; None: never.
    """

    def __init__(
        self,
        notifier: Notifier,
        *,
        describe: Callable[[], str],
        touch: Callable[[], "asyncio.Future[Any]"],
        watchdog_s: float | None,
        clock: Clock,
        log: Logger,
    ) -> None:
        self._notifier = notifier
        self._describe = describe
        self._touch = touch
        self._is_watched = watchdog_s is not None
        self._every_s = min(BEAT_S, (watchdog_s or BEAT_S * 3) / 3)
        self._clock = clock
        self._log = log
        self._timer: Timer | None = None
        self._touched: asyncio.Future[Any] | None = None
        self._touched_at = 0.0
        self._is_stuck = False
        self._is_reloading = False
        self._ends_by: float | None = None

    def start(self) -> None:
        """The house answers: say so, and begin to beat."""
        if not self._notifier.is_wanted:
            return
        self._beat()

    def reload(self, is_begun: bool) -> None:  # noqa: FBT001 - a state, told as it is
        """A reload begins, or is over: until then the service manager is not told READY.

        Source:
            sd_notify(3): RELOADING=1 with MONOTONIC_USEC=, then READY=1.
        """
        self._is_reloading = is_begun and self._ends_by is None
        self._notifier.tell(**self._state())

    def begin_end(self, most_s: float) -> None:
        """The house is stopping and may take ``most_s`` seconds for it."""
        self._ends_by = self._clock.monotonic() + most_s
        self._notifier.tell(**self._state())

    def stop(self) -> None:
        """Beat no more; may be called twice."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._timer = self._clock.call_later(self._every_s, self._beat)
        fields = self._state()
        if self._is_watched and self._writes():
            fields["WATCHDOG"] = 1
        self._notifier.tell(**fields)

    def _state(self) -> dict[str, object]:
        """All of it each time: what was told before may have got lost."""
        if self._ends_by is None and self._is_reloading:
            usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            return {"RELOADING": 1, "MONOTONIC_USEC": usec, "STATUS": self._describe()}
        if self._ends_by is None:
            # The one-file program's own process is the parent of this one, and tells how it ends.
            own = {} if is_one_file() else {"MAINPID": os.getpid()}
            return {"READY": 1, **own, "STATUS": self._describe()}
        left_s = max(0.0, self._ends_by - self._clock.monotonic())
        return {"STOPPING": 1, "EXTEND_TIMEOUT_USEC": _usec(left_s), "STATUS": self._describe()}

    def _writes(self) -> bool:
        """Whether the writer gets on; begins the next look at it."""
        now = self._clock.monotonic()
        if self._touched is None or self._touched.done():
            self._touched, self._touched_at = self._touch(), now
            self._touched.add_done_callback(_look_at)
            self._is_stuck = False
            return True
        waited = now - self._touched_at
        if waited < STUCK_S:
            return True
        if not self._is_stuck:
            self._is_stuck = True
            self._log.error(
                "writer_stuck",
                seconds=round(waited),
                hint="the watchdog may end this process now; see whether the disk answers",
            )
        return False


def describe(state: str, *, turns: int, waiting: int, webhook_s: float | None) -> str:
    """One line for ``systemctl status``: ``answering · 3 turns running · 0 waiting · …``.

    Args:
        state: A word: what the daemon is doing.
        turns: How many run.
        waiting: Messages that wait for a turn.
        webhook_s: How long ago the last webhook came; None if none did.
    """
    last = "no webhook yet" if webhook_s is None else f"last webhook {_ago(webhook_s)} ago"
    return f"{state} · {turns} turn{'s' * (turns != 1)} running · {waiting} waiting · {last}"


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _look_at(touched: "asyncio.Future[Any]") -> None:
    """A write that failed has ended as well; that it did is others' to tell."""
    if not touched.cancelled():
        touched.exception()


def _usec(seconds: float) -> int:
    return round(seconds * 1_000_000)
