"""What the daemon is measured against: the least that a webhook server can do.

``bare`` reads the body and says 200. ``bot`` verifies, parses and posts the text back, and keeps
nothing: what is in its memory when it stops is lost. Both run on uvloop, like the daemon.
"""

import argparse
import asyncio
import hmac
import json
import signal

import uvloop
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from bench_parts.bodies import ACCOUNT, APP_SECRET


async def healthy(_request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def bare(request: web.Request) -> web.Response:
    await request.read()
    return web.Response()


class Bot:
    def __init__(self, graph: str, max_in_flight: int) -> None:
        self._url = f"{graph}/v25.0/{ACCOUNT}/messages"
        self._client = ClientSession(
            connector=TCPConnector(limit=max_in_flight),
            timeout=ClientTimeout(total=20),
            headers={"Authorization": "Bearer made-up"},
        )
        # The loop itself holds tasks only weakly.
        self._answering: set[asyncio.Task[None]] = set()

    async def webhook(self, request: web.Request) -> web.Response:
        body = await request.read()
        signature = "sha256=" + hmac.digest(APP_SECRET.encode(), body, "sha256").hex()
        if not hmac.compare_digest(signature, request.headers.get("X-Hub-Signature-256", "")):
            return web.Response(status=401)
        for entry in json.loads(body)["entry"]:
            for change in entry["changes"]:
                for message in change["value"].get("messages", ()):
                    if message["type"] == "text":
                        task = asyncio.ensure_future(self._answer(message))
                        self._answering.add(task)
                        task.add_done_callback(self._answering.discard)
        return web.Response()

    async def _answer(self, message: dict[str, dict[str, str]]) -> None:
        answer = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": f"+{message['from']}",
            "type": "text",
            "text": {"body": message["text"]["body"]},
        }
        async with self._client.post(self._url, json=answer) as response:
            await response.json()

    async def close(self) -> None:
        await self._client.close()


async def serve(options: argparse.Namespace) -> None:
    app = web.Application(client_max_size=4 << 20)
    app.router.add_get("/healthz", healthy)
    bot = None
    if options.rival == "bot":
        bot = Bot(options.graph, options.max_in_flight)
        app.router.add_post("/webhook", bot.webhook)
    else:
        app.router.add_post("/webhook", bare)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    if bot:
        await bot.close()
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rival", choices=["bare", "bot"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--graph", default="")
    parser.add_argument("--max-in-flight", type=int, default=50)
    uvloop.run(serve(parser.parse_args()))
