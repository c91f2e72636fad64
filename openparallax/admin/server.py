"""The operator's listener: one application, a TCP door and a unix socket."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from aiohttp import hdrs, web

from openparallax.admin import answers
from openparallax.admin.callers import Doorkeeper, is_own_peer
from openparallax.admin.control import Control, Controls
from openparallax.admin.control_socket import ControlSocket
from openparallax.errors import cannot_listen
from openparallax.logs import Logger

MOST_CONNECTIONS = 64
"""At each door; for each one more the oldest is cut for which nothing is being made, so that nobody
who only holds connections, or takes no answers, keeps a probe out. Two probes, a scraper and a few
commands need a handful."""
IDLE_S = 30.0
"""How long a connection may be without a whole request; Prometheus keeps its own open."""
FINISH_S = 2.0
_CONTROL = "/control/"


class AdminServer:
    """Answers the operator; see the sign on the room's door.

    Args:
        controls: What the command line may ask, by name.
        host: Address of the TCP door.
        port: Its port, 0 for a free one; None: no TCP door.
        folder: Where the unix socket is made.
        reasons: Why the house is not ready, a plain sentence each; none: it is. Asked for each
            probe, so it is to cost nothing, and never to take long.
        exposition: From an ``Accept`` header to the metrics and their content type.
    """

    def __init__(
        self,
        controls: Mapping[str, Control],
        *,
        host: str,
        port: int | None,
        folder: Path,
        reasons: Callable[[], Awaitable[Sequence[str]]],
        exposition: Callable[[str], Awaitable[tuple[bytes, str]]],
        log: Logger,
    ) -> None:
        self._controls = Controls(controls, log)
        self._host = host
        self._wanted_port = port
        self._doorkeeper = Doorkeeper(host)
        self._socket = ControlSocket(folder)
        self._reasons = reasons
        self._exposition = exposition
        self._log = log
        self._runners: list[web.ServerRunner] = []
        self._site: web.TCPSite | None = None
        self.socket: Path | None = None
        """The unix socket, while it is there."""

    @property
    def port(self) -> int | None:
        """The port listened on; None without a TCP door."""
        return self._site.port if self._site else None

    @property
    def url(self) -> str:
        """Where the TCP door is; "" without one."""
        return self._site.name if self._site else ""

    # -- start and end --------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen at both doors.

        A unix socket that cannot be made is logged, and the daemon goes on without: then the
        command line cannot reach it.

        Raises:
            StartError: The address is taken (75) or not to be had (78).
        """
        if self._wanted_port is not None:
            await self._open_tcp(self._wanted_port)
        try:
            made = self._socket.open()
        except OSError as error:
            self._log.warning(
                "control_not_available",
                path=str(self._socket.path),
                reason=error.strerror or str(error),
                hint="the command line cannot talk to this daemon",
            )
            return
        runner = await self._runner(self._answer_socket)
        await _UnixSite(runner, made).start()
        self.socket = self._socket.path

    async def close(self) -> None:
        """Stop listening, give requests under way a moment, remove the socket; may be repeated."""
        runners, self._runners = self._runners, []
        self.socket = None
        self._controls.end()
        await asyncio.gather(*(runner.cleanup() for runner in runners))
        self._socket.close()

    async def _open_tcp(self, port: int) -> None:
        runner = await self._runner(self._answer_tcp)
        site = web.TCPSite(runner, self._host, port)
        try:
            await site.start()
        except OSError as error:
            await self.close()
            hint = "see admin.host and admin.port (admin.enabled: false switches this listener off)"
            raise cannot_listen(error, self._host, port, hint) from None
        self._site = site

    async def _runner(
        self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
    ) -> web.ServerRunner:
        server = _FewConnections(answer)
        runner = web.ServerRunner(server, shutdown_timeout=FINISH_S)
        await runner.setup()
        self._runners.append(runner)
        return runner

    # -- answers --------------------------------------------------------------------------------

    async def _answer_tcp(self, request: web.BaseRequest) -> web.StreamResponse:
        complaint = self._doorkeeper.complaint(request)
        if complaint is not None:
            return answers.text(*complaint)
        return await self._answer(request)

    async def _answer_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        if not is_own_peer(request):
            return answers.error(403, "only for the user that the daemon runs as, and root", 77)
        if request.path.startswith(_CONTROL):
            return await self._controls.answer(request, request.path.removeprefix(_CONTROL))
        return await self._answer(request)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }.get(request.path)
        if answer is None:
            return answers.text(404, "not found")
        if request.method != hdrs.METH_GET:
            return answers.text(405, "only GET", Allow="GET")
        return await answer(request)

    async def _health(self, _request: web.BaseRequest) -> web.StreamResponse:
        return answers.text(200, "ok")

    async def _readiness(self, _request: web.BaseRequest) -> web.StreamResponse:
        reasons = await self._reasons()
        return answers.text(503, "\n".join(reasons)) if reasons else answers.text(200, "ready")

    async def _metrics(self, request: web.BaseRequest) -> web.StreamResponse:
        body, content_type = await self._exposition(request.headers.get(hdrs.ACCEPT, ""))
        return answers.raw(200, body, content_type)


class _FewConnections(web.Server):
    """aiohttp's low-level server, with at most `MOST_CONNECTIONS`.

    Each one costs a file descriptor, and the public listener needs them.
    """

    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
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

    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # documented: None switches it off
            auto_decompress=False,
            keepalive_timeout=IDLE_S,
            lingering_time=FINISH_S,
        )

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        # One that was cut stays in the list for a moment: it must not stand for the next ones.
        live = {
            one: pipe
            for one in self.connections
            if (pipe := one.transport) is not None and not pipe.is_closing()
        }
        if len(live) > MOST_CONNECTIONS:
            idle = (pipe for one, pipe in live.items() if one not in self._busy)
            next(idle, transport).abort()


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's; it quotes what was sent
    ) -> web.StreamResponse:
        if status >= 500:
            self.log_exception("a request could not be answered", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        response = answers.text(status, "not understood")
        response.force_close()
        return response


class _UnixSite(web.BaseSite):
    """Listens on a unix socket that is bound already."""

    __slots__ = ("_socket",)

    def __init__(self, runner: web.BaseRunner, bound: socket.socket) -> None:
        super().__init__(runner)
        self._socket = bound

    @property
    def name(self) -> str:
        return "unix"

    async def start(self) -> None:
        await super().start()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner was not set up")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(server, sock=self._socket)
