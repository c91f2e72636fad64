"""Control calls: what a command asks, and how it is told what went wrong."""

import asyncio
import io
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from openparallax.admin import control
from openparallax.errors import NotStored, OpenParallaxError, Refusal
from tests.admin.conftest import Open


async def repeat(asked: Mapping[str, Any]) -> Any:
    return {"asked": dict(asked)}


def failing(error: Exception) -> control.Control:
    async def fail(_asked: Mapping[str, Any]) -> Any:
        raise error

    return fail


async def test_an_answer(open_office: Open) -> None:
    office = await open_office(controls={"status": repeat})
    assert await office.call("/control/status", json={"a": ["ż", 1, None]}) == (
        200,
        {"asked": {"a": ["ż", 1, None]}},
    )


@pytest.mark.parametrize(
    ("error", "status", "exit_code", "says"),
    [
        (Refusal("nobody is known by that"), 409, 1, "nobody is known by that"),
        (Refusal("there is no room", exit_code=75), 409, 75, "there is no room"),
        (Refusal("no such account", exit_code=2), 400, 2, "no such account"),
        (NotStored("the disk is full"), 503, 75, "the disk is full"),
        (OpenParallaxError("inside"), 500, 70, "its log says why"),
        (KeyError("somebody's words"), 500, 70, "its log says why"),
    ],
)
async def test_an_error(
    open_office: Open, error: Exception, status: int, exit_code: int, says: str
) -> None:
    office = await open_office(controls={"send": failing(error)})
    got, said = await office.call("/control/send", json={})
    assert (got, said["exit_code"]) == (status, exit_code)
    assert says in said["error"]
    assert "words" not in said["error"]
    events = [(event, keys["name"]) for _, event, keys in office.log.lines]
    assert events == ([("control_failed", "send")] if status == 500 else [])


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 200),
        (b"{}", "application/json; charset=utf-8", 200),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff{}", "application/json", 400),
        (b'{"a":"' + b"x" * control.MOST_BODY + b'"}', "application/json", 400),
    ],
)
async def test_what_is_asked(open_office: Open, body: bytes, kind: str, status: int) -> None:
    office = await open_office(controls={"status": repeat})
    got, said = await office.call(
        "/control/status", data=io.BytesIO(body), headers={"Content-Type": kind}
    )
    assert got == status
    assert status == 200 or said["exit_code"] == 2


async def test_only_post(open_office: Open) -> None:
    office = await open_office(controls={"status": repeat})
    assert (await office.call("/control/status", "GET"))[0] == 405
    assert office.headers["Allow"] == "POST"


@pytest.mark.parametrize("name", ["", "nothing", "status/", "STATUS"])
async def test_no_such_control(open_office: Open, name: str) -> None:
    office = await open_office(controls={"status": repeat})
    status, _ = await office.call(f"/control/{name}", json={})
    assert status == 404


async def test_a_request_that_does_not_end(
    open_office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "BODY_S", 0.01)
    office = await open_office(controls={"status": repeat})
    reader, writer = await asyncio.open_unix_connection(str(office.folder / "control.sock"))
    writer.write(
        b"POST /control/status HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


# -- streams ----------------------------------------------------------------------------------


def streaming(pieces: list[bytes], error: Exception | None = None) -> control.Control:
    async def iterate() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        if error is not None:
            raise error

    async def start(_asked: Mapping[str, Any]) -> Any:
        return iterate()

    return start


async def test_a_stream(open_office: Open) -> None:
    pieces = [os.urandom(1000) for _ in range(100)]
    office = await open_office(controls={"backup": streaming(pieces)})
    connector = aiohttp.UnixConnector(str(office.folder / "control.sock"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post("http://localhost/control/backup", json={}) as got,
    ):
        assert got.content_type == "application/octet-stream"
        assert await got.read() == b"".join(pieces)


async def test_a_stream_that_breaks_off_is_seen_to(open_office: Open) -> None:
    office = await open_office(controls={"backup": streaming([b"x" * 10], NotStored("gone"))})
    connector = aiohttp.UnixConnector(str(office.folder / "control.sock"))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientError):
            async with session.post("http://localhost/control/backup", json={}) as got:
                await got.read()
    assert [event for _, event, _ in office.log.lines] == ["control_failed"]


async def test_a_client_that_does_not_read(
    open_office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "WRITE_S", 0.01)
    office = await open_office(controls={"backup": streaming([b"x" * 100_000] * 100)})
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(office.folder / "control.sock"))
        body = json.dumps({}).encode()
        client.sendall(
            b"POST /control/backup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        async with asyncio.timeout(20):
            while not office.log.lines:
                await asyncio.sleep(0.005)
    assert office.log.lines == [
        ("warning", "control_failed", {"name": "backup", "reason": "the client does not read"})
    ]
