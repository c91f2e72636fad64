"""A bot that reads, types, and says back what it heard, when it may."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from openparallax.emulator import Emulator


class Parrot:
    """Listens on loopback, and answers through the emulator's Graph.

    Attributes:
        may_answer: While it is not set, the bot is typing.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.may_answer = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"Authorization": "Bearer x"})
        self._runner = web.ServerRunner(web.Server(self._hear), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self._emulator.delivery.url = f"http://127.0.0.1:{port}/webhook"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.may_answer.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()
        await self._runner.cleanup()

    async def send(self, **said: Any) -> dict[str, Any]:
        """Ask Graph for a message; its answer."""
        number = self._emulator.world.our_number().id
        url = f"{self._emulator.url}/v25.0/{number}/messages"
        sent = {"messaging_product": "whatsapp", **said}
        async with self._session.post(url, json=sent) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    async def _hear(self, request: web.BaseRequest) -> web.StreamResponse:
        notification = json.loads(await request.content.read())
        for entry in notification["entry"]:
            for change in entry["changes"]:
                for message in change["value"].get("messages", ()):
                    task = asyncio.create_task(self._answer(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        return web.Response()

    async def _answer(self, message: dict[str, Any]) -> None:
        typing = {"type": "text"}
        await self.send(status="read", message_id=message["id"], typing_indicator=typing)
        await self.may_answer.wait()
        if message["type"] == "text":
            text = {"body": f"*You said:* {message['text']['body']}"}
            await self.send(to=message["from"], type="text", text=text)
