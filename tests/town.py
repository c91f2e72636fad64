"""A whole house between a fake Meta and a fake Graph, all over real sockets and a real file."""

import asyncio
import io
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest
import yaml

from openparallax import config, logs
from openparallax.app import plugged
from openparallax.app.house import House
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.app.reload import Outcome
from openparallax.clock import Clock, SystemClock
from openparallax.config import Settings
from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.fakes.graph import FakeGraph
from tests.fakes.meta import Item, Meta

ANN = "4915112345678"
BOB = "4915187654321"


def settings_for(
    folder: Path,
    graph_url: str,
    changes: dict[str, Any] | None = None,
    text: bytes | None = None,
) -> Settings:
    """The smallest configuration, quick to wait, with ``changes`` laid over it."""
    document: dict[str, Any] = {
        "channels": {
            "whatsapp": {
                "phone_number_id": meta.PHONE_NUMBER_ID,
                "verify_token": meta.VERIFY_TOKEN,
                "webhook_port": 0,
                "graph_api_url": graph_url,
                "graph_timeout_seconds": 30,
                "rate_limit": None,
                "presence": "none",
            }
        },
        "engine": {"type": "echo"},
        "outbox": {"receipt_wait_seconds": 0.3},
        "storage": {"url": f"sqlite:///{folder / 'state' / 'openparallax.db'}"},
        "admin": {"enabled": False},
    }
    _lay_over(document, changes or {})
    file = folder / "config.yaml"
    port = document["channels"]["whatsapp"].pop("webhook_port")
    admin_port = document["admin"].pop("port", 0)
    file.write_text(yaml.safe_dump(document))
    settings = config.load(
        file,
        environment={"WHATSAPP_ACCESS_TOKEN": "token", "WHATSAPP_APP_SECRET": meta.SECRET},
        engines=engine_catalog(),
        stages=stage_catalog(),
        sentences=SENTENCES,
        text=text,
    )
    # Free ports, which the file may not ask for.
    object.__setattr__(
        settings, "whatsapp", settings.whatsapp.model_copy(update={"webhook_port": port})
    )
    object.__setattr__(settings, "admin", settings.admin.model_copy(update={"port": admin_port}))
    return settings


def _lay_over(below: dict[str, Any], above: dict[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _lay_over(below[key], value)
        else:
            below[key] = value


class Town:
    """Meta, a house and Graph.

    ``async with Town(tmp_path, monkeypatch) as town`` starts all three. `say` posts one text as
    Meta does and returns once it was acknowledged; `crash` ends the house as a kill would, and
    `restart` starts another one on the same file.
    """

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        engine: FakeEngine | None = None,
        changes: dict[str, Any] | None = None,
        clock: Clock | None = None,
        log_level: str = "debug",
        own_engines: bool = False,
        inherited: Sequence[socket.socket] = (),
    ) -> None:
        """``own_engines``: those that the configuration names answer, and not ``engine``."""
        self._inherited = inherited
        self.folder = folder
        self.state = folder / "state"
        self.engine = engine or FakeEngine()
        self.changes = changes
        self.clock: Clock = clock or SystemClock()
        self.log = io.StringIO()
        self.graph = FakeGraph()
        self._log_level = log_level
        if not own_engines:
            monkeypatch.setattr(plugged, "load_engine", lambda _choice, _tools: self.engine)

    async def __aenter__(self) -> Self:
        await self.graph.__aenter__()
        self.session = aiohttp.ClientSession()
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        await self.session.close()
        await self.graph.__aexit__(kind, raised, trace)

    # -- the house ------------------------------------------------------------------------------

    async def start(self) -> None:
        log = logs.configure(level=self._log_level, render="json", stream=self.log)  # type: ignore[arg-type]
        settings = settings_for(self.folder, self.graph.url, self.changes)
        self.house: House | None = House(
            settings,
            clock=self.clock,
            log=log,
            reread=self.read_anew,
            inherited=self._inherited,
        )
        await self.house.start()
        self.url = f"http://127.0.0.1:{self.house.port}/webhook"
        self.meta = Meta(self.session, self.url)

    def read_anew(self, text: bytes | None = None) -> Settings:
        """The configuration, with what is in ``changes`` by now, or as ``text`` has it."""
        return settings_for(self.folder, self.graph.url, self.changes, text)

    async def reload(self, changes: dict[str, Any] | None = None) -> Outcome:
        """Write another configuration and have the house take it over."""
        self.changes = changes
        return await self.up.reload.reload("test")

    async def stop(self) -> None:
        house, self.house = self.house, None
        if house is not None:
            await house.stop()

    async def restart(self) -> None:
        """Stop in order and start again on the same file."""
        await self.stop()
        await self.start()

    async def crash(self) -> None:
        """End the house as a kill would: nothing is finished, nothing is written any more."""
        house, self.house = self.house, None
        assert house is not None
        await abandon(house)

    @property
    def up(self) -> House:
        assert self.house is not None
        return self.house

    # -- people ---------------------------------------------------------------------------------

    async def say(self, sender: str, words: str, **details: Any) -> None:
        await self.post(meta.text(sender, words, **details))

    async def post(self, *items: Item) -> None:
        """Deliver ``items`` in one request, again and again until it is taken."""
        await self.meta.deliver(*items)

    async def post_once(self, *items: Item) -> int:
        """Deliver once; the status."""
        return await meta.post(self.session, self.url, meta.body(*items))

    def heard(self, sender: str) -> list[str]:
        """What ``sender`` got."""
        return self.graph.bodies(sender)

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 25) -> None:
        """Let the loop run until something is so."""
        async with asyncio.timeout(timeout_s):
            while not is_so():
                await asyncio.sleep(0.005)

    async def hears(self, sender: str, count: int, timeout_s: float = 25) -> list[str]:
        """Wait until ``sender`` got ``count`` messages; all of them."""
        await self.until(lambda: len(self.heard(sender)) >= count, timeout_s)
        return self.heard(sender)

    async def quiet(self) -> None:
        """Wait until nothing is under way in the house."""
        house = self.up
        await self.until(
            lambda: (
                not house.dispatcher.waiting
                and not house.dispatcher.running
                and not house.outbox.waiting
                and not house.outbox.in_flight
            )
        )

    # -- what is written down -------------------------------------------------------------------

    def written(self) -> bytes:
        """Every byte under the state folder, and of the log."""
        files = [file.read_bytes() for file in sorted(self.state.rglob("*")) if file.is_file()]
        return b"\0".join(files) + self.log.getvalue().encode()


async def abandon(house: House) -> None:
    """Drop a house in mid-air: its tasks, its sockets, and its file without another commit."""
    database = house.database
    database._writer.is_closing = True  # a dead process writes nothing
    database._writer._waiting.clear()
    house.outbox._is_stopping = True
    house.dispatcher.stop_claiming()
    tasks = {
        *house.outbox._tasks,
        *house.dispatcher._tasks,
        *house._exchange._tasks,
        *(
            task
            for task in (
                house.outbox._loading,
                house.dispatcher._cursor._reading,
                house.housekeeping._task,
                house.housekeeping._truncating,
                house.housekeeping._removing,
            )
            if task is not None
        ),
    }
    for task in tasks:
        task.cancel()
    runner = house.listener._runner
    if runner is not None and runner.server is not None:
        for connection in list(runner.server.connections):
            connection.force_close()
    if tasks:
        await asyncio.wait(tasks, timeout=5)
    await house.listener.close()
    await asyncio.sleep(0)  # what was accepted in this very moment is closed by now
    house.admin._socket._ours = None  # the file of its socket stays behind
    await house.admin.close()
    await house.condition.stop()
    await house.watchers.stop()
    await house.keyring.stop()
    await house.graph.close()
    while database._writer._group:  # a commit that had begun ends one way or the other
        await asyncio.sleep(0.001)
    database._readers.shutdown()
    database._writer._jobs.put(None)
    await asyncio.get_running_loop().run_in_executor(None, database._writer._thread.join)
    database._reader.close()
    database._writer._connection.close()
    database._file.release_lock()
