"""Anthropic's Messages API over HTTP on loopback, as far as the house uses it.

It is as strict as the real one: a request that Anthropic would refuse is answered 400, and noted.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
DEFAULT_USAGE = {
    "input_tokens": 12,
    "output_tokens": 7,
    "cache_read_input_tokens": 0,
    "cache_creation_input_tokens": 0,
}
MOST_MARKS = 4
KNOWN_FIELDS = {"model", "max_tokens", "messages", "system", "thinking", "output_config"}


@dataclass(slots=True)
class Asked:
    """One request that arrived.

    Attributes:
        cut_at: When the client went away before it was answered, monotonic seconds; None: it did
            not.
    """

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    cut_at: float | None = None

    @property
    def key(self) -> str:
        """The API key it came with, in either of the headers that the API takes it from."""
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix(
            "Bearer "
        )

    @property
    def words(self) -> list[tuple[str, list[str]]]:
        """Each message as its role and the texts of its blocks."""
        return [
            (message["role"], [block["text"] for block in message["content"]])
            for message in self.body["messages"]
        ]

    @property
    def flat(self) -> list[tuple[str, str]]:
        """Each block as its role and its text."""
        return [(role, text) for role, texts in self.words for text in texts]

    @property
    def said(self) -> str:
        """The last block of all: what is to be answered."""
        return self.flat[-1][1]

    @property
    def marked(self) -> list[str]:
        """The texts of the blocks that bear a cache mark, the system prompt's included."""
        return [block["text"] for block in _blocks(self.body) if "cache_control" in block]


@dataclass(frozen=True, slots=True)
class Mood:
    """What a request meets with.

    Attributes:
        body: A str goes out as it stands, anything else as JSON; None is a friendly answer.
        after: So much of the body goes out before it ``stalls`` or ``cuts``; None: not even a
            status.
        piece: The body goes out in pieces of so many bytes, ``pause_s`` apart; None: at once.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    stalls: bool = False
    cuts: bool = False
    after: int | None = None
    piece: int | None = None
    pause_s: float = 0
    content_type: str = "application/json"


def failing(
    status: int, *, message: str = "No.", retry_after: str = "", should_retry: str = ""
) -> Mood:
    """An error; without ``retry_after`` the SDK's own wait is cut to nothing."""
    kind = ERROR_TYPES.get(status, "api_error")
    body = {"type": "error", "error": {"type": kind, "message": message}}
    headers = {"retry-after": retry_after} if retry_after else {"retry-after-ms": "1"}
    if should_retry:
        headers["x-should-retry"] = should_retry
    return Mood(status, body, headers)


def saying(
    *texts: str,
    stop_reason: str = "end_turn",
    usage: Any = DEFAULT_USAGE,
    blocks: list[dict[str, Any]] | None = None,
    model: str | None = None,
    **more: Any,
) -> Mood:
    """One text block for each of ``texts``, or ``blocks`` as they are; ``more`` as in `Mood`."""
    content = [{"type": "text", "text": text} for text in texts] if blocks is None else blocks
    return Mood(body=_message(content, stop_reason, usage, model), **more)


class MessagesApi:
    """The server; what a test tells it to do, it does to one request each, in order.

    Without orders it does what ``rule`` says of the request, and without that says what ``speak``
    makes of it.

    Attributes:
        asked: The requests that arrived, in order.
        faults: What the real API would have refused, and was answered 400; a test that is not
            about it sees to it that there are none.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[str] = []
        self.speak: Callable[[Asked], str] = lambda _: "Hello."
        self.rule: Callable[[Asked], Mood | None] = lambda _: None
        self._moods: deque[Mood] = deque()
        self._release = asyncio.Event()
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        if self._runner:
            await self._runner.cleanup()

    @property
    def left(self) -> int:
        """How many clients went away before they were answered."""
        return sum(asked.cut_at is not None for asked in self.asked)

    def will(self, *moods: Mood) -> None:
        """Meet the next requests with ``moods``, one each."""
        self._moods.extend(moods)

    def will_say(self, *texts: str, **more: Any) -> None:
        """Answer as `saying` does."""
        self.will(saying(*texts, **more))

    def will_fail(self, status: int, *, times: int = 1, **more: Any) -> None:
        """Answer as `failing` does."""
        self.will(*[failing(status, **more)] * times)

    def will_return(self, body: Any, content_type: str = "application/json") -> None:
        """Answer 200 with whatever ``body`` is; a str goes out as it stands."""
        self.will(Mood(body=body, content_type=content_type))

    def will_stall(self, *, after: int | None = None) -> None:
        """Not answer, or not to the end, until `release`."""
        self.will(Mood(stalls=True, after=after))

    def will_cut(self, *, times: int = 1, after: int | None = None) -> None:
        """Cut the connection instead of answering, or in the middle of it."""
        self.will(*[Mood(cuts=True, after=after)] * times)

    def release(self) -> None:
        """Answer what stalls."""
        self._release.set()

    async def until(self, condition: Callable[[], bool], within_s: float = 20) -> None:
        """Wait for something that a request's coming or going makes true."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else {}
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.path, headers, body)
        self.asked.append(asked)
        self._changed.set()
        faults = list(faults_of(request.method, asked))
        if faults:
            self.faults += faults
            mood = failing(400, message="; ".join(faults))
        else:
            mood = (self._moods.popleft() if self._moods else self.rule(asked)) or Mood()
        try:
            return await self._answer(request, asked, mood)
        except (asyncio.CancelledError, ConnectionError):
            asked.cut_at = time.monotonic()
            self._changed.set()
            raise

    async def _answer(self, request: web.Request, asked: Asked, mood: Mood) -> web.StreamResponse:
        body = mood.body
        if body is None:
            body = saying(self.speak(asked)).body
        if isinstance(body, dict) and body.get("type") == "message" and body.get("model") is None:
            body = {**body, "model": asked.body.get("model")}
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"request-id": "req_011FAKE", **mood.headers}
        response = web.StreamResponse(status=mood.status, headers=headers)
        response.content_type = mood.content_type
        response.content_length = len(data)
        first = mood.after if mood.stalls or mood.cuts else len(data)
        if first is not None:
            await response.prepare(request)
            for piece in _pieces(data[:first], mood.piece):
                await response.write(piece)
                await asyncio.sleep(mood.pause_s)
        if mood.stalls:
            await self._release.wait()
        if mood.cuts:
            if request.transport:
                request.transport.abort()
            return response
        if first is None:
            await response.prepare(request)
        await response.write(data[first or 0 :])
        return response


def faults_of(method: str, asked: Asked) -> Iterator[str]:
    """What Anthropic refuses in a request, one line each."""
    body = asked.body
    if method == "GET" and asked.path.startswith("/v1/models/"):
        if not asked.key or "anthropic-version" not in asked.headers:
            yield "x-api-key and anthropic-version: headers are required"
        return
    if (method, asked.path) != ("POST", "/v1/messages"):
        yield f"{method} {asked.path} is not in the API"
    if not asked.key or "anthropic-version" not in asked.headers:
        yield "x-api-key and anthropic-version: headers are required"
    if asked.headers.get("content-type") != "application/json":
        yield "content-type: must be application/json"
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model: Field required"
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        yield "max_tokens: Field required"
    if unknown := body.keys() - KNOWN_FIELDS:
        yield f"{', '.join(sorted(unknown))}: Extra inputs are not permitted"
    yield from _faults_of_messages(body.get("messages", []))
    yield from _faults_of_blocks(list(_blocks(body)))


def _faults_of_messages(messages: list[dict[str, Any]]) -> Iterator[str]:
    roles = [message.get("role") for message in messages]
    if roles != ["user", "assistant"] * (len(roles) // 2) + ["user"]:
        yield "messages: roles must alternate between user and assistant, from user to user"
    if not all(message.get("content") for message in messages):
        yield "messages: all messages must have non-empty content"


def _faults_of_blocks(blocks: list[dict[str, Any]]) -> Iterator[str]:
    if any(block.keys() - {"type", "text", "cache_control"} for block in blocks):
        yield "messages: Extra inputs are not permitted"
    if any(block.get("type") != "text" or not block.get("text", "").strip() for block in blocks):
        yield "text content blocks must be non-empty"
    marks = [block["cache_control"] for block in blocks if "cache_control" in block]
    if len(marks) > MOST_MARKS or any(mark != {"type": "ephemeral"} for mark in marks):
        yield f"A maximum of {MOST_MARKS} blocks with cache_control may be provided"


def _blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from body.get("system", [])
    for message in body.get("messages", []):
        yield from message.get("content", [])


def _pieces(data: bytes, size: int | None) -> list[bytes]:
    if not data:
        return []
    size = size or len(data)
    return [data[start : start + size] for start in range(0, len(data), size)]


def _message(
    content: list[dict[str, Any]], stop_reason: str, usage: Any, model: str | None
) -> dict[str, Any]:
    return {
        "id": "msg_011FAKE",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }
