"""Who is compared, and how each is started."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_parts.daemon import Daemon
from bench_parts.orders import Target
from bench_parts.processes import Processes, find_port

BARE, BOT = "bare aiohttp", "bot without durability"
FASTAPI, PYWA, PYWA_ASYNC = "FastAPI bot", "pywa + FastAPI", "pywa async + FastAPI"
OURS, SHIPPED, SILENT = "OpenParallax", "OpenParallax as shipped", "OpenParallax, turns run"
RIVALS = {
    BARE: "bare",
    BOT: "bot",
    FASTAPI: "fastapi",
    PYWA: "pywa",
    PYWA_ASYNC: "pywa-async",
}
"""Name in the tables -> name that `bench_parts.rivals` knows."""
NEEDS = {
    FASTAPI: ("fastapi", "uvicorn", "httptools", "httpx"),
    PYWA: ("pywa", "fastapi", "uvicorn", "httptools", "httpx"),
    PYWA_ASYNC: ("pywa", "fastapi", "uvicorn", "httptools", "httpx"),
}
DISTRIBUTIONS = (
    "aiohttp",
    "uvloop",
    "fastapi",
    "starlette",
    "uvicorn",
    "httptools",
    "httpx",
    "pywa",
)
"""Whose versions stand above the tables."""


@dataclass(frozen=True)
class Engine:
    """What answers in every server.

    Attributes:
        seconds: How long it takes.
        is_silent: It says nothing; else it says the text back.
    """

    seconds: float = 0.0
    is_silent: bool = False


THINKING = Engine(seconds=86_400.0)
"""Does not come to an end while it is measured."""
SAYS_NOTHING = Engine(is_silent=True)
ECHO = Engine()


@dataclass(frozen=True)
class Server:
    """One of those compared, ready to be started, and started again."""

    name: str
    port: int
    graph_port: int
    argv: tuple[str, ...]
    daemon: Daemon | None = None

    @classmethod
    def prepare(cls, name: str, folder: Path, graph_port: int, engine: Engine) -> "Server":
        """Write what it needs below ``folder``; nothing runs yet."""
        if name in RIVALS:
            port = find_port()
            argv = [sys.executable, "-m", "bench_parts.rivals", RIVALS[name], "--port", str(port)]
            argv += ["--graph", f"http://127.0.0.1:{graph_port}"]
            argv += ["--engine-seconds", str(engine.seconds), *["--silent"] * engine.is_silent]
            return cls(name, port, graph_port, tuple(argv))
        daemon = Daemon.prepare(
            name.replace(" ", "-").replace(",", ""),
            folder,
            _settings(engine),
            graph_port,
            as_shipped=name == SHIPPED,
        )
        return cls(name, daemon.port, graph_port, tuple(daemon.argv), daemon)

    def start(
        self, processes: Processes, env: dict[str, str], core: int | None
    ) -> subprocess.Popen[bytes]:
        """Start it and return at once."""
        return processes.start(self.log_name, self.argv, env, core=core)

    @property
    def log_name(self) -> str:
        return self.name.replace(" ", "-").replace(",", "")

    def as_target(self, process: subprocess.Popen[bytes]) -> Target:
        return Target(self.name, self.port, process.pid)


def _settings(engine: Engine) -> dict[str, Any]:
    if engine == ECHO:
        return {"type": "echo"}
    return {
        "type": "slow_for_bench",
        "seconds": engine.seconds,
        "is_silent": engine.is_silent,
    }


def missing(name: str) -> list[str]:
    """What ``name`` needs and is not installed."""
    return [need for need in NEEDS.get(name, ()) if importlib.util.find_spec(need) is None]


def installed(names: Sequence[str]) -> list[str]:
    return [name for name in names if not missing(name)]
