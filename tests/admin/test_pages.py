"""A page in the operator's browser does not reach the listener."""

import asyncio
import socket

import pytest

from tests.admin.conftest import Office, Open

MACHINE = socket.gethostname()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:9444",
        "127.0.0.1",
        "localhost",
        "LocalHost:9444",
        "[::1]:9444",
        "192.0.2.7:1",
        MACHINE,
        f"{MACHINE.partition('.')[0]}:9444",
    ],
)
async def test_names_that_nobody_else_can_have(office: Office, host: str) -> None:
    assert await office.ask("/healthz", headers={"Host": host}) == (200, "ok")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:9444",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "[::1",
        "[evil]:9444",
        "localhost:port",
        "localhost@evil.example",
        "",
    ],
)
async def test_names_that_a_page_could_have(office: Office, host: str) -> None:
    status, said = await office.ask("/metrics", headers={"Host": host})
    assert status == 421
    assert "admin.host" in said


async def test_the_name_in_the_configuration(open_office: Open) -> None:
    office = await open_office(host="localhost")
    office.server._doorkeeper = type(office.server._doorkeeper)("bots.example.org")
    for host in ("bots.example.org", "BOTS.example.org:9444"):
        assert (await office.ask("/healthz", headers={"Host": host}))[0] == 200
    assert (await office.ask("/healthz", headers={"Host": "x.bots.example.org"}))[0] == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:9444"}, 200),
        ({"Origin": "http://LOCALHOST:9444"}, 200),
        ({"Origin": "http://localhost:8000"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "http://127.0.0.1:9444"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://[x"}, 403),
        ({"Origin": "ftp://localhost:9444"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "made-up"}, 403),
        ({"Origin": "http://localhost:9444", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_who_sent_it(office: Office, headers: dict[str, str], status: int) -> None:
    got, _ = await office.ask("/metrics", headers={"Host": "localhost:9444", **headers})
    assert got == status
    assert not [name for name in office.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/control/status"])
async def test_nothing_that_a_page_could_use(office: Office, path: str) -> None:
    await office.ask(path)
    assert office.headers["Cache-Control"] == "no-store"
    assert office.headers["X-Content-Type-Options"] == "nosniff"
    assert office.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert office.headers["Server"] == "OpenParallax"


async def test_two_hosts_are_none(office: Office) -> None:
    with socket.create_connection(("127.0.0.1", office.server.port or 0)) as raw:
        raw.setblocking(False)
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert await _first_line(raw) != b"HTTP/1.1 200 OK"


async def test_an_old_client_without_a_host(office: Office) -> None:
    with socket.create_connection(("127.0.0.1", office.server.port or 0)) as raw:
        raw.setblocking(False)
        raw.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 421 " in await _first_line(raw)


async def _first_line(raw: socket.socket) -> bytes:
    answer = await asyncio.get_running_loop().sock_recv(raw, 10_000)
    return answer.partition(b"\r\n")[0]
