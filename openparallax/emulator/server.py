"""The emulator's one listener, on loopback and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from openparallax.emulator.callers import complaint

HOST = "127.0.0.1"
MOST_HEADERS = 16 * 1024
"""Bytes of the request line, and of each header."""
MOST_LINES = 100
MOST_CONNECTIONS = 512
"""Each is a file descriptor, and many systems give a process 1024."""
IDLE_S = 75.0
"""How long a connection may be open without a whole request head."""
FINISH_S = 1.0
LINGER_S = 2.0
"""How long what a refused client still sends is thrown away, so that it sees the refusal."""

Answering = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Server:
    """Hands requests to the page or to Graph.

    Attributes:
        port: The one it listens on; 0 before it does, where a free one was asked for.
    """

    def __init__(
        self, graph: Answering, page: Answering, is_of_page: Callable[[str], bool]
    ) -> None:
        self.port = 0
        self._graph = graph
        self._page = page
        self._is_of_page = is_of_page
        self._runner: web.ServerRunner | None = None
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen.

        Raises:
            OSError: The port is not to be had.
        """
        connections = _Connections(self._answer)
        self._runner = web.ServerRunner(connections, shutdown_timeout=FINISH_S)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(connections, HOST, port, backlog=128)
        except OSError:
            await self.close()
            raise
        self.port = int(self._listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        runner, self._runner = self._runner, None
        listening, self._listening = self._listening, None
        if listening is not None:
            # asyncio gives an accepted socket its transport one round of the loop later, and leaves
            # it open where the server has closed by then.
            for one in listening.sockets:
                asyncio.get_running_loop().remove_reader(one.fileno())
            await asyncio.sleep(0)
            listening.close()
            for _ in range(2):  # aiohttp gives a connection that just begins its full time
                await asyncio.sleep(0)
        if runner is not None:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        is_of_page = self._is_of_page(request.path)
        reason = complaint(request, is_of_page=is_of_page)
        if reason is not None:
            return refusal(403, reason)
        return await (self._page if is_of_page else self._graph)(request)


def refusal(status: int, message: str) -> web.Response:
    """What is said before anybody knows whether Graph or the page was meant: Meta's shape."""
    error = {"message": message, "type": "OAuthException", "code": 1 if status >= 500 else 100}
    response = web.json_response({"error": error}, status=status)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


class _Connections(web.Server):
    """aiohttp's low-level server: no line for each request, and no traceback for bad HTTP.

    Of more than `MOST_CONNECTIONS` one that is idle is cut, else the new one.
    """

    def __init__(self, answer: Answering) -> None:
        super().__init__(self._noting)
        self._answer = answer
        self._busy: set[web.RequestHandler] = set()

    async def _noting(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer, and know meanwhile that the connection is needed."""
        connection = request.protocol
        self._busy.add(connection)
        try:
            return await self._answer(request)
        finally:
            self._busy.discard(connection)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) <= MOST_CONNECTIONS:
            return
        # One that was cut stays in the list for a moment: it must not stand for the next ones.
        live = {
            one: pipe
            for one in self.connections
            if (pipe := one.transport) is not None and not pipe.is_closing()
        }
        if len(live) > MOST_CONNECTIONS:
            idle = (pipe for one, pipe in live.items() if one not in self._busy)
            next(idle, transport).abort()

    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # documented: None switches it off
            auto_decompress=False,  # no client of Graph packs its body, and a bomb must not expand
            keepalive_timeout=IDLE_S,
            lingering_time=LINGER_S,
            max_line_size=MOST_HEADERS,
            max_field_size=MOST_HEADERS,
            max_headers=MOST_LINES,
        )


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's; it quotes what was sent
    ) -> web.StreamResponse:
        if status >= 500:  # a mistake of ours: to be seen
            self.log_exception("a request could not be answered", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        response = refusal(
            status, "the request could not be read" if status < 500 else "an unknown error occurred"
        )
        response.force_close()
        return response
