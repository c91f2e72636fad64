"""Those who come in numbers: connections held, opened and closed, cut, and handshakes begun."""

import asyncio
import contextlib
import itertools
import socket
import ssl

from tests.faults.net.strangers import (
    Target,
    forged,
    head,
    room_for_sockets,
    trusting_anybody,
)

MOST_HELD = 5_000
_AT_ONCE = 200


async def _hold(target: Target, first: bytes) -> None:
    """As many connections as there may be, each with ``first`` in it; then keep them."""
    held: list[socket.socket] = []
    wanted = itertools.count()
    most = min(room_for_sockets(), MOST_HELD)

    async def opener() -> None:
        loop = asyncio.get_running_loop()
        while next(wanted) < most:
            try:
                made = await target.connect()
                held.append(made)
                await loop.sock_sendall(made, first)
            except (OSError, TimeoutError) as error:
                target.tally[f"not opened: {type(error).__name__}"] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(opener())
    target.begin()
    await target.until_the_end()
    for one in held:
        try:
            came = one.recv(100)
        except BlockingIOError:
            target.tally["still open"] += 1
        except OSError:
            target.tally["closed"] += 1
        else:
            target.tally[came[9:12].decode() if came else "closed"] += 1


async def idle_connections(target: Target) -> None:
    """Connections that never say a word."""
    await _hold(target, b"")


async def idle_after_a_request(target: Target) -> None:
    """Connections that were kept after an answer."""
    await _hold(target, head("GET", "/healthz"))


async def waiting_bodies(target: Target) -> None:
    """Connections in the middle of a body that has a signature."""
    await _hold(target, forged()[:-100])


async def stalled_handshakes(target: Target) -> None:
    """TLS begun and left: half a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting_anybody().wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    await _hold(target, outgoing.read()[:100])


async def opened_and_closed(target: Target) -> None:
    """Come and go, as fast as it goes."""
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection():
            pass

    await target.by(50, work)


async def cut_anywhere(target: Target) -> None:
    """RST after each byte of a request."""
    whole = forged()
    cuts = itertools.cycle(range(len(whole) + 1))
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection() as one:
            await one.send(whole[: next(cuts)])
            one.reset()

    await target.by(20, work)


async def garbage_for_a_handshake(target: Target) -> None:
    """No TLS at all, where TLS is spoken."""
    target.begin()

    async def work(whom: Target) -> None:
        async with whom.connection() as one:
            await one.send(head("GET", "/healthz"))
            await one.answer(5)

    await target.by(20, work)


async def handshakes(target: Target) -> None:
    """One handshake after the other, each left as soon as the daemon has done its work."""
    context = trusting_anybody()
    target.begin()

    async def work(whom: Target) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        async with whom.connection() as one:
            await one.send(outgoing.read())
            await one.answer(5)
            one.reset()

    await target.by(4, work)
