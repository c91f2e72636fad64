"""Both ends of the daemon: signed webhooks in, and Graph, which notes what it is sent."""

import asyncio
import hmac
import json
import os
import re
import time
from collections.abc import Iterable, Sequence

from bench_parts.bodies import ACCOUNT, APP_SECRET, user_id
from bench_parts.graph import Graph
from bench_parts.processes import find_port

from load_parts.book import Book, Said

_RUN = os.urandom(6).hex()
"""No two runs have the same ids."""
ANSWER_S = 120.0
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def request_of(messages: Sequence[Said]) -> bytes:
    """One signed POST with these messages, as Meta sends them."""
    contacts = sorted({one.contact for one in messages})
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": ACCOUNT},
        "contacts": [
            {"profile": {"name": "Ann Example"}, "wa_id": str(one), "user_id": user_id(one)}
            for one in contacts
        ],
        "messages": [
            {
                "from": str(one.contact),
                "from_user_id": user_id(one.contact),
                "id": f"wamid.{_RUN}{one.contact}{one.number:010d}",
                "timestamp": str(one.at),
                "text": {"body": f"#{one.number}# {one.words}"},
                "type": "text",
            }
            for one in messages
        ],
    }
    change = {"value": value, "field": "messages"}
    entry = {"id": "102290129340398", "changes": [change]}
    body = json.dumps(
        {"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":")
    ).encode()
    signature = hmac.digest(APP_SECRET.encode(), body, "sha256").hex().encode()
    return (
        b"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\n"
        b"Content-Type: application/json\r\nX-Hub-Signature-256: sha256=%b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (signature, len(body), body)
    )


class Webhook:
    """Posts to a daemon over connections that are kept; each has one request at a time.

    Attributes:
        refused: Requests that were not acknowledged.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Streams] = []
        self.refused = 0

    async def post(self, *messages: Said) -> float:
        """Post one request; the seconds until it was acknowledged, or 0 where it was not."""
        request = request_of(messages)
        posted = time.perf_counter()
        for one in messages:
            one.posted = one.posted or posted
        is_ok = await self._send(request)
        now = time.perf_counter()
        if not is_ok:
            self.refused += 1
            return 0.0
        for one in messages:
            one.acknowledged = now
        return now - posted

    async def bring(self, *messages: Said, patience_s: float = 120) -> float:
        """Post as Meta does, again and again until it is acknowledged; the last one's seconds."""
        ends_at = time.perf_counter() + patience_s
        while not (took := await self.post(*messages)) and time.perf_counter() < ends_at:
            await asyncio.sleep(0.1)
        return took

    async def post_all(self, batches: Iterable[Sequence[Said]], connections: int) -> list[float]:
        """Bring all ``batches``, so many at a time; the seconds that each took."""
        took: list[float] = []
        left = iter(batches)

        async def work() -> None:
            took.extend([await self.bring(*batch) for batch in left])

        await asyncio.gather(*(work() for _ in range(connections)))
        return took

    async def _send(self, request: bytes) -> bool:
        """Whether it was answered with 200; a kept connection may have been closed by then."""
        writer = None
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = self._idle.pop() if self._idle else await self._open()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, EOFError, TimeoutError):
            if writer is not None:
                writer.close()
            return False
        self._idle.append((reader, writer))
        return head.startswith(b"HTTP/1.1 200")

    async def _open(self) -> "_Streams":
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


class _Noting(Graph):
    """One connection of the daemon to Graph."""

    def __init__(self, graph: "PlayedGraph") -> None:
        super().__init__(lambda _number: None)
        self._graph = graph

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._graph.connections.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._graph.connections.discard(self._transport)

    def _answer(self, body: bytes) -> None:
        self._graph.book.note_post(body)
        self._graph.posts += 1
        super()._answer(body)


class PlayedGraph:
    """Graph on a port of its own; takes everything at once, and can be down."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.port = find_port()
        self.posts = 0
        self.connections: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    async def up(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Noting(self), "127.0.0.1", self.port
        )

    async def down(self) -> None:
        """Nobody listens any more: whoever connects is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self.connections):
            connection.abort()
