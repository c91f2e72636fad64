"""The daemon as its users run it: `openparallax serve` on a file, without the limits."""

import json
import os
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench_parts.bodies import ACCOUNT, APP_SECRET
from bench_parts.processes import find_port

CHECKOUT = Path(__file__).resolve().parents[2]
ENGINE = '''\
"""An engine that takes its time, as models do; found by the daemon like any installed plugin."""

import asyncio

from openparallax.plugin import PluginSettings, Reply, Tools, Turn


class Slow:
    """Wait, then say it back, or nothing."""

    class Settings(PluginSettings):
        """Settings of the engine."""

        seconds: float
        is_silent: bool = False

    keeps_content = False
    writes_markdown = False

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._seconds = settings.seconds
        self._is_silent = settings.is_silent

    async def answer(self, turn: Turn) -> Reply:
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return Reply(text=None if self._is_silent else turn.text)

    async def close(self) -> None:
        pass
'''


def install_slow_engine(folder: Path) -> None:
    """Lay the engine into ``folder`` as pip would; on ``PYTHONPATH``, that is an installation."""
    (folder / "bench_plugin.py").write_text(ENGINE, "utf-8")
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
    def prepare(
        cls,
        name: str,
        folder: Path,
        engine: dict[str, Any],
        graph_port: int,
        *,
        as_shipped: bool = False,
    ) -> "Daemon":
        """Write the configuration; nothing runs yet.

        Args:
            as_shipped: Everything as in ``config.example.yaml``, which shows typing while an
                answer is made; else no presence, since those it is compared with show none.
        """
        daemon = cls(name, folder / name, engine, graph_port, find_port())
        daemon.folder.mkdir()
        # JSON is YAML.
        settings = daemon._as_shipped() if as_shipped else daemon._settings()
        daemon.config.write_text(json.dumps(settings, indent=2), "utf-8")
        return daemon

    @property
    def database(self) -> Path:
        return self.folder / "bench.db"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-m", "openparallax", "serve", "-c", str(self.config)]

    def _settings(self) -> dict[str, Any]:
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

    def _as_shipped(self) -> dict[str, Any]:
        """The example's settings, but for what says where and who, the engine and the limits."""
        settings = yaml.safe_load((CHECKOUT / "config.example.yaml").read_text("utf-8"))
        ours = self._settings()
        ours["channels"]["whatsapp"] |= {"allowed_numbers": []}
        del ours["channels"]["whatsapp"]["presence"]
        del settings["channels"]["whatsapp"]["verify_token_env"]
        settings["engine"] = {}  # the other engine has other settings
        return merged(settings, ours)

    def count_admitted(self) -> int:
        """How many messages are on the disk as seen; the daemon must not run."""
        with sqlite3.connect(self.database) as database:
            (count,) = database.execute("SELECT count(*) FROM seen").fetchone()
        database.close()
        return int(count)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``below`` with what ``above`` says; sections are merged, all else is replaced."""
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            both[key] = merged(under, value)
        else:
            both[key] = value
    return both
