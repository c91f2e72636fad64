"""The two doors: what is behind each, who is let in, and what is in the way of opening them."""

import asyncio
import errno
import os
import socket
import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from openparallax.admin import callers, server
from openparallax.admin.control_socket import ControlSocket
from openparallax.errors import StartError
from tests.admin.conftest import Office, Open


async def test_what_is_behind_the_tcp_door(office: Office) -> None:
    assert await office.ask("/healthz") == (200, "ok")
    assert await office.ask("/readyz") == (200, "ready")
    assert await office.ask("/metrics", headers={"Accept": "what I read"}) == (200, "what I read")
    assert (await office.ask("/control/status", "POST", json={}))[0] == 404
    assert (await office.ask("/"))[0] == 404


async def test_what_is_behind_the_socket(office: Office) -> None:
    assert await office.call("/healthz", "GET") == (200, "ok")
    assert await office.call("/readyz", "GET") == (200, "ready")
    assert (await office.call("/metrics", "GET"))[0] == 200
    assert (await office.call("/", "GET"))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_only_get(office: Office, method: str) -> None:
    assert (await office.ask("/readyz", method))[0] == 405
    assert office.headers["Allow"] == "GET"


async def test_a_reason_a_line(office: Office) -> None:
    office.reasons += ["storage: it is full", "account 1 is paused"]
    assert await office.ask("/readyz") == (503, "storage: it is full\naccount 1 is paused")


async def test_the_socket_alone(open_office: Open) -> None:
    office = await open_office(port=None)
    assert office.server.port is None
    assert office.server.url == ""
    assert await office.call("/healthz", "GET") == (200, "ok")


# -- in the way -------------------------------------------------------------------------------


async def test_a_port_that_is_taken(open_office: Open, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StartError) as raised:
        await open_office(port=taken.getsockname()[1])
    assert raised.value.exit_code == 75
    assert "admin.port" in str(raised.value)
    assert not (tmp_path / "control.sock").exists()


async def test_an_address_that_is_not_ours(open_office: Open) -> None:
    with pytest.raises(StartError) as raised:
        await open_office(host="192.0.2.1")
    assert raised.value.exit_code == 78
    assert "admin.host" in str(raised.value)


async def test_a_folder_that_is_not_there(open_office: Open, tmp_path: Path) -> None:
    office = await open_office(folder=tmp_path / "missing")
    assert office.server.socket is None
    assert await office.ask("/healthz") == (200, "ok")
    [(level, event, keys)] = office.log.lines
    assert (level, event) == ("warning", "control_not_available")
    assert keys["reason"] == os.strerror(errno.ENOENT)


# -- the socket -------------------------------------------------------------------------------


async def test_for_our_own_user_from_the_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mode is right before it has a name, whatever the umask."""
    control, before = ControlSocket(tmp_path), os.umask(0)
    monkeypatch.setattr(Path, "chmod", None)
    try:
        with control.open():
            found = (tmp_path / "control.sock").stat()
    finally:
        os.umask(before)
    assert stat.S_IMODE(found.st_mode) == 0o600
    control.close()


async def test_gone_at_the_end(open_office: Open, tmp_path: Path) -> None:
    office = await open_office()
    assert office.server.socket == tmp_path / "control.sock"
    await office.server.close()
    await office.server.close()
    assert not (tmp_path / "control.sock").exists()


async def test_one_that_was_left_behind_is_replaced(open_office: Open, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.sock"))
    office = await open_office()
    assert await office.call("/healthz", "GET") == (200, "ok")


async def test_one_that_answers_is_left_alone(office: Office, open_office: Open) -> None:
    second = await open_office()
    assert second.server.socket is None
    assert second.log.lines[0][2]["reason"] == "another process answers there"
    await second.server.close()
    assert await office.call("/healthz", "GET") == (200, "ok")


async def test_what_is_no_socket_is_left_alone(open_office: Open, tmp_path: Path) -> None:
    (tmp_path / "control.sock").write_text("mine", "utf-8")
    office = await open_office()
    assert office.server.socket is None
    await office.server.close()
    assert (tmp_path / "control.sock").read_text("utf-8") == "mine"


async def test_what_took_its_place_is_left_alone(office: Office, tmp_path: Path) -> None:
    (tmp_path / "control.sock").unlink()
    (tmp_path / "control.sock").write_text("mine", "utf-8")
    await office.server.close()
    assert (tmp_path / "control.sock").read_text("utf-8") == "mine"


async def test_a_folder_with_a_long_name(open_office: Open, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    office = await open_office(folder=folder)
    assert office.server.socket == folder / "control.sock"
    descriptor = os.open(folder, os.O_PATH)
    office.folder = Path(f"/proc/self/fd/{descriptor}")
    assert await office.call("/healthz", "GET") == (200, "ok")
    os.close(descriptor)


# -- peers ------------------------------------------------------------------------------------


async def test_another_user_may_not_ask(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is who they are; it is we that pretend to be somebody else."""
    monkeypatch.setattr(callers, "ROOT", 4243)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    for path, method in (("/healthz", "GET"), ("/control/status", "POST")):
        status, said = await office.call(path, method)
        assert (status, said["exit_code"]) == (403, 77)


async def test_root_may_ask(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "ROOT", os.geteuid())
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert (await office.call("/healthz", "GET"))[0] == 200


# -- bounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: local"])
async def test_a_connection_that_says_nothing_whole(
    open_office: Open, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.02)
    office = await open_office()
    reader, writer = await asyncio.open_unix_connection(str(office.folder / "control.sock"))
    writer.write(said)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_who_only_holds_connections_keeps_nobody_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    port = office.server.port
    assert port is not None
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    assert await office.ask("/healthz") == (200, "ok")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        async with asyncio.timeout(20):
            await held[0][0].readexactly(1)
    for _, one in held:
        one.close()
        with suppress(ConnectionError):
            await one.wait_closed()


async def test_who_takes_no_answers_keeps_nobody_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a page is made its connection may be cut, whether or not the page is taken."""

    async def endless(_accept: str) -> tuple[bytes, str]:
        return bytes(20_000_000), "text/plain"

    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(office.server, "_exposition", endless)
    doors, *_ = (runner.server for runner in office.server._runners)
    assert doors is not None
    held = []
    for _ in range(2):
        _, writer = await asyncio.open_connection("127.0.0.1", office.server.port, limit=1)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        held.append(writer)
    async with asyncio.timeout(20):
        while [one.writing_paused for one in doors.connections] != [True, True]:
            await asyncio.sleep(0)
    assert await office.ask("/healthz") == (200, "ok")
    for writer in held:
        writer.transport.abort()


async def test_many_at_the_same_moment_are_no_more_than_the_most(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    seen: list[int] = []
    made = server._FewConnections.connection_made

    def note(self: server._FewConnections, *given: Any) -> None:
        made(self, *given)
        pipes = [one.transport for one in self.connections]
        seen.append(sum(pipe is not None and not pipe.is_closing() for pipe in pipes))

    monkeypatch.setattr(server._FewConnections, "connection_made", note)
    with ExitStack() as held:
        for _ in range(10):  # before the loop looks at any of them
            one = held.enter_context(socket.socket())
            one.connect(("127.0.0.1", office.server.port))
        async with asyncio.timeout(20):
            while len(seen) < 10:
                await asyncio.sleep(0)
    assert max(seen) == 2


async def test_who_is_being_answered_keeps_the_connection(
    open_office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 1)
    asked, answered = asyncio.Event(), asyncio.Event()

    async def control(_asked: object) -> dict[str, bool]:
        asked.set()
        await answered.wait()
        return {"done": True}

    office = await open_office(controls={"status": control})
    calling = asyncio.create_task(office.call("/control/status", json={}))
    await asked.wait()
    with pytest.raises(aiohttp.ClientError):
        await office.call("/healthz", "GET")
    answered.set()
    assert await calling == (200, {"done": True})


@pytest.mark.parametrize(
    "sent", [b"canary\r\n\r\n", b"GET /healthz HTTP/1.1\r\ncanary\r\n\r\n", b"\0canary\r\n\r\n"]
)
async def test_what_is_not_understood_is_not_repeated(office: Office, sent: bytes) -> None:
    port = office.server.port
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\nServer: OpenParallax\r\n")
    assert b"canary" not in answer
    assert office.log.lines == []
    writer.close()
    await writer.wait_closed()
