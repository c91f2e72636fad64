"""The two ways of asking: until it is acknowledged, and until it is answered."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, cast

from bench_parts.orders import Orders, Target

GRACE_S = 10.0
"""How long after a round's end its answers may still come; then they are missing."""

Built = tuple[int, int, bytes]
"""Contact, number in the text, request."""


class OnAnswer(Protocol):
    def __call__(self, connection: "Connection", *, is_ok: bool) -> None: ...


class Connection(asyncio.Protocol):
    """A keep-alive connection to a webhook, with one request at a time."""

    _transport: asyncio.Transport

    def __init__(self, on_answer: OnAnswer) -> None:
        self._on_answer = on_answer
        self._received = b""
        self._asked = False
        self.lost = False
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type

    def send(self, number: int, request: bytes) -> None:
        self.number = number
        self._asked = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            self._received = received
            return
        at = received.find(b"Content-Length: ", 0, end)
        length = int(received[at + 16 : received.find(b"\r\n", at)]) if at >= 0 else 0
        if len(received) < end + 4 + length:
            self._received = received
            return
        self._received = b""
        self._asked = False
        self._on_answer(self, is_ok=received.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        if self._asked:
            self._asked = False
            self._on_answer(self, is_ok=False)

    def close(self) -> None:
        self._transport.close()


@dataclass
class Counts:
    """What is counted while a round runs."""

    ends_at: float
    acknowledged: int = 0
    count: int = 0
    bad: int = 0
    twice: int = 0
    last_at: float = 0.0
    took: list[float] = field(default_factory=list)

    def one(self, started: float) -> None:
        now = time.perf_counter()
        if now <= self.ends_at:
            self.count += 1
            self.last_at = now
            self.took.append(now - started)


class Acknowledgements:
    """Closed loop: each connection sends its next request when it has its answer."""

    missing = 0

    def __init__(self, orders: Orders, requests: deque[Built], counts: Counts) -> None:
        self._connections = orders.connections
        self._requests = requests
        self._counts = counts
        self._sent_at: dict[Connection, float] = {}
        self._finished = asyncio.get_running_loop().create_future()

    async def run(self, target: Target) -> None:
        connections = await _connect(target, self._connections, self._acknowledged)
        for connection in connections:
            self._send(connection)
        await _at_most(self._finished, self._counts.ends_at)
        self._counts.bad += len(self._sent_at)
        self._sent_at.clear()
        for connection in connections:
            connection.close()

    def answered(self, number: int) -> None:
        """A slow engine's answer reached Graph; not what is measured here."""

    def _send(self, connection: Connection) -> None:
        now = time.perf_counter()
        if self._requests and now < self._counts.ends_at and not connection.lost:
            self._sent_at[connection] = now
            _contact, number, request = self._requests.popleft()
            connection.send(number, request)
        elif not self._sent_at and not self._finished.done():
            self._finished.set_result(None)

    def _acknowledged(self, connection: Connection, *, is_ok: bool) -> None:
        started = self._sent_at.pop(connection, 0.0)
        if is_ok:
            self._counts.acknowledged += 1
            self._counts.one(started)
        else:
            self._counts.bad += 1
        self._send(connection)


class Trips:
    """Keeps a bounded number of messages on their way; for each answer the next one goes out."""

    def __init__(self, orders: Orders, requests: deque[Built], counts: Counts) -> None:
        self._connections = orders.connections
        self._outstanding = orders.outstanding
        self._requests = requests
        self._counts = counts
        self._on_the_way: dict[int, tuple[int, float]] = {}
        self._busy: set[int] = set()
        self._answered: set[int] = set()
        self._ready: list[Connection] = []
        self._finished = asyncio.get_running_loop().create_future()

    @property
    def missing(self) -> int:
        return len(self._on_the_way)

    async def run(self, target: Target) -> None:
        connections = await _connect(target, self._connections, self._acknowledged)
        self._ready.extend(connections)
        self._send()
        await _at_most(self._finished, self._counts.ends_at)
        for connection in connections:
            connection.close()

    def answered(self, number: int) -> None:
        """Graph was sent the answer to message ``number``."""
        contact, started = self._on_the_way.pop(number, (0, 0.0))
        if not contact:
            self._counts.twice += number in self._answered
            return
        self._answered.add(number)
        self._busy.discard(contact)
        self._counts.one(started)
        self._send()

    def _acknowledged(self, connection: Connection, *, is_ok: bool) -> None:
        if is_ok:
            self._counts.acknowledged += 1
        else:
            self._counts.bad += 1
            contact, _started = self._on_the_way.pop(connection.number, (0, 0.0))
            self._busy.discard(contact)
        if not connection.lost:
            self._ready.append(connection)
        self._send()

    def _send(self) -> None:
        now = time.perf_counter()
        is_over = now >= self._counts.ends_at or not self._requests
        while not is_over and self._ready and len(self._on_the_way) < self._outstanding:
            if self._requests[0][0] in self._busy:
                self._requests.rotate(-1)
                if self._requests[0][0] in self._busy:
                    break
            contact, number, request = self._requests.popleft()
            self._on_the_way[number] = (contact, now)
            self._busy.add(contact)
            self._ready.pop().send(number, request)
            is_over = not self._requests
        if is_over and not self._on_the_way and not self._finished.done():
            self._finished.set_result(None)


async def _connect(target: Target, count: int, on_answer: OnAnswer) -> list[Connection]:
    loop = asyncio.get_running_loop()
    make = partial(Connection, on_answer)
    return [(await loop.create_connection(make, "127.0.0.1", target.port))[1] for _ in range(count)]


async def _at_most(finished: asyncio.Future[None], ends_at: float) -> None:
    """Wait for the round's end, and for what is late no longer than the grace."""
    await asyncio.wait([finished], timeout=ends_at + GRACE_S - time.perf_counter())
