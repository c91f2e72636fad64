"""Answers of Graph, or of whatever stands in front of it: always an outcome, and a sound one."""

import asyncio
import json
from functools import cache

from openparallax import logs
from openparallax.graph.answers import code_and_trace, outcome_of, parse_answer
from openparallax.graph.client import GraphClient
from openparallax.graph.errors import CODES, classify, meaning, what_to_do
from openparallax.metrics import Metrics
from openparallax.model.outcomes import Accepted, ErrorClass, NotSent, Outcome, Refused, Unanswered
from openparallax.model.wamids import id_hash
from tests.fuzz.draws import Draws
from tests.fuzz.json_mutation import mutate_json
from tests.fuzz.target import Target


def try_graph(data: bytes) -> None:
    """A status and a body."""
    draws = Draws(data[:2])
    status = draws.one_of([200, 200, 400, *range(100, 600)])
    body = data[2:]
    outcome = outcome_of(status, body)
    assert outcome_of(status, body) == outcome
    _assert_sound(outcome)
    code, trace = code_and_trace(parse_answer(body))
    assert isinstance(classify(code, status), ErrorClass)
    assert what_to_do(code).isprintable()
    assert meaning(code)
    assert len(trace) <= 64
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300


def _assert_sound(outcome: Outcome) -> None:
    match outcome:
        case Accepted(wamid=wamid):
            assert wamid
            assert -(2**63) <= id_hash(wamid) < 2**63  # all of it that is kept
        case Refused(code=code, trace=trace):
            assert code is None or 0 <= code < 10**9
            assert trace.isascii()
            assert trace == "" or trace.isprintable()
        case Unanswered(reason) | NotSent(reason):
            assert reason.isidentifier(), f"{reason!r} is no word of ours"


def _mutate(data: bytes, seed: int) -> bytes:
    return data[:2] + mutate_json(data[2:], seed)


def _answers() -> list[bytes]:
    good = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+4915112345678", "wa_id": "4915112345678"}],
        "messages": [{"id": "wamid.HBgN", "message_status": "accepted"}],
    }
    errors = [
        {
            "error": {
                "message": "(#1) no",
                "type": "OAuthException",
                "code": code,
                "error_data": {"messaging_product": "whatsapp", "details": "no"},
                "error_subcode": 33,
                "fbtrace_id": "AbC_1",
            }
        }
        for code in [*CODES, 200, 299, -1, "131047", True, 1.5, None]
    ]
    bodies = [json.dumps(one).encode() for one in [good, *errors, {"success": True}, [], {}]]
    return [bytes(2) + one for one in bodies] + [b"\x00\x02" + one for one in bodies]


_WORDS = ["error", "code", "fbtrace_id", "error_subcode", "messages", "contacts", "wa_id", "id"]
GRAPH = Target("graph", try_graph, _answers, _WORDS, _mutate, 4096)


# -- the client, over a socket --------------------------------------------------------------------


def try_graph_client(data: bytes) -> None:
    """Any bytes at all come back on the connection, which is then closed."""
    _line().run(data)


class _Line:
    """A client, and at the other end what says anything."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._says = b""
        self._log = _Log()
        self._loop.run_until_complete(self._open())

    async def _open(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self._server = server
        self._client = GraphClient(
            base_url=f"http://127.0.0.1:{port}",
            version="v25.0",
            access_token="token",
            timeout_s=5,
            max_in_flight=2,
            log=self._log,
            metrics=Metrics(),
        )
        await self._client.open()

    def close(self) -> None:
        self._loop.run_until_complete(self._client.close())
        self._server.close()
        self._loop.run_until_complete(self._server.wait_closed())
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(self._says)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def run(self, says: bytes) -> None:
        self._says, self._log.events = says, []
        outcome = self._loop.run_until_complete(self._send())
        _assert_sound(outcome)
        assert self._log.events == [], f"the client was surprised: {self._log.events}"
        if isinstance(outcome, Accepted):
            assert says.startswith(b"HTTP/1.")

    async def _send(self) -> Outcome:
        async with asyncio.timeout(20):
            return await self._client.send_text(
                phone_number_id="1", to="4915112345678", body="hello", token="1.00"
            )


class _Log:
    def __init__(self) -> None:
        self.events: list[str] = []

    def debug(self, event: str, **keys: object) -> None: ...
    def info(self, event: str, **keys: object) -> None: ...

    def warning(self, event: str, **keys: object) -> None:
        self.events.append(event)

    def error(self, event: str, **keys: object) -> None:
        self.events.append(f"{event} {keys.get('exc_info')!r}")


@cache
def _line() -> _Line:
    logs.configure(level="error")
    return _Line()


def _close() -> None:
    _line().close()
    _line.cache_clear()


def _wires() -> list[bytes]:
    heads = [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
        b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\nRetry-After: 99999999999999999999\r\n\r\n",
        b"HTTP/1.0 503 x\r\nX: %d\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: %d\r\n\r\n5\r\n{"a":\r\n0\r\n\r\n',
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: http://[::1\r\nX: %d\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nX: %d\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nX: %d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff;=\r\nContent-Length: %d\r\nContent-Length: 3\r\n\r\n",
    ]
    bodies = [one[2:] for one in _answers()[:3]]
    return [head % len(one) + one for head in heads for one in bodies]


GRAPH_CLIENT = Target(
    "graph_client",
    try_graph_client,
    _wires,
    [
        "HTTP/1.1",
        "Transfer-Encoding",
        "chunked",
        "Content-Length",
        "gzip",
        "br",
        "deflate",
        "\\r\\n",
    ],
    close=_close,
)
