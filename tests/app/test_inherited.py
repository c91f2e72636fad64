"""Sockets that the service manager holds: taken, and held against the configuration.

systemd's own programs pass them on in ``tests/installing``.
"""

import asyncio
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openparallax.app import inherited
from openparallax.app.inherited import check_sockets, take_sockets
from openparallax.config import Settings
from openparallax.errors import StartError
from tests.fakes import meta
from tests.pipeline.doubles import RecordedLog
from tests.town import ANN, Town, settings_for
from tests.webhook.certificates import Files, Pair, shown_at, trusting


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def taken(
    monkeypatch: pytest.MonkeyPatch, one: socket.socket, **more: str
) -> tuple[socket.socket, ...]:
    """What this process takes when ``one`` is the first descriptor that it was passed."""
    passed = os.dup(one.fileno())
    os.set_inheritable(passed, True)
    monkeypatch.setattr(inherited, "FIRST", passed)
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "OTHER": "x"} | more
    try:
        found = take_sockets(environment)
    finally:
        assert environment == {"OTHER": "x"}
    if not found:
        os.close(passed)
    return found


def test_what_is_passed_on_is_taken_and_not_passed_on_again(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = taken(monkeypatch, listening, LISTEN_FDNAMES="webhook")
    with one:
        assert one.getsockname() == listening.getsockname()
        assert not one.get_inheritable()
    assert taken(monkeypatch, listening, LISTEN_PID="1") == ()


def test_the_operator_s_listener_takes_none(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StartError, match="only the webhook's listener takes sockets") as raised:
        taken(monkeypatch, listening, LISTEN_FDNAMES="admin")
    assert raised.value.exit_code == 78


def test_what_is_nothing_to_listen_on_is_refused(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        with pytest.raises(StartError, match="does not listen for TCP") as raised:
            taken(monkeypatch, datagrams)
        assert raised.value.exit_code == 78
    client = socket.create_connection(listening.getsockname())
    with client, pytest.raises(StartError, match="does not listen for TCP"):
        taken(monkeypatch, client)
    monkeypatch.setattr(inherited, "FIRST", 1_000_000)
    with pytest.raises(StartError, match="descriptor 1000000 is not there, or no socket"):
        take_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})


def test_without_a_manager_nothing_is_taken() -> None:
    environment = {"LISTEN_FDS": "soon", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "a"}
    assert take_sockets(environment) == ()
    assert environment == {}


# Against the configuration


def unsigned(settings: Settings, **more: object) -> Settings:
    changes = {"app_secret": (), **more}
    return replace(settings, whatsapp=settings.whatsapp.model_copy(update=changes))


def test_unsigned_only_the_socket_s_own_address_counts(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:1")
    unsigned = settings.whatsapp.model_copy(update={"app_secret": ()})
    with socket.create_server(("0.0.0.0", 0)) as public:
        with pytest.raises(StartError, match="not loopback, and there is no app_secret") as raised:
            check_sockets([public], unsigned, RecordedLog())
        assert raised.value.exit_code == 78
        allowed = unsigned.model_copy(update={"allow_unsigned_webhooks": True})
        check_sockets([public], allowed, RecordedLog())
    with socket.create_server(("127.0.0.1", 0)) as private:
        check_sockets([private], unsigned, RecordedLog())


@pytest.mark.parametrize(("host", "says"), [("127.0.0.1", False), ("192.0.2.7", True)])
def test_a_socket_elsewhere_than_configured_is_told(
    tmp_path: Path, host: str, *, says: bool
) -> None:
    settings: Settings = settings_for(tmp_path, "http://127.0.0.1:1")
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
        whatsapp = settings.whatsapp.model_copy(
            update={"webhook_port": port, "webhook_host": host, "app_secret": ("made-up",)}
        )
        log = RecordedLog()
        check_sockets([one], whatsapp, log)
        assert [event for _, event, _ in log.lines] == ["inherited_socket_differs"] * says
        log = RecordedLog()
        check_sockets([one], whatsapp.model_copy(update={"webhook_port": 1}), log)
        assert [event for _, event, _ in log.lines] == ["inherited_socket_differs"]


async def test_unsigned_it_counts_after_a_reload_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says loopback; the socket that the service manager holds does not."""
    with socket.create_server(("0.0.0.0", 0)) as public:
        async with Town(tmp_path, monkeypatch, inherited=[public]) as town:
            without = unsigned(town.up.settings)
            outcome = await town.up.reload.reload("test", read=lambda: without)
            assert "channels.whatsapp.app_secret: cannot be taken away" in outcome.problems[0]
            body = meta.body(meta.text(ANN, "hello"))
            assert await meta.post(town.session, town.url, body, "wrong") == 401
            allowed = unsigned(town.up.settings, allow_unsigned_webhooks=True)
            outcome = await town.up.reload.reload("test", read=lambda: allowed)
            assert outcome.problems == ()


async def test_unsigned_a_private_socket_may_be_elsewhere_than_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as private:
        changes = {"channels": {"whatsapp": {"webhook_host": "0.0.0.0"}}}
        async with Town(tmp_path, monkeypatch, inherited=[private], changes=changes) as town:
            without = unsigned(town.up.settings)
            outcome = await town.up.reload.reload("test", read=lambda: without)
            assert outcome.problems == ()


async def test_https_is_spoken_on_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path)
    first = files.write(Pair.issue())
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    changes = {"channels": {"whatsapp": {"tls": tls}}}
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        async with Town(tmp_path, monkeypatch, inherited=[held.dup()], changes=changes) as town:
            assert town.up.port == port
            assert await shown_at(port) == first.certificate
            url = f"https://127.0.0.1:{port}/webhook"
            body = meta.body(meta.text(ANN, "hello"))
            signed = {"X-Hub-Signature-256": meta.sign(body)}
            async with town.session.post(url, data=body, headers=signed, ssl=trusting()) as answer:
                assert answer.status == 200
            assert await town.hears(ANN, 1)
        # It stays open for the next process: who calls now waits, and is not refused.
        _, waiting = await asyncio.open_connection("127.0.0.1", port)
        waiting.close()


# At the end


async def test_who_connected_and_has_not_asked_yet_is_waited_for(town: Town) -> None:
    """Its request may be on the way: it is answered, though the daemon stops."""
    body = meta.body(meta.text(ANN, "hello"))
    reader, writer = await asyncio.open_connection("127.0.0.1", town.up.port)
    # So that it has surely been let in.
    assert (await town.session.get(town.url.replace("/webhook", "/healthz"))).status == 200
    stopping = asyncio.create_task(town.stop())
    await town.until(lambda: '"event": "draining"' in town.log.getvalue())
    request = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    request += f"X-Hub-Signature-256: {meta.sign(body)}\r\n\r\n"
    writer.write(request.encode() + body)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await stopping
