"""The public listener, with somebody who looks on: what it read as requests."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from openparallax import logs
from openparallax.clock import SystemClock
from openparallax.metrics import Metrics
from openparallax.model.messages import Notification
from openparallax.webhook.server import WebhookServer
from openparallax.webhook.signature import Key
from tests.fakes import meta
from tests.security.smuggling import HIDDEN


@dataclass
class Behind:
    """What the daemon's listener saw."""

    port: int
    server: WebhookServer
    paths: list[str] = field(default_factory=list)
    taken: list[Notification] = field(default_factory=list)

    @property
    def smuggled(self) -> list[str]:
        return [path for path in self.paths if path.startswith(HIDDEN)]


@asynccontextmanager
async def listening(*, keys: bool = True) -> AsyncIterator[Behind]:
    async def accept(notification: Notification) -> None:
        behind.taken.append(notification)

    key = Key(meta.SECRET.encode(), frozenset({meta.PHONE_NUMBER_ID}))
    server = WebhookServer(
        host="127.0.0.1",
        port=0,
        accept=accept,
        verify_tokens=[meta.VERIFY_TOKEN],
        keys=[key] if keys else [],
        log=logs.configure(level="error", render="json", stream=io.StringIO()),
        metrics=Metrics(),
        clock=SystemClock(),
    )
    answer = server._answer

    async def spying(request: web.BaseRequest) -> web.StreamResponse:
        behind.paths.append(request.path)
        return await answer(request)

    server._answer = spying  # type: ignore[method-assign] # looks on
    await server.start()
    behind = Behind(server.port, server)
    try:
        yield behind
    finally:
        await server.close()
