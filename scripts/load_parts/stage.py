"""What every part stands on: daemons with their engine, and what can be seen of a process."""

import argparse
import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench_parts.daemon import Daemon, child_environment
from bench_parts.processes import Processes, resident_mb, stop

from load_parts.report import Report

CHECKOUT = Path(__file__).resolve().parents[2]
ENGINE = '''\
"""An engine that takes as long as it is told, and counts how often it was asked."""

import asyncio
import os
import re

from openparallax.plugin import PluginSettings, Reply, Tools, Turn

_WAIT = re.compile(r"wait ([0-9.]+)")


class Patient:
    """Say it back, after as many seconds as the first message wants."""

    class Settings(PluginSettings):
        """Settings of the engine."""

        calls: str
        """A file that grows by a byte each time."""
        hangs: bool = False

    keeps_content = False
    writes_markdown = False

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._hangs = settings.hangs
        self._calls = os.open(settings.calls, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def answer(self, turn: Turn) -> Reply:
        os.write(self._calls, b"x")
        wait = _WAIT.search(turn.text)
        if self._hangs:
            await asyncio.Event().wait()
        if wait is not None:
            await asyncio.sleep(float(wait[1]))
        return Reply(text=turn.text)

    async def close(self) -> None:
        os.close(self._calls)
'''


@dataclass
class Running:
    """A daemon, and its process while it runs.

    Attributes:
        starts: How often it was started.
    """

    daemon: Daemon
    calls: Path
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def asked(self) -> int:
        """How often the engine was asked, by all processes of this daemon."""
        return self.calls.stat().st_size if self.calls.exists() else 0

    @property
    def memory_mb(self) -> float:
        return resident_mb(self.pid)

    @property
    def open_files(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    @property
    def log_mb(self) -> float:
        """Length of SQLite's log."""
        with suppress(FileNotFoundError):
            return Path(f"{self.daemon.database}-wal").stat().st_size / 2**20
        return 0.0

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings of the file, for the next start; sections are merged."""
        _merge(self.settings, changes)
        (self.daemon.folder / "config.yaml").write_text(json.dumps(self.settings), "utf-8")

    async def is_ready(self) -> tuple[bool, str]:
        """Whether ``/readyz`` says so, and what it says."""
        url = f"http://127.0.0.1:{self.settings['admin']['port']}/readyz"

        def ask() -> tuple[bool, str]:
            try:
                with urllib.request.urlopen(url, timeout=10) as response:
                    return True, response.read().decode()
            except urllib.error.HTTPError as error:
                return False, error.read().decode()
            except OSError as error:
                return False, str(error)

        return await asyncio.to_thread(ask)


@dataclass
class Stage:
    """One run: where it happens and what it may use."""

    options: argparse.Namespace
    folder: Path
    processes: Processes
    report: Report

    def __post_init__(self) -> None:
        plugins = self.folder / "plugins"
        plugins.mkdir()
        (plugins / "load_plugin.py").write_text(ENGINE, "utf-8")
        facts = plugins / "load_plugin-0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: load-plugin\nVersion: 0\n")
        (facts / "entry_points.txt").write_text(
            "[openparallax.engines]\npatient = load_plugin:Patient\n"
        )
        self.env = child_environment(plugins, CHECKOUT / "scripts", CHECKOUT)

    def size(self, full: int, quick: int) -> int:
        """The issue's size, or the one that takes seconds."""
        return quick if self.options.quick else full

    def prepare(self, name: str, graph_port: int, **changes: Any) -> Running:
        """A daemon of its own folder with the patient engine, its limits off; nothing runs yet.

        ``changes`` are sections of the configuration.
        """
        calls = self.folder / f"{name}.calls"
        engine = {"type": "patient", "calls": str(calls)}
        daemon = Daemon.prepare(name, self.folder, engine, graph_port)
        settings = json.loads((daemon.folder / "config.yaml").read_text("utf-8"))
        running = Running(daemon, calls, settings=settings)
        running.configure({"log": {"level": "warning"}} | changes)
        return running

    async def start(self, running: Running) -> float:
        """Start it; returns when it is healthy, with the seconds that took."""
        loop = asyncio.get_running_loop()
        daemon = running.daemon
        argv = [sys.executable, "-m", "openparallax", "serve", "-c"]
        began = loop.time()
        running.process = self.processes.start(
            daemon.name, [*argv, str(daemon.folder / "config.yaml")], self.env
        )
        await asyncio.to_thread(
            self.processes.wait_healthy, running.process, daemon.name, daemon.port
        )
        return loop.time() - began

    async def stop(self, *daemons: Running) -> None:
        for running in daemons:
            if running.process is not None:
                await asyncio.to_thread(stop, running.process)

    async def kill(self, running: Running) -> None:
        """End it without a chance to tidy up."""
        assert running.process is not None
        running.process.kill()
        await asyncio.to_thread(running.process.wait)


class Watch:
    """Looks at a daemon's memory, log and open files while a block runs."""

    def __init__(self, running: Running, every_s: float = 0.05) -> None:
        self._running = running
        self._every_s = every_s
        self.peak_mb = 0.0
        self.log_mb = 0.0
        self.open_files = 0

    async def __aenter__(self) -> Self:
        self._look()
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._task.cancel()
        self._look()

    async def _watch(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(self._every_s)

    def _look(self) -> None:
        with suppress(FileNotFoundError, IndexError):
            self.peak_mb = max(self.peak_mb, self._running.memory_mb)
            self.log_mb = max(self.log_mb, self._running.log_mb)
            self.open_files = max(self.open_files, self._running.open_files)


def _merge(settings: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            _merge(settings[key], value)
        else:
            settings[key] = value
