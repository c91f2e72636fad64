"""The public listener: verification, webhooks, and a sign of life."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from ssl import SSLContext
from typing import TypedDict

from aiohttp import hdrs, web

from openparallax.clock import Clock
from openparallax.errors import NotStored, cannot_listen
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.messages import Notification
from openparallax.webhook.body import Unreadable, parse_body
from openparallax.webhook.complaints import Complaint
from openparallax.webhook.connections import Acknowledgement, Connections, plain, stop_listening
from openparallax.webhook.gate import Gate, Refused
from openparallax.webhook.payload import NOT_ITS_NUMBER, parse_notification
from openparallax.webhook.signature import Key
from openparallax.webhook.tls import HANDSHAKE_S, SHUTDOWN_S, Certificates

_FINISH_S = 5.0
_LINGER_S = 2.0
_HEALTH = "/healthz"

_HINTS = {
    NOT_ITS_NUMBER: "signed with the app secret of one account, for the number of another: either "
    "the app_secret of that account is missing or not its app's, or both apps subscribed to it",
    "bad_signature": "if these are Meta's requests: app_secret must be the secret of the app that "
    "owns the webhook subscription (App settings, Basic); Meta repeats them for days",
    "proxied_unsigned": "no app secret is set, so anybody could post through this proxy or tunnel; "
    "set WHATSAPP_APP_SECRET, or allow_unsigned_webhooks: true if something else checks signatures",
    "verify_refused": "the verify token typed in at Meta must be the verify_token of this file",
}


class _Secured(TypedDict, total=False):
    """What `asyncio` is told besides, to speak TLS."""

    ssl: SSLContext
    ssl_handshake_timeout: float
    ssl_shutdown_timeout: float


class WebhookServer:
    """Answers on ``path`` and on ``/healthz``; everything else is 404.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        accept: Stores a notification; Meta is answered 200 when it returns and 503 when it raises.
            Not called for a request with nothing to store. It runs to its end even if the client
            goes away.
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

    Source:
        The HTTP table of the contract; Cloud API, webhooks (3 MB, repeated for seven days).
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        accept: Callable[[Notification], Awaitable[None]],
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
    ) -> None:
        if not all(verify_tokens) or not all(key.secret for key in keys):
            raise ValueError("an empty token or secret would switch a check off")
        self._host = host
        self._port = port
        self._path = path
        self._certificates = certificates
        self._accept = accept
        self._tokens = [token.encode() for token in verify_tokens]
        self._is_signed_mode = bool(keys)
        self._gate = Gate(
            keys=keys,
            accounts=accounts,
            allow_unsigned=allow_unsigned,
            body_timeout_s=body_timeout_s,
        )
        self._log = log
        self._metrics = metrics
        self._complaints = {
            label: Complaint(log, clock, "webhook_refused", state=label, hint=hint)
            for label, hint in _HINTS.items()
        }
        self._failure = Complaint(log, clock, "webhook_not_accepted")
        self._ok = Acknowledgement(clock)
        self._clock = clock
        self.last_at = 0.0
        """When Meta was last let in, unix seconds; 0: never."""
        self._linger_s = min(_LINGER_S, body_timeout_s)
        self._idle_timeout_s = idle_timeout_s
        self._runner: web.ServerRunner | None = None
        self._listening: asyncio.Server | None = None

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
        secured: _Secured = {}
        if self._certificates is not None:
            secured = {
                "ssl": self._certificates.start(),
                "ssl_handshake_timeout": HANDSHAKE_S,
                "ssl_shutdown_timeout": SHUTDOWN_S,
            }
        connections = Connections(
            self._answer,
            on_malformed=lambda: self._metrics.count("webhook", "malformed"),
            idle_timeout_s=self._idle_timeout_s,
            linger_s=self._linger_s,
        )
        self._runner = web.ServerRunner(connections, shutdown_timeout=_FINISH_S)
        await self._runner.setup()
        try:
            # Not aiohttp's TCPSite, which cannot limit how long a handshake takes.
            self._listening = await asyncio.get_running_loop().create_server(
                connections, self._host, self._port, backlog=1024, **secured
            )
        except OSError as error:
            await self.close()
            hint = "see webhook_host and webhook_port"
            raise cannot_listen(error, self._host, self._port, hint) from None
        self._port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, then give requests under way a few seconds; may be called twice."""
        if self._certificates is not None:
            self._certificates.close()
        if self._listening is not None:
            await stop_listening(self._listening)
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, method = request.path, request.method
        if path == self._path:
            try:
                if method == hdrs.METH_POST:
                    began = self._clock.monotonic()
                    response = await self._receive(request)
                    self._metrics.observe("webhook", "", self._clock.monotonic() - began)
                    return response
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
        self.last_at = self._clock.now()
        try:
            notification = parse_notification(
                parse_body(raw), accounts=accounts, others=self._gate.others(accounts)
            )
        except Unreadable:
            # Meta would repeat what is signed for days, and it would not read better.
            self._metrics.count("webhook", "unreadable")
            return plain(200 if self._is_signed_mode else 400)
        if not notification.is_empty:
            try:
                await self._accept(notification)
            except NotStored:
                self._metrics.count("webhook", "not_stored")
                return plain(503)
            except Exception as error:  # noqa: BLE001 - Meta brings it again; the log has no words
                self._metrics.count("webhook", "failed")
                self._failure.happened(exc_info=error)
                return plain(503)
            self._metrics.count("webhook", "stored")
        else:
            self._metrics.count("webhook", "ignored")
        for name, times in notification.unsupported.items():
            self._metrics.count("inbound_unsupported", name, by=times)
        if NOT_ITS_NUMBER in notification.unsupported:
            self._complaints[NOT_ITS_NUMBER].happened()
        return self._ok if self._ok.suits(request) else plain(200)

    def _refuse(self, refused: Refused) -> web.StreamResponse:
        self._metrics.count("webhook", refused.label)
        complaint = self._complaints.get(refused.label)
        if complaint is not None:
            complaint.happened(**({"reason": refused.reason} if refused.reason else {}))
        response = plain(refused.status)
        if not refused.is_read:
            response.force_close()  # the rest of the request is not worth waiting for
        return response
