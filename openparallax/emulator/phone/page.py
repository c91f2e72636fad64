"""The page's files and calls; only for pages of this very address."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from openparallax.emulator.phone import telling
from openparallax.emulator.phone.calls import CALLS
from openparallax.emulator.phone.fields import Fields, Refused
from openparallax.emulator.phone.files import HEADERS, INDEX, static_files
from openparallax.emulator.phone.uploads import MOST_UPLOAD, upload
from openparallax.emulator.world import Medium

if TYPE_CHECKING:
    from openparallax.emulator.emulator import Emulator

PATHS = ("/", "/favicon.ico", "/phone")
"""What is the page's; all else is Graph's."""

MOST_BODY = 256 * 1024
BODY_S = 30.0
DETAILS = "Phone-Details"
"""Header of an upload: a JSON object, percent-encoded; the body is the file."""

INLINE = frozenset(
    {
        *("image/jpeg", "image/png", "image/webp", "image/gif"),
        *("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav"),
        *("video/mp4", "video/3gpp", "video/webm"),
    }
)
"""Types that show themselves and run nothing; everything else is only handed out as a file."""


class Page:
    """Answers ``/`` and everything below ``/phone/``."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        self._streams = telling.Streams(emulator)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer; whatever is wrong is said as ``{"error": sentence}``."""
        try:
            return await self._route(request)
        except Refused as refused:
            return _json({"error": str(refused)}, refused.status)

    async def close(self) -> None:
        """End every stream."""
        await self._streams.close()

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        part, _, rest = request.path.removeprefix("/phone").strip("/").partition("/")
        if part == "api":
            return await self._call(request, rest)
        if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
            raise Refused("this can only be read", 405)
        if request.path == "/favicon.ico":
            return web.Response(status=204, headers=HEADERS)
        if not part:
            return _static(INDEX)
        if part == "static":
            return _static(rest)
        if part == "events" and not rest:
            return await self._events(request)
        if part == "media":
            return self._medium(request, rest)
        if part == "wire":
            return self._exchange(rest)
        raise Refused("there is nothing here", 404)

    async def _events(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._streams.has_room:
            raise Refused("too many pages are open", 429)
        response = web.StreamResponse(
            headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"}
        )
        if request.method == hdrs.METH_HEAD:
            return web.Response(headers=response.headers)
        return await self._streams.answer(request, response)

    def _medium(self, request: web.BaseRequest, media_id: str) -> web.Response:
        medium = self._emulator.world.media.get(media_id)
        if medium is None:
            raise Refused("there is no such file", 404)
        return _bytes(medium, _part(request))

    def _exchange(self, number: str) -> web.Response:
        for exchange in self._emulator.wire.exchanges:
            if str(exchange.number) == number:
                return _json(telling.exchange(exchange))
        raise Refused("this exchange is no longer kept", 404)

    async def _call(self, request: web.BaseRequest, name: str) -> web.Response:
        if name != "upload" and name not in CALLS:
            raise Refused(f"there is no call of this name: upload, {', '.join(CALLS)}", 404)
        if request.method != hdrs.METH_POST:
            raise Refused("a call is a POST", 405)
        if name == "upload":
            fields = Fields.parse(unquote(request.headers.get(DETAILS, "")))
            data = await _body(request, MOST_UPLOAD)
            return _json(upload(self._emulator, fields, data, request.content_type))
        if request.content_type != "application/json":
            raise Refused("a call is application/json", 415)
        fields = Fields.parse(await _body(request, MOST_BODY))
        return _json(await CALLS[name](self._emulator, fields))


async def _body(request: web.BaseRequest, most: int) -> bytes:
    """The request's bytes.

    Raises:
        Refused: They are too many, or did not arrive.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > most:
                    raise Refused(f"this is more than {most} bytes", 413)
    except (TimeoutError, ConnectionError, web.RequestPayloadError):
        raise Refused("the request did not arrive", 408) from None
    return bytes(body)


def _static(name: str) -> web.Response:
    found = static_files().get(name)
    if found is None:
        raise Refused("there is no such file", 404)
    body, content_type = found
    return web.Response(body=body, headers={**HEADERS, "Content-Type": content_type})


def _part(request: web.BaseRequest) -> slice:
    try:
        return request.http_range
    except ValueError:
        raise Refused("this part of a file is not understood", 416) from None


def _bytes(medium: Medium, part: slice) -> web.Response:
    """A file for a bubble, or the part that a player asks for."""
    mime_type = medium.mime_type.partition(";")[0].strip().lower()
    is_inline = mime_type in INLINE
    headers = {
        **HEADERS,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": mime_type if is_inline else "application/octet-stream",
        "Accept-Ranges": "bytes",
    }
    if not is_inline:
        name = quote(medium.filename.encode("utf-8", "replace") or b"file", safe="")
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    whole = len(medium.data)
    if (part.start, part.stop) == (None, None):
        return web.Response(body=medium.data, headers=headers)
    start, stop, _ = part.indices(whole)
    if start >= stop:
        headers["Content-Range"] = f"bytes */{whole}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{whole}"
    return web.Response(status=206, body=medium.data[start:stop], headers=headers)


def _json(data: object, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=telling.dumps(data),
        headers={**HEADERS, "Content-Type": "application/json"},
    )
