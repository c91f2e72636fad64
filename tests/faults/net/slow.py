"""Those who take their time: bytes one by one, requests that never end, answers never read."""

import asyncio
import socket

from tests.faults.net.strangers import MESSAGE, SIGNATURE, Target, forged, head

CROWD = 200
_STEP_S = 0.2


async def _drip(target: Target, begin: bytes, drop: bytes) -> None:
    """``begin``, then ``drop`` again and again until the other side has had enough."""
    async with target.connection() as one:
        await one.send(begin)
        answer = asyncio.create_task(one.answer(target.until_seen_s("408", "closed") + 1))
        try:
            while target.left_s and not answer.done():
                await one.send(drop)
                await asyncio.wait([answer], timeout=_STEP_S)
        finally:
            await answer


async def _crowd(target: Target, begin: bytes, drop: bytes) -> None:
    target.begin()

    async def work(whom: Target) -> None:
        await _drip(whom, begin, drop)

    await target.by(CROWD, work)


async def dripping_headers(target: Target) -> None:
    """Headers that never end."""
    await _crowd(target, head()[:-2], b"X")


async def dripping_header_lines(target: Target) -> None:
    """The same in whole lines."""
    await _crowd(target, head()[:-2], b"X: y\r\n")


async def dripping_bodies(target: Target) -> None:
    """Bodies byte by byte, with a signature."""
    await _crowd(target, head(X_Hub_Signature_256=SIGNATURE, Content_Length=1_000_000), b" ")


async def dripping_chunks(target: Target) -> None:
    """Chunks of one byte."""
    begin = head(X_Hub_Signature_256=SIGNATURE, Transfer_Encoding="chunked")
    await _crowd(target, begin, b"1\r\n \r\n")


async def endless_extensions(target: Target) -> None:
    """A chunk's head that never ends."""
    begin = head(X_Hub_Signature_256=SIGNATURE, Transfer_Encoding="chunked") + b"1;"
    await _crowd(target, begin, b"x" * 20_000)


async def endless_trailers(target: Target) -> None:
    """What may follow the last chunk, without an end."""
    begin = head(X_Hub_Signature_256=SIGNATURE, Transfer_Encoding="chunked")
    await _crowd(target, begin + b"1\r\n \r\n0\r\n", b"X: y\r\n")


async def half_sent_bodies(target: Target) -> None:
    """Half of a body, and then silence."""
    whole = forged()
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection() as one:
            await one.send(whole[: len(whole) - len(MESSAGE) // 2])
            await one.answer(whom.until_seen_s("408", "closed") + 1)

    await target.by(CROWD, work)


async def half_closed(target: Target) -> None:
    """Half of a body, then no more is sent, but the connection stays."""
    whole = forged()
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection() as one:
            await one.send(whole[: len(whole) - len(MESSAGE) // 2])
            one.socket.shutdown(socket.SHUT_WR)
            await one.answer(whom.until_seen_s("408", "closed") + 1)
            await asyncio.sleep(min(whom.left_s, _STEP_S))

    await target.by(CROWD, work)


async def answers_not_read(target: Target, request: bytes = b"") -> None:
    """Requests as many as go in, and no answer is taken."""
    block = (request or head("GET", "/healthz")) * 200
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection(receive_buffer=4096) as one:
            while whom.until_seen_s("cut"):
                try:
                    await one.send(block, timeout_s=2)
                except TimeoutError:
                    # It takes no more; stay as long as it lets us. Part of a block has gone.
                    whom.tally["taken no more from"] += 1
                    await one.send(b"x", timeout_s=whom.until_seen_s("cut") + 0.1)

    await target.by(20, work)


async def metrics_not_read(target: Target) -> None:
    """The operator's largest page, again and again, and it is not taken."""
    await answers_not_read(target, head("GET", "/metrics"))
