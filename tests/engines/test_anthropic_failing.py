"""Servers that fail: each ends in an answer or in a sentence of our own."""

import asyncio
from typing import Any

import pytest

from openparallax.engines.anthropic import Anthropic
from openparallax.plugin import TooSlow
from tests.engines.asking import CANARY, KEY, Make, failure
from tests.fakes.messages_api import MessagesApi, Mood, failing, saying
from tests.pipeline.doubles import RecordedLog, make_turn


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"<html>{CANARY}</html>", "text/html"),
        (f"{CANARY} no JSON", "application/json"),
        ("", "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
        ({}, "application/json"),
        ({"content": CANARY}, "application/json"),
        ({"content": [None, 5, CANARY], "stop_reason": CANARY}, "application/json"),
        ({"content": [{"type": "text"}]}, "application/json"),
        ({"content": [{"type": "text", "text": 5}]}, "application/json"),
        ({"error": {"message": CANARY}}, "application/json"),
        ("[" * 100_000, "application/json"),
        ({"content": [{"type": "text", "text": []}], "usage": [CANARY]}, "application/json"),
    ],
)
async def test_what_is_no_message_is_a_failure(
    api: MessagesApi, engine: Anthropic, log: RecordedLog, body: Any, content_type: str
) -> None:
    api.will_return(body, content_type)
    await failure(engine)
    assert log.lines == []


async def test_a_sparse_message_is_a_reply(api: MessagesApi, engine: Anthropic) -> None:
    api.will_return({"content": [{"type": "text", "text": "Hi"}], "usage": {"input_tokens": "?"}})
    reply = await engine.answer(make_turn())
    assert (reply.text, reply.usage, reply.model) == ("Hi", {}, "claude-sonnet-5-5")


# What fails


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "check the engine's model and max_tokens"),
        (401, "check the engine's api_key"),
        (402, "billing"),
        (403, "check its permissions"),
        (404, "check the engine's model and base_url"),
        (413, "too long"),
        (418, "the API refused"),
    ],
)
async def test_what_will_not_get_better_is_tried_once(
    api: MessagesApi, engine: Anthropic, status: int, says: str
) -> None:
    api.will_fail(status, message=f"do not say {CANARY} to {KEY}")
    message = str(await failure(engine))
    assert message.startswith(f"The Messages API answered {status}, request req_011FAKE: ")
    assert says in message
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("status", "says"),
    [(429, "rate limit"), (529, "overloaded"), (500, "the API failed"), (503, "the API failed")],
)
async def test_what_may_get_better_is_tried_three_times(
    api: MessagesApi, engine: Anthropic, status: int, says: str
) -> None:
    api.will_fail(status, times=3, message=CANARY)
    assert says in str(await failure(engine))
    assert len(api.asked) == 3


@pytest.mark.parametrize("status", [429, 529, 500])
async def test_what_gets_better_is_answered(
    api: MessagesApi, engine: Anthropic, status: int
) -> None:
    api.will_fail(status, times=2)
    api.will_say("Here I am.")
    assert (await engine.answer(make_turn())).text == "Here I am."
    assert api.asked[0].body == api.asked[2].body


@pytest.mark.parametrize("mood", ["retry-after", "x-should-retry"])
async def test_what_asks_for_too_much_patience_is_tried_once(
    api: MessagesApi, engine: Anthropic, mood: str
) -> None:
    api.will(
        failing(429, retry_after="3600")
        if mood == "retry-after"
        else failing(529, should_retry="false")
    )
    await failure(engine)
    assert len(api.asked) == 1


async def test_a_pause_that_the_api_asks_for_is_kept(api: MessagesApi, engine: Anthropic) -> None:
    api.will_fail(429, retry_after="0.2")
    await engine.answer(make_turn())
    first, second = api.asked
    assert second.at - first.at >= 0.2


async def test_a_request_id_that_is_none_is_not_repeated(
    api: MessagesApi, engine: Anthropic
) -> None:
    api.will(Mood(400, "{}", {"request-id": CANARY}))
    assert "request zebra" not in str(await failure(engine))


async def test_it_goes_nowhere_else_than_the_file_says(
    api: MessagesApi, engine: Anthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.will(Mood(307, "", {"location": f"{api.url}/elsewhere"}))
    assert "check the engine's base_url" in str(await failure(engine))
    assert len(api.asked) == 1


@pytest.mark.parametrize("after", [None, 0, 40])
async def test_a_cut_connection(api: MessagesApi, engine: Anthropic, after: int | None) -> None:
    engine._client.max_retries = 0  # the SDK's wait before it tries again is a real one
    api.will_cut(after=after)
    assert "could not be reached" in str(await failure(engine))


async def test_nobody_there(make: Make) -> None:
    engine = make(base_url="http://127.0.0.1:9")  # the discard port
    engine._client.max_retries = 0
    assert "could not be reached" in str(await failure(engine))


async def test_an_answer_in_small_pieces_is_an_answer(api: MessagesApi, engine: Anthropic) -> None:
    api.will(saying("Gr\u00fc\u00dfe \U0001f426", piece=7))
    assert (await engine.answer(make_turn())).text == "Gr\u00fc\u00dfe \U0001f426"


SLOW = {
    "nothing at all": Mood(stalls=True),
    "half an answer": saying(CANARY, stalls=True, after=40),
    "a byte now and then": saying(CANARY, piece=1, pause_s=0.02),  # 6 s, never 0.1 s of silence
    "a stalling error": Mood(500, "no" * 50, stalls=True, after=3),
}


@pytest.mark.parametrize("mood", SLOW.values(), ids=SLOW)
async def test_no_answer_in_time(api: MessagesApi, engine: Anthropic, mood: Mood) -> None:
    engine._most_s = 0.1
    api.will(mood)
    error = await failure(engine)
    assert str(error) == "The Messages API did not answer in time."
    assert isinstance(error, TooSlow)
    await api.until(lambda: api.left == len(api.asked))


async def test_the_sdk_s_own_time_out_says_the_same(api: MessagesApi, engine: Anthropic) -> None:
    engine._client.max_retries = 0
    engine._client.timeout = 0.05
    api.will_stall()
    assert isinstance(await failure(engine), TooSlow)


async def test_time_outs_grow_with_the_answer(make: Make) -> None:
    assert make()._client.timeout.read == pytest.approx(111.2)  # type: ignore[union-attr]
    assert make()._most_s == pytest.approx(111.2)
    # The SDK refuses requests that it thinks too long for its own default time-out, so it must
    # have been given one, whatever max_tokens is.
    reply = await make(max_tokens=64_000).answer(make_turn())
    assert reply.text == "Hello."


@pytest.mark.parametrize("after", [None, 40])
async def test_cancellation_passes_and_ends_the_request(
    api: MessagesApi, engine: Anthropic, after: int | None
) -> None:
    api.will_stall(after=after)
    running = asyncio.create_task(engine.answer(make_turn(CANARY)))
    await api.until(lambda: len(api.asked) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await api.until(lambda: api.left == len(api.asked))
    assert (await engine.answer(make_turn())).text == "Hello."


async def test_cancellation_ends_a_pause_before_another_try(
    api: MessagesApi, engine: Anthropic
) -> None:
    api.will_fail(429, retry_after="20")
    running = asyncio.create_task(engine.answer(make_turn(CANARY)))
    await api.until(lambda: len(api.asked) == 1)
    await asyncio.sleep(0.02)  # for the answer to arrive; if it has not, the test is still true
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)
    assert len(api.asked) == 1
