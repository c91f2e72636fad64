"""What the running daemon says of itself, over its control socket."""

import asyncio
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

PATIENCE_S: Final = 10.0
_COUNT: Final = re.compile(
    r'^openparallax_webhook_requests_total\{result="([a-z_]+)"\} ([0-9.e+]+)$', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Running:
    """Whether a daemon has the database, and where it answers.

    Attributes:
        pid: 0: nobody has it; of another process, perhaps one that has not said who it is: -1.
        socket: Where it answers; None where it does not (yet), or may not be asked.
        trouble: Why it may not be known, as a sentence; "" where it is.
    """

    pid: int = 0
    socket: Path | None = None
    trouble: str = ""

    @property
    def is_running(self) -> bool:
        return self.pid != 0


async def ask_status(running: Running) -> Mapping[str, Any] | None:
    """What ``openparallax status`` shows; None where it does not answer."""
    try:
        answer = await _ask(running, "POST", "/control/status")
        found = json.loads(answer)
    except (OSError, ValueError, aiohttp.ClientError, TimeoutError):
        return None
    return found if isinstance(found, dict) else None


async def ask_counts(running: Running) -> dict[str, float] | None:
    """How many requests came to its webhook, by what became of them; None: not known."""
    try:
        text = (await _ask(running, "GET", "/metrics")).decode("utf-8", "replace")
    except (OSError, aiohttp.ClientError, TimeoutError):
        return None
    found = {name: float(count) for name, count in _COUNT.findall(text)}
    return found or None


async def _ask(running: Running, method: str, path: str) -> bytes:
    if running.socket is None:
        raise FileNotFoundError
    # The address of a socket has 107 bytes at most, and a folder's path may be longer.
    folder = os.open(running.socket.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connector = aiohttp.UnixConnector(f"/proc/self/fd/{folder}/{running.socket.name}")
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with (
            asyncio.timeout(PATIENCE_S),
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(
                method, f"http://localhost{path}", json={} if method == "POST" else None
            ) as answer,
        ):
            answer.raise_for_status()
            return await answer.read()
    finally:
        os.close(folder)
