"""`openparallax serve` as a process of its own, with an engine that comes as any plugin does."""

import asyncio
import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.app.patience import LONG_S, until
from tests.app.ports import free_port
from tests.fakes import meta
from tests.fakes.graph import FakeGraph
from tests.fakes.meta import Item

ROOT = Path(__file__).resolve().parents[2]
_STARTED = '"event": "started"'
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1

_PLUGIN = '''\
"""An engine that does what the words say."""

import asyncio
import os
from pathlib import Path

from openparallax.plugin import Reply


class Moody:
    keeps_content = False
    writes_markdown = False

    def __init__(self, settings, tools):
        pass

    async def answer(self, turn):
        words = turn.text
        if "kill" in words:
            os.kill(os.getpid(), 9)
        if "exit" in words:
            raise SystemExit(3)
        if "slow" in words:
            await asyncio.sleep(0.3)
        if "hang" in words:
            await asyncio.sleep(3600)
        if "until told" in words:
            Path(__file__).with_name("asked").touch()
            while not Path(__file__).with_name("go").exists():
                await asyncio.sleep(0.01)
        while "stubborn" in words:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
        return Reply(text=words)

    async def close(self):
        pass
'''


def in_order(bodies: list[str]) -> list[str]:
    """Every line once, as it came first; a part may be sent twice round a crash."""
    return list(dict.fromkeys("\n".join(bodies).split("\n")))


class Daemon:
    """One daemon after the other on the same files, and a Graph; nothing is left running.

    Attributes:
        port: The webhook's.
        environment: Further variables of the next process.
        wrapped_by: What the next process is started through; it is to exec what stands behind it.
        passed_on: Descriptors that the next process gets.
        codes: What each process so far ended with; below 0 the signal that killed it.
    """

    def __init__(self, folder: Path, changes: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        self.port = free_port()
        self.graph = FakeGraph()
        self.codes: list[int] = []
        self.environment: dict[str, str] = {}
        self.wrapped_by: tuple[str, ...] = ()
        self.passed_on: tuple[int, ...] = ()
        self._changes = changes or {}
        self._process: asyncio.subprocess.Process | None = None
        (folder / "moody_plugin.py").write_text(_PLUGIN, "utf-8")
        facts = folder / "moody_plugin-0.dist-info"
        facts.mkdir(exist_ok=True)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: moody-plugin\nVersion: 0\n")
        (facts / "entry_points.txt").write_text(
            "[openparallax.engines]\nmoody_for_tests = moody_plugin:Moody\n"
        )

    async def __aenter__(self) -> Self:
        await self.graph.__aenter__()
        self.session = aiohttp.ClientSession()
        self.configure()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
        await self.session.close()
        await self.graph.__aexit__(kind, raised, trace)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhook"

    def configure(self, **changes: Any) -> None:
        """Write the configuration; keys in ``changes`` replace whole sections."""
        document: dict[str, Any] = {
            "channels": {
                "whatsapp": {
                    "phone_number_id": meta.PHONE_NUMBER_ID,
                    "verify_token": meta.VERIFY_TOKEN,
                    "webhook_port": self.port,
                    "graph_api_url": self.graph.url,
                    "presence": "none",
                }
            },
            "engine": {"type": "moody_for_tests"},
            "outbox": {"receipt_wait_seconds": 0.1},
            "storage": {"url": f"sqlite:///{self.folder / 'state' / 'openparallax.db'}"},
            "admin": {"enabled": False},
        }
        self.config.write_text(json.dumps(document | self._changes | changes), "utf-8")

    async def start(self) -> None:
        """Start a process and return when it answers and has begun its work.

        Fails if it ends before it answers.
        """
        before = self.said.count(_STARTED)
        await self.launch()
        await until(self._answers)
        # It answers while what an earlier process left is still being read. A signal that comes
        # then finds nothing to drain.
        await until(lambda: self.said.count(_STARTED) > before or self._has_ended)

    async def launch(self) -> None:
        """Start a process; do not wait for it."""
        assert self._process is None
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.wrapped_by,
                sys.executable,
                *("-m", "openparallax", "serve", "-c", str(self.config)),
                cwd=ROOT,
                env=self.variables | self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.passed_on,
                preexec_fn=_die_with_parent,
            )

    @property
    def variables(self) -> dict[str, str]:
        """The environment of each process; that of commands which ask it, too."""
        passed_on = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return passed_on | {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.folder}",
            "WHATSAPP_ACCESS_TOKEN": "made-up",
            "WHATSAPP_APP_SECRET": meta.SECRET,
        }

    @property
    def _has_ended(self) -> bool:
        return self._process is None or self._process.returncode is not None

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self.said
        try:
            async with self.session.get(self.url.replace("/webhook", "/healthz")) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self, timeout_s: float = LONG_S) -> int:
        """Wait for the process to end; its exit code."""
        assert self._process is not None
        async with asyncio.timeout(timeout_s):
            code = await self._process.wait()
        self._process = None
        self.codes.append(code)
        return code

    async def keep_running(self) -> None:
        """As systemd does: start another one whenever it ends, however early; until cancelled."""
        while True:
            await self.launch()
            await self.ended(timeout_s=10 * LONG_S)

    async def deliver(self, *items: Item) -> None:
        """As Meta does: again and again until it is taken."""
        await meta.Meta(self.session, self.url, max_tries=1000).deliver(*items)

    async def post_once(self, *items: Item) -> int:
        return await meta.post(self.session, self.url, meta.body(*items))

    async def hears(self, sender: str, count: int, timeout_s: float = LONG_S) -> list[str]:
        await until(lambda: len(self.graph.bodies(sender)) >= count, timeout_s)
        return self.graph.bodies(sender)

    @property
    def said(self) -> str:
        """All that it logged or printed."""
        log = self.folder / "log"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    async def says(self, what: str, timeout_s: float = LONG_S) -> None:
        await until(lambda: what in self.said, timeout_s)


def _die_with_parent() -> None:
    """Even tests that are killed themselves leave nothing running (Linux only)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
