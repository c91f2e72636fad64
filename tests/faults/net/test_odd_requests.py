"""What no client library would send: each is refused or read as HTTP says, and does no harm."""

import asyncio
import gzip
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.app.patience import LONG_S, until
from tests.fakes import meta
from tests.faults.net.siege import Siege, besieged
from tests.faults.net.strangers import CONTACT, MESSAGE, SIGNATURE, forged, head
from tests.webhook import wire

NOTHING_MORE_S = 2.0
CHUNKED = head(X_Hub_Signature_256=SIGNATURE, Transfer_Encoding="chunked")
BOMB = gzip.compress(b"0" * 50_000_000, 9)


@dataclass(frozen=True)
class Odd:
    """A request of a stranger; ``statuses`` are those of the answers, in order."""

    name: str
    raw: bytes
    statuses: tuple[int, ...]


def _line(line: bytes, rest: bytes = b"Host: x\r\n\r\n") -> bytes:
    return line + b"\r\n" + rest


def _both(*headers: str) -> bytes:
    return head()[:-2] + "\r\n".join([*headers, "", ""]).encode() + MESSAGE


ODD = [
    Odd("chunks of wrong size", CHUNKED + b"5\r\n123456789\r\n0\r\n\r\n", (400,)),
    Odd("a chunk of no size", CHUNKED + b"\r\n\r\n", (400,)),
    Odd("a chunk of negative size", CHUNKED + b"-1\r\n\r\n", (400,)),
    Odd("a chunk of 2^64 bytes", CHUNKED + b"10000000000000000\r\nx", (400,)),
    Odd("a chunk's size in other digits", CHUNKED + "٣\r\nabc\r\n".encode(), (400,)),
    Odd("a chunk ended by LF", CHUNKED + b"1\n \n0\n\n", (400,)),
    Odd("extensions and trailers", CHUNKED + b"1;a=b\r\n \r\n0\r\nX: y\r\n\r\n", (401,)),
    Odd("200 trailers", CHUNKED + b"1\r\n \r\n0\r\n" + b"X: y\r\n" * 200 + b"\r\n", (400,)),
    Odd("a huge trailer", CHUNKED + b"0\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", (400,)),
    Odd("both lengths", _both("Content-Length: 5", "Transfer-Encoding: chunked"), (400,)),
    Odd("both lengths, turned", _both("Transfer-Encoding: chunked", "Content-Length: 5"), (400,)),
    Odd("two lengths", _both("Content-Length: 5", "Content-Length: 6"), (400,)),
    Odd("one length twice", _both("Content-Length: 5", "Content-Length: 5"), (400,)),
    Odd("a list of lengths", _both("Content-Length: 5, 5"), (400,)),
    Odd("a length with a sign", _both("Content-Length: +5"), (400,)),
    Odd("a length in other digits", _both("Content-Length: ٣"), (400,)),
    Odd("an unknown coding", _both("Transfer-Encoding: quokka"), (400,)),
    Odd("chunked, not last", _both("Transfer-Encoding: chunked, gzip"), (400,)),
    Odd("chunked with a tab", _both("Transfer-Encoding:\vchunked"), (400,)),
    Odd("gzip", forged(gzip.compress(MESSAGE), Content_Encoding="gzip"), (401,)),
    Odd("deflate", forged(zlib.compress(MESSAGE), Content_Encoding="deflate"), (401,)),
    Odd("a bomb", forged(BOMB, Content_Encoding="gzip"), (401,)),
    Odd("no gzip", forged(MESSAGE, Content_Encoding="br, zstd, gzip"), (401,)),
    Odd("100-continue", forged(Expect="100-continue"), (401,)),
    Odd("another expectation", forged(Expect="quokka"), (401,)),
    Odd("h2c", forged(Connection="Upgrade, HTTP2-Settings", Upgrade="h2c"), (401,)),
    Odd(
        "a websocket, and a request behind it",
        head("GET", Connection="Upgrade", Upgrade="websocket") + head("GET", "/healthz"),
        (403, 200),
    ),
    Odd("HTTP/1.0", _line(b"GET /healthz HTTP/1.0", b"\r\n"), (200,)),
    Odd("HTTP/0.9, which looks unfinished", b"GET /healthz\r\n", ()),
    Odd("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    Odd("HTTP/1.2", _line(b"GET /healthz HTTP/1.2"), (400,)),
    Odd("CONNECT", _line(b"CONNECT evil.example:443 HTTP/1.1"), (404,)),
    Odd("TRACE", _line(b"TRACE /webhook HTTP/1.1"), (405,)),
    Odd("an absolute target", _line(b"GET http://evil.example/healthz HTTP/1.1"), (200,)),
    Odd("a target of another kind", _line(b"GET quokka HTTP/1.1"), (400,)),
    Odd("a star", _line(b"OPTIONS * HTTP/1.1"), (404,)),
    Odd("a very long target", _line(b"GET /" + b"x" * 100_000 + b" HTTP/1.1"), (400,)),
    Odd("NUL in the target", _line(b"GET /\0 HTTP/1.1"), (400,)),
    Odd("NUL in a header", _line(b"GET /healthz HTTP/1.1", b"Host: x\r\nX: \0\r\n\r\n"), (400,)),
    Odd("a folded header", _line(b"GET / HTTP/1.1", b"Host: x\r\nX: y\r\n z\r\n\r\n"), (400,)),
    Odd("a space before the colon", _line(b"GET / HTTP/1.1", b"Host : x\r\n\r\n"), (400,)),
    Odd("two hosts", _line(b"GET / HTTP/1.1", b"Host: x\r\nHost: y\r\n\r\n"), (400,)),
    Odd("no host", _line(b"GET / HTTP/1.1", b"\r\n"), (400,)),
    Odd("lines ended by CR", b"GET / HTTP/1.1\rHost: x\r\r", (400,)),
    Odd("two signatures", forged(X_Hub_Signature_256_=SIGNATURE), (401,)),
    Odd(
        "TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500, (400,)
    ),
    Odd("nothing but line ends", b"\r\n" * 10_000 + b"\r\nx\r\n", (400,)),
]


def statuses(raw: bytes) -> tuple[int, ...]:
    """Of the answers that came one behind the other, "100 Continue" left out."""
    found = [int(piece[:3]) for piece in raw.split(b"HTTP/1.1 ")[1:] + raw.split(b"HTTP/1.0 ")[1:]]
    return tuple(status for status in found if status != 100)


async def _ask(port: int, odd: Odd) -> bytes:
    """What comes back: as many answers as are to come, and what may come behind them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    came = b""
    try:
        with suppress(ConnectionError, TimeoutError):
            writer.write(odd.raw)
            while True:
                is_enough = len(statuses(came)) >= len(odd.statuses)
                patience_s = NOTHING_MORE_S if is_enough else LONG_S
                if not (more := await asyncio.wait_for(reader.read(65536), patience_s)):
                    break
                came += more
    finally:
        writer.close()
    return came


async def _still_well(siege: Siege) -> None:
    assert await siege.daemon.is_healthy()
    assert CONTACT not in {call.to for call in siege.daemon.graph.calls}


async def test_odd_requests_are_answered_as_http_says(tmp_path: Path) -> None:
    async with besieged(tmp_path, is_secured=False) as siege:
        answers = await asyncio.gather(*(_ask(siege.daemon.port, odd) for odd in ODD))
        found = {odd.name: statuses(one) for odd, one in zip(ODD, answers, strict=True)}
        assert found == {odd.name: odd.statuses for odd in ODD}
        await _still_well(siege)


@pytest.mark.parametrize("listener", ["admin", pytest.param("socket", marks=pytest.mark.long)])
async def test_they_do_the_operators_listeners_no_harm(tmp_path: Path, listener: str) -> None:
    async with besieged(tmp_path, is_secured=False) as siege:
        address = siege.listener(listener)

        async def ask(odd: Odd) -> None:
            if listener == "admin":
                reader, writer = await asyncio.open_connection("127.0.0.1", int(address))
            else:
                reader, writer = await asyncio.open_unix_connection(address)
            writer.write(odd.raw)
            try:
                came = await asyncio.wait_for(reader.read(65536), 5)
            except TimeoutError:  # half a request by what HTTP says
                came = b""
            except ConnectionError:
                came = b""
            assert all(400 <= status < 500 or status == 200 for status in statuses(came)), odd.name
            writer.close()

        await asyncio.gather(*map(ask, ODD))
        status, _ = await siege.daemon.readiness()
        assert status == 200
        await _still_well(siege)


async def test_hundreds_of_requests_in_one_write_are_answered_in_order(tmp_path: Path) -> None:
    """Signed ones among forged ones and other pages; each answer is that of its request."""
    async with besieged(tmp_path, is_secured=False) as siege:
        requests, wanted, said = [], [], {}
        for number in range(600):
            contact, words = f"49180{number:07}", f"pipelined {number}"
            raw = meta.body(meta.text(contact, words))
            kind = number % 4
            if kind == 0:
                requests.append(forged())
                wanted.append(401)
            elif kind == 1:
                requests.append(head("GET", f"/nowhere/{number}"))
                wanted.append(404)
            else:
                body = wire.chunked(raw, 50) if kind == 2 else raw
                length = (
                    {"Transfer_Encoding": "chunked"} if kind == 2 else {"Content_Length": len(raw)}
                )
                requests.append(wire.signed_head(raw, **length) + body)
                wanted.append(200)
                said[contact] = words
        requests.append(head("GET", "/nowhere", Connection="close"))
        wanted.append(404)
        answer = await wire.exchange(siege.daemon.port, b"".join(requests), patience_s=60)
        assert list(statuses(answer.raw)) == wanted
        graph = siege.daemon.graph
        await until(lambda: {call.to for call in graph.accepted} >= set(said))
        assert {call.to: call.body for call in graph.accepted if call.to in said} == said
        siege.expect(said)


@pytest.mark.long
async def test_a_thousand_messages_in_one_request_and_many_such_at_once(tmp_path: Path) -> None:
    """Meta's largest batches: others are acknowledged meanwhile, and memory stays bounded."""
    async with besieged(tmp_path, is_secured=False) as siege:
        said: dict[str, str] = {}
        batches = []
        for batch in range(4):
            items = []
            for number in range(1000):
                contact = f"4919{batch:02}{number:06}"
                said[contact] = f"{number} of {batch} ".ljust(2000, "x")
                items.append(meta.text(contact, said[contact]))
            batches.append(meta.body(*items))
        assert all(2_000_000 < len(raw) < 4_000_000 for raw in batches)
        memory = siege.watch.memory_mb
        siege.watch.forget_peak()
        taken = asyncio.gather(*(siege.deliver(raw) for raw in batches))
        meanwhile = await siege.post_for(3)
        await taken
        assert meanwhile.worst < 10
        assert siege.watch.peak_mb - memory < 300
        siege.expect(said)
