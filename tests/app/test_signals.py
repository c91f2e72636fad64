"""The process, its signals and what it ends with."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from tests.app.patience import until
from tests.app.process import Daemon, in_order
from tests.fakes import meta
from tests.town import ANN, BOB


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_drains_and_ends_with_0(daemon: Daemon, number: signal.Signals) -> None:
    await daemon.start()
    await daemon.deliver(meta.text(ANN, "until told"))
    await until((daemon.folder / "asked").exists)
    daemon.signal(number)
    await daemon.says("draining")
    assert await daemon.post_once(meta.text(BOB, "too late?")) == 200
    (daemon.folder / "go").touch()
    assert await daemon.ended() == 0
    assert daemon.graph.bodies(ANN) == ["until told"]
    assert daemon.graph.bodies(BOB) == []
    await daemon.start()
    assert await daemon.hears(BOB, 1) == ["too late?"]
    assert daemon.graph.bodies(ANN) == ["until told"]
    assert "Traceback" not in daemon.said


async def test_a_second_one_ends_it_at_once(daemon: Daemon) -> None:
    daemon.configure(conversation={"drain_seconds": 600})
    await daemon.start()
    await daemon.deliver(meta.text(ANN, "hang"))
    daemon.signal(signal.SIGTERM)
    await daemon.says("draining")
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 128 + signal.SIGTERM


async def test_an_engine_that_does_not_end_does_not_keep_it(daemon: Daemon) -> None:
    daemon.configure(conversation={"drain_seconds": 0.1}, pipeline=[])
    await daemon.start()
    await daemon.deliver(meta.text(ANN, "stubborn"))
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert "stopped" in daemon.said
    assert "Traceback" not in daemon.said


def umask_of(daemon: Daemon) -> str:
    status = Path(f"/proc/{daemon.pid}/status").read_text("ascii")
    return next(line.split()[1] for line in status.splitlines() if line.startswith("Umask:"))


HANGS_UP = """
import atexit, os, signal, sys

class HangsUp:
    def find_spec(self, name, path=None, target=None):
        if name == "moody_plugin":  # the configuration is being read
            os.replace(os.environ["NEXT"], os.environ["CONFIG"])
        if name in ("click", "moody_plugin"):
            os.kill(os.getpid(), signal.SIGHUP)

if "serve" in sys.orig_argv:
    sys.meta_path.insert(0, HangsUp())
    atexit.register(os.kill, os.getpid(), signal.SIGHUP)  # the last of all
"""


async def test_hang_up_reloads_whenever_it_comes(daemon: Daemon) -> None:
    """Before it runs it is remembered, and in the end it is no reason to end otherwise."""
    (daemon.folder / "sitecustomize.py").write_text(HANGS_UP)
    following = daemon.folder / "next.yaml"
    daemon.configure(notices={"new": "Early."})
    daemon.config.rename(following)
    daemon.configure()
    daemon.environment = {"NEXT": str(following), "CONFIG": str(daemon.config)}
    await daemon.start()
    await daemon.says('"reloaded"')
    assert umask_of(daemon) == "0077"  # in passing: what it writes is nobody else's
    daemon.configure(notices={"new": "Anew."}, conversation={"drain_seconds": -1})
    daemon.signal(signal.SIGHUP)
    await daemon.says("reload_refused")
    await daemon.says(f"{daemon.config}:")
    await daemon.deliver(meta.text(ANN, "/new still there?"))
    assert await daemon.hears(ANN, 2) == ["Early.", "still there?"]
    daemon.configure(notices={"new": "Anew."})
    daemon.signal(signal.SIGHUP)
    await until(lambda: daemon.said.count('"reloaded"') == 2)
    await daemon.deliver(meta.text(ANN, "/new"))
    assert (await daemon.hears(ANN, 3))[2] == "Anew."
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_port_that_is_taken(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", daemon.port)):
        await daemon.launch()
        assert await daemon.ended() == 75
    assert f"cannot listen on 127.0.0.1 port {daemon.port}: Address already in use" in daemon.said
    assert "webhook_port" in daemon.said
    assert "Traceback" not in daemon.said
    assert "library_warned" not in daemon.said


async def test_a_file_that_another_daemon_has(daemon: Daemon) -> None:
    await daemon.start()
    first, daemon._process = daemon._process, None
    assert first is not None
    try:
        await daemon.launch()
        assert await daemon.ended() == 75
    finally:
        first.kill()
        await first.wait()
    assert "another process is using" in daemon.said
    assert "Traceback" not in daemon.said


async def test_a_broken_configuration(daemon: Daemon) -> None:
    daemon.configure(engine={"type": "moodi_for_tests"}, storage={"uri": "x"})
    await daemon.launch()
    assert await daemon.ended() == 78
    assert "engine.type" in daemon.said
    assert "storage.uri" in daemon.said
    assert "Traceback" not in daemon.said


async def test_a_database_that_is_none(daemon: Daemon) -> None:
    state = daemon.folder / "state"
    state.mkdir()
    (state / "openparallax.db").write_text("no rows\n" * 1000)
    await daemon.launch()
    assert await daemon.ended() == 78
    assert "cannot be opened as a database" in daemon.said
    assert "Traceback" not in daemon.said


async def test_killed_and_started_again_and_again(daemon: Daemon) -> None:
    """What was taken is answered, whatever happens to the process."""
    running = asyncio.create_task(daemon.keep_running())
    for n in range(6):
        await daemon.deliver(meta.text(ANN, f"slow {n}"))
        await daemon.deliver(meta.text(BOB, f"{n}"))
        if n in (1, 3):
            daemon.signal(signal.SIGKILL)
    for person, said in ((ANN, "slow "), (BOB, "")):
        wanted = [f"{said}{n}" for n in range(6)]
        await until(lambda p=person, w=wanted: in_order(daemon.graph.bodies(p)) == w, 20)  # type: ignore[misc]
    running.cancel()
    assert daemon.codes == [-signal.SIGKILL] * 2
