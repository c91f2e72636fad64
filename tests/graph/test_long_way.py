"""A send goes the short way past aiohttp's requests, or aiohttp's own: nobody can tell which."""

from collections.abc import Awaitable, Callable

import pytest

from openparallax.graph import wire
from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import Accepted, ErrorClass, Refused, Unanswered
from tests.fakes.graph import FakeGraph, cut_after_accepting, error, ok
from tests.graph.conftest import send
from tests.graph.test_wire import HEAD, request, server

Connect = Callable[..., Awaitable[GraphClient]]


def test_the_short_way_is_open() -> None:
    """Where this fails, aiohttp has changed: all works on, and a send costs twice as much."""
    assert wire.is_possible()


async def test_the_same_bytes_go_out(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []

    async def talk(reader: object, writer: object) -> None:
        sent.append(await request(reader))  # type: ignore[arg-type]
        writer.write(HEAD + b" " * 100)  # type: ignore[attr-defined]

    async with server(talk) as port:
        for is_possible in (True, False):
            monkeypatch.setattr(wire, "is_possible", lambda is_possible=is_possible: is_possible)
            client = await connect(f"http://127.0.0.1:{port}/a b")
            assert await send(client, "Grüße 🌍") == Unanswered("unreadable_answer")
    short, long = sent
    assert short == long
    assert short.startswith(b"POST /a%20b/v25.0/")


async def test_the_long_way(
    graph: FakeGraph, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "is_possible", lambda: False)
    client, impatient = await connect(graph.url), await connect(graph.url, timeout_s=0.5)
    graph.queue(ok(), error(131026), cut_after_accepting(), graph.hang())
    assert isinstance(await send(client), Accepted)
    refused = await send(client)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.error_class) == (131026, ErrorClass.RECIPIENT)
    assert isinstance(await send(client), Unanswered)
    assert await send(impatient) == Unanswered("timeout")
