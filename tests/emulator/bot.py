"""A bot behind the emulator: takes webhooks over HTTP, in whatever mood a test gives it."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

Mood = Callable[["Post"], Awaitable[int | None]]
"""The status of an answer; None cuts the connection."""


@dataclass(frozen=True)
class Post:
    """One webhook.

    Attributes:
        is_signed: It carries the right signature.
        status: What it was answered with; None: the connection was cut.
    """

    raw: bytes
    said: dict[str, Any]
    headers: dict[str, str]
    is_signed: bool
    status: int | None = None

    @property
    def changes(self) -> list[dict[str, Any]]:
        return [change for entry in self.said["entry"] for change in entry["changes"]]

    def all(self, name: str) -> list[dict[str, Any]]:
        """Everything in lists of this name, such as ``messages``."""
        return [one for change in self.changes for one in change["value"].get(name, ())]


async def well(_: Post) -> int | None:
    return 200


class Bot:
    """Listens on loopback; refuses with 401 what is not signed, where it has a secret.

    Attributes:
        posts: Every webhook that came, once it was answered.
        mood: How the next ones are answered.
    """

    def __init__(self, secret: str, verify_token: str = "") -> None:
        self.posts: list[Post] = []
        self.mood: Mood = well
        self.url = ""
        self._secret = secret
        self._verify_token = verify_token
        self._changed = asyncio.Condition()
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; again at the same address, if it had one."""
        self._runner = web.ServerRunner(web.Server(self._serve), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = int(self._runner.addresses[0][1])
        self.url = f"http://127.0.0.1:{self._port}/webhook"

    async def stop(self) -> None:
        await self._runner.cleanup()

    @property
    def taken(self) -> list[Post]:
        return [post for post in self.posts if post.status == 200]

    @property
    def texts(self) -> list[str]:
        """Of all text messages that were taken, in order."""
        return [said["text"]["body"] for post in self.taken for said in post.all("messages")]

    @property
    def told(self) -> list[str]:
        """The names of all statuses that were taken, in order."""
        return [one["status"] for post in self.taken for one in post.all("statuses")]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once something is so; looked at after each webhook."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(is_so), 20)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            if request.query.get("hub.verify_token") != self._verify_token:
                return web.Response(status=403)
            return web.Response(text=request.query["hub.challenge"])
        raw = await request.read()
        signature = hmac.new(self._secret.encode(), raw, hashlib.sha256).hexdigest()
        is_signed = request.headers.get("X-Hub-Signature-256") == f"sha256={signature}"
        post = Post(raw, json.loads(raw), dict(request.headers), is_signed)
        status = await self.mood(post) if is_signed or not self._secret else 401
        async with self._changed:
            self.posts.append(Post(post.raw, post.said, post.headers, is_signed, status))
            self._changed.notify_all()
        if status is None:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=status or 500, headers={"Location": self.url})


def answers(*statuses: int | None) -> Mood:
    """These, one after the other; then 200."""
    left = list(statuses)

    async def mood(_: Post) -> int | None:
        return left.pop(0) if left else 200

    return mood
