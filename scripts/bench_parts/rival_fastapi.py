"""A bot on FastAPI of the usual shape: verify, 200, and the answer as a background task.

Run as FastAPI's and uvicorn's pages advise for production: one worker a processor, uvloop and
httptools, one HTTP client for the life of the process. httpx keeps to its own limits (100
connections, 20 of them kept): with 50 and 50, like the others', it took twice the processor time.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import BackgroundTasks, FastAPI, Request, Response

from bench_parts.rivals import TIMEOUT_S, Rival, is_signed


def run_uvicorn(app: Any, port: int) -> None:
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=130,  # the daemon's; a proxy in front would want more than uvicorn's 5
    )


def serve_fastapi(rival: Rival) -> None:  # noqa: C901 - a bot is read in one piece
    clients: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        headers = {"Authorization": "Bearer made-up"}
        async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S) as client:
            clients.append(client)
            yield

    async def answer(to: str, body: str) -> None:
        if rival.engine_seconds:
            await asyncio.sleep(rival.engine_seconds)
        if rival.is_silent:
            return
        message = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": f"+{to}",
            "type": "text",
            "text": {"body": body},
        }
        response = await clients[0].post(rival.messages_url, json=message)
        response.raise_for_status()

    app = FastAPI(lifespan=lifespan)

    async def healthy() -> Response:
        return Response("ok")

    async def webhook(request: Request, tasks: BackgroundTasks) -> Response:
        body = await request.body()
        if not is_signed(body, request.headers.get("x-hub-signature-256", "")):
            return Response(status_code=401)
        for entry in json.loads(body)["entry"]:
            for change in entry["changes"]:
                for message in change["value"].get("messages", ()):
                    if message["type"] == "text":
                        tasks.add_task(answer, message["from"], message["text"]["body"])
        return Response()

    # Not as decorators: without FastAPI's types they would take those of the functions away.
    app.get("/healthz")(healthy)
    app.post("/webhook")(webhook)
    run_uvicorn(app, rival.port)
