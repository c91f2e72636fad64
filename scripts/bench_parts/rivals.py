"""What the daemon is measured against: one process each, as its users would run it.

``bare`` reads the body and says 200: the most that aiohttp can do. ``bot`` verifies, parses and
posts the text back, and keeps nothing. ``fastapi``, ``pywa`` and ``pywa-async`` stand in
`bench_parts.rival_fastapi` and `bench_parts.rival_pywa`. All run on uvloop, like the daemon, write
no access log, and lose what is in their memory when they are killed.

Their engine waits for ``--engine-seconds`` and says the text back; with ``--silent`` it says
nothing, and at once.
"""

import argparse
import asyncio
import hmac
import json
import signal
from dataclasses import dataclass

from bench_parts.bodies import ACCOUNT, APP_SECRET

NAMES = ("bare", "bot", "fastapi", "pywa", "pywa-async")
MAX_IN_FLIGHT = 50
"""The bot's connections to Graph at once: the daemon's own default."""
TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Rival:
    """How one is to run."""

    name: str
    port: int
    graph: str
    engine_seconds: float
    is_silent: bool

    @property
    def messages_url(self) -> str:
        return f"{self.graph}/v25.0/{ACCOUNT}/messages"


def is_signed(body: bytes, header: str) -> bool:
    signature = "sha256=" + hmac.digest(APP_SECRET.encode(), body, "sha256").hex()
    return hmac.compare_digest(signature, header)


def serve_aiohttp(rival: Rival) -> None:  # noqa: C901 - a bot is read in one piece
    import uvloop  # noqa: PLC0415 - only what the rival at hand needs counts as its memory
    from aiohttp import ClientSession, ClientTimeout, TCPConnector, web  # noqa: PLC0415

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def bare(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    # The loop itself holds tasks only weakly.
    answering: set[asyncio.Task[None]] = set()

    async def bot(request: web.Request) -> web.Response:
        body = await request.read()
        if not is_signed(body, request.headers.get("X-Hub-Signature-256", "")):
            return web.Response(status=401)
        for entry in json.loads(body)["entry"]:
            for change in entry["changes"]:
                for message in change["value"].get("messages", ()):
                    if message["type"] == "text":
                        task = asyncio.ensure_future(answer(request.app[client], message))
                        answering.add(task)
                        task.add_done_callback(answering.discard)
        return web.Response()

    async def answer(session: ClientSession, message: dict[str, dict[str, str]]) -> None:
        if rival.engine_seconds:
            await asyncio.sleep(rival.engine_seconds)
        if rival.is_silent:
            return
        text = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": f"+{message['from']}",
            "type": "text",
            "text": {"body": message["text"]["body"]},
        }
        async with session.post(rival.messages_url, json=text) as response:
            await response.json()

    client = web.AppKey("client", ClientSession)

    async def serve() -> None:
        app = web.Application(client_max_size=4 << 20)
        app[client] = ClientSession(
            connector=TCPConnector(limit=MAX_IN_FLIGHT),
            timeout=ClientTimeout(total=TIMEOUT_S),
            headers={"Authorization": "Bearer made-up"},
        )
        app.router.add_get("/healthz", healthy)
        app.router.add_post("/webhook", bare if rival.name == "bare" else bot)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", rival.port, backlog=1024).start()
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await stopped.wait()
        await app[client].close()
        await runner.cleanup()

    uvloop.run(serve())


def serve(rival: Rival) -> None:
    if rival.name in {"bare", "bot"}:
        serve_aiohttp(rival)
    elif rival.name == "fastapi":
        from bench_parts.rival_fastapi import serve_fastapi  # noqa: PLC0415 - may be missing

        serve_fastapi(rival)
    else:
        from bench_parts.rival_pywa import serve_pywa  # noqa: PLC0415 - may be missing

        serve_pywa(rival)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rival", choices=NAMES)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--graph", default="")
    parser.add_argument("--engine-seconds", type=float, default=0.0)
    parser.add_argument("--silent", action="store_true")
    given = parser.parse_args()
    serve(Rival(given.rival, given.port, given.graph, given.engine_seconds, given.silent))
