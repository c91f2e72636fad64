"""The door of Graph: path, token, edge; every answer and every refusal in Meta's shape."""

import json
import re
import secrets
import time
import traceback
from collections import deque
from email.utils import formatdate
from typing import Final

from aiohttp import web

from openparallax.emulator.faults import Faults
from openparallax.emulator.graph.admission import Admission
from openparallax.emulator.graph.asked import Answer, Asked, Handler, Routes
from openparallax.emulator.graph.behaving import refusal
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import no_object
from openparallax.emulator.graph.hourly import Hourly, usage
from openparallax.emulator.graph.reading import (
    as_shown,
    read_body,
    readable,
    shown_path,
    without_secrets,
)
from openparallax.emulator.graph.rules import Rules
from openparallax.emulator.graph.versions import NEWEST, answering
from openparallax.emulator.ids import new_trace_id
from openparallax.emulator.wire import MOST_BODY, Exchange, Wire
from openparallax.emulator.world import World

MOST_STRAYS: Final = 1000
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,3}")
_RATES: Final = {4: 1, 80007: 1, 80008: 60, 130429: 1, 131056: 1}
"""Code -> minutes until one may come again, where nothing else is known."""


class GraphApi:
    """Answers whatever is asked of Graph; nothing that a client sends raises.

    Args:
        world: What is known.
        wire: Where every request is put down.
        routes: One mapping for each module of edges.
        faults: Switches; of them it plays ``refuse_other``.
        rules: Of them it keeps that of questions about the account.

    Raises:
        ValueError: Two of them know the same edge.

    Attributes:
        strays: Method and path of what nobody has an answer for.
        broken: Where our own code raised, which it should not; without anybody's words.
    """

    def __init__(
        self,
        world: World,
        wire: Wire,
        *routes: Routes,
        faults: Faults | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.strays: deque[tuple[str, str]] = deque(maxlen=MOST_STRAYS)
        self.broken: deque[str] = deque(maxlen=MOST_STRAYS)
        self._world = world
        self._wire = wire
        self._admission = Admission(world)
        self._faults = faults or Faults()
        self._hourly = Hourly(world, rules or Rules())
        self._routes: dict[tuple[str, str], Handler] = {}
        for some in routes:
            if doubled := self._routes.keys() & some.keys():
                raise ValueError(f"more than one answers to {sorted(doubled)}")
            self._routes.update(some)
        self._edges = {edge for _, edge in self._routes}
        self._measure = time.monotonic

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        begun = self._measure()
        version, path = _split(readable(request.path))
        body, unread = await _read(request)
        exchange = self._wire.begin(
            "graph",
            request.method,
            shown_path(request.path, request.query),
            at=self._world.clock.now(),
            request=as_shown(body, request),
        )
        try:
            answer = unread or await self._ask(request, version, path, body, exchange)
        except GraphError as error:
            answer = refused(error, self._world.account.waba_id)
        except (ConnectionError, web.RequestPayloadError):
            # The client went away while its edge was reading; nobody hears this.
            answer = refused(GraphError(100, "The request body could not be read"))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with us, the answer is Meta's
            self.broken.append(_place_of(error))
            exchange.note = f"the emulator itself failed: {self.broken[-1]}"
            answer = refused(GraphError(1, message="An unknown error has occurred."))
        response = answer.response or _response(answer, version, self._world.clock.now())
        self._wire.end(exchange, answer.status, _shown(answer), (self._measure() - begun) * 1000)
        return response

    async def _ask(
        self, request: web.BaseRequest, version: str, path: str, body: bytes, exchange: Exchange
    ) -> Answer:
        node, _, edge = path.partition("/")
        if path in self._edges:
            node, edge = "", path
        asked = Asked(
            method=request.method,
            version=version or NEWEST,
            node=node,
            edge=edge,
            query=request.query,
            token_value="",
            token=None,
            body=body,
            request=request,
            exchange=exchange,
        )
        self._admission.let_in(asked)
        handler = self._routes.get((asked.method, edge))
        if handler is None:
            self.strays.append((asked.method, request.path))
            raise self._nobody(asked, path)
        if edge != "messages" and (fault := self._faults.take("refuse_other", None)) is not None:
            raise refusal(fault)
        headers = self._hourly.count(asked)
        answer = await handler(asked)
        answer.headers.update(headers)
        return answer

    def _nobody(self, asked: Asked, path: str) -> GraphError:
        """Why no edge answers."""
        if asked.edge in self._edges or not asked.edge:
            return no_object(asked.method, asked.node or path)
        if not asked.node.isdecimal() or "/" in asked.edge:
            return GraphError(2500, message=f"Unknown path components: /{path[:200]}")
        if not self._is_known(asked.node):
            return no_object(asked.method, asked.node)
        # What kind of node it is called, is unsure.
        return GraphError(
            100, message=f"(#100) Tried accessing nonexisting field ({asked.edge[:64]})"
        )

    def _is_known(self, node: str) -> bool:
        account = self._world.account
        return (
            node in (account.waba_id, account.app_id)
            or account.number(node) is not None
            or node in self._world.media
            or any(template.get("id") == node for template in account.templates)
        )


def refused(error: GraphError, waba_id: str = "") -> Answer:
    """A refusal as an answer; for the codes of rates with the headers that clients wait by.

    Source:
        Graph's pages on rate limits; ``estimated_time_to_regain_access`` is minutes. That the
        headers come with 130429 and 131056 too is unsure.
    """
    headers: dict[str, str] = {}
    wait_s = error.retry_after_s
    if wait_s is not None:
        headers["Retry-After"] = str(wait_s)
    if error.code == 4:
        use = {"call_count": 100, "total_cputime": 100, "total_time": 100}
        headers["X-App-Usage"] = json.dumps(use)
    elif error.code in _RATES:
        minutes = _RATES[error.code] if wait_s is None else -(-wait_s // 60)
        headers.update(usage(waba_id, 100, minutes))
    return Answer(error.as_answer(), error.http_status, headers)


async def _read(request: web.BaseRequest) -> tuple[bytes, Answer | None]:
    """The body, or what whoever sent it is told instead."""
    try:
        return await read_body(request), None
    except GraphError as error:
        return b"", refused(error)


def _split(path: str) -> tuple[str, str]:
    """Version ("": none) and the rest, without slashes at its ends.

    What stands before the version is a prefix: clients that go through a gateway have one.
    """
    parts = path.strip("/").split("/")
    for place, part in enumerate(parts):
        if _VERSION.fullmatch(part):
            return part, "/".join(parts[place + 1 :])
    return "", path.strip("/")


def _response(answer: Answer, version: str, now: float) -> web.Response:
    """The answer as it goes out; its ``Date`` is of the emulator's clock."""
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "Cache-Control": "private, no-cache, no-store, must-revalidate",
        "Date": formatdate(now, usegmt=True),
        "facebook-api-version": answering(version, now),
        "x-fb-request-id": new_trace_id(),
        "x-fb-trace-id": secrets.token_urlsafe(8),
        "x-fb-rev": "1019544279",
        **answer.headers,
    }
    body = answer.body
    if not isinstance(body, bytes):
        body = json.dumps(body, separators=(",", ":")).encode("ascii")
    return web.Response(status=answer.status, body=body, headers=headers)


def _shown(answer: Answer) -> str:
    if answer.response is not None or answer.body is None:
        return ""
    if isinstance(answer.body, bytes):
        return f"[{len(answer.body)} bytes]"
    return without_secrets(json.dumps(answer.body, ensure_ascii=False)[:MOST_BODY])


def _place_of(error: Exception) -> str:
    """What was raised and where; its words may be a person's."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{type(error).__name__} in {last.filename.rpartition('/')[2]}:{last.lineno}"
