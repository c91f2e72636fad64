"""What the server stands on: connections with limits."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from aiohttp import web

from openparallax.webhook.answers import plain
from openparallax.webhook.crowd import Crowd
from openparallax.webhook.ordinary import OrdinaryConnection, OrdinaryRequests

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_UNTAKEN = 32 * 1024
"""Of answers, in bytes, that wait in the system; it counts twice that. The longest has 8 KB."""

_LOOK_S = 0.01
"""Between two looks at who has not asked yet."""

_READ_AT_ONCE = 16 * 1024
"""How much of a body is parsed before others have their turn: of one in tiny chunks, a thousand.
What comes is read 256 KB at a time all the same."""


def bound_answers(server: asyncio.Server) -> None:
    """Let the system keep little of what clients do not take; for all connections to come.

    Without it that may be megabytes for each: tens of thousands of answers.
    """
    for listening in server.sockets:
        with socket.socket(fileno=os.dup(listening.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNTAKEN)


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


class Arriving(Protocol):
    """Those that are let in and not through yet."""

    @property
    def is_empty(self) -> bool:
        """Nobody is."""


class Connections(web.Server):
    """aiohttp's low-level server, with its connections' limits set and their errors kept quiet.

    Args:
        handler: Answers a request.
        ordinary: Answers those that need no such thing as a request made of them.
        on_malformed: Called for each request that is not HTTP; nothing of it is logged.
        idle_timeout_s: A connection is closed when for so long no request was completed: aiohttp's
            keep-alive timer runs from the connection's start and from each answer, and half-sent
            headers do not stop it.
        linger_s: How long what a refused client still sends is read and thrown away, so that it
            sees the refusal and not a broken connection.
        crowd: Is told who comes, who goes, and who showed a signature.
    """

    def __init__(
        self,
        handler: _Handler,
        *,
        ordinary: OrdinaryRequests,
        on_malformed: Callable[[], None],
        idle_timeout_s: float,
        linger_s: float,
        crowd: Crowd,
    ) -> None:
        super().__init__(self._noting)
        self._handler = handler
        self._crowd = crowd
        self._ordinary = ordinary
        self._on_malformed = on_malformed
        self._idle_timeout_s = idle_timeout_s
        self._linger_s = linger_s

    async def first_requests(self, most_s: float, also: Arriving | None = None) -> None:
        """Wait until everybody who is connected has asked something, or ``most_s`` are over.

        aiohttp answers a request that is under way before it closes. A connection on which none has
        come yet it takes for idle, though its request may be on the way.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + most_s
        # Rare and short, so that no connection need count for it all its life.
        while loop.time() < until and self._owes_first(also):  # noqa: ASYNC110 - see above
            await asyncio.sleep(_LOOK_S)

    def _owes_first(self, also: Arriving | None) -> bool:
        if also is not None and not also.is_empty:
            return True
        return any(cast("_Connection", one).owes_first for one in self.connections)

    async def _noting(self, request: web.BaseRequest) -> web.StreamResponse:
        cast("_Connection", request.protocol).has_asked = True
        return await self._handler(request)

    def __call__(self) -> "_Connection":
        return _Connection(
            self,
            self._ordinary,
            self._on_malformed,
            self._crowd,
            idle_timeout_s=self._idle_timeout_s,
            linger_s=self._linger_s,
        )


class _Connection(OrdinaryConnection):
    __slots__ = ("_crowd", "_on_malformed", "has_asked")

    def __init__(
        self,
        server: web.Server,
        ordinary: OrdinaryRequests,
        on_malformed: Callable[[], None],
        crowd: Crowd,
        *,
        idle_timeout_s: float,
        linger_s: float,
    ) -> None:
        super().__init__(
            server,
            ordinary,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=idle_timeout_s,
            lingering_time=linger_s,
            access_log=None,  # documented: None switches it off
            auto_decompress=False,  # signatures are over what came, and a bomb must not expand
            read_bufsize=_READ_AT_ONCE,
        )
        self._on_malformed = on_malformed
        self._crowd = crowd
        self.has_asked = False

    @property
    def owes_first(self) -> bool:
        """Whether it is open, and nothing has been asked on it yet."""
        return not (self.has_asked or self.transport is None or self.transport.is_closing())

    @property
    def is_idle(self) -> bool:
        return not self._request_in_progress

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._crowd.came(self, cast("asyncio.Transport", transport))

    def connection_lost(self, exc: BaseException | None) -> None:
        self._crowd.left(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Cut off who sends requests and does not take the answers.

        The system's buffers are full then, and some of ours: more than a thousand answers. To wait
        would have no end, and meanwhile such a connection would hold all that it has sent.
        """
        super().pause_writing()
        if self.transport is not None:
            self.transport.abort()

    def _process_keepalive(self) -> None:
        if self._request_in_progress:  # aiohttp's task knows nothing of an ordinary one
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        super()._process_keepalive()

    def _takes(self) -> bool:
        is_taken = super()._takes()
        if is_taken:
            self.has_asked = True
            self._crowd.showed_signature(self)
        return is_taken

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
