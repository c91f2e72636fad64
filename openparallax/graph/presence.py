"""Read marks and typing: shown if Graph has the time, and never in the way of a message."""

import asyncio
import json
from typing import Final

import aiohttp
from yarl import URL

from openparallax.graph.answers import code_and_trace, parse_answer, read_answer
from openparallax.logs import Logger
from openparallax.metrics import Metrics

MOST_IN_FLIGHT: Final = 20
TIMEOUT_S: Final = 5.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=TIMEOUT_S)


class Presence:
    """Shows presence over a session of the client's, at most `MOST_IN_FLIGHT` calls at a time.

    What is over that is dropped: presence that comes late is wrong.
    """

    def __init__(self, log: Logger, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._in_flight = 0
        self._ended: asyncio.Event | None = None

    async def show(
        self, session: aiohttp.ClientSession | None, url: URL, wamid: str, *, is_typing: bool
    ) -> None:
        """One call; its failure is counted and nothing else. See `GraphClient.show_presence`."""
        if session is None or self._in_flight >= MOST_IN_FLIGHT:
            self._metrics.count("graph_presence", "dropped")
            return
        self._in_flight += 1
        try:
            label = await _post(session, url, _body(wamid, is_typing=is_typing))
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody waits for it
            label = "timeout" if isinstance(error, TimeoutError) else "failed"
        finally:
            self._in_flight -= 1
            if self._ended is not None and not self._in_flight:
                self._ended.set()
                self._ended = None
        self._metrics.count("graph_presence", label)
        if label != "shown":
            # Neither the id, which holds the contact's number, nor what the error quotes.
            self._log.debug("presence_not_shown", reason=label)

    async def ended(self) -> None:
        """Wait until no call is under way; to be called when none is begun any more."""
        while self._in_flight:
            self._ended = self._ended or asyncio.Event()
            await self._ended.wait()


def _body(wamid: str, *, is_typing: bool) -> bytes:
    said: dict[str, object] = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": wamid,
    }
    if is_typing:
        said["typing_indicator"] = {"type": "text"}
    return json.dumps(said).encode("ascii")


async def _post(session: aiohttp.ClientSession, url: URL, data: bytes) -> str:
    # A redirect is not followed: it would carry the token elsewhere.
    answer = await session.post(url, data=data, allow_redirects=False, timeout=_TIMEOUT)
    try:
        said = parse_answer(await read_answer(answer))
        if said.get("success") is True:
            return "shown"
        code, _ = code_and_trace(said)
        return f"http_{answer.status}" if code is None else f"refused_{code}"
    finally:
        answer.release()
