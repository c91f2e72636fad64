"""Files: sent from the page, and shown by it; nothing of them runs there."""

import base64
from typing import Any

import pytest

from openparallax.emulator import Emulator
from openparallax.emulator.phone.uploads import MOST_BYTES, SAMPLES, sample
from openparallax.emulator.world import Medium
from tests.emulator.phone.browser import Browser

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
MAGIC = {"image": b"\xff\xd8\xff", "audio": b"OggS", "document": b"%PDF-"}


def keep(emulator: Emulator, mime_type: str, data: bytes, filename: str = "") -> str:
    number = emulator.world.our_number().id
    emulator.world.media["9"] = Medium(
        id="9", number_id=number, mime_type=mime_type, data=data, expires_at=0, filename=filename
    )
    return "/phone/media/9"


async def test_a_picture_is_sent_and_shown(emulator: Emulator, page: Browser) -> None:
    said = {"person": "ann", "kind": "image", "caption": "Hügel \U0001f600", "filename": "a.png"}
    status, answer = await page.upload(said, PNG)
    assert status == 200, answer
    message = emulator.world.message(answer["wamid"])
    assert message is not None
    assert (message.kind, message.content["caption"]) == ("image", said["caption"])
    status, body, headers = await page.get(f"/phone/media/{message.content['id']}")
    assert (status, body, headers["Content-Type"]) == (200, PNG, "image/png")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Disposition" not in headers


@pytest.mark.parametrize("kind", SAMPLES)
async def test_samples(emulator: Emulator, page: Browser, kind: str) -> None:
    status, answer = await page.upload({"person": "ann", "kind": kind, "is_voice": True})
    assert status == 200, answer
    message = emulator.world.message(answer["wamid"])
    assert message is not None
    assert message.kind == kind
    assert bool(message.content.get("voice")) == (kind == "audio")
    data = emulator.world.media[message.content["id"]].data
    assert data == sample(kind)[0]
    assert data.startswith(MAGIC[kind])
    assert len(data) < 32 * 1024


BAD: list[tuple[dict[str, Any], bytes, int]] = [
    ({"person": "ann", "kind": "hologram"}, PNG, 400),
    ({"person": "ann"}, PNG, 400),
    ({"person": "zoe", "kind": "image"}, PNG, 404),
    ({"person": "ann", "kind": "video"}, b"", 400),
    ({"person": "ann", "kind": "image", "caption": "x" * 1025}, PNG, 400),
    ({"person": "ann", "kind": "image", "filename": 1}, PNG, 400),
    ({"person": "ann", "kind": "sticker"}, bytes(MOST_BYTES["sticker"] + 1), 413),
]


@pytest.mark.parametrize(("said", "data", "status"), BAD)
async def test_what_cannot_be_sent(
    emulator: Emulator, page: Browser, said: dict[str, Any], data: bytes, status: int
) -> None:
    found, answer = await page.upload(said, data, "image/webp")
    assert (found, set(answer)) == (status, {"error"})
    assert list(emulator.world.all_messages()) == []


@pytest.mark.parametrize("details", ["", "%", "%7B", "%FF", "[]", "%7B%22person%22:NaN%7D"])
async def test_details_that_cannot_be_read(page: Browser, details: str) -> None:
    status, answer = await page.ask("upload", PNG, **{"Phone-Details": details})
    assert (status, set(answer)) == (400, {"error"})


@pytest.mark.parametrize(
    "mime_type",
    [
        "text/html",
        "image/svg+xml",
        "application/pdf",
        "text/javascript",
        "application/xml",
        "",
        "x",
    ],
)
async def test_what_could_run_is_only_handed_out_as_a_file(
    emulator: Emulator, page: Browser, mime_type: str
) -> None:
    path = keep(emulator, mime_type, b"<script>alert(1)</script>", 'a"\r\nX: 1.html')
    status, _, headers = await page.get(path)
    assert status == 200
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%22%0D%0AX%3A%201.html"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "X" not in headers


async def test_parameters_of_a_type_are_left_out(emulator: Emulator, page: Browser) -> None:
    path = keep(emulator, "Audio/OGG; codecs=opus", b"OggS")
    assert (await page.get(path))[2]["Content-Type"] == "audio/ogg"


@pytest.mark.parametrize(
    ("asked", "status", "body", "part"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
    ],
)
async def test_parts_for_players(
    emulator: Emulator, page: Browser, asked: str, status: int, body: bytes, part: str
) -> None:
    found = await page.get(keep(emulator, "audio/ogg", b"0123456789"), Range=asked)
    assert (found[0], found[1], found[2]["Content-Range"]) == (status, body, part)


@pytest.mark.parametrize("asked", ["bytes=a-b", "lines=1-2", "bytes=3-1", "bytes=1-2,4-5"])
async def test_parts_that_are_not_understood(emulator: Emulator, page: Browser, asked: str) -> None:
    status, body, _ = await page.get(keep(emulator, "audio/ogg", b"0123456789"), Range=asked)
    assert status == 416
    assert b"error" in body


async def test_both_bodies_of_an_exchange(emulator: Emulator, page: Browser) -> None:
    exchange = emulator.wire.begin("graph", "POST", "/v25.0/1/messages", at=1.0, request="{}")
    emulator.wire.end(exchange, 200, '{"a":1}', 2.0)
    status, body, headers = await page.get(f"/phone/wire/{exchange.number}")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert b'"request":"{}"' in body
    assert (await page.get("/phone/wire/-1"))[0] == 404
