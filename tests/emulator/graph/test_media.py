"""Uploads, addresses that expire, and files that do."""

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from openparallax.emulator.graph.media import DAY_S
from openparallax.emulator.graph.uploading import LIMITS
from tests.emulator.graph.desk import Desk, desk
from tests.fakes.clock import TurnedClock

DATA = bytes(range(256)) * 5


async def kept(sitting: Desk, data: bytes = DATA, mime_type: str = "image/png") -> str:
    said = await sitting.upload(data, mime_type)
    assert said.status == 200, said.body
    media_id: str = said.body["id"]
    return media_id


async def address(sitting: Desk, media_id: str) -> str:
    url: str = (await sitting.get(media_id)).body["url"]
    return url


@pytest.mark.parametrize("is_file_first", [False, True])
async def test_what_is_uploaded_comes_back(*, is_file_first: bool) -> None:
    async with desk() as sitting:
        uploaded = await sitting.upload(DATA, is_file_first=is_file_first)
        assert set(uploaded.body) == {"id"}
        media_id = uploaded.body["id"]
        assert re.fullmatch("[0-9]{1,32}", media_id)
        described = (await sitting.get(f"{media_id}?phone_number_id={sitting.number.id}")).body
        url = described.pop("url")
        assert described == {
            "mime_type": "image/png",
            "sha256": hashlib.sha256(DATA).hexdigest(),
            "file_size": len(DATA),
            "id": media_id,
            "messaging_product": "whatsapp",
        }
        assert url.startswith(f"{sitting.emulator.url}/whatsapp_business/attachments/?mid=")
        file = await sitting.get(url)
        assert (file.status, file.body) == (200, DATA)
        assert file.headers["Content-Type"] == "image/png"
        assert file.headers["Content-Length"] == str(len(DATA))


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=1270-", 206, 1270, 1280),
        ("bytes=-5", 206, 1275, 1280),
        ("bytes=-99999", 206, 0, 1280),
        ("bytes=1000-99999", 206, 1000, 1280),
        ("bytes=9-3", 200, 0, 1280),
        ("bytes=-", 200, 0, 1280),
        ("bytes=0-1,3-4", 200, 0, 1280),
        ("pages=1-2", 200, 0, 1280),
    ],
)
async def test_a_part_of_a_file(wanted: str, status: int, start: int, end: int) -> None:
    async with desk() as sitting:
        url = await address(sitting, await kept(sitting))
        file = await sitting.get(url, headers={"Range": wanted})
        assert (file.status, file.body) == (status, DATA[start:end])
        if status == 206:
            assert file.headers["Content-Range"] == f"bytes {start}-{end - 1}/1280"
        assert file.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=1280-", "bytes=-0", "bytes=99999-100000"])
async def test_a_part_that_is_not_there(wanted: str) -> None:
    async with desk() as sitting:
        url = await address(sitting, await kept(sitting))
        file = await sitting.get(url, headers={"Range": wanted})
        assert (file.status, file.headers["Content-Range"]) == (416, "bytes */1280")


async def test_an_address_lasts_five_minutes_and_another_one_is_to_be_had() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        media_id = await kept(sitting)
        url = await address(sitting, media_id)
        sitting.emulator.clock.move(299)
        assert (await sitting.get(url)).status == 200
        sitting.emulator.clock.move(1)
        assert (await sitting.get(url)).refusal == (404, 100, None)
        other = await address(sitting, media_id)
        assert other != url
        assert (await sitting.get(other)).body == DATA


async def test_two_addresses_of_one_moment_differ() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        media_id = await kept(sitting)
        assert await address(sitting, media_id) != await address(sitting, media_id)


async def test_an_address_needs_the_token_and_none_but_its_own_query() -> None:
    account_token = "EAAgood"
    async with desk() as sitting:
        media_id = await kept(sitting)
        other_id = await kept(sitting, b"other")
        url = await address(sitting, media_id)
        assert (await sitting.get(url, token=None)).refusal[1] == 190
        sitting.account.add_token(account_token)
        assert (await sitting.get(url, token="EAAbad")).refusal[1] == 190
        assert (await sitting.get(url, token=account_token)).body == DATA
        ends = re.search("ext=([0-9]+)", url)
        assert ends is not None
        for changed in (
            url.replace(media_id, other_id),
            url.replace(f"ext={ends[1]}", f"ext={int(ends[1]) + 999}"),
            url.replace(f"ext={ends[1]}", "ext=%ED%A0%80"),
            url[:-1] + ("0" if url[-1] != "0" else "1"),
            url.partition("?")[0],
        ):
            assert (await sitting.get(changed, token=account_token)).refusal == (404, 100, None)


async def test_an_uploaded_file_lasts_thirty_days() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        media_id = await kept(sitting)
        sitting.emulator.clock.move(30 * DAY_S - 10)
        url = await address(sitting, media_id)
        sitting.emulator.clock.move(10)
        assert (await sitting.get(media_id)).refusal == (400, 100, 33)
        assert (await sitting.get(url)).refusal == (404, 100, None)
        await kept(sitting, b"the next")
        assert media_id not in sitting.emulator.world.media


async def test_what_a_webhook_says_of_a_file_of_a_person() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        media = sitting.emulator.media
        medium = media.keep(
            sitting.number.id, "application/pdf", DATA, lasts_s=7 * DAY_S, filename="bill.pdf"
        )
        said = media.as_webhook(medium)
        assert (await sitting.get(said.pop("url"))).body == DATA
        assert base64.b64decode(said.pop("sha256")) == hashlib.sha256(DATA).digest()
        assert said == {"mime_type": "application/pdf", "id": medium.id, "filename": "bill.pdf"}
        sitting.emulator.clock.move(7 * DAY_S)
        assert (await sitting.get(medium.id)).refusal == (400, 100, 33)


async def test_a_deleted_file_is_gone() -> None:
    async with desk() as sitting:
        media_id = await kept(sitting)
        url = await address(sitting, media_id)
        other = f"{media_id}?phone_number_id=1"
        assert (await sitting.delete(other)).refusal == (400, 100, 33)
        assert (await sitting.get(other)).refusal == (400, 100, 33)
        assert (await sitting.delete(media_id)).body == {"success": True}
        assert (await sitting.delete(media_id)).refusal == (400, 100, 33)
        assert (await sitting.get(media_id)).refusal == (400, 100, 33)
        assert (await sitting.get(url)).refusal == (404, 100, None)


@pytest.mark.parametrize("mime_type", ["image/gif", "application/octet-stream", "text/html"])
async def test_a_type_that_is_not_taken(mime_type: str) -> None:
    async with desk() as sitting:
        said = await sitting.upload(DATA, mime_type, type="image/png")
        assert said.refusal == (400, 100, None)
        assert f"Received file of type '{mime_type}'" in said.error["message"]
        assert "image/png, image/webp, video/mp4" in said.error["message"]


async def test_parameters_of_a_type_do_not_matter() -> None:
    async with desk() as sitting:
        media_id = await kept(sitting, DATA, "audio/ogg; codecs=opus")
        assert (await sitting.get(media_id)).body["mime_type"] == "audio/ogg; codecs=opus"


@pytest.mark.parametrize("mime_type", ["image/jpeg", "image/webp"])
async def test_more_than_may_be(mime_type: str) -> None:
    most = LIMITS[mime_type]
    async with desk() as sitting:
        assert (await sitting.upload(b"x" * most, mime_type)).status == 200
        assert (await sitting.upload(b"x" * (most + 1), mime_type)).refusal == (400, 131053, None)


async def test_reading_ends_where_more_comes_than_anything_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("openparallax.emulator.graph.uploading.MOST_BYTES", 100_000)
    async with desk() as sitting:
        said = await sitting.upload(b"x" * 300_000, "application/pdf")
        assert said.refusal == (400, 131053, None)


@pytest.mark.parametrize("name", ["messaging_product", "file"])
async def test_a_part_is_missing(name: str) -> None:
    boundary = "b0undary"
    parts = {
        "messaging_product": f'--{boundary}\r\nContent-Disposition: form-data; name="'
        'messaging_product"\r\n\r\nwhatsapp\r\n',
        "file": f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
        "Content-Type: image/png\r\n\r\nx\r\n",
    }
    del parts[name]
    async with desk() as sitting:
        said = await sitting.post(
            f"{sitting.number.id}/media",
            data="".join(parts.values()) + f"--{boundary}--\r\n",
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        assert said.error["message"] == f"(#100) The parameter {name} is required."


def broken_bodies() -> Iterator[Any]:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
    cases = {
        "nothing": b"",
        "no parts": b"--b--\r\n",
        "not multipart": b'{"messaging_product": "whatsapp"}',
        "an end too soon": head + b"Content-Type: image/png\r\n\r\nabc",
        "no headers end": head,
        "multipart within": head + b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx",
        "a strange coding": head + b"Content-Transfer-Encoding: rot13\r\n\r\nx\r\n--b--\r\n",
        "a strange length": head + b"Content-Length: many\r\n\r\nx\r\n--b--\r\n",
        "no name": b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n",
        "not even text": b"--b\r\n\xff\xfe\x00: \xff\r\n\r\nx\r\n--b--\r\n",
        "a field as long as a file": b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\n'
        + b"x" * 9000
        + b"\r\n--b--\r\n",
        "an empty file": b'--b\r\nContent-Disposition: form-data; name="messaging_product"\r\n\r\n'
        b"whatsapp\r\n" + head + b"Content-Type: image/png\r\n\r\n\r\n--b--\r\n",
    }
    for name, body in cases.items():
        yield pytest.param(body, id=name)


@pytest.mark.parametrize("body", list(broken_bodies()))
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "multipart/form-data"])
async def test_what_is_no_upload_is_refused(body: bytes, kind: str) -> None:
    async with desk() as sitting:
        said = await sitting.post(
            f"{sitting.number.id}/media", data=body, headers={"Content-Type": kind}
        )
        assert said.status == 400
        assert said.error["code"] in (100, 131053)
        assert not sitting.emulator.world.media


async def test_nobody_uploads_to_a_number_that_is_not_there() -> None:
    async with desk() as sitting:
        assert (await sitting.post("404/media", data=b"")).refusal == (400, 100, 33)
