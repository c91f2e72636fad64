"""An echo bot on pywa with FastAPI, as pywa's front page shows it; signatures are checked.

``pywa`` is its synchronous form, whose handlers run in a pool of forty threads, ``pywa-async`` the
other. Run as in `bench_parts.rival_fastapi`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pywa
import pywa_async
from fastapi import FastAPI, Response
from pywa import filters

from bench_parts.bodies import ACCOUNT, APP_SECRET
from bench_parts.rival_fastapi import run_uvicorn
from bench_parts.rivals import TIMEOUT_S, Rival


def serve_pywa(rival: Rival) -> None:
    base = httpx.URL(f"{rival.graph}/v25.0")
    known = {
        "phone_id": ACCOUNT,
        "token": "made-up",
        "app_secret": APP_SECRET,
        "verify_token": "made-up",
        "webhook_endpoint": "/webhook",
    }

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # pywa has no setting for Graph's address, and sets that of a session given to it.
        session.base_url = base
        yield

    app = FastAPI(lifespan=lifespan)

    async def healthy() -> Response:
        return Response("ok")

    # Not as decorators: without FastAPI's and pywa's types they would take the functions' away.
    app.get("/healthz")(healthy)

    session: httpx.Client | httpx.AsyncClient
    if rival.name == "pywa-async":
        session = httpx.AsyncClient(timeout=TIMEOUT_S)
        wa_async = pywa_async.WhatsApp(session=session, server=app, **known)

        async def echo_async(_: pywa_async.WhatsApp, message: pywa_async.types.Message) -> None:
            if rival.engine_seconds:
                await asyncio.sleep(rival.engine_seconds)
            if not rival.is_silent:
                await message.reply(message.text)

        wa_async.on_message(filters.text)(echo_async)
    else:
        session = httpx.Client(timeout=TIMEOUT_S)
        wa = pywa.WhatsApp(session=session, server=app, **known)

        def echo(_: pywa.WhatsApp, message: pywa.types.Message) -> None:
            if rival.engine_seconds:
                time.sleep(rival.engine_seconds)
            if not rival.is_silent:
                message.reply(message.text)

        wa.on_message(filters.text)(echo)

    run_uvicorn(app, rival.port)
