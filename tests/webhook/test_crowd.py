"""Who is connected, and who must go; bodies that are on their way, and which is given up."""

import asyncio
import contextlib
import gc
import socket
import tracemalloc
from functools import partial
from pathlib import Path

import pytest

from openparallax.webhook import gate as gate_module
from openparallax.webhook.crowd import Crowd
from openparallax.webhook.room import Room
from openparallax.webhook.tls import Certificates
from tests.fakes import meta
from tests.fakes.clock import TurnedClock
from tests.fakes.counts import counted
from tests.pipeline.doubles import RecordedLog
from tests.webhook import wire
from tests.webhook.certificates import Client, Files, Pair
from tests.webhook.conftest import Listen, Listener

HELLO = meta.body(meta.text("4915112345678", "hello quokka", at=1_790_000_000))
SIGNED = wire.signed_head(HELLO, Content_Length=len(HELLO)) + HELLO
FORGED = wire.head(X_Hub_Signature_256=meta.sign(b""), Content_Length=len(HELLO))


class Guest:
    def __init__(self, *, is_idle: bool = True) -> None:
        self.is_idle = is_idle
        self.is_cut = False

    def abort(self) -> None:
        self.is_cut = True


def came(crowd: Crowd, *guests: Guest) -> None:
    for guest in guests:
        crowd.came(guest, guest)


def test_the_oldest_stranger_goes() -> None:
    cuts: list[None] = []
    crowd = Crowd(3, lambda: cuts.append(None))
    known, *strangers = guests = [Guest() for _ in range(3)]
    came(crowd, *guests)
    crowd.showed_signature(known)
    crowd.showed_signature(known)
    for _ in range(5):
        came(crowd, Guest())
    assert [known.is_cut, *(one.is_cut for one in strangers)] == [False, True, True]
    assert len(cuts) == 5


def test_who_left_has_made_room() -> None:
    crowd = Crowd(2, lambda: None)
    guests = [Guest() for _ in range(3)]
    came(crowd, *guests[:2])
    crowd.showed_signature(guests[0])
    for one in guests[:2]:
        crowd.left(one)
        crowd.left(one)
    came(crowd, guests[2], Guest())
    assert not any(one.is_cut for one in guests)


def test_among_the_known_the_first_goes_that_is_idle() -> None:
    crowd = Crowd(2, lambda: None)
    busy, idle, newcomer, last = Guest(is_idle=False), Guest(), Guest(), Guest()
    came(crowd, busy, idle)
    crowd.showed_signature(busy)
    crowd.showed_signature(idle)
    came(crowd, newcomer)
    assert [one.is_cut for one in (busy, idle, newcomer)] == [False, True, False]
    newcomer.is_idle = False
    crowd.showed_signature(newcomer)
    came(crowd, last)
    assert last.is_cut


async def connect(listener: Listener, sent: bytes = b"") -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(sent)
    await writer.drain()
    return writer


async def test_strangers_keep_nobody_out(listen: Listen) -> None:
    listener = await listen(most_connections=4)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(SIGNED)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    strangers = [await connect(listener, FORGED) for _ in range(20)]
    answer = await wire.exchange(listener.server.port, SIGNED, answers=1)
    assert answer.status == 200
    writer.write(SIGNED)  # and the connection that showed a signature is still there
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    for one in [writer, *strangers]:
        one.close()
    (line,) = listener.lines
    assert "connections_cut" in line


async def test_a_handshake_and_its_connection_count_once(listen: Listen, tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write(Pair.issue())
    certificates = Certificates(
        certificate=files.certificate, key=files.key, clock=TurnedClock(), log=RecordedLog()
    )
    listener = await listen(most_connections=2, certificates=certificates)
    clients = []
    for _ in range(4):
        clients.append(await Client.connect(listener.server.port))
        for client in clients[-2:]:
            assert (await client.asks(SIGNED)).startswith(b"HTTP/1.1 200 ")
    for client in clients:
        with contextlib.suppress(OSError):
            await client.close()


async def test_a_signature_on_a_request_in_pieces_makes_known_too(listen: Listen) -> None:
    listener = await listen(most_connections=2)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    writer.write(SIGNED[:-5])
    await asyncio.sleep(0.05)
    writer.write(SIGNED[-5:])
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    strangers = [await connect(listener) for _ in range(5)]
    writer.write(SIGNED)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    for one in [writer, *strangers]:
        one.close()


async def test_who_takes_no_answers_is_cut_off(listener: Listener) -> None:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", listener.server.port))
    requests = wire.head("GET", "/nowhere") * 1000

    async def go_on() -> None:
        while True:
            await loop.sock_sendall(one, requests)

    with one, pytest.raises(ConnectionError):
        async with asyncio.timeout(20):
            await go_on()
    assert listener.lines == []


async def test_a_body_gives_way_when_too_many_are_on_their_way(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_module, "MOST_ARRIVING", 3 * len(HELLO))
    listener = await listen(body_timeout_s=30)
    head = wire.signed_head(HELLO, Content_Length=len(HELLO))
    answers = []
    writers = []
    for number in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
        writer.write(head + HELLO[:-1])
        answers.append(reader)
        writers.append(writer)
        if number >= 3:  # the oldest is answered before the next one comes
            answer = await answers[number - 3].readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 408 ")
        else:
            await asyncio.sleep(0.05)
    for reader, writer in zip(answers[2:], writers[2:], strict=True):
        writer.write(HELLO[-1:])
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    for writer in writers:
        writer.close()
    assert counted(listener.metrics) == {"webhook.slow_body": 2, "webhook.stored": 3}


async def test_who_breaks_off_a_body_leaves_nothing_behind(listener: Listener) -> None:
    """Nothing that only the collector of cycles would find, which comes late."""
    most = bytes(2_000_000)
    head = wire.signed_head(most, Content_Length=len(most) + 1)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(5):
            writer = await connect(listener, head + most)
            while not listener.server._gate._room._held >= len(most):
                await asyncio.sleep(0.01)
            writer.transport.abort()
            while listener.server._gate._room._held:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        assert tracemalloc.get_traced_memory()[0] < len(most)
    finally:
        tracemalloc.stop()
        gc.enable()


async def test_what_a_body_held_is_free_again() -> None:
    room = Room(10)
    for _ in range(3):
        patience = asyncio.timeout(30)  # one that nobody has entered: to end it would raise
        with contextlib.suppress(ValueError), room.taken(patience) as take:
            take(9)
            raise ValueError
    # Which of the two it is depends on the version of Python.
    with (
        pytest.raises((RuntimeError, AssertionError)),
        room.taken(asyncio.timeout(30)) as take,
    ):
        take(11)


def test_half_of_the_descriptors_are_for_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from openparallax.webhook import crowd  # noqa: PLC0415 - its constant is changed

    for descriptors, room in ((1024, 512), (1, 1), (-1, 2000), (10**6, 2000)):
        monkeypatch.setattr(crowd, "_DESCRIPTORS", descriptors)
        assert crowd.room_for() == room


async def test_a_connection_is_not_idle_while_a_request_is_stored(listen: Listen) -> None:
    listener = await listen(idle_timeout_s=0.2)
    listener.heard.first = partial(asyncio.sleep, 0.5)
    answer = await wire.exchange(listener.server.port, SIGNED)
    assert (answer.status, answer.is_closed) == (200, True)  # closed when it was idle, after that
