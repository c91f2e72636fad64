"""Half-sent, endless, compressed and garbled requests; afterwards it still answers."""

import asyncio
import gzip

import aiohttp
import pytest

from tests.fakes import meta
from tests.fakes.counts import counted
from tests.webhook import wire
from tests.webhook.conftest import Listen, Listener

HELLO = meta.body(meta.text("4915112345678", "hello quokka", at=1_790_000_000))
LIMIT = 4 * 1024 * 1024


async def assert_still_answers(listener: Listener) -> None:
    before = len(listener.heard.notifications)
    async with aiohttp.ClientSession() as session:
        assert await meta.post(session, listener.url, HELLO) == 200
    assert len(listener.heard.notifications) == before + 1


def padded(size: int) -> bytes:
    """A good body of exactly ``size`` bytes."""
    return HELLO + b" " * (size - len(HELLO))


async def test_a_body_of_four_mebibytes_goes_in(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    assert await meta.post(session, listener.url, padded(LIMIT)) == 200
    raw = padded(LIMIT)
    answer = await wire.exchange(
        listener.server.port,
        wire.signed_head(raw, Transfer_Encoding="chunked", Connection="close"),
        wire.chunked(raw, 50_000),
    )
    assert answer.status == 200
    assert listener.heard.words == ["hello quokka"] * 2


@pytest.mark.parametrize("size", [LIMIT + 1, 20 * 1024 * 1024])
async def test_413_by_content_length(listener: Listener, size: int) -> None:
    raw = padded(size)
    head = wire.signed_head(raw, Content_Length=size)
    answer = await wire.exchange(listener.server.port, head, raw)
    assert answer.status == 413
    assert answer.is_closed
    assert counted(listener.metrics) == {"webhook.too_large": 1}
    await assert_still_answers(listener)


@pytest.mark.parametrize("size", [LIMIT + 1, 20 * 1024 * 1024])
async def test_413_in_chunks(listener: Listener, size: int) -> None:
    raw = padded(size)
    head = wire.signed_head(raw, Transfer_Encoding="chunked")
    answer = await wire.exchange(listener.server.port, head, wire.chunked(raw, 60_000))
    assert answer.status == 413
    assert answer.is_closed
    assert counted(listener.metrics) == {"webhook.too_large": 1}
    await assert_still_answers(listener)


async def test_413_comes_before_the_body(listener: Listener) -> None:
    head = wire.signed_head(b"", Content_Length=10**12)
    answer = await wire.exchange(listener.server.port, head, answers=1)
    assert answer.status == 413


async def test_401_without_a_signature_comes_before_the_body(listener: Listener) -> None:
    for headers in ({"Content_Length": 1000}, {"Transfer_Encoding": "chunked"}):
        answer = await wire.exchange(listener.server.port, wire.head(**headers), answers=1)
        assert answer.status == 401
    assert counted(listener.metrics) == {"webhook.bad_signature": 2}


async def test_a_body_in_small_chunks(listener: Listener) -> None:
    answer = await wire.exchange(
        listener.server.port,
        wire.signed_head(HELLO, Transfer_Encoding="chunked", Connection="close"),
        wire.chunked(HELLO, 1),
    )
    assert answer.status == 200
    assert listener.heard.words == ["hello quokka"]


async def test_a_body_that_comes_in_pieces(listener: Listener) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(wire.signed_head(HELLO, Content_Length=len(HELLO), Connection="close"))
    for start in range(0, len(HELLO), 100):
        writer.write(HELLO[start : start + 100])
        await asyncio.sleep(0.005)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert listener.heard.words == ["hello quokka"]


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_half_sent_body_times_out(listen: Listen, *, is_chunked: bool) -> None:
    listener = await listen(body_timeout_s=0.1)
    if is_chunked:
        head = wire.signed_head(HELLO, Transfer_Encoding="chunked")
        sent = wire.chunked(HELLO)[:200]
    else:
        head, sent = wire.signed_head(HELLO, Content_Length=len(HELLO)), HELLO[:200]
    answer = await wire.exchange(listener.server.port, head, sent)
    assert answer.status == 408
    assert answer.is_closed
    assert counted(listener.metrics) == {"webhook.slow_body": 1}
    assert listener.lines == []
    await assert_still_answers(listener)


async def test_a_body_that_drips_times_out_as_a_whole(listen: Listen) -> None:
    listener = await listen(body_timeout_s=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(wire.signed_head(HELLO, Content_Length=len(HELLO)))
    came = asyncio.create_task(reader.read(12))
    for start in range(len(HELLO) - 1):
        if came.done():
            break
        writer.write(HELLO[start : start + 1])
        await asyncio.sleep(0.02)
    assert await came == b"HTTP/1.1 408"
    writer.close()


@pytest.mark.parametrize(
    "sent", [b"", b"POST /web", wire.head()[:-2], wire.head()[:-2] + b"X: y\r\n"]
)
async def test_half_sent_headers_time_out(listen: Listen, sent: bytes) -> None:
    listener = await listen(idle_timeout_s=0.2)
    answer = await wire.exchange(listener.server.port, sent)
    assert (answer.status, answer.is_closed) == (0, True)
    assert listener.lines == []
    await assert_still_answers(listener)


async def test_dripping_headers_win_no_time(listen: Listen) -> None:
    listener = await listen(idle_timeout_s=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(wire.head()[:-2])
    closed = asyncio.create_task(reader.read())
    for _ in range(200):
        if closed.done():
            break
        writer.write(b"X: y\r\n")
        await asyncio.sleep(0.02)
    assert closed.done()
    await asyncio.wait([closed])
    writer.close()


async def test_half_sent_headers_after_a_good_request_time_out_too(listen: Listen) -> None:
    listener = await listen(idle_timeout_s=0.2)
    whole = wire.signed_head(HELLO, Content_Length=len(HELLO)) + HELLO
    answer = await wire.exchange(listener.server.port, whole, wire.head()[:-2])
    assert (answer.status, answer.is_closed) == (200, True)


async def test_a_client_that_goes_away_in_the_body(listener: Listener) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
        writer.write(wire.signed_head(HELLO, Content_Length=len(HELLO)) + HELLO[:100])
        await writer.drain()
        writer.close()
    for _ in range(500):
        if listener.counted("broken_body") == 20:
            break
        await asyncio.sleep(0.01)
    assert counted(listener.metrics) == {"webhook.broken_body": 20}
    assert listener.lines == []
    assert listener.heard.notifications == []
    await assert_still_answers(listener)


async def test_a_gzip_bomb_stays_packed(listener: Listener) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    for encoding in ("gzip", "deflate", "br", "quokka"):
        head = wire.signed_head(
            bomb, Content_Length=len(bomb), Content_Encoding=encoding, Connection="close"
        )
        answer = await wire.exchange(listener.server.port, head, bomb)
        assert answer.status == 200  # signed, and no JSON
    assert counted(listener.metrics) == {"webhook.unreadable": 4}
    await assert_still_answers(listener)


async def test_the_signature_is_over_what_came(listener: Listener) -> None:
    packed = gzip.compress(HELLO)
    head = wire.head(
        X_Hub_Signature_256=meta.sign(HELLO), Content_Length=len(packed), Content_Encoding="gzip"
    )
    answer = await wire.exchange(listener.server.port, head, packed, answers=1)
    assert answer.status == 401


@pytest.mark.parametrize(
    "raw",
    [
        b"quokka\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a plain port
        b"POST /webhook HTTP/9.9\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nquokka\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nContent-Length: quokka\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /webhook?" + b"q" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nX: " + b"q" * 20_000 + b"\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    ],
    ids=lambda raw: f"{raw[:40]!r}",
)
async def test_what_is_no_http_is_a_bad_request_without_a_word(
    listener: Listener, raw: bytes
) -> None:
    answer = await wire.exchange(listener.server.port, raw)
    assert answer.status == 400
    assert answer.is_closed
    assert b"Server: OpenParallax" in answer.raw
    assert answer.raw.endswith(b"\r\n\r\n")  # no body
    assert counted(listener.metrics) == {"webhook.malformed": 1}
    assert listener.lines == []
    await assert_still_answers(listener)


async def test_broken_chunks_are_a_bad_request(listener: Listener) -> None:
    head = wire.signed_head(HELLO, Transfer_Encoding="chunked")
    answer = await wire.exchange(listener.server.port, head, b"quokka\r\n")
    assert answer.status == 400
    assert answer.is_closed
    assert listener.heard.notifications == []
    assert listener.lines == []
    await assert_still_answers(listener)


async def test_expect_100_continue(listener: Listener) -> None:
    head = wire.signed_head(
        HELLO, Content_Length=len(HELLO), Expect="100-continue", Connection="close"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(head)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(HELLO)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert listener.heard.words == ["hello quokka"]


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
async def test_an_upgrade_is_not_taken_up(listener: Listener, upgrade: str) -> None:
    head = wire.head("GET", Connection="Upgrade", Upgrade=upgrade, Sec_WebSocket_Key="x")
    answer = await wire.exchange(listener.server.port, head, answers=1)
    assert answer.status == 403  # a verification without a token
    await assert_still_answers(listener)


async def test_requests_on_one_connection_are_answered_in_order(listener: Listener) -> None:
    bodies = [meta.body(meta.text("491", f"number {number}", at=1)) for number in range(50)]
    pipeline = b"".join(wire.signed_head(raw, Content_Length=len(raw)) + raw for raw in bodies)
    last = wire.head("GET", "/healthz", Connection="close")
    answer = await wire.exchange(listener.server.port, pipeline + last)
    assert answer.raw.count(b"HTTP/1.1 200 OK\r\n") == 51
    assert answer.raw.endswith(b"\r\n\r\nok")
    assert listener.heard.words == [f"number {number}" for number in range(50)]


@pytest.mark.parametrize(
    ("version", "connection", "closes"),
    [("1.1", "close", True), ("1.0", "close", True), ("1.0", "keep-alive", False)],
)
async def test_what_the_client_says_about_the_connection_holds(
    listener: Listener, version: str, connection: str, *, closes: bool
) -> None:
    head = wire.signed_head(HELLO, Content_Length=len(HELLO), Connection=connection)
    head = head.replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1)
    if closes:
        answer = await wire.exchange(listener.server.port, head, HELLO)
    else:  # then a second request on it is answered too
        answer = await wire.exchange(listener.server.port, head, HELLO, head, HELLO, answers=2)
        assert answer.raw.count(b"HTTP/1.0 200 ") == 2
        assert b"Connection: keep-alive" in answer.raw
    assert answer.status == 200
    assert answer.is_closed is closes


async def test_the_query_of_a_request_is_never_logged(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    for method in ("GET", "POST", "PUT"):
        url = f"{listener.url}?hub.verify_token=quokka&hub.mode=subscribe"
        async with session.request(method, url, data=b"quokka"):
            pass
    assert len(listener.lines) == 2  # one for the token, one for the signature
    assert "quokka" not in listener.log.getvalue()
    assert "127.0.0.1" not in listener.log.getvalue()


async def test_without_memory_for_a_body_meta_is_to_bring_it_again(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(content: aiohttp.StreamReader) -> bytes:
        monkeypatch.undo()
        raise MemoryError

    monkeypatch.setattr(aiohttp.StreamReader, "readany", failing)
    raw = padded(LIMIT)
    head = wire.signed_head(raw, Content_Length=len(raw))
    answer = await wire.exchange(listener.server.port, head, raw)
    assert (answer.status, answer.is_closed) == (503, True)
    assert counted(listener.metrics) == {"webhook.failed": 1}
    await assert_still_answers(listener)
