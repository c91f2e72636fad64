"""Somebody who sits before Graph and asks; and a bot's door for handshakes."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from aiohttp import ClientSession, FormData, web

from openparallax.emulator import Account, Emulator, Number
from tests.fakes.clock import TurnedClock

VERSION = "/v25.0"
TOKEN = "EAAtoken"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of Graph's."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def error(self) -> dict[str, Any]:
        """The error of a refusal, which must be in Meta's shape."""
        assert self.status >= 400, self.body
        error: dict[str, Any] = self.body["error"]
        assert error["message"]
        assert error["type"]
        assert error["fbtrace_id"]
        return error

    @property
    def refusal(self) -> tuple[int, int, int | None]:
        return self.status, self.error["code"], self.error.get("error_subcode")


class Desk:
    """Asks an emulator over HTTP."""

    def __init__(self, emulator: Emulator, session: ClientSession) -> None:
        self.emulator = emulator
        self._session = session

    @property
    def account(self) -> Account:
        return self.emulator.world.account

    @property
    def number(self) -> Number:
        return self.account.numbers[0]

    @property
    def app_token(self) -> str:
        return f"{self.account.app_id}|{self.account.app_secret}"

    async def ask(self, method: str, path: str, *, token: str | None = TOKEN, **more: Any) -> Said:
        """Ask; a path that begins with ``http`` is a whole address."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = path if path.startswith("http") else f"{self.emulator.url}{VERSION}/{path}"
        async with self._session.request(
            method, url, headers=headers, allow_redirects=False, **more
        ) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json"
            return Said(answer.status, json.loads(raw) if is_json else raw, answer.headers)

    async def get(self, path: str, **more: Any) -> Said:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, **more: Any) -> Said:
        return await self.ask("POST", path, **more)

    async def delete(self, path: str, **more: Any) -> Said:
        return await self.ask("DELETE", path, **more)

    async def upload(
        self,
        data: bytes = b"picture",
        mime_type: str = "image/png",
        *,
        is_file_first: bool = False,
        token: str | None = TOKEN,
        **fields: str,
    ) -> Said:
        """Upload a file; ``fields`` beside or instead of ``messaging_product`` and ``type``."""
        form = FormData()
        named = {"messaging_product": "whatsapp", "type": mime_type, **fields}
        if is_file_first:
            form.add_field("file", BytesIO(data), filename="a.bin", content_type=mime_type)
        for name, value in named.items():
            form.add_field(name, value)
        if not is_file_first:
            form.add_field("file", BytesIO(data), filename="a.bin", content_type=mime_type)
        return await self.post(f"{self.number.id}/media", data=form, token=token)


@asynccontextmanager
async def desk(
    account: Account | None = None, clock: TurnedClock | None = None
) -> AsyncIterator[Desk]:
    """An emulator, and somebody who asks it; the emulator itself must not have failed."""
    async with Emulator(account=account, clock=clock) as emulator, ClientSession() as session:
        yield Desk(emulator, session)
        assert not emulator.graph.broken


@dataclass(slots=True)
class Door:
    """Where a bot listens.

    Attributes:
        verify_token: What it wants to hear.
        status: What it answers instead, where it is not 200.
        echo: What it says instead of the challenge.
        asked: The queries of handshakes.
    """

    verify_token: str = "the-bots-word"
    status: int = 200
    echo: str | None = None
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        query = dict(request.query)
        self.asked.append(query)
        if query.get("hub.verify_token") != self.verify_token:
            return web.Response(status=403)
        text = query.get("hub.challenge", "") if self.echo is None else self.echo
        return web.Response(status=self.status, text=text)


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    """A door on loopback."""
    door = Door()
    runner = web.ServerRunner(web.Server(door.answer), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield door
    finally:
        await runner.cleanup()
