import io
import logging
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
from openparallax.webhook.signature import Key
from tests.fakes import meta
from tests.fakes.clock import TurnedClock

KEY = Key(meta.SECRET.encode(), frozenset({meta.PHONE_NUMBER_ID}))


@dataclass
class Heard:
    """Stands for the door: keeps what comes in, after ``first`` has run."""

    notifications: list[Notification] = field(default_factory=list)
    first: Callable[[], Awaitable[None]] | None = None

    async def take(self, notification: Notification) -> None:
        if self.first is not None:
            await self.first()
        self.notifications.append(notification)

    @property
    def words(self) -> list[str]:
        return [
            message.text.words
            for notification in self.notifications
            for message in notification.messages
            if message.text
        ]


@dataclass
class Listener:
    """A running server, and what it let out."""

    server: WebhookServer
    clock: TurnedClock
    metrics: Metrics
    log: io.StringIO
    heard: Heard

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

    async def make(
        *,
        keys: Sequence[Key] = (KEY,),
        verify_tokens: Sequence[str] = (meta.VERIFY_TOKEN,),
        host: str = "127.0.0.1",
        port: int = 0,
        **settings: Any,
    ) -> Listener:
        clock, metrics, log, heard = TurnedClock(), Metrics(), io.StringIO(), Heard()

        server = WebhookServer(
            host=host,
            port=port,
            accept=heard.take,
            verify_tokens=verify_tokens,
            keys=keys,
            log=logs.configure(level="debug", render="json", stream=log),
            metrics=metrics,
            clock=clock,
            **settings,
        )
        await server.start()
        made.append(Listener(server, clock, metrics, log, heard))
        return made[-1]

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
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
