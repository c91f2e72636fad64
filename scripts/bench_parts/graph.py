"""A measuring device in Graph's place that costs next to nothing: it shares the rest's cores.

It is no fake of Graph: it looks at nothing and refuses nothing, so what is measured is whoever
sends. Whatever asks how Graph behaves stands before `openparallax.emulator` instead.
"""

import asyncio
import itertools
import os
import re
from collections.abc import Callable
from typing import cast

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NUMBER = re.compile(rb"#(\d+)#")
_TO = re.compile(rb'"to": ?"\+?([^"]*)"')
_TOKEN = re.compile(rb'"biz_opaque_callback_data": ?"([^"]*)"')
# Another stand-in may have answered the same server before.
_wamids = itertools.count(int.from_bytes(os.urandom(6)))

OnSent = Callable[[bytes, bytes, bytes], None]
"""Told the wamid, the recipient and the token ("" where there is none) of each text sent."""


class Graph(asyncio.Protocol):
    """One connection; answers every POST with 200 and tells the numbers that the texts hold.

    Args:
        on_text: Called with the number between the hashes of each text sent, and with every one
            where several messages are answered together. A POST without one (a mark of having
            read, say) is answered and not told.
        on_sent: Called for each text after that.
        on_notice: Called with the recipient of each text without a number: something that the
            server says by itself.
    """

    _transport: asyncio.Transport

    def __init__(
        self,
        on_text: Callable[[int], None],
        on_sent: OnSent | None = None,
        on_notice: Callable[[bytes], None] | None = None,
    ) -> None:
        self._on_text = on_text
        self._on_sent = on_sent
        self._on_notice = on_notice
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        while received:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                break
            length = _LENGTH.search(received, 0, end)
            if length is None:
                # The clients at hand always say how much follows; a chunked body is not read.
                self._transport.abort()
                return
            size = end + 4 + int(length[1])
            if len(received) < size:
                break
            self._answer(received[end + 4 : size])
            received = received[size:]
        self._received = received

    def _answer(self, body: bytes) -> None:
        wamid = b"wamid.HBgNMTU1NTA3ODM4ODEVAgARGBI%020dAA==" % next(_wamids)
        answer = (
            b'{"messaging_product":"whatsapp","contacts":[{"input":"+1","wa_id":"1"}],'
            b'"messages":[{"id":"%b"}]}' % wamid
        )
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
        )
        numbers = _NUMBER.findall(body)
        for number in numbers:
            self._on_text(int(number))
        to, token = _TO.search(body), _TOKEN.search(body)
        if to and not numbers and self._on_notice and b'"text"' in body:
            self._on_notice(to[1])
        if numbers and self._on_sent:
            self._on_sent(wamid, to[1] if to else b"", token[1] if token else b"")
