"""Whatever comes in, the answer is Meta's, and nothing of ours breaks."""

import asyncio
import copy
import json
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.emulator import Emulator
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.reading import MOST_DEPTH, parse_object
from openparallax.emulator.wire import as_data
from tests.emulator.graph.desk import Desk, desk
from tests.emulator.graph.saying import body_of, buttons, heard, rows, said, template, text, word

BEARER = "Authorization: Bearer x\r\n"

BROKEN = (
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"7",
    b"\xff\xfe",
    b'{"to": "\xff"}',
    b'{"to": NaN}',
    b'{"text": {"body": Infinity}}',
    b'{"location": {"latitude": 1e999}}',
    b'{"to": ' + b"9" * 5000 + b"}",
    b'{"text": {"body": "\\ud83d"}}',
    b'{"\\uDE00": 1}',
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"a":' * (MOST_DEPTH + 1) + b"1" + b"}" * (MOST_DEPTH + 1),
    b"messaging_product=whatsapp",
    b"\x00",
)

SEEDS = (
    text(context={"message_id": "wamid.x"}, biz_opaque_callback_data="x"),
    said("image", {"link": "https://example.com/a", "caption": "look"}),
    said("location", {"latitude": 1, "longitude": 2}),
    said("contacts", [{"name": {"formatted_name": "Bob"}, "phones": [{"phone": "1"}]}]),
    said("reaction", {"message_id": "wamid.x", "emoji": "👍"}),
    said("interactive", buttons()),
    said("interactive", rows(2, 1)),
    template("appointment_reminder", more=body_of(word("a"), word("b"))),
    {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.x",
        "typing_indicator": {"type": "text"},
    },
)
OF_BODIES = {100, 131008, 131009, 131051, 132000, 132001, 132005, 132012}
"""Codes that a body alone can meet."""
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["wamid.x", "text", "😀", "\ud83d", "x" * 5000]),
    st.lists(st.none() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3),
)


def places(holder: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a value within."""
    keys: list[Any] = (
        list(holder)
        if isinstance(holder, dict)
        else list(range(len(holder)))
        if isinstance(holder, list)
        else []
    )
    found = [way] if way else []
    return found + [place for key in keys for place in places(holder[key], (*way, key))]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A body in which one or two things are gone, another, or have a new neighbour."""
    whole: Any = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 2))):
        way = draw(st.sampled_from(places(whole)))
        at: Any = whole
        for step in way[:-1]:
            at = at[step]
        match draw(st.sampled_from(["change", "remove", "add"])):
            case "change":
                at[way[-1]] = draw(JUNK)
            case "remove" if len(whole) > 1:
                del at[way[-1]]
            case _ if isinstance(at, dict):
                at[draw(st.text(max_size=4))] = draw(JUNK)
    return json.dumps(whole).encode()


async def raw(bot: Desk, request: bytes) -> bytes:
    """Send these bytes on a connection of their own; what comes back until it ends."""
    port = int(bot.emulator.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def head(bot: Desk, more: str = "", path: str | None = None) -> bytes:
    path = f"/v25.0/{bot.number.id}/messages" if path is None else path
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{BEARER}{more}".encode(
        "utf-8", "surrogateescape"
    )


def error_of(answer: bytes) -> dict[str, Any]:
    """The error that an answer is, in Meta's shape."""
    status, _, rest = answer.partition(b"\r\n")
    assert status.split()[1].startswith(b"4"), status
    error: dict[str, Any] = json.loads(rest.partition(b"\r\n\r\n")[2])["error"]
    assert {"message", "type", "code"} <= error.keys()
    return error


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
async def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    async with desk() as bot:
        heard(bot.emulator)
        answer = await bot.post(f"{bot.number.id}/messages", data=body)
        assert answer.refusal == (400, 100, None)
        assert not bot.emulator.sending.calls


async def test_an_empty_body_lacks_everything() -> None:
    async with desk() as bot:
        for data in (b"", b"  ", b"{}"):
            answer = await bot.post(f"{bot.number.id}/messages", data=data)
            assert "messaging_product is required" in answer.error["message"]


async def test_nesting_that_nobody_writes_is_told_from_brackets_in_words() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        assert (await bot.post(f"{bot.number.id}/messages", json=text('{[\\"' * 900))).status == 200
    deep: Any = "x"
    for _ in range(MOST_DEPTH - 1):
        deep = [deep]
    whole = {"a": deep}
    assert parse_object(json.dumps(whole).encode(), "application/json") == whole
    with pytest.raises(GraphError):
        parse_object(json.dumps({"b": whole}).encode(), "application/json")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json; charset=latin-1", "multipart/form-data", ";", "a/b/c"],
)
async def test_an_odd_content_type_breaks_nothing(content_type: str) -> None:
    async with desk() as bot:
        heard(bot.emulator)
        body = json.dumps(text()).encode()
        more = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = await raw(bot, head(bot, more) + body)
        if content_type.startswith("multipart"):
            assert error_of(answer)["code"] == 100
        else:
            assert b" 200 " in answer.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "/v25.0",
        "/v25.0//messages",
        "/%00/messages",
        "/%ff%fe/messages",
        "/v25.0/..%2f..%2fetc/messages",
        "/v25.0/" + "9" * 5000 + "/messages",
        "/é\udcff/messages",
        "/v25.0/1/messages?access_token=%ff&fields=%ed%a0%80",
        "http://elsewhere.example/v25.0/1/messages",
        "*",
    ],
)
async def test_an_odd_path_is_answered_in_metas_shape(path: str) -> None:
    async with desk() as bot:
        error_of(await raw(bot, head(bot, "Content-Length: 2\r\n\r\n", path) + b"{}"))
        for exchange in bot.emulator.wire.exchanges:
            assert json.dumps(as_data(exchange), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"Content-Length: abc\r\n\r\n{}",
        b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}",
        b"Authorization: Bearer \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_odd_http_is_answered_in_metas_shape(rest: bytes) -> None:
    async with desk() as bot:
        answer = await raw(bot, head(bot) + rest)
        error_of(answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))


async def test_a_connection_that_is_cut_in_the_middle_breaks_nothing() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        port = int(bot.emulator.url.rpartition(":")[2])
        for sent in (b"", b"Content-Length: 99\r\n", b"Content-Length: 99\r\n\r\n{"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head(bot) + sent)
            await writer.drain()
            writer.transport.abort()
            writer.close()
        answer = await bot.post(f"{bot.number.id}/messages", json=text())
        assert answer.status == 200


@given(bodies=st.lists(mutated(), min_size=8, max_size=8))
@settings(max_examples=12, deadline=None)
def test_whatever_stands_in_a_body_is_answered_in_metas_shape(bodies: list[bytes]) -> None:
    async def play() -> None:
        async with Emulator() as emulator, ClientSession() as session:
            heard(emulator)
            bot = Desk(emulator, session)
            for body in bodies:
                answer = await bot.post(f"{bot.number.id}/messages", data=body)
                if answer.status >= 400:
                    assert answer.refusal[0] in (400, 404)
                    assert answer.refusal[1] in OF_BODIES
                else:
                    assert "messages" in answer.body
            assert not emulator.graph.broken

    asyncio.run(play())


@given(body=mutated() | st.binary(max_size=40), kind=st.sampled_from(["application/json", "a/b"]))
@settings(max_examples=100)
def test_parsing_refuses_or_returns_what_can_be_written_again(body: bytes, kind: str) -> None:
    try:
        whole = parse_object(body, kind)
    except GraphError as error:
        assert error.code == 100  # noqa: PT017 - either outcome is well
    else:
        assert json.dumps(whole, allow_nan=False, ensure_ascii=False).encode() is not None
