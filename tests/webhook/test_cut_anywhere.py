"""Requests of all kinds in one connection, cut anywhere: answered as each is by itself.

The short way of ordinary requests hides them from aiohttp's task. Whatever comes in whatever
pieces, no answer may be lost, or change places with another.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openparallax.errors import NotStored
from openparallax.metrics import Metrics
from openparallax.model.messages import Notification
from openparallax.webhook.server import WebhookServer
from openparallax.webhook.tls import Certificates
from tests.fakes import meta
from tests.fakes.clock import TurnedClock
from tests.pipeline.doubles import RecordedLog
from tests.town import ANN
from tests.webhook import wire
from tests.webhook.certificates import Files, Pair, trusting
from tests.webhook.conftest import KEY, Heard

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
PATIENCE_S = 10
_STATUSES = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def _signed(words: str, *, size: int = 0, secret: str = meta.SECRET, **headers: object) -> bytes:
    raw = meta.body(meta.text(ANN, words, at=1_790_000_000)).ljust(size)
    length = {} if "Transfer_Encoding" in headers else {"Content_Length": len(raw)}
    head = wire.head(X_Hub_Signature_256=meta.sign(raw, secret), **length, **headers)
    return head + (raw if length else wire.chunked(raw, 40))


NOTHING = b'{"object":"whatsapp_business_account","entry":[]}'
GOING_ON = {
    "at once": (_signed("at once"), 200),
    "slow": (_signed("slow"), 200),
    "full": (_signed("full"), 503),
    "nothing to store": (wire.signed_head(NOTHING, Content_Length=len(NOTHING)) + NOTHING, 200),
    "forged": (_signed("forged", secret="wrong"), 401),
    "in chunks": (_signed("in chunks", Transfer_Encoding="chunked"), 200),
    "long": (_signed("long", size=40_000), 200),
    "expecting": (_signed("expecting", Expect="100-continue"), 200),
    "upgrading": (_signed("upgrading", Connection="Upgrade", Upgrade="websocket"), 200),
    "healthy": (wire.head("GET", "/healthz"), 200),
    "nowhere": (wire.head("GET", "/nowhere"), 404),
    "of two lines": (wire.head("GET", "/webhook?hub.mode=x"), 403),
}
"""What leaves the connection open, and its status."""
LAST = {
    "signed, the last": (_signed("the last", Connection="close"), 200),
    "full, the last": (_signed("full", Connection="close"), 503),
    "unsigned": (wire.head(Content_Length=0), 401),
    "of HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
}
"""What the connection is closed after. What is no HTTP is left out: aiohttp's parser drops with it
what came in the same piece before it."""
KINDS = GOING_ON | LAST


@dataclass(frozen=True)
class Talk:
    """What is said over one connection: kinds of requests, where it is cut, how long it rests.

    Attributes:
        cuts: In which request, by its number, and after which part of it, from 0 to 1.
        rests: After each piece but the last, in rounds of the loop.
    """

    kinds: Sequence[str]
    cuts: Sequence[tuple[int, float]]
    rests: Sequence[int]

    @property
    def pieces(self) -> list[bytes]:
        raws = [KINDS[kind][0] for kind in self.kinds]
        raw = b"".join(raws)
        begins = [0, *accumulate(map(len, raws))]
        ends = sorted(
            {begins[at] + int(part * len(raws[at])) for at, part in self.cuts if at < len(raws)}
            | {len(raw)}
        )
        return [raw[start:end] for start, end in zip([0, *ends], ends, strict=False)]


EACH = [(at, 0.0) for at in range(7)]

TALKS = st.builds(
    lambda kinds, last, cuts, rests: Talk([*kinds, last], cuts, rests),
    st.lists(st.sampled_from([*GOING_ON, *["at once", "slow"] * 4]), max_size=6),
    st.sampled_from(sorted(LAST)),
    st.just(EACH)
    | st.lists(st.tuples(st.integers(0, 6), st.just(0.0) | st.floats(0, 1)), max_size=8),
    st.lists(st.sampled_from([0, 0, 1, 3, 10, 30]), min_size=8, max_size=8),
)


class House(Heard):
    """Stores some at once, some slowly, and some not at all."""

    async def take(self, notification: Notification) -> None:
        (words,) = (message.text.words for message in notification.messages if message.text)
        for _ in range(20 if words in {"slow", "full"} else 0):
            await asyncio.sleep(0)
        if words == "full":
            raise NotStored("full")
        self.notifications.append(notification)


@dataclass
class Listening:
    """A server, plain or with TLS."""

    server: WebhookServer
    heard: House
    log: RecordedLog
    trust: ssl.SSLContext | None

    @classmethod
    async def open(cls, stack: AsyncExitStack, files: Files | None) -> "Listening":
        log, heard, clock = RecordedLog(), House(), TurnedClock()
        certificates = None
        if files is not None:
            certificates = Certificates(
                certificate=files.certificate, key=files.key, clock=clock, log=log
            )
        server = WebhookServer(
            host="127.0.0.1",
            port=0,
            accept=heard.take,
            verify_tokens=[meta.VERIFY_TOKEN],
            keys=[KEY],
            certificates=certificates,
            log=log,
            metrics=Metrics(),
            clock=clock,
        )
        await server.start()
        stack.push_async_callback(server.close)
        return cls(server, heard, log, trusting() if files else None)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = "localhost" if self.trust else None
        return await asyncio.open_connection(
            "127.0.0.1", self.server.port, ssl=self.trust, server_hostname=host
        )

    async def hear(self, talk: Talk) -> list[int]:
        """The statuses of the answers to ``talk``, in order."""
        reader, writer = await self.connect()
        for piece, rest in zip(talk.pieces, [*talk.rests, 0], strict=False):
            writer.write(piece)
            for _ in range(rest):
                await asyncio.sleep(0)
        raw = await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return [int(status) for status in _STATUSES.findall(raw) if status != b"100"]


Judge = Callable[[Listening, Talk], Coroutine[Any, Any, None]]


def _each(
    files: Files | None, loops: Callable[[], asyncio.AbstractEventLoop], most: int, judge: Judge
) -> None:
    """Have ``judge`` look at many talks, all with one listener."""
    with asyncio.Runner(loop_factory=loops) as runner:
        stack = AsyncExitStack()
        listening = runner.run(Listening.open(stack, files))

        @settings(max_examples=most, deadline=None)
        @given(TALKS)
        @example(Talk(["slow", "healthy", "of HTTP/1.0"], EACH, [3] * 8))
        @example(Talk(["slow", "at once", "forged", "full", "unsigned"], EACH, [3] * 8))
        def all_of_them(talk: Talk) -> None:
            runner.run(judge(listening, talk))

        try:
            all_of_them()
        finally:
            runner.run(stack.aclose())


def _files(folder: Path, scheme: str) -> Files | None:
    if scheme == "http":
        return None
    files = Files(folder)
    files.write(Pair.issue())
    return files


async def _is_answered_in_order(listening: Listening, talk: Talk) -> None:
    listening.heard.notifications.clear()
    assert await listening.hear(talk) == [KINDS[kind][1] for kind in talk.kinds]
    stored = [
        kind
        for kind in talk.kinds
        if KINDS[kind][1] == 200 and kind not in {"nothing to store", "healthy", "of HTTP/1.0"}
    ]
    said = [words.replace("the last", "signed, the last") for words in listening.heard.words]
    assert said == stored


@pytest.mark.parametrize("kind", KINDS)
async def test_one_by_one(kind: str) -> None:
    async with AsyncExitStack() as stack:
        listening = await Listening.open(stack, None)
        kinds = [kind] if kind in LAST else [kind, "of HTTP/1.0"]
        assert (await listening.hear(Talk(kinds, [], [])))[0] == KINDS[kind][1]


@pytest.mark.parametrize("loops", LOOPS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_requests_cut_anywhere_are_answered_in_order(
    tmp_path: Path, scheme: str, loops: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    files = _files(tmp_path, scheme)
    _each(files, loops, 50, _is_answered_in_order)


async def _is_forgotten(listening: Listening, talk: Talk) -> None:
    """Cut off by the client at the last cut, in one of three ways; nothing of it stays behind."""
    listening.heard.notifications.clear()
    before = asyncio.all_tasks()
    _, writer = await listening.connect()
    *pieces, _ = talk.pieces
    for piece, rest in zip(pieces, talk.rests, strict=False):
        writer.write(piece)
        for _ in range(rest):
            await asyncio.sleep(0)
    if len(pieces) % 3 == 0:
        writer.transport.abort()
    elif len(pieces) % 3 == 1 and writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()
    crowd = listening.server._crowd
    async with asyncio.timeout(PATIENCE_S):
        while crowd._strangers or crowd._known or asyncio.all_tasks() - before:
            await asyncio.sleep(0)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    heard = [words.replace("the last", "signed, the last") for words in listening.heard.words]
    assert heard == [kind for kind in talk.kinds if kind in set(heard)][: len(heard)]


@pytest.mark.parametrize("loops", LOOPS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_stays_behind_of_who_goes_in_the_midst(
    tmp_path: Path, scheme: str, loops: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    files = _files(tmp_path, scheme)
    _each(files, loops, 25, _is_forgotten)
