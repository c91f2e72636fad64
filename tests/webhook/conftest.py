import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import structlog

from openparallax import logs
from openparallax.metrics import Metrics
from openparallax.model.messages import Notification
from openparallax.webhook.server import WebhookServer
from tests.fakes import meta
from tests.fakes.clock import TurnedClock


@dataclass
class Listener:
    """A running server, and what it let out."""

    server: WebhookServer
    clock: TurnedClock
    metrics: Metrics
    log: io.StringIO
    accepted: list[Notification] = field(default_factory=list)
    accept: Callable[[Notification], Awaitable[None]] | None = None
    """What runs when a notification comes in, besides keeping it."""

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def url(self) -> str:
        return self.base + "/webhook"

    @property
    def lines(self) -> list[str]:
        return self.log.getvalue().splitlines()

    def counted(self, label: str) -> int:
        return self.metrics.value("webhook", label)


Listen = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Makes running servers, and closes them."""
    made: list[Listener] = []

    async def make(*, app_secrets: Sequence[str] = (meta.SECRET,), **settings: Any) -> Listener:
        clock, metrics, log = TurnedClock(), Metrics(), io.StringIO()

        async def accept(notification: Notification) -> None:
            if listener.accept is not None:
                await listener.accept(notification)
            listener.accepted.append(notification)

        server = WebhookServer(
            host="127.0.0.1",
            port=0,
            accept=accept,
            verify_tokens=[meta.VERIFY_TOKEN],
            app_secrets=app_secrets,
            log=logs.configure(level="debug", render="json", stream=log),
            metrics=metrics,
            clock=clock,
            **settings,
        )
        listener = Listener(server, clock, metrics, log)
        await server.start()
        made.append(listener)
        return listener

    yield make
    for listener in made:
        await listener.server.close()
    structlog.reset_defaults()


@pytest.fixture
async def listener(listen: Listen) -> Listener:
    return await listen()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _quiet_root() -> Iterator[None]:
    """`logs.configure` takes the root logger over; give it back."""
    root = logs.logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
