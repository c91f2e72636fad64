"""Who gets in: exactly what was signed with the secret, however the header is bent."""

import asyncio
import hashlib
import hmac
from functools import cache
from unittest import mock

from aiohttp import StreamReader, http_exceptions, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser
from aiohttp.web_protocol import RequestHandler

from openparallax.webhook.gate import Gate, Refused
from openparallax.webhook.signature import Key, speaks_for
from tests.fuzz.draws import Draws
from tests.fuzz.target import Target

_SECRETS = (b"the first secret", b"the second secret")
_OWNERS = (frozenset({"1"}), frozenset({"2", "3"}))
_KEYS = [Key(secret, owner) for secret, owner in zip(_SECRETS, _OWNERS, strict=True)]
_ODD = (" ", "\t", "\x00", "\n", "é", "٣", "\uff11", "\u200b", "\udc80", "0", "=", ",", "sha256=")


def _right(raw: bytes, secret: bytes) -> str:
    return "sha256=" + hmac.new(secret, raw, hashlib.sha256).hexdigest()


def try_signature(data: bytes) -> None:
    """A header passes if it is the right one, and says whose it is; a bent one never does."""
    draws = Draws(data)
    which = draws.below(len(_SECRETS))
    bends = [draws.below(16) for _ in range(draws.below(4))]
    header: str | None = _bent(draws, bends, which)
    raw = draws.rest()
    signed = {_right(raw, secret): owner for secret, owner in zip(_SECRETS, _OWNERS, strict=True)}
    right = [*signed][which]
    if header is None:
        header = right
        for bend in bends:
            header = _bend(header, bend, len(raw))
    assert speaks_for(raw, header, _KEYS) == signed.get(header), "the wrong one got in, or none"
    assert speaks_for(raw, right, _KEYS) == signed[right], "the right one was refused"
    assert speaks_for(raw, right, []) is None, "no key signs"
    assert speaks_for(raw, None, _KEYS) is None, "no header signs"
    assert speaks_for(raw + b"\0", right, _KEYS) is None, "another body was signed"


def _bent(draws: Draws, bends: list[int], which: int) -> str | None:
    """A header that is made up; None where the right one is to be bent."""
    del which
    return None if bends or draws.is_so() else draws.text(90)


def _bend(header: str, bend: int, place: int) -> str:
    at = place % (len(header) + 1)
    match bend:
        case 0:
            return header.upper()
        case 1:
            return header[:at]
        case 2:
            return header + header
        case 3:
            return header.replace("sha256", "sha1")
        case 4 if header:
            turned = chr(ord(header[at - 1]) ^ (1 << place % 7))
            return header[: at - 1] + turned + header[at:] if at else turned + header[1:]
        case _:
            return header[:at] + _ODD[bend % len(_ODD)] + header[at:]


_SIGNATURE_SEEDS = [
    b"",
    *(bytes([which, 1, bend]) + b'{"object":1}' for which in (0, 1) for bend in range(16)),
    b"\x00\x00\x00\x47" + _right(b"x", _SECRETS[0]).encode() + b"x",
]
SIGNATURE = Target("signature", try_signature, lambda: _SIGNATURE_SEEDS, ["sha256=", "sha1="])


# -- the header on the wire -----------------------------------------------------------------------

_BODY = b'{"object":"whatsapp_business_account","entry":[]}'
_GOOD = _right(_BODY, _SECRETS[0]).encode()


def try_gate(data: bytes) -> None:
    """Header lines of a request, as they stand on the wire, in front of a body of ours."""
    head = b"POST /webhook HTTP/1.1\r\nHost: x\r\n" + data.replace(b"$", _GOOD) + b"\r\n\r\n"
    for request in _requests(head):
        try:
            raw, accounts = _loop().run_until_complete(_gate().body(request))
        except Refused as refusal:
            assert refusal.status in (400, 401, 408, 413)
            continue
        assert raw == _BODY
        assert accounts == _OWNERS[0]
        told = request.headers.getall("X-Hub-Signature-256")
        assert told[0] == _GOOD.decode(), "let in by another header"
        assert _GOOD in head


def _requests(head: bytes) -> list[web.BaseRequest]:
    loop = _loop()
    protocol = BaseProtocol(loop)
    parser = HttpRequestParser(protocol, loop, 2**16, max_line_size=8190, max_field_size=8190)
    try:
        messages, _, _ = parser.feed_data(head)
    except http_exceptions.HttpProcessingError:
        return []
    made: list[web.BaseRequest] = []
    for message, _ in messages:
        if message.method != "POST":
            continue
        content = StreamReader(protocol, 2**16, loop=loop)
        content.feed_data(_BODY)
        content.feed_eof()
        task = mock.Mock(spec=asyncio.Task)
        writer = mock.AsyncMock(spec=AbstractStreamWriter)
        wire = mock.Mock(spec=RequestHandler)
        made.append(web.BaseRequest(message, content, wire, writer, task, loop))
    return made


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _gate() -> Gate:
    return Gate(keys=_KEYS, accounts=frozenset("123"), allow_unsigned=False, body_timeout_s=5.0)


def _close() -> None:
    _loop().close()
    _loop.cache_clear()


_NAME = b"X-Hub-Signature-256"
GATE = Target(
    "gate",
    try_gate,
    lambda: [
        _NAME + b": $",
        _NAME.lower() + b":$",
        _NAME + b":  \t$ \t",
        _NAME + b": $\r\n" + _NAME + b": x",
        _NAME + b": x\r\n" + _NAME + b": $",
        _NAME + b": $\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        _NAME + b": $\r\nExpect: 100-continue\r\nContent-Encoding: gzip",
        b"X-Hub-Signature: sha1=0\r\n" + _NAME + b": $$",
        _NAME + b" : $",
        _NAME + b":\r\n $",
    ],
    ["X-Hub-Signature-256", "sha256=", "Content-Length", "Transfer-Encoding", "chunked", "\\r\\n"],
    longest=1024,
    close=_close,
)
