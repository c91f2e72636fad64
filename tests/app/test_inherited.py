"""Sockets that the service manager holds: by its own program, and against the configuration."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from openparallax.app.inherited import check_sockets, take_sockets
from openparallax.config import Settings
from openparallax.errors import StartError
from tests.app.patience import until
from tests.app.process import Daemon
from tests.fakes import meta
from tests.pipeline.doubles import RecordedLog
from tests.town import ANN, settings_for

_TAKES = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
from openparallax.app.inherited import take_sockets
from openparallax.errors import StartError
os.environ["LISTEN_PID"] = os.environ.get("LISTEN_PID") or str(os.getpid())
try:
    found = take_sockets(os.environ)
except StartError as error:
    print(error.exit_code, error)
else:
    print(len(found), [one.get_inheritable() for one in found])
print([name for name in os.environ if name.startswith("LISTEN_")])
"""


async def taken(one: socket.socket, environment: dict[str, str], descriptors: int = 1) -> list[str]:
    """What a process says that gets ``one`` as its first descriptor."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _TAKES, str(one.fileno())),
        pass_fds=[one.fileno()],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}
        | {"LISTEN_FDS": str(descriptors)}
        | environment,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return out.decode().splitlines()


@pytest.fixture
def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


async def test_what_is_passed_on_is_taken_and_not_passed_on_again(
    listening: socket.socket,
) -> None:
    with listening:
        assert await taken(listening, {"LISTEN_FDNAMES": "webhook"}) == ["1 [False]", "[]"]
        assert await taken(listening, {"LISTEN_PID": "1"}) == ["0 []", "[]"]
        refused, left = await taken(listening, {"LISTEN_FDNAMES": "admin"})
        assert "only the webhook's listener takes sockets" in refused
        assert left == "[]"


async def test_what_is_nothing_to_listen_on_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        said, _ = await taken(datagrams, {})
        assert said.startswith("78 the socket that the service manager passes on as descriptor 3")
        assert "does not listen for TCP" in said
    with socket.create_server(("127.0.0.1", 0)) as first:
        said, _ = await taken(first, {}, descriptors=40)
        assert "is not there, or no socket" in said


def test_without_a_manager_nothing_is_taken() -> None:
    environment = {"LISTEN_FDS": "soon", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "a"}
    assert take_sockets(environment) == ()
    assert environment == {}


# Against the configuration


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


# The process, and systemd's own program that holds a socket


async def test_systemd_s_own_program_passes_it_on(daemon: Daemon) -> None:
    program = shutil.which("systemd-socket-activate")
    if program is None:
        pytest.skip("systemd-socket-activate is missing: on Debian, apt-get install systemd")
    daemon.wrapped_by = (
        program,
        *(f"--listen=127.0.0.1:{daemon.port}", "--fdname=webhook", "--"),
        "/usr/bin/env",
        *(f"{name}={value}" for name, value in daemon.variables.items()),
    )
    await daemon.launch()
    await until(lambda: "Listening on" in daemon.said)
    # Nothing runs yet; who calls now is answered by what is started for it.
    assert await daemon.post_once(meta.text(ANN, "hello")) == 200
    assert await daemon.hears(ANN, 1) == ["hello"]
    assert "inherited_socket_differs" not in daemon.said
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_who_connected_and_has_not_asked_yet_is_waited_for(daemon: Daemon) -> None:
    """Its request may be on the way: it is answered, though the daemon stops."""
    await daemon.start()
    body = meta.body(meta.text(ANN, "hello"))
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    async with aiohttp.ClientSession() as session:  # so that it has surely been let in
        assert (await session.get(daemon.url.replace("/webhook", "/healthz"))).status == 200
    daemon.signal(signal.SIGTERM)
    await daemon.says('"event": "draining"')
    request = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    request += f"X-Hub-Signature-256: {meta.sign(body)}\r\n\r\n"
    writer.write(request.encode() + body)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert await daemon.ended() == 0
