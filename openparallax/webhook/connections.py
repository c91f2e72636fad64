"""What the server stands on: connections with limits, and answers that tell little."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from aiohttp import HttpVersion11, web

from openparallax.clock import Clock

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def plain(status: int, text: str | None = None, **headers: str) -> web.Response:
    """A small answer in plain text that tells nothing about what answers."""
    headers["Server"] = "OpenParallax"
    if text is None:
        return web.Response(status=status, headers=headers)
    headers["X-Content-Type-Options"] = "nosniff"
    # what came in a query may hold halves of surrogate pairs
    body = text.encode("utf-8", "replace")
    return web.Response(
        status=status, body=body, headers=headers, content_type="text/plain", charset="utf-8"
    )


async def stop_listening(server: asyncio.Server) -> None:
    """Take no more connections; may be called twice.

    asyncio gives an accepted socket its transport one round of the loop later. Where the server has
    closed by then it drops the socket, open as it is, and whoever is at its other end waits.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    await asyncio.sleep(0)
    server.close()
    for _ in range(2):  # until it waits for a request: aiohttp gives one that begins its full time
        await asyncio.sleep(0)


class Acknowledgement(web.StreamResponse):
    """The empty 200, written as it stands: one object answers all requests.

    Nearly every answer is this one, and making a response anew (headers, checks, writer) costs a
    third of all the time that a request takes. Only for `suits`.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._second = -1
        self._bytes = b""

    @staticmethod
    def suits(request: web.BaseRequest) -> bool:
        """Whether nothing needs to be said about the connection."""
        return request.keep_alive and request.version == HttpVersion11

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        second = int(self._clock.now())
        if second != self._second:
            self._second = second
            self._bytes = (
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: OpenParallax\r\n"
                f"Date: {formatdate(second, usegmt=True)}\r\n\r\n"
            ).encode("ascii")
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client went away")
        transport.write(self._bytes)

    async def write_eof(self, data: bytes = b"") -> None:
        """All was written by `prepare`."""


class Connections(web.Server):
    """aiohttp's low-level server, with its connections' limits set and their errors kept quiet.

    Args:
        handler: Answers a request.
        on_malformed: Called for each request that is not HTTP; nothing of it is logged.
        idle_timeout_s: A connection is closed when for so long no request was completed: aiohttp's
            keep-alive timer runs from the connection's start and from each answer, and half-sent
            headers do not stop it.
        linger_s: How long what a refused client still sends is read and thrown away, so that it
            sees the refusal and not a broken connection.
    """

    def __init__(
        self,
        handler: _Handler,
        *,
        on_malformed: Callable[[], None],
        idle_timeout_s: float,
        linger_s: float,
    ) -> None:
        super().__init__(handler)
        self._on_malformed = on_malformed
        self._idle_timeout_s = idle_timeout_s
        self._linger_s = linger_s

    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            self._on_malformed,
            idle_timeout_s=self._idle_timeout_s,
            linger_s=self._linger_s,
        )


class _Connection(web.RequestHandler):
    __slots__ = ("_on_malformed",)

    def __init__(
        self,
        server: web.Server,
        on_malformed: Callable[[], None],
        *,
        idle_timeout_s: float,
        linger_s: float,
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=idle_timeout_s,
            lingering_time=linger_s,
            access_log=None,  # type: ignore[arg-type] # documented: None switches it off
            auto_decompress=False,  # signatures are over what came, and a bomb must not expand
        )
        self._on_malformed = on_malformed

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's; it quotes what was sent
    ) -> web.StreamResponse:
        if status < 500:
            self._on_malformed()
        else:
            self.log_exception("a request could not be answered", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        response = plain(status)
        response.force_close()
        return response
