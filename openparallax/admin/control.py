"""Control calls: what the command line asks of the running daemon, over the unix socket only."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from aiohttp import hdrs, web

from openparallax.admin import answers
from openparallax.errors import NotStored, Refusal
from openparallax.logs import Logger

Control = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Takes plain data and returns plain data, or an iterator of bytes; one that says ``is_endless`` of
itself has a method ``end``, and that its reader goes away is nothing to be logged.

Raises `Refusal` where it was not done (with exit code 2: the arguments are wrong) and `NotStored`
where the disk refused; its text goes to whoever asked.
"""

MOST_BODY = 1024 * 1024
BODY_S = 10.0
"""How long a request's body may take."""
WRITE_S = 60.0
"""How long a client may take to read one piece of a stream."""


class Controls:
    """Looks up and runs controls.

    Args:
        controls: By the name in the path.
    """

    def __init__(self, controls: Mapping[str, Control], log: Logger) -> None:
        self._controls = dict(controls)
        self._log = log
        self._endless: set[Any] = set()

    async def answer(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        """Run the control ``name`` with the request's JSON object."""
        control = self._controls.get(name)
        if control is None:
            return answers.error(
                404,
                "the running daemon does not know this: it is of another version than the command",
                69,
            )
        if request.method != hdrs.METH_POST:
            return answers.text(405, "only POST", Allow="POST")
        if request.content_type != "application/json":
            return answers.error(415, "the request is not application/json", 2)
        try:
            asked = await _asked(request)
        except (TimeoutError, ConnectionError, web.RequestPayloadError):
            return answers.error(408, "the request did not arrive", 2)
        if asked is None:
            return answers.error(
                400, f"the request is no JSON object of up to {MOST_BODY} bytes", 2
            )
        return await self._run(request, name, control, asked)

    async def _run(
        self, request: web.BaseRequest, name: str, control: Control, asked: dict[str, Any]
    ) -> web.StreamResponse:
        try:
            found = await control(asked)
            if isinstance(found, AsyncIterator):
                return await self._stream(request, name, found)
            return answers.data(200, found)
        except Refusal as refusal:
            return answers.error(
                400 if refusal.exit_code == 2 else 409, str(refusal), refusal.exit_code
            )
        except NotStored as failure:
            return answers.error(503, str(failure), 75)
        except Exception as surprise:  # noqa: BLE001 - the daemon goes on, whoever asked is told
            self._log.error("control_failed", name=name, exc_info=surprise)
            return answers.error(500, "the daemon could not do it; its log says why", 70)

    def end(self) -> None:
        """Have streams end that do not by themselves, with a word to whoever reads them."""
        for pieces in self._endless:
            pieces.end()

    async def _stream(
        self, request: web.BaseRequest, name: str, pieces: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        """Hand ``pieces`` out; where they break off, so does the connection."""
        response = answers.stream()
        is_endless = getattr(pieces, "is_endless", False)
        if is_endless:
            self._endless.add(pieces)
        try:
            await response.prepare(request)
            async for piece in pieces:
                async with asyncio.timeout(WRITE_S):
                    await response.write(piece)
            await response.write_eof()
        except Exception as error:  # noqa: BLE001 - too late to say so in the answer
            if not (is_endless and isinstance(error, ConnectionError)):
                self._log.warning("control_failed", name=name, **_reason(error))
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._endless.discard(pieces)
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()
        return response


def _reason(error: Exception) -> dict[str, Any]:
    if isinstance(error, ConnectionError):
        return {"reason": "the client went away"}
    if isinstance(error, TimeoutError):
        return {"reason": "the client does not read"}
    return {"exc_info": error}


async def _asked(request: web.BaseRequest) -> dict[str, Any] | None:
    """The request's JSON object; None where it is none, or too long."""
    body = bytearray()
    async with asyncio.timeout(BODY_S):
        while chunk := await request.content.readany():
            body += chunk
            if len(body) > MOST_BODY:
                return None
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return asked if isinstance(asked, dict) else None
