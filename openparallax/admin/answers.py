"""What the operator's listener answers with: small, not kept by anybody, of no use to a page."""

import json
from typing import Any

from aiohttp import web

_HEADERS = {
    "Server": "OpenParallax",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def text(status: int, said: str, **headers: str) -> web.Response:
    """One or several plain sentences, a line each."""
    return raw(status, said.encode(), "text/plain; charset=utf-8", **headers)


def data(status: int, value: Any) -> web.Response:
    """What JSON can carry."""
    return raw(status, json.dumps(value).encode("ascii"), "application/json")


def error(status: int, why: str, exit_code: int) -> web.Response:
    """Why a control did not do it, and what the command that asked is to end with."""
    return data(status, {"error": why, "exit_code": exit_code})


def raw(status: int, body: bytes, content_type: str, **headers: str) -> web.Response:
    kind = {"Content-Type": content_type}
    return web.Response(status=status, body=body, headers={**_HEADERS, **kind, **headers})


def stream() -> web.StreamResponse:
    """Bytes, as they come."""
    kind = {"Content-Type": "application/octet-stream"}
    response = web.StreamResponse(headers={**_HEADERS, **kind})
    response.enable_chunked_encoding()
    return response
