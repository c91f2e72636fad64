"""A listener of the operator's with made-up controls, on a free port and a socket of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from openparallax.admin.control import Control
from openparallax.admin.server import AdminServer
from tests.pipeline.doubles import RecordedLog


@dataclass
class Office:
    """A running listener, and what it is told.

    Attributes:
        reasons: Why it is not ready.
    """

    folder: Path
    controls: dict[str, Control] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    log: RecordedLog = field(default_factory=RecordedLog)
    host: str = "127.0.0.1"
    port: int | None = 0

    def __post_init__(self) -> None:
        self.server = AdminServer(
            self.controls,
            host=self.host,
            port=self.port,
            folder=self.folder,
            reasons=self._reasons,
            exposition=self._exposition,
            log=self.log,
        )

    async def _reasons(self) -> list[str]:
        return self.reasons

    async def _exposition(self, accept: str) -> tuple[bytes, str]:
        return accept.encode(), "text/plain; version=0.0.4"

    async def ask(self, path: str, method: str = "GET", **given: Any) -> tuple[int, str]:
        """Over TCP; status and text."""
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url, **given) as got:
            self.headers = got.headers
            return got.status, await got.text()

    async def call(self, path: str, method: str = "POST", **given: Any) -> tuple[int, Any]:
        """Over the unix socket; status and JSON, or text."""
        connector = aiohttp.UnixConnector(str(self.folder / "control.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"http://localhost{path}", **given) as got,
        ):
            self.headers = got.headers
            is_json = got.content_type == "application/json"
            return got.status, await (got.json() if is_json else got.text())


Open = Callable[..., Awaitable[Office]]


@pytest_asyncio.fixture
async def open_office(tmp_path: Path) -> AsyncIterator[Open]:
    """Makes running listeners, and closes them."""
    made: list[Office] = []

    async def make(**given: Any) -> Office:
        office = Office(given.pop("folder", tmp_path), **given)
        made.append(office)
        await office.server.start()
        return office

    yield make
    for office in made:
        await office.server.close()


@pytest_asyncio.fixture
async def office(open_office: Open) -> Office:
    return await open_office()
