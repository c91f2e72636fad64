"""Anthropic's Messages API over HTTP on loopback, as far as the house uses it."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

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


@dataclass(slots=True)
class _Mood:
    """What the next request meets with."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    stalls: bool = False
    cuts: bool = False
    content_type: str = "application/json"


class MessagesApi:
    """The server; what a test tells it to do, it does to one request each, in order.

    Without orders it says what ``speak`` makes of the request.

    Attributes:
        asked: The requests that arrived, in order.
        left: How many clients went away before they were answered.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.left = 0
        self.speak: Callable[[Asked], str] = lambda _: "Hello."
        self._moods: deque[_Mood] = deque()
        self._release = asyncio.Event()
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_post("/{path:.*}", self._serve)
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

    def will_say(
        self,
        *texts: str,
        stop_reason: str = "end_turn",
        usage: dict[str, Any] | None = None,
        blocks: list[dict[str, Any]] | None = None,
        model: str | None = None,
    ) -> None:
        """Answer with one text block for each of ``texts``, or with ``blocks`` as they are."""
        content = [{"type": "text", "text": text} for text in texts] if blocks is None else blocks
        message = _message(content, stop_reason, usage, model)
        self._moods.append(_Mood(body=message))

    def will_fail(self, status: int, *, times: int = 1, message: str = "No.") -> None:
        """Answer with an error; the SDK's own wait before it tries again is cut to nothing."""
        kind = ERROR_TYPES.get(status, "api_error")
        body = {"type": "error", "error": {"type": kind, "message": message}}
        headers = {"request-id": "req_011FAKE", "retry-after-ms": "1"}
        self._moods.extend(_Mood(status, body, headers) for _ in range(times))

    def will_return(self, body: Any, content_type: str = "application/json") -> None:
        """Answer 200 with whatever ``body`` is; a str goes out as it stands."""
        self._moods.append(_Mood(body=body, content_type=content_type))

    def will_stall(self, *, times: int = 1) -> None:
        """Not answer until `release`."""
        self._moods.extend(_Mood(stalls=True) for _ in range(times))

    def will_cut(self, *, times: int = 1) -> None:
        """Cut the connection instead of answering."""
        self._moods.extend(_Mood(cuts=True) for _ in range(times))

    def release(self) -> None:
        """Answer what stalls."""
        self._release.set()

    async def until(self, condition: Callable[[], bool], within_s: float = 5) -> None:
        """Wait for something that a request's coming or going makes true."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.path,
            {name.lower(): value for name, value in request.headers.items()},
            json.loads(await request.read()),
        )
        self.asked.append(asked)
        self._changed.set()
        mood = self._moods.popleft() if self._moods else _Mood()
        if mood.stalls:
            try:
                await self._release.wait()
            except asyncio.CancelledError:
                self.left += 1
                self._changed.set()
                raise
        if mood.cuts:
            if request.transport:
                request.transport.abort()
            return web.Response()
        body = mood.body
        if body is None:
            body = _message([{"type": "text", "text": self.speak(asked)}], "end_turn", None, None)
        if isinstance(body, dict) and body.get("type") == "message" and body.get("model") is None:
            body = {**body, "model": asked.body.get("model")}
        return web.Response(
            status=mood.status,
            text=body if isinstance(body, str) else json.dumps(body),
            content_type=mood.content_type,
            headers={"request-id": "req_011FAKE", **mood.headers},
        )


def _message(
    content: list[dict[str, Any]],
    stop_reason: str,
    usage: dict[str, Any] | None,
    model: str | None,
) -> dict[str, Any]:
    return {
        "id": "msg_011FAKE",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": DEFAULT_USAGE if usage is None else usage,
    }
