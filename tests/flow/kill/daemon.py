"""The process that is killed: `openparallax serve` on a file of its own."""

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

from tests.app.ports import free_port
from tests.fakes import meta
from tests.flow.kill.moods import GRAPH_TIMEOUT_S

ROOT = Path(__file__).resolve().parents[3]
RECEIPT_WAIT_S = 1.0
START_S = 90.0
STOP_S = 90.0
_PR_SET_PDEATHSIG = 1

_PLUGIN = '''\
"""An engine that takes its time, now more, now less; found like any installed plugin."""

import asyncio
import random

from openparallax.plugin import PluginSettings, Reply, Tools, Turn


class Jitter:
    """Wait, then say back what was said."""

    class Settings(PluginSettings):
        seconds: float

    keeps_content = False
    writes_markdown = False

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._seconds = settings.seconds

    async def answer(self, turn: Turn) -> Reply:
        await asyncio.sleep(random.random() ** 3 * self._seconds)
        return Reply(text=turn.text)

    async def close(self) -> None:
        pass
'''


@dataclass(slots=True)
class Life:
    """One process of the daemon; monotonic seconds.

    Attributes:
        healthy: When it first answered, or None if it was killed before.
        ended: When it was killed, or asked to end.
    """

    started: float
    healthy: float | None = None
    ended: float = 0.0
    was_killed: bool = False


class Process(Protocol):
    """What is done with a process, however it was started."""

    @property
    def returncode(self) -> int | None: ...
    def kill(self) -> None: ...
    def terminate(self) -> None: ...
    async def wait(self) -> int: ...


class LoopError(Exception):
    """The loop cannot go on; the message says why."""


class Daemon:
    """Starts, kills and stops the one daemon; ``folder`` holds its state, log and configuration.

    Attributes:
        lives: One for each process so far.
    """

    def __init__(self, folder: Path, graph_url: str, dice: Random) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.database = self.state / "openparallax.db"
        self.log = folder / "log"
        self.lives: list[Life] = []
        self._dice = dice
        self._graph_url = graph_url
        self._port = free_port()
        self._process: Process | None = None
        self._install()

    def _install(self) -> None:
        install_plugin(self.folder, "kill_plugin", "jitter_for_kills = kill_plugin:Jitter")
        (self.folder / "kill_plugin.py").write_text(_PLUGIN, "utf-8")

    def _environment(self) -> dict[str, str]:
        """All that the process is given."""
        wanted = ("PATH", "HOME", "LANG")
        passed_on = {name: os.environ[name] for name in wanted if name in os.environ}
        return passed_on | {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.folder}",
            "WHATSAPP_ACCESS_TOKEN": "made-up",
            "WHATSAPP_APP_SECRET": meta.SECRET,
        }

    async def _launch(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "openparallax", *arguments),
                cwd=ROOT,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/webhook"

    def _configuration(self) -> dict[str, Any]:
        jitter = {"type": "jitter_for_kills", "seconds": self._dice.choice([0.1, 1.0, 3.0])}
        return {
            "channels": {
                "whatsapp": {
                    "phone_number_id": meta.PHONE_NUMBER_ID,
                    "verify_token": meta.VERIFY_TOKEN,
                    "webhook_port": self._port,
                    "graph_api_url": self._graph_url,
                    "graph_timeout_seconds": GRAPH_TIMEOUT_S,
                    "rate_limit": None,
                    "presence": "none",
                }
            },
            "engine": self._dice.choice([{"type": "echo"}, jitter]),
            "conversation": {"drain_seconds": 1, "max_concurrent_turns": 20},
            "outbox": {
                "receipt_wait_seconds": RECEIPT_WAIT_S,
                "messages_per_second": None,
                "pair_burst": None,
            },
            "storage": {"url": f"sqlite:///{self.database}"},
            "admin": {"enabled": False},
            "log": {"level": "debug", "format": "json"},
        }

    async def start(self) -> None:
        """Start a process; does not wait for it."""
        config = self.folder / "config.yaml"
        config.write_text(json.dumps(self._configuration()), "utf-8")  # JSON is YAML
        began = time.monotonic()  # whoever launches it may hear late that it has begun
        self._process = await self._launch(("serve", "-c", str(config)), self._environment())
        self.lives.append(Life(began))

    async def healthy(self) -> None:
        """Return when it answers.

        Raises:
            LoopError: It ended by itself, or does not answer; with the end of its log.
        """
        life = self.lives[-1]
        while not await self._answers():
            if self.has_ended or time.monotonic() > life.started + START_S:
                raise LoopError(f"the daemon did not start:\n{self.last_words()}")
            await asyncio.sleep(0.01)
        life.healthy = time.monotonic()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in await asyncio.wait_for(reader.readline(), 5)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.returncode is not None

    def strike(self) -> None:
        """Kill -9, at once; `buried` waits for the end.

        Raises:
            LoopError: It had ended by itself.
        """
        if self._process is None or self.has_ended:
            raise LoopError(f"the daemon ended by itself:\n{self.last_words()}")
        self._process.kill()
        self.lives[-1].ended = time.monotonic()
        self.lives[-1].was_killed = True

    async def buried(self) -> int | None:
        """Return when the process has ended: its exit code, below 0 the signal that killed it."""
        return None if self._process is None else await self._process.wait()

    def ask_to_end(self) -> None:
        """Ask it to end in order; one that has ended stays so."""
        if self._process is not None and not self.has_ended:
            self.lives[-1].ended = time.monotonic()
            self._process.terminate()

    async def stop(self) -> None:
        """Ask it to end in order, and wait until it has.

        Raises:
            LoopError: It had ended by itself, or did not end well.
        """
        if not self.has_ended:
            self.ask_to_end()
            with suppress(TimeoutError):
                if await asyncio.wait_for(self.buried(), STOP_S) == 0:
                    return
        raise LoopError(f"the daemon did not end in order:\n{self.last_words()}")

    async def close(self) -> None:
        """Leave nothing running."""
        if not self.has_ended:
            self.strike()
            await self.buried()

    def last_words(self) -> str:
        return self.log.read_text("utf-8", "replace")[-3000:] if self.log.exists() else ""


def install_plugin(folder: Path, name: str, engine: str) -> None:
    """Lay a plugin into ``folder`` as pip would; on ``PYTHONPATH``, that is an installation."""
    facts = folder / f"{name}-0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
    (facts / "entry_points.txt").write_text(f"[openparallax.engines]\n{engine}\n")


def _die_with_parent() -> None:
    """Even a loop that is killed itself leaves nothing running (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
