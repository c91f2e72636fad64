"""What Meta may meet at a public address: our daemon, or all that stands in its place."""

import asyncio
import hmac
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from aiohttp import web

from openparallax.doctor.daemon import Running
from openparallax.doctor.outside import Outside
from openparallax.doctor.subject import Subject
from tests.webhook.certificates import authority, trusting

SECRET = "app-secret-of-the-bot"
WORD = "my-secret-verify-token"
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Front:
    """Behaves as the daemon does, but for what a test changes.

    Attributes:
        word: What the handshake wants to hear; None: anything will do.
        secrets: Each may sign; None: nothing is checked.
        most: Bytes of a body.
        instead: Answers everything in its place.
        bodies: What was let in.
    """

    word: str | None = WORD
    secrets: tuple[str, ...] | None = (SECRET,)
    most: int = 4 * 1024 * 1024
    instead: Answer | None = None
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.instead is not None:
            return await self.instead(request)
        if request.method == "GET":
            query = request.query
            is_right = self.word is None or query.get("hub.verify_token") == self.word
            return web.Response(
                status=200 if is_right else 403, text=query["hub.challenge"] if is_right else ""
            )
        if (request.content_length or 0) > self.most:
            return web.Response(status=413)
        body = await request.content.read()
        given = request.headers.get("X-Hub-Signature-256", "")
        right = self.secrets is None or given in {
            "sha256=" + hmac.new(one.encode(), body, "sha256").hexdigest() for one in self.secrets
        }
        if right:
            self.bodies.append(body)
        return web.Response(status=200 if right else 401)


def saying(status: int, text: str = "", **headers: str) -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers)

    return answer


@asynccontextmanager
async def opened(front: Front, leaf: trustme.LeafCert | None = None) -> AsyncIterator[int]:
    """The front listens with TLS on a port of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (leaf or authority().issue_cert("localhost")).configure_cert(context)
    async with listening(front, context) as port:
        yield port


@asynccontextmanager
async def listening(front: Front, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    # A client that does not trust the certificate breaks off in the handshake, which the loop would
    # complain of.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    runner = web.ServerRunner(web.Server(front.answer), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def pem_context(folder: Path, chain: bytes, key: bytes) -> ssl.SSLContext:
    """To listen with exactly this file, whatever is in it."""
    (folder / "odd.pem").write_bytes(chain)
    (folder / "odd.key").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "odd.pem", folder / "odd.key")
    return context


def ending(days: float) -> trustme.LeafCert:
    """A certificate of which so many days are left."""
    return authority().issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=days))


async def in_public(_host: str, _port: int) -> list[str]:
    return ["93.184.216.34"]


def outside(port: int, running: Running | None = None, *, secret: str = SECRET) -> Outside:
    """The doctor before that address."""
    subject = Subject(
        place="channels.whatsapp",
        phone_number_id="1",
        token="EAAtoken-that-nobody-may-see",
        verify_token=WORD,
        app_secrets=(secret,) if secret else (),
        callback_url=f"https://localhost:{port}/webhook",
    )
    return Outside(subject, running or Running(pid=-1), trust=trusting(), look_up=in_public)
