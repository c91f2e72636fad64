"""Ordinary requests: answered in order, once, and like all others."""

import asyncio
from collections.abc import Sequence

import aiohttp
import pytest
from aiohttp import web

from openparallax.errors import NotStored
from openparallax.webhook import ordinary
from tests.fakes import meta
from tests.webhook import wire
from tests.webhook.conftest import Listen, Listener

HELLO = meta.body(meta.text("4915112345678", "hello"))


def request(*words: str, secret: str = meta.SECRET) -> bytes:
    raw = meta.body(*(meta.text("4915112345678", one) for one in words))
    signed = meta.sign(raw, secret)
    return wire.head("POST", "/webhook", X_Hub_Signature_256=signed, Content_Length=len(raw)) + raw


def statuses(raw: bytes) -> list[int]:
    return [int(part.split(b" ", 1)[0]) for part in raw.split(b"HTTP/1.1 ")[1:]]


class Steps:
    """Counts which way requests go: those that aiohttp makes a request of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = 0
        make = web.Server._make_request

        def counted(server: web.Server, *arguments: object) -> web.BaseRequest:
            self.made += 1
            return make(server, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(web.Server, "_make_request", counted)


@pytest.fixture
def long_way(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


async def test_what_is_ordinary_is_spared_the_long_way(
    long_way: Steps, listener: Listener, session: aiohttp.ClientSession
) -> None:
    for _ in range(3):
        assert await meta.post(session, listener.url, HELLO) == 200
    assert listener.heard.words == ["hello"] * 3
    assert listener.counted("stored") == 3
    assert long_way.made == 0


async def test_what_only_looks_like_one_goes_the_long_way(
    long_way: Steps, listener: Listener
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nX: ")
    await asyncio.sleep(0.05)
    writer.write(request("a"))  # its first line is what X says
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\nok"), 20)).startswith(
        b"HTTP/1.1 200 "
    )
    assert listener.heard.words == []
    assert long_way.made == 1
    writer.close()


async def test_an_aiohttp_that_is_built_otherwise_goes_the_long_way(
    monkeypatch: pytest.MonkeyPatch,
    long_way: Steps,
    listen: Listen,
    session: aiohttp.ClientSession,
) -> None:
    monkeypatch.setattr(ordinary, "_NEEDED", frozenset({"_of_another_version"}))
    listener = await listen()
    assert await meta.post(session, listener.url, HELLO) == 200
    assert long_way.made == 1


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([request("a"), request("b"), request("c")], id="one by one"),
        pytest.param([request("a") + request("b") + request("c")], id="in one write"),
        pytest.param([request("a"), request("b") + request("c")], id="two behind one"),
        pytest.param([request("a")[:-5], request("a")[-5:] + request("b"), request("c")], id="cut"),
    ],
)
async def test_requests_behind_one_another_are_answered_in_their_order(
    listener: Listener, pieces: Sequence[bytes]
) -> None:
    answer = await wire.exchange(listener.server.port, *pieces, answers=3)
    assert statuses(answer.raw) == [200] * 3
    assert listener.heard.words == ["a", "b", "c"]


async def test_what_comes_while_one_is_stored_waits_for_its_answer(listener: Listener) -> None:
    stored = asyncio.Event()
    outcomes = iter([NotStored("full"), None, None])

    async def hold() -> None:
        await stored.wait()
        failure = next(outcomes)
        if failure is not None:
            raise failure

    listener.heard.first = hold
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(request("first"))
    while not listener.server._intake.last_at:
        await asyncio.sleep(0)
    writer.write(wire.head("GET", "/healthz") + request("second"))
    writer.write(request("third", secret="wrong") + request("fourth"))
    await asyncio.sleep(0.05)
    stored.set()
    came = b""
    while len(statuses(came)) < 5:
        came += await asyncio.wait_for(reader.read(65536), 20)
    assert statuses(came) == [503, 200, 200, 401, 200]
    assert listener.heard.words == ["second", "fourth"]
    writer.close()


async def test_a_wrong_signature_is_refused_and_the_connection_goes_on(listener: Listener) -> None:
    pieces = [request("a", secret="wrong"), request("b")]
    raw = b""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    for piece in pieces:
        writer.write(piece)
        raw += await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    assert statuses(raw) == [401, 200]
    assert listener.heard.words == ["b"]
    assert listener.counted("bad_signature") == 1
    writer.close()


async def test_closing_waits_for_an_ordinary_request(listener: Listener) -> None:
    stored = asyncio.Event()

    async def hold() -> None:
        await stored.wait()

    listener.heard.first = hold
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(request("hello"))
    while not listener.server._intake.last_at:
        await asyncio.sleep(0)
    closing = asyncio.create_task(listener.server.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    stored.set()
    assert statuses(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)) == [200]
    await closing
    assert await reader.read() == b""
    writer.close()


async def test_a_client_that_goes_away_does_not_stop_the_storing(listener: Listener) -> None:
    stored = asyncio.Event()

    async def hold() -> None:
        await stored.wait()

    listener.heard.first = hold
    _, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(request("hello"))
    while not listener.server._intake.last_at:
        await asyncio.sleep(0)
    writer.transport.abort()
    await asyncio.sleep(0.02)
    stored.set()
    while not listener.heard.words:
        await asyncio.sleep(0)
    assert listener.heard.words == ["hello"]


async def test_without_memory_to_read_a_request_the_connection_and_its_task_end(
    monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    def failing(connection: web.RequestHandler, data: bytes) -> None:
        raise MemoryError

    before = asyncio.all_tasks()
    monkeypatch.setattr(web.RequestHandler, "data_received", failing)
    answer = await wire.exchange(listener.server.port, request("a"))
    assert (answer.raw, answer.is_closed) == (b"", True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
