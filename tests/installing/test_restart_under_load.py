"""The port held by somebody else, as systemd holds it: nobody is refused or dropped."""

import asyncio
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio

from tests.app.patience import until
from tests.app.process import Daemon
from tests.fakes import meta
from tests.installing.conftest import need
from tests.town import ANN

_RESTARTS = 3
_CLIENTS = 12
_BETWEEN = 60
"""How many are answered between two restarts."""
_PASSES_ON = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3);"
    " os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='webhook');"
    " os.execv(sys.argv[2], sys.argv[2:])"
)


@pytest_asyncio.fixture
async def held(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon whose port stays open whether it runs or not."""
    changes = {"outbox": {"receipt_wait_seconds": 5, "messages_per_second": None}}
    async with Daemon(tmp_path, changes) as daemon:
        with socket.create_server(("127.0.0.1", daemon.port), backlog=1024) as listening:
            daemon.passed_on = (listening.fileno(),)
            daemon.wrapped_by = (sys.executable, "-c", _PASSES_ON, str(listening.fileno()))
            daemon.graph.report_to(daemon.url, meta.SECRET)
            yield daemon


class Load:
    """Clients that call with a new connection each time, each time as somebody else."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._is_over = False
        self.asked = 0
        self.done: dict[str, int | str] = {}

    async def run(self) -> None:
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(self._call(session) for _ in range(_CLIENTS)))

    def end(self) -> None:
        self._is_over = True

    async def _call(self, session: aiohttp.ClientSession) -> None:
        while not self._is_over:
            self.asked += 1
            who = f"1555{self.asked:07d}"
            body = meta.body(meta.text(who, f"word {who}"))
            try:
                self.done[who] = await meta.post(session, self._daemon.url, body)
            except (aiohttp.ClientError, OSError) as error:
                self.done[who] = f"{type(error).__name__}: {error}"


async def test_nobody_is_refused_and_everybody_is_answered_once(held: Daemon) -> None:
    await held.start()
    load = Load(held)
    calling = asyncio.create_task(load.run())
    for _ in range(_RESTARTS):
        enough = len(load.done) + _BETWEEN
        await until(lambda enough=enough: len(load.done) >= enough)  # type: ignore[misc]
        held.signal(signal.SIGTERM)
        assert await held.ended() == 0
        await held.launch()
    enough = len(load.done) + _BETWEEN
    await until(lambda: len(load.done) >= enough)
    load.end()
    await calling
    assert {who: came for who, came in load.done.items() if came != 200} == {}
    assert len(load.done) == load.asked > _RESTARTS * _BETWEEN
    await until(lambda: all(held.graph.bodies(who) for who in load.done))
    answered = {who: held.graph.bodies(who) for who in load.done}
    assert answered == {who: [f"word {who}"] for who in load.done}


async def test_systemd_s_own_program_passes_it_on(tmp_path: Path) -> None:
    program = shutil.which("systemd-socket-activate")
    need(program, "systemd-socket-activate")
    assert program is not None
    async with Daemon(tmp_path) as daemon:
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
