"""Connections of the load generator to a webhook: kept alive, or a new one for each request."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol, cast

HOST = "127.0.0.1"
OnAnswer = Callable[[int, bool], None]
"""Told the number that the request was sent with, and whether it was answered with 200."""


class Connections(Protocol):
    """A bounded number of connections, each with one request at a time."""

    async def open(self) -> None: ...

    def is_free(self) -> bool: ...

    def send(self, number: int, request: bytes) -> None:
        """Only where one is free."""

    def close(self) -> None:
        """What is under way then is not told."""


def is_whole(received: bytes) -> bool:
    """Whether ``received`` holds a response to its end; all servers here say how long it is."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = received.lower().find(b"content-length: ", 0, end)
    length = int(received[at + 16 : received.find(b"\r\n", at)]) if at >= 0 else 0
    return len(received) >= end + 4 + length


def is_ok(received: bytes) -> bool:
    return received.startswith(b"HTTP/1.1 200")


class _KeptOne(asyncio.Protocol):
    _transport: asyncio.Transport

    def __init__(self, pool: "Kept") -> None:
        self._pool = pool
        self._received = b""
        self._number: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type

    def send(self, number: int, request: bytes) -> None:
        self._number = number
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        if not is_whole(received):
            self._received = received
            return
        self._received = b""
        number, self._number = self._number, None
        self._pool.ready.append(self)
        if number is not None:
            self._pool.on_answer(number, is_ok(received))

    def connection_lost(self, _error: Exception | None) -> None:
        with contextlib.suppress(ValueError):
            self._pool.ready.remove(self)
        number, self._number = self._number, None
        if number is not None:
            self._pool.on_answer(number, False)

    def close(self) -> None:
        self._number = None
        self._transport.close()


class Kept:
    """Opened once and kept alive."""

    def __init__(self, port: int, count: int, on_answer: OnAnswer) -> None:
        self._port = port
        self._count = count
        self._all: list[_KeptOne] = []
        self.ready: list[_KeptOne] = []
        self.on_answer = on_answer

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(self._count):
            _, one = await loop.create_connection(lambda: _KeptOne(self), HOST, self._port)
            self._all.append(one)
        self.ready = list(self._all)

    def is_free(self) -> bool:
        return bool(self.ready)

    def send(self, number: int, request: bytes) -> None:
        self.ready.pop().send(number, request)

    def close(self) -> None:
        for one in self._all:
            one.close()


class Fresh:
    """One for each request, at most ``count`` at once.

    By plain sockets: connecting over loopback is done when it returns, and the loop's own way
    would cost more than some of the servers do.
    """

    def __init__(self, port: int, count: int, on_answer: OnAnswer) -> None:
        self._port = port
        self._count = count
        self._on_answer = on_answer
        self._open: dict[socket.socket, tuple[int, bytes]] = {}

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()

    def is_free(self) -> bool:
        return len(self._open) < self._count

    def send(self, number: int, request: bytes) -> None:
        connection = socket.socket()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open[connection] = (number, b"")
        try:
            connection.connect((HOST, self._port))
            connection.sendall(request)
        except OSError:
            self._loop.call_soon(self._end, connection, False)
            return
        connection.setblocking(False)
        self._loop.add_reader(connection, self._readable, connection)

    def _readable(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        number, received = self._open[connection]
        received += data
        if is_whole(received):
            self._end(connection, is_ok(received))
        elif data:
            self._open[connection] = (number, received)
        else:
            self._end(connection, False)

    def _end(self, connection: socket.socket, was_ok: bool) -> None:  # noqa: FBT001 - for call_soon
        number, _ = self._open.pop(connection, (None, b""))
        self._loop.remove_reader(connection)
        connection.close()
        if number is not None:
            self._on_answer(number, was_ok)

    def close(self) -> None:
        for connection in list(self._open):
            del self._open[connection]
            self._loop.remove_reader(connection)
            connection.close()
