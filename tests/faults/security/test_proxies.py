"""No request reaches the daemon that the proxy in front did not see, and no answers are swapped."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.app.patience import LONG_S, until
from tests.fakes import meta
from tests.faults.security.proxies import BARE, PROXIES, Proxy
from tests.security.behind import Behind, listening
from tests.security.smuggling import HIDDEN, VECTORS
from tests.webhook import wire

BODY = meta.body(meta.text("4915112345678", "hello", at=1_790_000_000))
AT_A_TIME = 8
ROUNDS = 2
each_proxy = pytest.mark.parametrize("name", PROXIES)


def _installed(name: str) -> Proxy:
    if PROXIES[name].path is None:
        pytest.skip(f"{PROXIES[name].program} is not installed")
    return PROXIES[name]


async def _victim(port: int, number: int) -> int:
    """Verify as Meta does, with a challenge of one's own; the number in what came back."""
    head = wire.head(
        "GET",
        "/webhook?hub.mode=subscribe&hub.verify_token="
        f"{meta.VERIFY_TOKEN}&hub.challenge=victim-{number}-end",
        Connection="close",
    )
    answer = await wire.exchange(port, head, patience_s=LONG_S)
    assert answer.status == 200, answer.raw
    [found] = re.findall(rb"victim-(\d+)-end", answer.raw)
    return int(found)


async def _all_in_step(behind: Behind, port: int) -> None:
    blobs = [blob for _ in range(ROUNDS) for blob in VECTORS.values()]
    blobs += [blob.replace(b"POST /webhook", b"GET /healthz") for blob in blobs]
    said: list[int] = []
    for start in range(0, len(blobs), AT_A_TIME):
        some = blobs[start : start + AT_A_TIME]
        attacks = [wire.exchange(port, blob, patience_s=0.2) for blob in some]
        victims = [_victim(port, start + n) for n in range(len(some))]
        said += (await asyncio.gather(asyncio.gather(*attacks), asyncio.gather(*victims)))[1]
        said += await asyncio.gather(*(_victim(port, start + n) for n in range(len(some))))
    expected = [
        start + n
        for start in range(0, len(blobs), AT_A_TIME)
        for _ in range(2)
        for n in range(len(blobs[start : start + AT_A_TIME]))
    ]
    assert said == expected
    assert behind.smuggled == []


@each_proxy
async def test_nothing_is_smuggled_and_no_answer_goes_to_another(name: str, tmp_path: Path) -> None:
    proxy = _installed(name)
    async with listening() as behind, proxy.running(tmp_path, behind.port) as port:
        await _all_in_step(behind, port)
        assert len(behind.paths) > len(VECTORS)  # much of it did get here


@each_proxy
async def test_a_signed_body_of_three_megabytes_comes_through(name: str, tmp_path: Path) -> None:
    """Whole and unchanged, with its length and in chunks, and over connections that are kept."""
    proxy = _installed(name)
    raw = BODY + b" " * (3_000_000 - len(BODY))

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 100_000):
            yield raw[start : start + 100_000]

    headers = {"X-Hub-Signature-256": meta.sign(raw), "Content-Type": "application/json"}
    async with listening() as behind, proxy.running(tmp_path, behind.port) as port:
        url = f"http://localhost:{port}/webhook"
        async with aiohttp.ClientSession() as session:
            for data in (io.BytesIO(raw), in_pieces(), io.BytesIO(raw)):
                async with session.post(url, data=data, headers=headers) as answer:
                    assert answer.status == 200, await answer.text()
    assert len(behind.taken) == 3


@pytest.mark.parametrize("proxy", [*PROXIES.values(), *BARE.values()], ids=lambda one: one.program)
async def test_without_a_secret_what_the_proxy_brings_is_refused(
    proxy: Proxy, tmp_path: Path
) -> None:
    """Also by one that adds no header, where it was asked by the name that it has outside."""
    if proxy.path is None:
        pytest.skip(f"{proxy.program} is not installed")
    head = wire.head(Content_Length=len(BODY), Connection="close")
    async with listening(keys=False) as behind, proxy.running(tmp_path, behind.port) as port:
        for host in (b"bot.example.org", b"bot.example.org:443"):
            answer = await wire.exchange(
                port, head.replace(b"localhost", host), BODY, patience_s=LONG_S
            )
            assert answer.status == 401
    assert behind.taken == []


async def test_a_proxy_that_is_taken_in_is_found_out() -> None:
    """The control: one that drops the length of what it hands on."""

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", behind.port)
        raw = await reader.read(65536)
        lines = [line for line in raw.split(b"\r\n") if not line.startswith(b"Content-Length")]
        here.write(b"\r\n".join(lines))
        writer.write(await there.read(65536))
        for one in (here, writer):
            one.close()

    async with listening() as behind:
        server = await asyncio.start_server(hand_on, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        hidden = VECTORS["GET with a body"].replace(b"GET /webhook", b"GET /healthz")
        await wire.exchange(port, hidden, patience_s=0.5)
        await until(lambda: behind.smuggled != [])
        server.close()
        await server.wait_closed()
    assert behind.smuggled == [HIDDEN]
