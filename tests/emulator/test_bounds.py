"""Whatever is done to it, and for however long: memory, connections and time have an end."""

import asyncio
import math
import socket

import pytest
from aiohttp import ClientSession

from openparallax.emulator import Emulator, MovableClock, server
from openparallax.emulator.clock import EARLIEST, LATEST
from openparallax.emulator.graph import accepting, media, reading, sending, uploading
from openparallax.emulator.phone import calls, telling
from openparallax.emulator.recent import Recent
from tests.app.patience import come_and_listen, until
from tests.emulator.graph.desk import desk
from tests.emulator.graph.saying import text
from tests.emulator.phone.browser import Browser
from tests.fakes.clock import TurnedClock

HEAD = "{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n"


def test_the_oldest_go_where_there_are_too_many_or_they_are_too_large() -> None:
    recent: Recent[int] = Recent(3, 100)
    for number in range(5):
        recent.keep(number, 10)
    assert list(recent) == [2, 3, 4]
    recent.keep(5, 85)
    assert list(recent) == [4, 5]
    recent.keep(6, 1_000)  # larger than all may be together: the newest is there in any case
    assert list(recent) == [6]
    recent.clear()
    recent.keep(7, 100)
    assert list(recent) == [7]


async def test_bodies_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_KEPT_BYTES", 10_000)
    async with desk() as bot:
        mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "x" * 4_000}
        for body in (text("x" * 4_000), mark):
            for _ in range(5):
                await bot.post(f"{bot.number.id}/messages", json=body)
        assert len(bot.emulator.sending.calls) == 2
        assert len(bot.emulator.sending.reads) == 2


async def test_files_are_bounded(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    monkeypatch.setattr(media, "MOST_BYTES", 100)
    kept = [
        emulator.media.keep("1", "image/png", bytes(size), lasts_s=60).id
        for size in (40, 40, 40, 500)
    ]
    assert list(emulator.world.media) == kept[-1:]
    small = [emulator.media.keep("1", "image/png", b"x", lasts_s=60).id for _ in range(3)]
    assert list(emulator.world.media) == small
    monkeypatch.setattr(media, "MOST_FILES", 2)
    last = emulator.media.keep("1", "image/png", b"x", lasts_s=60).id
    assert list(emulator.world.media) == [small[-1], last]


async def test_strangers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in (accepting, calls):
        monkeypatch.setattr(room, "MOST_PEOPLE", 5)
    monkeypatch.setattr("openparallax.emulator.world.MOST_MESSAGES", 2)
    async with desk() as bot, Browser(bot.emulator.url) as page:
        world = bot.emulator.world
        for number in range(4):
            body = {**text(), "to": f"4915559{number:06}"}
            assert (await bot.post(f"{bot.number.id}/messages", json=body)).status == 200
        await bot.emulator.statuses.settled()
        assert list(world.people) == ["ann", "bob", "carol", "davi", "4915559000000"]
        chats = [person for _, person in world.chats]
        assert chats == ["4915559000000", "4915559000002", "4915559000003"]
        said = await page.refused("add-person", name="Erin", phone="4915559000009")
        assert said == (409, "there are too many people already")


async def test_idle_connections_make_room(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 4)
    port = emulator.url.rpartition(":")[2]
    async with Browser(emulator.url) as page, page.events() as stream:
        assert await stream.next()
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        assert await asyncio.wait_for(idle[0][0].read(), 10) == b""
        assert (await page.get("/"))[0] == 200
        emulator.say("ann", "hello")
        await stream.until("message")  # who waits for an answer is not idle
        for _, writer in idle:
            writer.close()


@pytest.mark.parametrize("rounds", range(6))
async def test_whoever_comes_in_the_moment_of_closing_is_let_go(rounds: int) -> None:
    async with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        coming = [asyncio.create_task(come_and_listen(port)) for _ in range(3)]
        for _ in range(rounds):
            await asyncio.sleep(0)
    async with asyncio.timeout(10):
        assert set(await asyncio.gather(*coming)) == {b""}


async def test_a_head_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.05)
    async with Emulator() as emulator:
        reader, writer = await asyncio.open_connection("127.0.0.1", emulator.url.rpartition(":")[2])
        writer.write(b"GET / HT")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=B"])
async def test_a_body_that_does_not_arrive(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BODY_S", 0.05)
    monkeypatch.setattr(uploading, "UPLOAD_S", 0.05)
    async with desk() as bot:
        port = bot.emulator.url.rpartition(":")[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        edge = "messages" if "json" in kind else "media"
        head = HEAD.format(f"POST /v25.0/{bot.number.id}/{edge}")
        writer.write(f"{head}Content-Type: {kind}\r\nContent-Length: 99\r\n\r\n--B\r\n".encode())
        said = await asyncio.wait_for(reader.readuntil(b"}}"), 10)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"The request body did not arrive" in said
        writer.close()


async def test_a_page_that_takes_nothing_is_cut(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "TAKEN_WITHIN_S", 0.1)
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    page.connect(("127.0.0.1", int(emulator.url.rpartition(":")[2])))
    page.sendall(b"GET /phone/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await until(lambda: emulator.world.feed.is_watched)

    def is_cut() -> bool:
        emulator.say("ann", "x" * 65_000)
        return not emulator.world.feed.is_watched

    try:
        await until(is_cut)
    finally:
        page.close()


async def test_the_clock_stays_where_there_are_dates() -> None:
    clock = MovableClock(TurnedClock())
    for seconds, now in ((1e300, LATEST), (math.inf, LATEST), (-1e300, EARLIEST)):
        clock.move(seconds)
        assert clock.now() == pytest.approx(now, abs=1)
    with pytest.raises(ValueError, match="a number of seconds"):
        clock.move(math.nan)
    clock.move(60)
    assert clock.now() == pytest.approx(EARLIEST + 60, abs=1)


@pytest.mark.parametrize("seconds", [1e300, -1e300])
async def test_at_the_ends_of_time_everything_answers(emulator: Emulator, seconds: float) -> None:
    emulator.clock.move(seconds)
    token = emulator.world.account.add_token("x", expires_at=1)
    message = emulator.say("ann", "hello")
    number = emulator.world.our_number().id
    async with Browser(emulator.url) as page, page.events() as stream:
        told = await stream.next()
        assert told is not None
        assert told["chats"][0]["messages"][0]["at"] == message.at
        for token.expires_at in (1, 0):
            status, body, _ = await page.get(f"/v25.0/{number}", Authorization="Bearer x")
            assert status in {200, 401}, body


async def test_a_type_that_is_no_utf_8_is_marked() -> None:
    async with desk() as bot, ClientSession() as session:
        part = b"--B\r\nContent-Disposition: form-data; name="
        raw = part + b'"messaging_product"\r\n\r\nwhatsapp\r\n'
        raw += (
            part + b'"file"; filename="a"\r\nContent-Type: image/png; x=\xff\r\n\r\nx\r\n--B--\r\n'
        )
        url = f"{bot.emulator.url}/v25.0/{bot.number.id}/media"
        headers = {"Authorization": "Bearer x", "Content-Type": "multipart/form-data; boundary=B"}
        async with session.post(url, data=raw, headers=headers) as answer:
            media_id = (await answer.json())["id"]
        assert bot.emulator.world.media[media_id].mime_type == "image/png; x=?"
