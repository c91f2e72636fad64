"""The ordinary request: signed, all of it in one piece, and nothing else under way beside it.

Nearly every request of Meta's is of this kind. It is read by aiohttp's parser like any other; what
it is spared is what aiohttp then makes for each one (a task, a request, a writer, a response, four
rounds of the loop), which was a sixth of all that a message cost until its 200. Everything else
goes aiohttp's own way, and so does what is not rightly signed: nobody but Meta gets here.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import StreamReader, hdrs, web
from aiohttp.http import RawRequestMessage

from openparallax.webhook.answers import EmptyAnswers
from openparallax.webhook.gate import SIGNATURE

TakeOrdinary = Callable[[bytes, str | None, Callable[[int], None]], bool]
"""Takes a body and its signature, and calls back with the status to answer; later, or at once.

False: nothing was done, and the request is to be looked at as a whole.
"""

_NEEDED = frozenset(
    {
        *("_handler_waiter", "_manager", "_messages", "_next_keepalive_close_time", "_parser"),
        *("_request_in_progress", "_task_handler", "_upgraded", "_waiter"),
    }
)
"""Of aiohttp's connection, as of 3.14. Where one is missing, all requests go the long way."""


class OrdinaryRequests:
    """What all connections share.

    Args:
        path: Where Meta posts to.
        take: Takes what is ordinary.
        answers: How it is answered.
    """

    def __init__(self, path: str, take: TakeOrdinary, answers: EmptyAnswers) -> None:
        self.path = path
        self.begins = f"POST {path} HTTP/1.1\r\n".encode()
        self.take = take
        self.answers = answers
        slots = {name for base in web.RequestHandler.__mro__ for name in _slots(base)}
        self.is_possible = slots >= _NEEDED


class OrdinaryConnection(web.RequestHandler):
    """A connection that answers ordinary requests by itself.

    It works while aiohttp's own task waits for the next request, and hides from it what it takes.
    What comes before the answer is out waits, so that answers keep the order of the requests.
    """

    __slots__ = ("_behind", "_is_answering", "_ordinary")

    def __init__(self, server: web.Server, ordinary: OrdinaryRequests, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._ordinary = ordinary
        self._is_answering = False
        self._behind = b""

    def data_received(self, data: bytes) -> None:
        if self._is_answering:
            if not self._behind and self.transport is not None:
                self.transport.pause_reading()
            self._behind += data
            return
        ordinary, waiter = self._ordinary, self._waiter
        if (
            waiter is None
            or waiter.done()
            or self._messages
            or not data.startswith(ordinary.begins)
            or not ordinary.is_possible
            or self._paused
        ):
            super().data_received(data)
            return
        self._waiter = None  # else aiohttp's task would be woken
        try:
            super().data_received(data)
        finally:  # also without memory: else that task would wait for ever
            self._waiter = waiter
        if self._messages and not self._takes():
            waiter.set_result(None)

    def _takes(self) -> bool:
        if len(self._messages) != 1 or self._upgraded or self._parser is None:
            return False
        message, payload = self._messages[0]
        if (
            not isinstance(message, RawRequestMessage)
            or message.method != hdrs.METH_POST  # what began like one may be another's header
            or message.path != self._ordinary.path
            or message.should_close
            or not isinstance(payload, StreamReader)
            or not payload.is_eof()
        ):
            return False
        body = payload.read_nowait()
        self._is_answering = self._request_in_progress = True
        if not self._ordinary.take(body, message.headers.get(SIGNATURE), self._answer):
            self._is_answering = self._request_in_progress = False
            again = StreamReader(self, len(body), loop=self._loop)
            again.feed_data(body)
            again.feed_eof()
            self._messages[0] = message, again
            return False
        self._messages.clear()
        self._parser.message_consumed()
        if self._manager is not None:
            self._manager.requests_count += 1
        return True

    def _answer(self, status: int) -> None:
        self._is_answering = self._request_in_progress = False
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)  # somebody waits to close this connection
        if self.transport is None or self.transport.is_closing():
            return
        self.transport.write(self._ordinary.answers.of(status))
        self._next_keepalive_close_time = self._loop.time() + self.keepalive_timeout
        if self._behind and not self.transport.is_closing():
            behind, self._behind = self._behind, b""
            self.transport.resume_reading()
            self.data_received(behind)


def _slots(base: type) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(base, "__slots__", ())
    return found
