"""pywa, unmodified but for the address, as a client and as a bot."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from pywa_async import WhatsApp
from starlette.applications import Starlette

from openparallax.emulator import Emulator, Rules
from openparallax.emulator.webhooks.statuses import Ladder

TOKEN = "EAAapywastoken"


@dataclass(frozen=True, slots=True)
class Pywa:
    """The emulator and pywa; ``bot_url`` is where pywa listens, "" where it does not."""

    emulator: Emulator
    wa: WhatsApp
    bot_url: str = ""


@asynccontextmanager
async def pywa_client(server: Starlette | None = None) -> AsyncIterator[Pywa]:
    """pywa beside an emulator that knows no other token than pywa's.

    pywa has no option for Graph's address, but takes a session, whose address it sets: to Graph's,
    and it is set anew here.
    """
    rules, ladder = Rules(pair_rate=False), Ladder(((0, "sent"), (0, "delivered")))
    async with Emulator(rules=rules, ladder=ladder) as emulator, httpx.AsyncClient() as session:
        account = emulator.world.account
        account.add_token(TOKEN)
        wa = WhatsApp(
            phone_id=account.numbers[0].id,
            token=TOKEN,
            session=session,
            server=server,
            waba_id=account.waba_id,
            app_id=int(account.app_id),
            app_secret=account.app_secret,
            verify_token="pywas-word",
            webhook_endpoint="/hook",
        )
        session.base_url = httpx.URL(f"{emulator.url}/v25.0")
        yield Pywa(emulator, wa)
        assert not emulator.graph.broken


@asynccontextmanager
async def pywa_bot() -> AsyncIterator[Pywa]:
    """The same, listening behind uvicorn as its documentation shows."""
    app = Starlette()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        async with pywa_client(app) as pywa, asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            try:
                yield Pywa(pywa.emulator, pywa.wa, url)
            finally:
                server.should_exit = True
