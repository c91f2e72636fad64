"""The stream: everything at first, then each change; who reads too slowly is let go."""

import asyncio
import json

import pytest

from openparallax.emulator import Account, Emulator, Person, server
from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.faults import NAMES
from openparallax.emulator.feed import MOST_WAITING
from openparallax.emulator.phone import telling
from tests.emulator.phone.browser import Browser
from tests.emulator.phone.test_calls import answered


async def nothing() -> None: ...


def daemon_of(emulator: Emulator) -> DaemonSide:
    feed = emulator.world.feed
    return DaemonSide(kill=nothing, stop=nothing, start=nothing, feed=feed, state="up", pid=7)


async def test_the_snapshot_has_everything(emulator: Emulator, page: Browser) -> None:
    emulator.daemon = daemon_of(emulator)
    emulator.say("ann", "hello")
    emulator.faults.set("duplicate")
    emulator.clock.move(7200)
    exchange = emulator.wire.begin("graph", "POST", "/v25.0/1/messages", at=1.0, request="sesame")
    emulator.wire.end(exchange, 200, "answer", 1.5)
    async with page.events() as stream:
        told = await stream.next()
    assert told is not None
    assert told["kind"] == "snapshot"
    assert [person["key"] for person in told["people"]] == ["ann", "bob", "carol", "davi"]
    [chat] = told["chats"]
    [message] = chat["messages"]
    assert (message["content"], message["is_ours"]) == ({"body": "hello"}, False)
    assert told["numbers"][0]["name"] == "OpenParallax"
    assert told["faults"] == emulator.faults.as_data()
    assert told["fault_names"] == dict(NAMES)
    assert told["rules"] == dict.fromkeys(telling.RULES, True)
    assert told["daemon"]["pid"] == 7
    assert abs(told["now"] - emulator.clock.now()) < 60
    assert told["ahead_s"] == 7200
    assert told["templates"] == emulator.world.account.templates != []
    [line] = [one for one in told["wire"] if one["number"] == exchange.number]
    assert (line["status"], line["duration_ms"]) == (200, 1.5)
    assert "request" not in line


async def test_changes_follow(emulator: Emulator, page: Browser) -> None:
    emulator.daemon = daemon_of(emulator)
    number = emulator.world.our_number().id
    async with page.events() as stream:
        await stream.until("snapshot")
        await page.call("say", person="ann", text="hello")
        assert (await stream.until("message"))["message"]["content"] == {"body": "hello"}
        emulator.world.show_typing(number, "ann", 12.5)
        typing = await stream.until("typing")
        assert (typing["person"], typing["until"]) == ("ann", 12.5)
        emulator.world.add_person(Person(key="erin", name="Erin", wa_id="15550000009"))
        assert (await stream.until("person"))["person"]["key"] == "erin"
        await page.call("fault", name="duplicate")
        assert (await stream.until("faults"))["faults"][0]["name"] == "duplicate"
        await page.call("rule", name="window", on=False)
        assert (await stream.until("rules"))["rules"]["window"] is False
        await page.call("move-clock", seconds=3600)
        assert (await stream.until("clock"))["ahead_s"] == 3600
        exchange = emulator.wire.begin("graph", "GET", "/v25.0/1", at=1.0, request="sesame")
        told = (await stream.until("wire"))["exchange"]
        assert (told["number"], "request" in told) == (exchange.number, False)
        emulator.daemon.tell(modes={"ann": "off_the_record"})
        assert (await stream.until("daemon"))["daemon"]["modes"] == {"ann": "off_the_record"}
        await page.call("clear")
        assert await stream.until("cleared") == {"kind": "cleared"}


async def test_what_was_taken_back_is_not_told_again(emulator: Emulator, page: Browser) -> None:
    message = emulator.say("ann", "sesame")
    message.is_deleted = True
    async with page.events() as stream:
        assert "sesame" not in json.dumps(await stream.next())


async def test_numbers_that_json_does_not_know_and_halves_of_letters(
    emulator: Emulator, page: Browser
) -> None:
    answered(emulator, "location", {"latitude": float("nan"), "deep": [float("inf")]})
    answered(emulator, "text", {"body": "\ud800"})
    async with page.events() as stream:
        told = await stream.next()
    assert told is not None
    place, text = told["chats"][0]["messages"]
    assert place["content"] == {"latitude": None, "deep": [None]}
    assert text["content"] == {"body": "\ud800"}


async def test_only_the_newest_of_a_long_chat(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_SHOWN", 2)
    for text in ("one", "two", "three"):
        emulator.say("ann", text)
    [chat] = telling.snapshot(emulator)["chats"]
    assert [one["content"]["body"] for one in chat["messages"]] == ["two", "three"]


async def test_a_quiet_stream_is_kept_alive(page: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "ALIVE_S", 0.01)
    async with page.session.get(f"{page.url}/phone/events") as response:
        while (line := await response.content.readline()) != b": still here\n":
            assert line


async def test_it_ends_cleanly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "FINISH_S", 60)
    emulator = Emulator()
    await emulator.start()
    async with Browser(emulator.url) as page, page.events() as stream:
        await stream.until("snapshot")
        async with asyncio.timeout(10):  # less than the server waits for what does not end
            await emulator.close()
            assert await stream.next() is None


async def test_a_stream_that_nobody_reads_does_not_hold_the_end_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "FINISH_S", 60)
    emulator = Emulator(account=Account(templates=[{"name": "x" * 16_000_000}]))
    await emulator.start()
    port = int(emulator.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /phone/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while not emulator.world.feed.is_watched:
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await emulator.close()
    writer.close()


async def test_a_slow_reader_is_let_go(emulator: Emulator, page: Browser) -> None:
    async with page.events() as stream:
        await stream.until("snapshot")
        for _ in range(MOST_WAITING + 1):  # in one go, so that nothing is read between
            emulator.world.feed.tell("cleared")
        assert await stream.next() is None
    async with page.events() as stream:
        assert (await stream.until("snapshot"))["chats"] == []


async def test_a_page_that_goes_away_is_forgotten(emulator: Emulator, page: Browser) -> None:
    async with page.events() as stream:
        await stream.until("snapshot")
        assert emulator.world.feed.is_watched
    for _ in range(MOST_WAITING // 2):  # far from so many that a slow one is let go
        emulator.world.feed.tell("cleared")
        await asyncio.sleep(0.001)
        is_watched: bool = emulator.world.feed.is_watched
        if not is_watched:
            break
    assert not emulator.world.feed.is_watched


async def test_too_many_pages(
    emulator: Emulator, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_STREAMS", 1)
    async with page.events() as stream:
        await stream.until("snapshot")
        status, body, _ = await page.get("/phone/events")
        assert (status, json.loads(body)) == (429, {"error": "too many pages are open"})
    async with asyncio.timeout(20):
        while emulator.page._streams._transports:  # until it is seen that the page has gone
            emulator.world.feed.tell("cleared")
            await asyncio.sleep(0)
    async with page.events() as stream:
        await stream.until("snapshot")
