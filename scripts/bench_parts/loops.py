"""One round: messages are sent in a closed or an open loop, and what comes back is counted."""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench_parts.connections import Connections, Fresh, Kept
from bench_parts.orders import Orders, Target

GRACE_S = 30.0
"""How long after a round's end its answers may still come; then they are missing."""
TICK_S = 0.001
"""How often the timetable of an open loop is looked at; a loop's timers are no finer."""

Built = tuple[int, int, bytes]
"""Contact, number in the text, request."""


@dataclass
class Counts:
    """What is counted while a round runs."""

    ends_at: float
    acknowledged: int = 0
    answered: int = 0
    in_time: int = 0
    bad: int = 0
    twice: int = 0
    last_at: float = 0.0
    late_s: float = 0.0
    acknowledged_s: list[float] = field(default_factory=list)
    answered_s: list[float] = field(default_factory=list)


class Run:
    """Sends ``requests`` to ``target`` and counts.

    In an open loop a message's time runs from when it was due, also where it had to wait for a
    connection: a server that stops for a while is charged with everything due meanwhile (no
    coordinated omission).
    """

    def __init__(
        self, orders: Orders, target: Target, requests: deque[Built], counts: Counts
    ) -> None:
        self._orders = orders
        self._requests = requests
        self._counts = counts
        way = Fresh if orders.fresh else Kept
        self._connections: Connections = way(target.port, orders.connections, self._acknowledged)
        self._due: deque[float] = deque()
        self._sent: dict[int, float] = {}
        self._on_the_way: dict[int, tuple[int, float]] = {}
        self._busy: set[int] = set()
        self._answered: set[int] = set()
        self._statuses: deque[bytes] = deque()
        self._status_numbers = itertools.count(-1, -1)
        self._is_sending = False
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def missing(self) -> int:
        return len(self._on_the_way)

    @property
    def unsent(self) -> int:
        return len(self._due)

    async def run(self) -> None:
        await self._connections.open()
        timetable = asyncio.ensure_future(self._keep_time()) if self._orders.per_second else None
        self._send()
        # What is late is waited for, no longer than the grace.
        await asyncio.wait([self._finished], timeout=self._counts.ends_at + GRACE_S - _now())
        if timetable:
            timetable.cancel()
        self._counts.bad += len(self._sent)
        self._connections.close()

    def answered(self, number: int) -> None:
        """Graph was sent the answer to message ``number``."""
        if not self._orders.trips:
            return  # a slow engine's; not what is measured here
        contact, started = self._on_the_way.pop(number, (0, 0.0))
        if not contact:
            self._counts.twice += number in self._answered
            return
        self._answered.add(number)
        self._busy.discard(contact)
        self._counts.answered += 1
        self._counted(started, self._counts.answered_s)
        self._send()

    def post_statuses(self, requests: Iterable[bytes]) -> None:
        """Post these before the next messages."""
        self._statuses.extend(requests)
        self._send()

    def _acknowledged(self, number: int, was_ok: bool) -> None:  # noqa: FBT001 - as `OnAnswer`
        started = self._sent.pop(number, 0.0)
        if not was_ok:
            self._counts.bad += 1
            contact, _ = self._on_the_way.pop(number, (0, 0.0))
            self._busy.discard(contact)
        elif number > 0:
            self._counts.acknowledged += 1
            if self._orders.trips:
                self._counts.acknowledged_s.append(_now() - started)
            else:
                self._counted(started, self._counts.acknowledged_s)
        self._send()

    def _counted(self, started: float, took: list[float]) -> None:
        now = _now()
        if now <= self._counts.ends_at:
            self._counts.in_time += 1
            self._counts.last_at = now
            took.append(now - started)
        elif self._orders.per_second:
            took.append(now - started)

    def _send(self) -> None:
        if self._is_sending:
            return
        self._is_sending = True
        while self._connections.is_free() and self._send_one():
            pass
        self._is_sending = False
        if self._is_done():
            # The statuses of the last answer are about to be posted.
            asyncio.get_running_loop().call_soon(self._finish)

    def _is_done(self) -> bool:
        is_idle = not self._sent and not self._on_the_way and not self._statuses
        return is_idle and self._is_over() and not self._finished.done()

    def _finish(self) -> None:
        if self._is_done():
            self._finished.set_result(None)

    def _send_one(self) -> bool:
        if self._statuses:
            number = next(self._status_numbers)
            self._sent[number] = _now()
            self._connections.send(number, self._statuses.popleft())
            return True
        if self._is_over() or not self._is_wanted() or not self._find_one():
            return False
        contact, number, request = self._requests.popleft()
        started = self._due.popleft() if self._orders.per_second else _now()
        self._sent[number] = started
        if self._orders.trips:
            self._on_the_way[number] = (contact, started)
            self._busy.add(contact)
        self._connections.send(number, request)
        return True

    def _is_over(self) -> bool:
        if not self._requests:
            return True
        return _now() >= self._counts.ends_at and not self._due

    def _is_wanted(self) -> bool:
        if self._orders.per_second:
            return bool(self._due)
        return not self._orders.trips or len(self._on_the_way) < self._orders.outstanding

    def _find_one(self) -> bool:
        """Bring a message to the front whose contact has none on its way."""
        for _ in range(2):
            if self._requests[0][0] not in self._busy:
                return True
            self._requests.rotate(-1)
        return False

    async def _keep_time(self) -> None:
        per_second = self._orders.per_second or 1.0
        started = _now()
        count = 0
        while (now := _now()) < self._counts.ends_at:
            while (due := started + count / per_second) <= now:
                # The timer's own lateness is no server's.
                self._counts.late_s = max(self._counts.late_s, now - due)
                self._due.append(now)
                count += 1
            self._send()
            await asyncio.sleep(TICK_S)
        self._send()


def _now() -> float:
    return time.perf_counter()
