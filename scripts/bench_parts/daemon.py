"""The daemon as its users run it: `openparallax serve` on a file, with the limits switched off."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_parts.bodies import ACCOUNT, APP_SECRET
from bench_parts.orders import Target
from bench_parts.processes import Processes, find_port, stop

SLOW_ENGINE = '''\
"""An engine that takes its time, as models do; found by the daemon like any installed plugin."""

import asyncio

from openparallax.plugin import PluginSettings, Reply, Tools, Turn


class Slow:
    """Wait, then say one word."""

    class Settings(PluginSettings):
        """Settings of the engine."""

        seconds: float

    keeps_content = False
    writes_markdown = False

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._seconds = settings.seconds

    async def answer(self, turn: Turn) -> Reply:
        await asyncio.sleep(self._seconds)
        return Reply(text="there")

    async def close(self) -> None:
        pass
'''


def install_slow_engine(folder: Path) -> None:
    """Lay the engine into ``folder`` as pip would; on ``PYTHONPATH``, that is an installation."""
    (folder / "bench_plugin.py").write_text(SLOW_ENGINE, "utf-8")
    facts = folder / "bench_plugin-0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-plugin\nVersion: 0\n")
    (facts / "entry_points.txt").write_text(
        "[openparallax.engines]\nslow_for_bench = bench_plugin:Slow\n"
    )


def child_environment(*paths: Path) -> dict[str, str]:
    """What the processes of the bench are given: nothing of the caller's settings or secrets."""
    passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return passed_on | {
        "PYTHONPATH": os.pathsep.join(str(path) for path in paths),
        "WHATSAPP_ACCESS_TOKEN": "made-up",
        "WHATSAPP_APP_SECRET": APP_SECRET,
    }


@dataclass(frozen=True)
class Daemon:
    """One daemon with a database of its own.

    Attributes:
        name: Also of its folder and its log.
        engine: The configuration's ``engine``.
        graph_port: Where Graph is played.
    """

    name: str
    folder: Path
    engine: dict[str, Any]
    graph_port: int
    port: int

    @classmethod
    def prepare(cls, name: str, folder: Path, engine: dict[str, Any], graph_port: int) -> "Daemon":
        """Write the configuration; nothing runs yet."""
        daemon = cls(name, folder / name, engine, graph_port, find_port())
        daemon.folder.mkdir()
        # JSON is YAML.
        daemon._file.write_text(json.dumps(daemon._configuration(), indent=2), "utf-8")
        return daemon

    @property
    def database(self) -> Path:
        return self.folder / "bench.db"

    @property
    def _file(self) -> Path:
        return self.folder / "config.yaml"

    def _configuration(self) -> dict[str, Any]:
        return {
            "channels": {
                "whatsapp": {
                    "phone_number_id": ACCOUNT,
                    "verify_token": "made-up",
                    "webhook_host": "127.0.0.1",
                    "webhook_port": self.port,
                    "graph_api_url": f"http://127.0.0.1:{self.graph_port}",
                    "rate_limit": None,
                    "presence": "none",
                }
            },
            "engine": self.engine,
            "conversation": {"drain_seconds": 1},
            "outbox": {"messages_per_second": None, "pair_burst": None},
            "storage": {"url": f"sqlite:///{self.database}"},
            "admin": {"port": find_port()},
        }

    def start(
        self, processes: Processes, env: dict[str, str]
    ) -> tuple[subprocess.Popen[bytes], float]:
        """Start it; returns when it is healthy, with the seconds that took."""
        argv = [sys.executable, "-m", "openparallax", "serve", "-c", str(self._file)]
        started = time.perf_counter()
        process = processes.start(self.name, argv, env)
        processes.wait_healthy(process, self.name, self.port)
        return process, time.perf_counter() - started

    def as_target(self, process: subprocess.Popen[bytes]) -> Target:
        return Target(self.name, self.port, process.pid)

    def make_database(self, processes: Processes, env: dict[str, str]) -> None:
        """Let the daemon make its file, and end in order."""
        process, _ = self.start(processes, env)
        stop(process)

    def count_admitted(self) -> int:
        """How many messages are on the disk as seen; the daemon must not run."""
        with sqlite3.connect(self.database) as database:
            (count,) = database.execute("SELECT count(*) FROM seen").fetchone()
        database.close()
        return int(count)
