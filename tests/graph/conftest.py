import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest
import structlog

from openparallax import logs
from openparallax.graph.client import GraphClient
from openparallax.metrics import Metrics
from openparallax.model.outcomes import Outcome
from tests.fakes.graph import FakeGraph

ACCOUNT = "100000000000001"
TO = "491701234567"

Send = Callable[..., Awaitable[Outcome]]


@dataclass
class Seen:
    """What the client let out: log lines and counters."""

    log: io.StringIO = field(default_factory=io.StringIO)
    metrics: Metrics = field(default_factory=Metrics)


@pytest.fixture
def seen() -> Iterator[Seen]:
    yield Seen()
    structlog.reset_defaults()


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with FakeGraph() as fake:
        yield fake


@pytest.fixture
async def connect(seen: Seen) -> AsyncIterator[Callable[..., Awaitable[GraphClient]]]:
    """Makes open clients, and closes them."""
    made: list[GraphClient] = []

    async def make(
        url: str, *, timeout_s: float = 5, max_in_flight: int = 50, token: str | None = None
    ) -> GraphClient:
        client = GraphClient(
            base_url=url,
            version="v25.0",
            access_token=token or "EAAtoken",
            timeout_s=timeout_s,
            max_in_flight=max_in_flight,
            log=logs.configure(level="debug", render="json", stream=seen.log),
            metrics=seen.metrics,
        )
        await client.open()
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()


@pytest.fixture
async def client(graph: FakeGraph, connect: Callable[..., Awaitable[GraphClient]]) -> GraphClient:
    return await connect(graph.url)


async def send(client: GraphClient, body: str = "hello", *, to: str = TO) -> Outcome:
    return await client.send_text(phone_number_id=ACCOUNT, to=to, body=body, token="t0ken")
