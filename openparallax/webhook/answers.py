"""Answers that tell nothing about what answers."""

from email.utils import formatdate
from http import HTTPStatus

from aiohttp import HttpVersion11, web

from openparallax.clock import Clock


def plain(status: int, text: str | None = None, **headers: str) -> web.Response:
    """A small answer in plain text that tells nothing about what answers."""
    headers["Server"] = "OpenParallax"
    if text is None:
        return web.Response(status=status, headers=headers)
    headers["X-Content-Type-Options"] = "nosniff"
    # what came in a query may hold halves of surrogate pairs
    body = text.encode("utf-8", "replace")
    return web.Response(
        status=status, body=body, headers=headers, content_type="text/plain", charset="utf-8"
    )


class EmptyAnswers:
    """Answers without a body as they go over the line, with the connection staying open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._bytes: dict[int, bytes] = {}

    def of(self, status: int) -> bytes:
        """All of the answer; made anew once a second, for its date."""
        second = int(self._clock.now())
        if second != self._second:
            self._second = second
            self._bytes.clear()
        known = self._bytes.get(status)
        if known is None:
            known = self._bytes[status] = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
                "Content-Length: 0\r\nServer: OpenParallax\r\n"
                f"Date: {formatdate(second, usegmt=True)}\r\n\r\n"
            ).encode("ascii")
        return known


class Acknowledgement(web.StreamResponse):
    """The empty 200, written as it stands: one object answers all requests.

    Making a response anew (headers, checks, writer) costs a third of all the time that a request
    takes. Only for `suits`.
    """

    def __init__(self, answers: EmptyAnswers) -> None:
        super().__init__()
        self._answers = answers

    @staticmethod
    def suits(request: web.BaseRequest) -> bool:
        """Whether nothing needs to be said about the connection."""
        return request.keep_alive and request.version == HttpVersion11

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client went away")
        transport.write(self._answers.of(200))

    async def write_eof(self, data: bytes = b"") -> None:
        """All was written by `prepare`."""
