"""What may happen below HTTP, against raw sockets: was the message sent, or may it have been?"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import Accepted, NotSent, Unanswered
from tests.fakes.graph import FakeGraph
from tests.graph.conftest import send

Connect = Callable[..., Awaitable[GraphClient]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[int]:
    """A raw server on loopback; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def request(reader: asyncio.StreamReader) -> bytes:
    """The whole of one request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def test_refused_connection(connect: Connect) -> None:
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        client = await connect(f"http://127.0.0.1:{bound.getsockname()[1]}")
        assert await send(client) == NotSent("ClientConnectorError")


async def test_unknown_host(
    graph: FakeGraph, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = await connect("http://graph.example")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_name)
    assert await send(client) == NotSent("ClientConnectorDNSError")


async def test_a_connection_that_is_never_established(connect: Connect) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        # Nobody accepts; once the queue is full the kernel drops further attempts.
        for _ in range(4):
            another = socket.socket()
            another.setblocking(False)
            another.connect_ex(full.getsockname())
            waiting.append(another)
        client = await connect(f"http://127.0.0.1:{full.getsockname()[1]}", timeout_s=0.4)
        assert await send(client) == NotSent("connect_timeout")
        for another in waiting:
            another.close()


async def test_accepted_by_the_kernel_and_never_by_the_server(connect: Connect) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        client = await connect(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout_s=0.3)
        # Our bytes lie in the kernel; a server that wakes up would read them.
        assert await send(client) == Unanswered("timeout")


async def test_tls_to_a_port_that_speaks_plainly(connect: Connect) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with server(plain) as port:
        client = await connect(f"https://127.0.0.1:{port}")
        assert await send(client) == NotSent("ClientConnectorSSLError")


async def test_tls_that_is_hung_up(connect: Connect) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.transport.abort()

    async with server(hang_up) as port:
        client = await connect(f"https://127.0.0.1:{port}")
        assert isinstance(await send(client), NotSent)


async def test_a_tls_handshake_without_end(connect: Connect) -> None:
    done = asyncio.Event()

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await done.wait()

    async with server(silent) as port:
        client = await connect(f"https://127.0.0.1:{port}", timeout_s=0.4)
        assert await send(client) == NotSent("connect_timeout")
        done.set()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "ServerDisconnectedError"),
        (b"HTTP/1.1 200 O", "ServerDisconnectedError"),
        (HEAD, "ClientPayloadError"),
        (HEAD + b'{"messages": [{"id": "wamid.', "ClientPayloadError"),
        (HEAD.replace(b"200 OK", b"400 Bad Request") + b'{"error": {', "ClientPayloadError"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "ClientResponseError"),
        (HEAD.replace(b"100", b"no"), "ClientResponseError"),
        (HEAD.replace(b"Content-Length: 100", b"X: " + b"x" * 20_000), "ClientResponseError"),
    ],
    ids=["nothing", "half a line", "no body", "half a body", "half an error", "ssh", "bad", "long"],
)
async def test_cut_in_the_middle_of_the_answer(
    connect: Connect, answer: bytes, reason: str
) -> None:
    requests = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await request(reader))
        writer.write(answer)
        await writer.drain()

    async with server(cut) as port:
        client = await connect(f"http://127.0.0.1:{port}")
        assert await send(client) == Unanswered(reason)
    assert len(requests) == 1


async def test_a_connection_that_is_reset(connect: Connect) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        at_once = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        writer.transport.abort()

    async with server(reset) as port:
        client = await connect(f"http://127.0.0.1:{port}")
        assert await send(client) == Unanswered("ClientOSError")


async def test_cut_before_the_request_was_read(connect: Connect) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with server(hang_up) as port:
        client = await connect(f"http://127.0.0.1:{port}")
        assert isinstance(await send(client), Unanswered)


async def test_a_kept_connection_that_was_cut_meanwhile_is_not_used_twice(
    connect: Connect,
) -> None:
    """A request that may have gone out on it must not go out again on another one."""
    requests = []

    async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await request(reader))
        body = b'{"messages": [{"id": "wamid.1"}]}'
        writer.write(HEAD.replace(b"100", str(len(body)).encode()) + body)
        await writer.drain()
        requests.append(await request(reader))  # the second one is read and never answered
        writer.transport.abort()

    async with server(one_answer) as port:
        client = await connect(f"http://127.0.0.1:{port}")
        assert await send(client) == Accepted("wamid.1")
        assert isinstance(await send(client), Unanswered)
    assert len(requests) == 2


async def test_an_answer_that_drips_ends_with_the_time(connect: Connect) -> None:
    dripped = 0

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dripped
        await request(reader)
        writer.write(HEAD)
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            dripped += 1
            await asyncio.sleep(0.02)

    async with server(drip) as port:
        client = await connect(f"http://127.0.0.1:{port}", timeout_s=0.3)
        assert await send(client) == Unanswered("timeout")
    assert 1 < dripped < 50


async def test_an_answer_without_end_is_not_read_to_its_end(connect: Connect) -> None:
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()
            written += 0x10000

    async with server(flood) as port:
        client = await connect(f"http://127.0.0.1:{port}")
        assert await send(client) == Unanswered("unreadable_answer")
    assert written < 32 * 1024 * 1024


async def test_what_is_left_of_one_answer_is_not_taken_for_the_next(connect: Connect) -> None:
    async def too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        body = b'{"messages": [{"id": "wamid.1"}]}'
        good = HEAD.replace(b"100", str(len(body)).encode()) + body
        writer.write(good + good.replace(b"wamid.1", b"wamid.2"))
        await writer.drain()
        await request(reader)

    async with server(too_much) as port:
        client = await connect(f"http://127.0.0.1:{port}")
        assert await send(client) == Accepted("wamid.1")
        assert await send(client) == Accepted("wamid.1")
