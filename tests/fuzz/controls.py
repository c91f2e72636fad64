"""What comes over the daemon's own socket: an answer in words, never a traceback."""

import asyncio
import atexit
import json
import logging
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp import http_exceptions

from openparallax.admin.server import AdminServer
from openparallax.app.house import House
from openparallax.errors import NotStored, Refusal
from tests.fuzz.draws import Draws
from tests.fuzz.json_mutation import mutate_json
from tests.fuzz.target import Target
from tests.pipeline.doubles import RecordedLog
from tests.town import ANN, BOB, Town

_CONTROLS = ("sessions", "session", "forget", "send", "status", "reload", "no_such")
_PATIENCE_S = 20.0


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="openparallax-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# -- the controls of a running house --------------------------------------------------------------


def try_controls(data: bytes) -> None:
    """A JSON object for a control of a house in which two people have written."""
    draws = Draws(data[:1])
    try:
        asked = json.loads(data[1:])
    except (ValueError, RecursionError):
        return
    if isinstance(asked, dict):
        _town().ask(draws.one_of(_CONTROLS), asked)


class _Running:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._patch = pytest.MonkeyPatch()
        self._town = Town(_folder(), self._patch)
        self._loop.run_until_complete(self._begin())

    async def _begin(self) -> None:
        await self._town.__aenter__()
        await self._town.say(ANN, "hello")
        await self._town.say(BOB, "/otr hello")
        await self._town.quiet()

    def close(self) -> None:
        self._loop.run_until_complete(self._town.__aexit__(None, None, None))
        self._patch.undo()
        self._loop.close()

    def ask(self, name: str, asked: dict[str, Any]) -> None:
        house = self._town.house
        assert isinstance(house, House)
        control = house._controls().get(name)
        if control is None:
            return
        asked = {**asked, "wait": 0} if _is_patient(asked.get("wait")) else asked
        try:
            answer = self._loop.run_until_complete(asyncio.wait_for(control(asked), _PATIENCE_S))
        except (Refusal, NotStored) as refusal:
            assert str(refusal)
            return
        json.dumps(answer, ensure_ascii=False).encode()


def _is_patient(wait: object) -> bool:
    return isinstance(wait, int | float) and 0 < wait <= 600


@cache
def _town() -> _Running:
    return _Running()


def _close_town() -> None:
    _town().close()
    _town.cache_clear()


def _asked() -> list[bytes]:
    asked: list[dict[str, Any]] = [
        {"account": None, "after": None, "most": 2},
        {"who": "+49 1511 2345678", "words": True, "account": "1234567890123456"},
        {"chat": 1, "words": False},
        {"to": ANN, "text": "hello", "wait": 0, "account": None},
        {"to": "US.1", "text": "x" * 300, "wait": 0.0},
        {},
    ]
    return [bytes([n]) + json.dumps(one).encode() for n in range(len(_CONTROLS)) for one in asked]


def _mutate(data: bytes, seed: int) -> bytes:
    return data[:1] + mutate_json(data[1:], seed)


_WORDS = ["account", "after", "most", "who", "words", "chat", "to", "text", "wait", ANN]
CONTROLS = Target("controls", try_controls, _asked, _WORDS, _mutate, 2048, _close_town)


# -- bytes on the socket --------------------------------------------------------------------------


def try_socket(data: bytes) -> None:
    """Any bytes, and then the end: what comes back is HTTP and no error of ours."""
    _door().run(data)


class _Surprises(logging.Handler):
    """What a library says went wrong in our code, and not in the request."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[1] if record.exc_info else None
        if not isinstance(raised, http_exceptions.HttpProcessingError):
            self.seen.append(f"{record.name}: {record.msg} {raised!r}")


class _Door:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._log = RecordedLog()
        self._surprises = _Surprises()
        logging.getLogger().addHandler(self._surprises)
        self._server = AdminServer(
            {"say": self._say},
            host="127.0.0.1",
            port=None,
            folder=_folder(),
            reasons=self._reasons,
            exposition=self._exposition,
            log=self._log,
        )
        self._loop.set_exception_handler(self._broke)
        self._loop.run_until_complete(self._server.start())

    def close(self) -> None:
        logging.getLogger().removeHandler(self._surprises)
        self._loop.run_until_complete(self._server.close())
        self._loop.close()

    async def _say(self, asked: Any) -> Any:
        return dict(asked)

    async def _reasons(self) -> list[str]:
        return []

    async def _exposition(self, accept: str) -> tuple[bytes, str]:
        return b"", "text/plain"

    def _broke(self, _: object, context: dict[str, Any]) -> None:
        self._surprises.seen.append(repr(context.get("exception") or context.get("message")))

    def run(self, data: bytes) -> None:
        answer = self._loop.run_until_complete(asyncio.wait_for(self._send(data), _PATIENCE_S))
        assert not self._surprises.seen, self._surprises.seen.pop()
        assert not answer or answer.startswith(b"HTTP/1."), answer[:80]
        assert b"Traceback" not in answer
        if b"Traceback" not in data:
            assert not answer.startswith(b"HTTP/1.1 500"), answer[:300]

    async def _send(self, data: bytes) -> bytes:
        assert self._server.socket is not None
        reader, writer = await asyncio.open_unix_connection(str(self._server.socket))
        answer = b""
        try:
            writer.write(data)
            writer.write_eof()
            answer = await reader.read()
        except OSError:
            pass  # it was cut
        finally:
            writer.close()
        return answer


@cache
def _door() -> _Door:
    return _Door()


def _close_door() -> None:
    _door().close()
    _door.cache_clear()


def _lines() -> list[bytes]:
    body = b'{"a":1}'
    head = b"POST /control/say HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    close = b"Connection: close\r\n"
    return [
        head + close + b"Content-Length: 7\r\n\r\n" + body,
        head + close + b"Content-Length: 70\r\n\r\n" + body,
        head + close + b"Transfer-Encoding: chunked\r\n\r\n7\r\n" + body + b"\r\n0\r\n\r\n",
        head + b"Content-Length: 7\r\n\r\n" + body + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: \xff\r\n" + close + b"\r\n",
        b"GET /readyz HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1/control/say HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n",
        head + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n" + close + b"\r\n" + body,
        head + b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 7\r\n\r\n" + body,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ]


SOCKET = Target(
    "socket",
    try_socket,
    _lines,
    [
        "POST",
        "/control/say",
        "HTTP/1.1",
        "Content-Length",
        "Transfer-Encoding",
        "chunked",
        "\\r\\n",
    ],
    close=_close_door,
)
