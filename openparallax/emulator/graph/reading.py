"""Reading a request without believing it: how much, what it means, and what may be shown of it."""

import asyncio
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from aiohttp import ClientError, web

from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.wire import MOST_BODY

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_DEPTH: Final = 100
BODY_S: Final = 30.0
"""How long a body may take to arrive."""
MOST_PAIRS: Final = 1000
SECRETS: Final = (
    "access_token",
    "appsecret_proof",
    "client_secret",
    "fb_exchange_token",
    "input_token",
    "revoke_token",
    "verify_token",
)
"""Parameters whose values are shown nowhere."""

_FORM = "application/x-www-form-urlencoded"
_SECRET = re.compile(rf'("?\b(?:{"|".join(SECRETS)})"?\s*[=:]\s*"?)[^"&\s,}}]+')


async def read_body(request: web.BaseRequest) -> bytes:
    """The whole body; b"" of multipart, which its edge reads by itself.

    Raises:
        GraphError: 100: it is longer than `MOST_BYTES`, does not arrive, or cannot be read.
    """
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    if request.content_type.startswith("multipart/") or not request.body_exists:
        return b""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise GraphError(100, "The request body is too large", http_status=413)
    except TimeoutError:
        raise GraphError(100, "The request body did not arrive", http_status=408) from None
    except (ClientError, web.RequestPayloadError, ConnectionError, asyncio.IncompleteReadError):
        raise GraphError(100, "The request body could not be read") from None
    return bytes(body)


def parse_object(body: bytes, content_type: str) -> dict[str, Any]:
    """The JSON object or form that a body is; nothing is an empty one.

    Values of a form that are objects or lists themselves are written as JSON, as Graph takes them.

    Raises:
        GraphError: 100: it is neither, or holds what no JSON may: endless numbers, halves of
            characters, nesting without end.
    """
    if not body.strip():
        return {}
    try:
        if content_type == _FORM:
            pairs = parse_qsl(
                body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_PAIRS
            )
            said: Any = {name: _of_form(value) for name, value in pairs}
        else:
            said = _parse(body.decode("utf-8-sig"))
        if b"\\ud" in body or b"\\uD" in body:
            json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise GraphError(100, "The request body is not a JSON object")
    return said


def as_shown(body: bytes, request: web.BaseRequest) -> str:
    """The body as the wire keeps it: cut, and without secrets; of what is no text, its length."""
    if request.content_type.startswith("multipart/"):
        return f"[multipart, {request.content_length or 'some'} bytes]"
    if b"\0" in body[:1024]:
        return f"[{len(body)} bytes]"
    return without_secrets(body[:MOST_BODY].decode("utf-8", "replace"))


def without_secrets(text: str) -> str:
    """Words of bodies and answers; what stands behind the names of secrets is gone."""
    if any(name in text for name in SECRETS):
        return _SECRET.sub(r"\1…", text)
    return text


def shown_path(path: str, query: Mapping[str, str]) -> str:
    """The path with what was asked for behind it, secrets left out."""
    rest = "&".join(f"{name}={value}" for name, value in query.items() if name not in SECRETS)
    return readable(f"{path}?{rest}" if rest else path)[:2000]


def readable(text: str) -> str:
    """What came in a header or path, with marks where it is no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _of_form(value: str) -> Any:
    return _parse(value) if value[:1] in "{[" and value else value


def _parse(text: str) -> Any:
    if text.count("[") + text.count("{") > MOST_DEPTH:
        _see_depth(text)
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _see_depth(text: str) -> None:
    """Count brackets outside strings; what nests deeper than `MOST_DEPTH` is no message."""
    depth = 0
    for mark in re.sub(r'"(?:[^"\\]|\\.)*+"', "", text, flags=re.DOTALL):
        if mark in "[{":
            depth += 1
            if depth > MOST_DEPTH:
                raise ValueError("nested too deeply")
        elif mark in "]}":
            depth -= 1


def _refuse(_: str) -> NoReturn:
    raise ValueError("no such number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("no such number in JSON")
    return number
