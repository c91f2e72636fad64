"""What lies between the daemon and Graph, and how it fails. On loopback, on one port."""

import asyncio
import datetime as dt
import enum
import socket
import ssl
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

import trustme

from tests.app.ports import free_port


class Way(enum.Enum):
    """How connections fare."""

    OPEN = "everything goes through"
    REFUSED = "nobody listens"
    BLACK_HOLE = "nothing is answered, not even that somebody wants to connect"
    RESET = "connected, and cut off at once"
    SILENT = "connected, and never a word"
    DYING = "after one answer a connection is dead, and nobody says so"
    WRONG_NAME = "a certificate of somebody else's"
    EXPIRED = "a certificate of last year"
    UNKNOWN_ISSUER = "a certificate that anybody could have made"


class Wire:
    """Carries what goes to Graph; as TLS where it is told to, with certificates of its own."""

    def __init__(self, target: str, *, is_secured: bool) -> None:
        self._target_port = int(target.rpartition(":")[2])
        self._is_secured = is_secured
        self.port = free_port()
        self._authority, self._stranger = trustme.CA(), trustme.CA()
        self._server: asyncio.Server | None = None
        self._listening: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._way = Way.OPEN

    @property
    def url(self) -> str:
        return f"http{'s' * self._is_secured}://localhost:{self.port}"

    @property
    def trusted(self) -> bytes:
        """PEM of who issues the right certificate."""
        return self._authority.cert_pem.bytes()

    async def __aenter__(self) -> Self:
        await self.turn(Way.OPEN)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def turn(self, way: Way) -> None:
        """From now on; what was connected is cut off, save where it is to die in silence."""
        if way is not Way.DYING:
            await self._close()
        self._way = way
        if way is Way.BLACK_HOLE:
            self._dig()
        elif way is not Way.REFUSED and self._server is None:
            is_mute = way in (Way.SILENT, Way.RESET)  # before anything is agreed upon
            secured = self._context(way) if self._is_secured and not is_mute else None
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=secured
            )

    def _context(self, way: Way) -> ssl.SSLContext:
        issuer = self._stranger if way is Way.UNKNOWN_ISSUER else self._authority
        name = "elsewhere.example" if way is Way.WRONG_NAME else "localhost"
        is_old = way is Way.EXPIRED
        last_year = dt.datetime.now(dt.UTC) - dt.timedelta(days=365)
        leaf = issuer.issue_cert(name, not_after=last_year if is_old else None)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        leaf.configure_cert(context)
        return context

    def _dig(self) -> None:
        """A listener whose queue is full: the kernel answers nobody who knocks."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(0)
        self._listening = [listener]
        for _ in range(8):
            knocking = socket.socket()
            knocking.setblocking(False)
            with suppress(BlockingIOError):
                knocking.connect(("127.0.0.1", self.port))
            self._listening.append(knocking)

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for one in self._listening:
            one.close()
        self._listening.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._way is Way.RESET:
            # Not to linger makes of the end a reset.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        if self._way is Way.SILENT:
            await asyncio.Event().wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        try:
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        finally:
            back.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            if self._way is Way.DYING:
                await asyncio.Event().wait()
            writer.write(piece)
            await writer.drain()
        raise ConnectionResetError
