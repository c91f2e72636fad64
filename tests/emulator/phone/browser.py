"""The page's requests as a browser makes them, without a browser."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

Event = dict[str, Any]


class Stream:
    """Server-sent events of one page."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self) -> Event | None:
        """The next event; None: the stream ended."""
        while line := await self._response.content.readline():
            if line.startswith(b"data: "):
                event: Event = json.loads(line.removeprefix(b"data: "))
                return event
        return None

    async def until(self, kind: str) -> Event:
        """The next event of this kind; others are passed over."""
        while (event := await self.next()) is not None:
            if event["kind"] == kind:
                return event
        raise AssertionError(f"the stream ended without {kind}")


class Browser:
    """Asks the page of the emulator at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.session.close()

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        async with self.session.get(f"{self.url}{path}", headers=headers) as response:
            return response.status, await response.read(), dict(response.headers)

    async def call(self, name: str, /, **said: Any) -> dict[str, Any]:
        """A call that is answered with 200; its answer."""
        status, answer = await self.ask(name, json.dumps(said).encode())
        assert status == 200, answer
        return answer

    async def refused(self, name: str, /, **said: Any) -> tuple[int, str]:
        """A call that is refused; the status and the sentence."""
        status, answer = await self.ask(name, json.dumps(said).encode())
        assert set(answer) == {"error"}, answer
        return status, answer["error"]

    async def ask(self, name: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """Post these bytes; the status and the JSON answer."""
        sent = {"Content-Type": "application/json", **self._own, **headers}
        async with self.session.post(
            f"{self.url}/phone/api/{name}", data=body, headers=sent
        ) as response:
            answer: dict[str, Any] = json.loads(await response.read())
            return response.status, answer

    async def upload(
        self, said: dict[str, Any], data: bytes = b"", mime_type: str = "image/png"
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Phone-Details": quote(json.dumps(said)), "Content-Type": mime_type}
        return await self.ask("upload", data, **headers)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[Stream]:
        async with self.session.get(f"{self.url}/phone/events", headers=self._own) as response:
            assert response.status == 200
            yield Stream(response)
