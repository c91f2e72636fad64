"""Those who send much: bodies, headers, pipelines."""

import asyncio
import gzip

from tests.faults.net.strangers import MESSAGE, SIGNATURE, Target, forged, head

LIMIT = 4 * 1024 * 1024


async def _again_and_again(target: Target, request: bytes, workers: int = 8) -> None:
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection() as one:
            for _ in range(20):
                await one.send(request)
                if await one.answer(15) in {"closed", "silence"} or not whom.left_s:
                    break

    await target.by(workers, work)


async def largest_bodies(target: Target) -> None:
    """Bodies of just what is allowed, with a wrong signature."""
    await _again_and_again(target, forged(MESSAGE.ljust(LIMIT)))


async def larger_bodies(target: Target) -> None:
    """Bodies of just more, in chunks, so that nobody knows before."""
    begin = head(X_Hub_Signature_256=SIGNATURE, Transfer_Encoding="chunked")
    await _again_and_again(target, begin + b"%x\r\n" % (LIMIT + 1) + b" " * (LIMIT + 1))


async def bodies_almost_whole(target: Target) -> None:
    """Hundreds of bodies of which all but the end is there, at the same time."""
    request = forged(MESSAGE.ljust(LIMIT))[:-1]
    to_come = 300

    async def work(whom: Target) -> None:
        nonlocal to_come
        async with whom.connection() as one:
            try:
                await one.send(request)
            finally:
                to_come -= 1
                if not to_come:  # more than a gigabyte has come; now they are held
                    whom.begin()
            await one.answer(whom.until_seen_s("408") + 1)
        await asyncio.sleep(1)

    await target.by(to_come, work)


async def many_headers(target: Target) -> None:
    """Thousands of headers."""
    await _again_and_again(target, head()[:-2] + b"X: y\r\n" * 5000 + b"\r\n")


async def huge_headers(target: Target) -> None:
    """As many and as long as are just let in, cookies for the most part."""
    cookies = b"".join(b"Cookie: c%d=%b\r\n" % (n, b"x" * 8000) for n in range(100))
    await _again_and_again(target, head("GET", "/healthz")[:-2] + cookies + b"\r\n")


async def one_endless_header(target: Target) -> None:
    """A header without an end."""
    await _again_and_again(target, head()[:-2] + b"X: " + b"y" * 2_000_000)


async def tiny_chunks(target: Target) -> None:
    """Hundreds of kilobytes in chunks of a byte each."""
    begin = head(X_Hub_Signature_256=SIGNATURE, Transfer_Encoding="chunked")
    await _again_and_again(target, begin + b"1\r\n \r\n" * 300_000 + b"0\r\n\r\n", workers=4)


async def bombs(target: Target) -> None:
    """What would be a gigabyte if anybody unpacked it."""
    bomb = gzip.compress(gzip.compress(b"0" * 100_000_000, 9), 9)
    await _again_and_again(target, forged(bomb, Content_Encoding="gzip"))


async def pipelines(target: Target) -> None:
    """Thousands of forged requests in one write; the answers are taken."""
    block = forged() * 500
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection() as one:
            sending = asyncio.create_task(one.send(block))
            while await one.answer(2) not in {"closed", "silence"}:
                pass
            sending.cancel()

    await target.by(8, work)


async def forged_messages(target: Target) -> None:
    """Good requests with a wrong signature, one after the other."""
    await _again_and_again(target, forged(), workers=20)
