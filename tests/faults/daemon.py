"""The daemon under test, with its operator's pages and the state of its file."""

import asyncio
import json
import resource
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp

from tests.app import process
from tests.app.patience import LONG_S, until
from tests.app.ports import free_port
from tests.fakes import meta
from tests.fakes.meta import Item

__all__ = ["LONG_S", "NO_BOUNDS", "Daemon"]

NO_BOUNDS: dict[str, Any] = {
    "messages_per_second": None,
    "pair_burst": None,
    "receipt_wait_seconds": 5,
}
"""A status that is on its way comes within the wait for it, however busy the machine is: then
nothing is sent twice. It is the whole wait of what Graph never had."""


class Daemon(process.Daemon):
    """A process that may be started, faulted, asked, stopped and killed again and again.

    Attributes:
        admin_port: Of the operator's listener.
        must_be_whole: At the end of the test the file is asked whether it is.
        may_panic: A library in Rust may write its own traceback, without words.
    """

    def __init__(self, folder: Path, changes: dict[str, Any] | None = None) -> None:
        self.admin_port = free_port()
        self.must_be_whole = True
        self.may_panic = False
        self._log_from = 0
        super().__init__(folder, {**self._usual(), **(changes or {})})

    def _usual(self) -> dict[str, Any]:
        return {
            "outbox": NO_BOUNDS,
            "conversation": {"drain_seconds": 2},
            "admin": {"enabled": True, "port": self.admin_port},
            "log": {"level": "info", "format": "json"},
        }

    def whatsapp(self, **more: Any) -> dict[str, Any]:
        """The section ``channels``, for `configure`, with more in it than usual."""
        return {
            "whatsapp": {
                "phone_number_id": meta.PHONE_NUMBER_ID,
                "verify_token": meta.VERIFY_TOKEN,
                "webhook_port": self.port,
                "graph_api_url": self.graph.url,
                "graph_timeout_seconds": 30,
                "rate_limit": None,
                "presence": "none",
                **more,
            }
        }

    def storage(self, **more: Any) -> dict[str, Any]:
        """The section ``storage``, for `configure`."""
        return {"url": f"sqlite:///{self.database}", **more}

    def configure(self, **changes: Any) -> None:
        super().configure(**{"channels": self.whatsapp(), **changes})

    @property
    def state(self) -> Path:
        """The folder of the database."""
        return self.folder / "state"

    @property
    def database(self) -> Path:
        return self.state / "openparallax.db"

    @property
    def is_running(self) -> bool:
        return not self._has_ended

    async def deliver(self, *items: Item) -> None:
        """As Meta does: again and again until it is taken."""
        await meta.Meta(self.session, self.url, max_tries=6000).deliver(*items)

    def reports_statuses(self) -> None:
        """From now on Graph reports what became of what it took, as it does in life."""
        self.graph.report_to(self.url, meta.SECRET)

    async def start(self) -> None:
        """Start a process and return when it has begun its work."""
        await self.launch()
        assert await self.ended_or_started() is None, self.said[-3000:]

    async def launch(self) -> None:
        self._log_from = len(self.said)
        await super().launch()

    async def ended_or_started(self) -> int | None:
        """Wait until the process that was launched has begun its work, or ended: with what code."""
        await until(
            lambda: self._has_ended or '"event": "started"' in self.said[self._log_from :], LONG_S
        )
        return await self.ended() if self._has_ended else None

    # -- asking it ------------------------------------------------------------------------------

    async def page(self, path: str, *, is_admin: bool = True) -> tuple[int, str]:
        """A page of the operator's listener, or of the public one: status and text.

        Raises:
            aiohttp.ClientError: It does not answer.
            TimeoutError: The same.
        """
        port = self.admin_port if is_admin else self.port
        timeout = aiohttp.ClientTimeout(total=LONG_S)
        async with self.session.get(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
            return answer.status, await answer.text()

    async def is_healthy(self) -> bool:
        """Whether the public ``/healthz`` answers 200."""
        try:
            return (await self.page("/healthz", is_admin=False))[0] == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def readiness(self) -> tuple[int, str]:
        """``/readyz``: status and why."""
        return await self.page("/readyz")

    async def becomes_ready(self, timeout_s: float = LONG_S) -> None:
        async def is_ready() -> bool:
            return (await self.readiness())[0] == 200

        await until(is_ready, timeout_s)

    async def metric(self, name: str) -> float:
        """The sum of all samples of a metric, or of those with the labels named; 0 without any."""
        _, text = await self.page("/metrics")
        samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return sum(
            float(value) for key, _, value in samples if name in (key, key.partition("{")[0])
        )

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """What was logged, in order; only such events, if one is named."""
        found = []
        for line in self.said.splitlines():
            if line.startswith("{"):
                one = json.loads(line)
                if event in (None, one.get("event")):
                    found.append(one)
        return found

    def renew_session(self) -> None:
        """Connections of its own, whatever happened to those before."""
        self.session = aiohttp.ClientSession()

    def address_space(self) -> int:
        """Bytes of addresses that it uses."""
        pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[0]
        return int(pages) * resource.getpagesize()

    async def limit(self, option: str, most: int | None) -> None:
        """Have the running process bear a limit, by prlimit's name of it."""
        value = "unlimited" if most is None else str(most)
        if self.is_running:
            command = ("prlimit", f"--pid={self.pid}", f"{option}={value}:unlimited")
            await (await asyncio.create_subprocess_exec(*command)).wait()

    # -- its end --------------------------------------------------------------------------------

    async def stop(self, timeout_s: float = LONG_S) -> int:
        """Ask it to end in order; its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended(timeout_s)

    async def kill(self) -> None:
        """As a power cut does, save that the machine's cache survives."""
        self.signal(signal.SIGKILL)
        await self.ended(LONG_S)

    def integrity(self) -> str:
        """SQLite's verdict on the file, ``ok``; the daemon may run."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as file:
            return "; ".join(row[0] for row in file.execute("PRAGMA integrity_check"))
