"""`openparallax dev` as a process of its own, in a home of its own, asked as its page asks."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from openparallax.app.dev.ports import any_port
from tests.app.patience import LONG_S, until
from tests.architecture.source import ROOT

UP = "stop "


class Dev:
    """One run; nothing is left running.

    Attributes:
        out: File of all that it printed.
    """

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.port, self.webhook_port, self.admin_port = any_port(), any_port(), any_port()
        self.arguments = arguments
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession()
        await self.launch()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.session.close()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await self.ended()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        return self.folder / ".local" / "state" / "openparallax" / "dev"

    @property
    def said(self) -> str:
        return self.out.read_text("utf-8", "replace")

    @property
    def ports(self) -> list[str]:
        """Options."""
        own = ["--webhook-port", str(self.webhook_port), "--admin-port", str(self.admin_port)]
        return ["--port", str(self.port), *([] if {"-c", "--bot"} & {*self.arguments} else own)]

    async def launch(self, stdin: int = asyncio.subprocess.DEVNULL) -> None:
        """Start it; do not wait until it is up."""
        with self.out.open("ab") as out:
            self._process = await self.start(*self.arguments, *self.ports, stdin=stdin, out=out)

    async def start(
        self, *arguments: str, out: Any, stdin: int = asyncio.subprocess.DEVNULL
    ) -> asyncio.subprocess.Process:
        """Another one in the same home."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        environment |= {"TMPDIR": str(self.folder), "PYTHONPATH": str(ROOT)} | self._environment
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "openparallax", "dev", *arguments),
            cwd=self.folder,
            env=environment,
            stdin=stdin,
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def second(self, *arguments: str) -> tuple[int, str]:
        """Start another one that cannot be up; what it ends with, and what it says."""
        process = await self.start(*arguments, out=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def is_up(self) -> None:
        assert self._process is not None
        process = self._process
        await until(lambda: UP in self.said or process.returncode is not None)
        assert UP in self.said, self.said

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        assert self._process is not None
        async with asyncio.timeout(LONG_S):
            return await self._process.wait()

    # as the page

    async def ask(self, name: str, **fields: Any) -> dict[str, Any]:
        async with self.session.post(f"{self.url}/phone/api/{name}", json=fields) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return dict(said)

    async def shown(self) -> dict[str, Any]:
        """Everything that the page shows now."""
        async with self.session.get(f"{self.url}/phone/events") as events:
            async for line in events.content:
                if line.startswith(b"data:"):
                    return dict(json.loads(line.removeprefix(b"data:")))
        raise AssertionError("the page was told nothing")

    async def daemon(self) -> dict[str, Any]:
        return dict((await self.shown())["daemon"])

    async def heard(self, person: str, number_id: str | None = None) -> list[str]:
        """What the bot said to them."""
        return [
            message["content"].get("body", "")
            for chat in (await self.shown())["chats"]
            if chat["person"] == person and number_id in (None, chat["number_id"])
            for message in chat["messages"]
            if message["is_ours"]
        ]

    async def hears(self, person: str, *said: str, number_id: str | None = None) -> None:
        async def has_heard() -> bool:
            return (await self.heard(person, number_id))[-len(said) :] == list(said)

        await until(has_heard)


def is_running(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of one."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return False
