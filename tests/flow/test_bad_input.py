"""Whatever is posted: no trace of what is not signed, and what is good in it is answered."""

import random
from typing import Any

import aiohttp
import pytest

from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.town import ANN, BOB, Town
from tests.webhook import wire

SURROGATE = "\ud83d"
HUGE = 10**400


async def still_answers(town: Town) -> None:
    before = len(town.heard(BOB))
    await town.say(BOB, "still there?")
    assert (await town.hears(BOB, before + 1))[-1] == "still there?"


def wrong_signatures(raw: bytes) -> list[str | None]:
    right = meta.sign(raw)
    digest = right.removeprefix("sha256=")
    return [
        None,
        "",
        "sha256=",
        digest,
        f"sha1={digest[:40]}",
        f"sha512={digest * 2}",
        f"SHA-256={digest}",
        right[:-1],
        right + "0",
        right[:-1] + ("1" if right[-1] == "0" else "0"),
        f"sha256={'0' * 64}",
        f"sha256={'z' * 64}",
        f"sha256={'é' * 32}",
        meta.sign(raw, "another_secret"),
        meta.sign(raw, meta.VERIFY_TOKEN),
        meta.sign(raw + b" "),
        meta.sign(b""),
        f"{right}, {meta.sign(b'')}",
    ]


async def test_a_wrong_signature_leaves_no_trace(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    raw = meta.body(meta.text("4915199999999", canary.words))
    for signature in wrong_signatures(raw):
        headers = {} if signature is None else {"X-Hub-Signature-256": signature}
        async with town.session.post(town.url, data=raw, headers=headers) as answer:
            assert answer.status == 401, signature
            assert canary.core not in await answer.text()
    await still_answers(town)
    assert heard_singing(town, canary) == []
    assert b"4915199999999" not in town.written()
    assert len(engine.asked) == 1
    assert [call.to for call in town.graph.calls] == [BOB]
    counts = await town.up.database.read(
        lambda c: [
            c.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names of ours
            for table in ("contacts", "seen", "transcript", "envelopes")
        ]
    )
    assert counts == [1, 1, 2, 0]


EVIL: dict[str, dict[str, Any]] = {
    "half a pair in the words": {"text": {"body": f"oh {SURROGATE} no"}},
    "half a pair in the id": {"id": f"wamid.{SURROGATE}"},
    "half a pair in the number": {"from": f"49{SURROGATE}"},
    "a zero in the words": {"text": {"body": "a\x00b"}},
    "a zero in the number": {"from": "49\x00151"},
    "no body": {"text": {}},
    "words that are none": {"text": {"body": {"deep": [[[]]]}}},
    "words that are a number": {"text": {"body": HUGE}},
    "text that is none": {"text": [1, 2, 3]},
    "a huge time": {"timestamp": HUGE},
    "a huge time in letters": {"timestamp": str(HUGE)},
    "a time below": {"timestamp": -5},
    "a time with a point": {"timestamp": 1e300},
    "no time": {"timestamp": None},
    "a number of a number": {"from": HUGE},
    "no id": {"id": None},
    "an endless id": {"id": "w" * 100_000},
    "an endless name of a type": {"type": "x" * 100_000},
    "a type that is none": {"type": {"a": 1}},
    "no sender": {"from": None},
}


def evil(changes: dict[str, Any]) -> meta.Item:
    item = meta.text(ANN, "bad neighbour")
    item["message"] |= changes
    return item


@pytest.mark.parametrize("changes", EVIL.values(), ids=EVIL.keys())
async def test_what_is_good_in_a_batch_is_answered(town: Town, changes: dict[str, Any]) -> None:
    batch = meta.body(meta.text(BOB, "before"), evil(changes), meta.text(BOB, "behind"))
    assert await meta.post(town.session, town.url, batch) == 200
    await town.until(lambda: "\n".join(town.heard(BOB)).split("\n") == ["before", "behind"])
    assert await meta.post(town.session, town.url, batch) == 200
    await town.quiet()
    await still_answers(town)
    assert len(town.heard(BOB)) <= 3
    assert "webhook_not_accepted" not in town.log.getvalue()


async def test_all_of_them_at_once(town: Town) -> None:
    items = [meta.text(BOB, "0")]
    for n, changes in enumerate(EVIL.values(), start=1):
        items += [evil(changes), meta.text(BOB, str(n))]
    await town.post(*items)
    wanted = [str(n) for n in range(len(EVIL) + 1)]
    await town.until(lambda: "\n".join(town.heard(BOB)).split("\n") == wanted)


def _nested(depth: int) -> bytes:
    return b'{"entry":' + b"[" * depth + b"]" * depth + b"}"


BODIES = {
    "nothing": b"",
    "no JSON": b"<xml/>",
    "half of it": meta.body(meta.text(ANN, "cut"))[:-20],
    "no text at all": b"\xff\xfe\x00\x01" * 100,
    "nested": _nested(500),
    "nested deeply": _nested(500_000),
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a huge number": b'{"entry":' + b"9" * 100_000 + b"}",
    "no number": b'{"entry":[NaN,Infinity,-Infinity]}',
    "null": b"null",
    "a list": b"[]",
    "twice the same key": b'{"entry":[],"entry":5}',
    "a mark at the beginning": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("raw", BODIES.values(), ids=BODIES.keys())
async def test_a_signed_body_of_any_kind_is_acknowledged(town: Town, raw: bytes) -> None:
    assert await meta.post(town.session, town.url, raw) == 200
    await still_answers(town)


async def test_a_nest_within_a_good_message(town: Town) -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    item = meta.text(ANN, "nested", context=deep, referral={"a": deep})
    await town.post(item, meta.text(BOB, "and I"))
    assert await town.hears(BOB, 1) == ["and I"]


async def test_twenty_mebibytes(town: Town) -> None:
    raw = meta.body(meta.text(ANN, "x" * 20 * 1024 * 1024))
    head = wire.signed_head(raw, Content_Length=len(raw))
    answer = await wire.exchange(town.up.port, head, raw)
    assert answer.status == 413
    await still_answers(town)


async def test_as_large_as_meta_makes_them(town: Town, engine: FakeEngine) -> None:
    """A thousand messages in one request, three megabytes; each has its outcome."""
    town.changes = {
        "outbox": {"messages_per_second": None, "pair_burst": None},
        "conversation": {"coalesce": "none"},
    }
    await town.restart()
    people = [str(4915100000000 + n) for n in range(100)]
    items = [meta.text(people[n % 100], f"{n} " + "x" * 2500, at=1000) for n in range(1000)]
    assert await town.post_once(*items) == 200
    await town.until(lambda: len(town.graph.accepted) >= 1000, 120)
    for place, person in enumerate(people):
        numbers = [int(body.split()[0]) for body in town.heard(person)]
        assert numbers == list(range(place, 1000, 100))


async def test_half_sent_requests(town: Town) -> None:
    raw = meta.body(meta.text(ANN, "never whole"))
    pieces = [
        wire.signed_head(raw, Content_Length=len(raw)) + raw[:-1],
        wire.signed_head(raw, Content_Length=len(raw) + 10) + raw,
        wire.signed_head(raw, Transfer_Encoding="chunked") + wire.chunked(raw)[:-7],
        wire.head()[:-2],
        b"POST",
        b"",
    ]
    for piece in pieces * 5:
        answer = await wire.exchange(town.up.port, piece, patience_s=0.01)
        assert answer.status == 0
    await still_answers(town)
    await town.quiet()
    assert town.heard(ANN) == []


async def test_a_client_that_leaves_before_the_answer(town: Town) -> None:
    """What it brought may be on disk or not; brought again it is answered once."""
    item = meta.text(ANN, "in a hurry")
    raw = meta.body(item)
    for _ in range(20):
        await wire.exchange(
            town.up.port, wire.signed_head(raw, Content_Length=len(raw)) + raw, patience_s=0
        )
    await town.post(item)
    await town.hears(ANN, 1)
    await still_answers(town)
    await town.quiet()
    assert town.heard(ANN) == ["in a hurry"]


async def test_garbage_made_of_good_requests(town: Town) -> None:
    """Bytes changed, cut, doubled: never an error of ours, and never one answer too many."""
    dice = random.Random(4711)  # noqa: S311 - the same garbage every time
    for n in range(150):
        raw = bytearray(
            meta.body(meta.text(ANN, f"n{n}"), meta.text(ANN, "x", at=dice.randrange(9)))
        )
        for _ in range(dice.randrange(1, 5)):
            place = dice.randrange(len(raw))
            kind = dice.randrange(4)
            if kind == 0:
                raw[place] = dice.randrange(256)
            elif kind == 1:
                del raw[place : place + dice.randrange(30)]
            elif kind == 2:
                raw[place:place] = raw[place : place + dice.randrange(30)]
            else:
                raw[place:place] = dice.choice([b"null", b"[]", b"{", b'"', b"\\ud83d", b"9" * 30])
        assert await meta.post(town.session, town.url, bytes(raw)) == 200
    await still_answers(town)
    assert "webhook_not_accepted" not in town.log.getvalue()


async def test_other_ways_in(town: Town) -> None:
    base = town.url.removesuffix("/webhook")
    async with aiohttp.ClientSession() as session:
        for path in ("/", "/webhook/", "/webhook/x", "/metrics", "/../etc/passwd", "//webhook"):
            async with session.get(base + path) as answer:
                assert answer.status == 404, path
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
            async with session.request(method, town.url) as answer:
                assert answer.status == 405, method
    await still_answers(town)
