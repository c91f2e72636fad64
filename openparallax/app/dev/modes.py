"""Who is off the record: asked of the daemon itself, over its control socket."""

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any

import aiohttp

from openparallax.emulator import World
from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.feed import Change
from openparallax.errors import Refusal
from openparallax.storage import holder_of

LOOK_EVERY_S = 0.5
"""While somebody watches; and soon after each message in any case."""
_MOMENT_S = 0.05
_ANSWER_S = 5.0
_MOST_CHATS = 1000


class Modes:
    """Keeps `DaemonSide.modes` true. While the daemon is down, what was last known stays."""

    def __init__(self, database: Path, world: World, side: DaemonSide) -> None:
        self._database = database
        self._world = world
        self._side = side
        self._changed = asyncio.Event()
        world.feed.call(self._note)

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._changed.wait()
            if self._changed.is_set():
                await asyncio.sleep(_MOMENT_S)  # more may change with it
            elif not self._world.feed.is_watched:
                continue
            self._changed.clear()
            await self.look()

    async def look(self) -> None:
        """Ask once; a daemon that does not answer is not asked again here."""
        if self._side.state != "up":
            return
        chats = await self._ask()
        if chats is not None:
            self._side.tell(modes=self._by_person(chats))

    def _note(self, change: Change) -> None:
        if change["kind"] == "message" or (change["kind"] == "daemon" and self._side.state == "up"):
            self._changed.set()

    def _by_person(self, chats: list[dict[str, Any]]) -> dict[str, str]:
        """By key, and of further numbers of ours by ``key@number``."""
        found: dict[str, str] = {}
        numbers = self._world.account.numbers
        for chat in chats:
            who = self._world.person_at(str(chat["contact"]).removeprefix("+"))
            if who is not None:
                is_first = chat["account"] == numbers[0].id
                key = who.key if is_first else f"{who.key}@{chat['account']}"
                found[key] = str(chat["mode"]).replace(" ", "_")
        return found

    async def _ask(self) -> list[dict[str, Any]] | None:
        try:
            holder = holder_of(self._database)
            if holder is None or holder.socket is None:
                return None
            folder = os.open(holder.socket.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except (OSError, Refusal):
            return None
        try:
            # The path of a socket may be 107 bytes long, and a folder's may be longer.
            connector = aiohttp.UnixConnector(f"/proc/self/fd/{folder}/{holder.socket.name}")
            patience = aiohttp.ClientTimeout(total=_ANSWER_S)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=patience) as session,
                session.post(
                    "http://daemon/control/sessions", json={"most": _MOST_CHATS}
                ) as answer,
            ):
                chats = json.loads(await answer.read())["chats"] if answer.status == 200 else None
                return chats if isinstance(chats, list) else None
        except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError):
            return None
        finally:
            os.close(folder)
