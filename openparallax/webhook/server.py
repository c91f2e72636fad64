"""The public listener: verification, webhooks, and a sign of life."""

import asyncio
import hmac
import socket
from collections.abc import Sequence

from aiohttp import hdrs, web

from openparallax.clock import Clock
from openparallax.config.forms import is_loopback
from openparallax.errors import cannot_listen
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.webhook.answers import Acknowledgement, EmptyAnswers, plain
from openparallax.webhook.complaints import Complaint
from openparallax.webhook.connections import Connections, bound_answers, stop_listening
from openparallax.webhook.crowd import Crowd, room_for
from openparallax.webhook.gate import Gate, Refused
from openparallax.webhook.handshakes import Handshakes
from openparallax.webhook.intake import Accept, Follow, Intake
from openparallax.webhook.ordinary import OrdinaryRequests
from openparallax.webhook.payload import NOT_ITS_NUMBER
from openparallax.webhook.signature import Key
from openparallax.webhook.tls import Certificates

_FINISH_S = 5.0
_FIRST_S = 1.0
"""How long, at the end, whoever was let in and has not asked yet is waited for."""
_BACKLOG = 1024
"""How many may wait to be let in; the system may allow fewer."""
_LINGER_S = 2.0
_HEALTH = "/healthz"

_CROWDED = (
    "more are connected than there is room for, so the oldest that showed no signature were closed;"
    " a proxy in front, or a firewall, keeps strangers away; see LimitNOFILE for more room"
)
_HINTS = {
    NOT_ITS_NUMBER: "signed with the app secret of one account, for the number of another: either "
    "the app_secret of that account is missing or not its app's, or both apps subscribed to it",
    "bad_signature": "if these are Meta's requests: app_secret must be the secret of the app that "
    "owns the webhook subscription (App settings, Basic); Meta repeats them for days",
    "proxied_unsigned": "no app secret is set, so anybody could post through this proxy or tunnel; "
    "set WHATSAPP_APP_SECRET, or allow_unsigned_webhooks: true if something else checks signatures",
    "verify_refused": "the verify token typed in at Meta must be the verify_token of this file",
}


class WebhookServer:
    """Answers on ``path`` and on ``/healthz``; everything else is 404.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        inherited: Listens on these, which somebody else holds as well, instead of ``host`` and
            ``port``: what waits there when this one closes is for the next process.
        accept: Stores a notification; Meta is answered 200 when that is done and 503 when it
            fails. Not called for a request with nothing to store. It runs to its end even if the
            client goes away.
        follow: Given what ``accept`` came to; what it returns is awaited before the 200.
        verify_tokens: What verification is asked with; any of them will do.
        keys: What requests are signed with; none means that signatures are not checked.
        accounts: The phone number ids of all accounts. Once there is any key, an account without
            one is spoken for by nobody; those with one need not stand here.
        path: Where Meta posts to.
        certificates: What to speak https with; None is plain HTTP, for a proxy in front.
        allow_unsigned: Without keys, take also what came through a proxy.
        body_timeout_s: How long a body may take to arrive.
        idle_timeout_s: How long a connection may be without a whole request. Longer than proxies
            keep theirs (60 to 120), so that it is they who close.
        most_connections: How many there may be at once; None: what the system has room for.

    Source:
        The HTTP table of the contract; Cloud API, webhooks (3 MB, repeated for seven days).
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        accept: Accept,
        follow: Follow | None = None,
        verify_tokens: Sequence[str],
        keys: Sequence[Key],
        log: Logger,
        metrics: Metrics,
        clock: Clock,
        accounts: frozenset[str] = frozenset(),
        path: str = "/webhook",
        certificates: Certificates | None = None,
        allow_unsigned: bool = False,
        body_timeout_s: float = 10.0,
        idle_timeout_s: float = 130.0,
        most_connections: int | None = None,
        inherited: Sequence[socket.socket] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._inherited = inherited
        self._connections: Connections | None = None
        self._path = path
        self._certificates = certificates
        self._gate = Gate(
            keys=keys,
            accounts=accounts,
            allow_unsigned=allow_unsigned,
            body_timeout_s=body_timeout_s,
        )
        self.go_by(verify_tokens, keys, accounts, allow_unsigned=allow_unsigned)
        self._log = log
        self._metrics = metrics
        self._complaints = {
            label: Complaint(log, clock, "webhook_refused", state=label, hint=hint)
            for label, hint in _HINTS.items()
        }
        self._intake = Intake(
            accept,
            follow,
            gate=self._gate,
            not_its_number=self._complaints[NOT_ITS_NUMBER],
            log=log,
            metrics=metrics,
            clock=clock,
        )
        self._answers = EmptyAnswers(clock)
        self._ok = Acknowledgement(self._answers)
        self._linger_s = min(_LINGER_S, body_timeout_s)
        self._idle_timeout_s = idle_timeout_s
        self._crowd = Crowd(
            room_for() if most_connections is None else most_connections,
            on_cut=Complaint(log, clock, "connections_cut", hint=_CROWDED).happened,
        )
        self._handshakes: Handshakes | None = None
        self._runner: web.ServerRunner | None = None
        self._listening: list[asyncio.Server] = []

    def go_by(
        self,
        verify_tokens: Sequence[str],
        keys: Sequence[Key],
        accounts: frozenset[str],
        *,
        allow_unsigned: bool,
    ) -> None:
        """Check by these from now on, as `__init__` says of each; connections stay as they are."""
        if not all(verify_tokens) or not all(key.secret for key in keys):
            raise ValueError("an empty token or secret would switch a check off")
        self._tokens = [token.encode() for token in verify_tokens]
        self._gate.go_by(keys, accounts, allow_unsigned=allow_unsigned)

    @property
    def last_at(self) -> float:
        """When Meta was last let in, unix seconds; 0: never."""
        return self._intake.last_at

    @property
    def is_public(self) -> bool:
        """Others than this machine can reach the sockets that are listened on."""
        return self._gate.is_public

    @property
    def port(self) -> int:
        """The port listened on; before `start`, the one asked for."""
        return self._port

    async def start(self) -> None:
        """Listen; returns once connections are taken.

        Raises:
            StartError: The address is taken (75) or not to be had (78), or the certificate cannot
                be used (78).
        """
        self._connections = connections = Connections(
            self._answer,
            ordinary=OrdinaryRequests(self._path, self._intake.take_signed, self._answers),
            on_malformed=lambda: self._metrics.count("webhook", "malformed"),
            idle_timeout_s=self._idle_timeout_s,
            linger_s=self._linger_s,
            crowd=self._crowd,
        )
        if self._certificates is not None:
            context = self._certificates.start()
            self._handshakes = Handshakes(connections, self._crowd, context)
        self._runner = web.ServerRunner(connections, shutdown_timeout=_FINISH_S)
        await self._runner.setup()
        try:
            await self._listen(self._handshakes or connections)
        except OSError as error:
            await self.close()
            hint = "see webhook_host and webhook_port"
            raise cannot_listen(error, self._host, self._port, hint) from None
        bound = [one for server in self._listening for one in server.sockets]
        self._gate.is_public = not all(is_loopback(one.getsockname()[0]) for one in bound)
        self._port = bound[0].getsockname()[1]

    async def _listen(self, connections: Connections | Handshakes) -> None:
        loop = asyncio.get_running_loop()
        for one in self._inherited:
            self._listening.append(
                await loop.create_server(connections, sock=one, backlog=_BACKLOG)
            )
        if not self._inherited:
            self._listening.append(
                await loop.create_server(connections, self._host, self._port, backlog=_BACKLOG)
            )
        for server in self._listening:
            bound_answers(server)

    async def close(self) -> None:
        """Stop listening, then give requests under way a few seconds; may be called twice.

        Whoever was let in and has not asked yet is waited for, too. Who was not, and waits in front
        of an inherited socket, goes on waiting there.
        """
        if self._certificates is not None:
            self._certificates.close()
        for server in self._listening:
            await stop_listening(server)
        if self._connections is not None:
            await self._connections.first_requests(_FIRST_S, also=self._handshakes)
        if self._handshakes is not None:
            await self._handshakes.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, method = request.path, request.method
        if path == self._path:
            try:
                if method == hdrs.METH_POST:
                    return await self._receive(request)
                if method == hdrs.METH_GET:
                    return self._verify(request)
            except Refused as refused:
                return self._refuse(refused)
            return plain(405, Allow="GET, POST")
        if path == _HEALTH:
            return plain(200, "ok") if method == hdrs.METH_GET else plain(405, Allow="GET")
        return plain(404)

    def _verify(self, request: web.BaseRequest) -> web.StreamResponse:
        self._gate.check_way(request)
        query = request.query
        given = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
        is_right = False
        for token in self._tokens:
            is_right |= hmac.compare_digest(token, given)
        if not is_right or query.get("hub.mode") != "subscribe":
            raise Refused(403, "verify_refused", is_read=True)
        self._metrics.count("webhook", "verified")
        self._log.info("webhook_verified")
        return plain(200, query.get("hub.challenge", ""))

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        raw, accounts = await self._gate.body(request)
        if accounts is not None:
            self._crowd.showed_signature(request.protocol)
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answer(status: int) -> None:
            if not answered.done():  # else the client went away
                answered.set_result(status)

        self._intake.take(raw, accounts, answer)
        status = await answered
        return self._ok if status == 200 and self._ok.suits(request) else plain(status)

    def _refuse(self, refused: Refused) -> web.StreamResponse:
        self._metrics.count("webhook", refused.label)
        complaint = self._complaints.get(refused.label)
        if complaint is not None:
            complaint.happened(**({"reason": refused.reason} if refused.reason else {}))
        response = plain(refused.status)
        if not refused.is_read:
            response.force_close()  # the rest of the request is not worth waiting for
        return response
