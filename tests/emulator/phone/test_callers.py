"""Who is let in: programs of this machine and the page itself, no page of anywhere else."""

import asyncio
import json
from typing import Any

import pytest

from openparallax.emulator import Emulator
from tests.emulator.phone.browser import Browser


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "127.0.0.1", "127.9.9.9:80", "[::1]"])
async def test_loopback_names_are_let_in(page: Browser, host: str) -> None:
    assert (await page.get("/", Host=host))[0] == 200
    assert (await page.get("/phone/static/main.js", Host=host))[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "127.0.0.1.nip.io", "a b"],
)
@pytest.mark.parametrize("path", ["/", "/phone/events", "/phone/static/main.js", "/phone/media/1"])
async def test_a_name_that_was_made_to_point_here_is_not(
    page: Browser, host: str, path: str
) -> None:
    status, body, _ = await page.get(path, Host=host)
    assert status == 403
    assert "loopback" in json.loads(body)["error"]["message"]


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_pages_of_elsewhere_drive_nothing(
    emulator: Emulator, page: Browser, headers: dict[str, str]
) -> None:
    said = json.dumps({"person": "ann", "text": "hello"}).encode()
    status, answer = await page.ask("say", said, **headers)
    assert (status, answer["error"]["message"]) == (403, "not for pages of other sites")
    assert list(emulator.world.all_messages()) == []
    for path in ("/phone/events", "/phone/static/main.js", "/phone/media/1"):
        assert (await page.get(path, **headers))[0] == 403


@pytest.mark.parametrize("headers", FOREIGN)
async def test_nor_do_they_send_by_graph(
    emulator: Emulator, page: Browser, headers: dict[str, str]
) -> None:
    emulator.say("ann", "hello")
    number = emulator.world.our_number().id
    sent = {"messaging_product": "whatsapp", "to": "4915550000001", "text": {"body": "hi"}}
    url = f"{page.url}/v25.0/{number}/messages"
    async with page.session.post(url, json=sent, headers={"Authorization": "Bearer x"}) as answer:
        assert answer.status == 200, await answer.text()
    async with page.session.post(
        url, json=sent, headers={"Authorization": "Bearer x", **headers}
    ) as answer:
        assert answer.status == 403
        assert (await answer.json())["error"]["code"] == 100
    assert len(emulator.sending.accepted) == 1


async def test_a_link_from_anywhere_may_open_the_page(page: Browser) -> None:
    assert (await page.get("/", **{"Sec-Fetch-Site": "cross-site"}))[0] == 200


async def test_a_program_without_a_browsers_marks_may_call(page: Browser) -> None:
    url = f"{page.url}/phone/api/say"
    async with page.session.post(url, json={"person": "ann", "text": "hello"}) as answer:
        assert answer.status == 200


RAW: dict[str, bytes] = {
    "no HTTP": b"sesame\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "a long address": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
    "a bad length": b"POST /phone/api/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    "a bad method": b"G(T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a control letter": b"GET / HTTP/1.1\r\nHost: local\x00host\r\n\r\n",
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
async def test_what_is_no_request_is_refused_in_metas_shape(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, raw: bytes
) -> None:
    head, body = await _exchange(emulator, raw)
    assert head.startswith(b"HTTP/1.")
    assert b" 4" in head.split(b"\r\n")[0]
    error: dict[str, Any] = json.loads(body)["error"]
    assert error["code"] == 100
    assert caplog.records == []


@pytest.mark.parametrize("path", ["/", "/phone/static/main.js"])
async def test_two_hosts_are_refused(emulator: Emulator, path: str) -> None:
    raw = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n".encode()
    head, _ = await _exchange(emulator, raw)
    assert head.split(b" ")[1] in {b"400", b"403"}


async def test_no_request_leaves_a_line_in_the_log(
    page: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    await page.call("say", person="ann", text="sesame")
    assert [one for one in caplog.records if one.name.startswith("aiohttp")] == []


async def _exchange(emulator: Emulator, raw: bytes) -> tuple[bytes, bytes]:
    port = int(emulator.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    body = await asyncio.wait_for(reader.readexactly(length), 20)
    writer.close()
    return head, body
