import asyncio
import os
import sys
from importlib.metadata import entry_points
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from openparallax.engines.anthropic import Anthropic
from tests.engines.asking import CANARY, KEY, MARK, Make, failure
from tests.fakes.messages_api import MessagesApi
from tests.pipeline.doubles import RecordedLog, make_turn

# What is asked


async def test_the_first_turn(api: MessagesApi, engine: Anthropic) -> None:
    api.will_say("Good morning!")
    reply = await engine.answer(make_turn("Hi"))
    assert reply.text == "Good morning!"
    (asked,) = api.asked
    assert asked.path == "/v1/messages"
    assert asked.key == KEY
    assert asked.headers["anthropic-version"]
    assert asked.body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1024,
        "thinking": {"type": "between_tools"},
        "system": [
            {
                "type": "text",
                "text": Anthropic.Settings(api_key=KEY).system_prompt,  # type: ignore[arg-type]
                "cache_control": MARK,
            }
        ],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


async def test_settings_arrive(api: MessagesApi, make: Make) -> None:
    engine = make(model="claude-haiku-4-5", max_tokens=77, system_prompt="Speak Latin.")
    await engine.answer(make_turn("Hi"))
    body = api.asked[0].body
    assert (body["model"], body["max_tokens"]) == ("claude-haiku-4-5", 77)
    assert body["system"] == [{"type": "text", "text": "Speak Latin.", "cache_control": MARK}]
    assert "thinking" not in body
    assert "output_config" not in body


async def test_no_system_prompt_is_no_system_prompt(api: MessagesApi, make: Make) -> None:
    await make(system_prompt=" ").answer(make_turn("Hi"))
    assert "system" not in api.asked[0].body


async def test_no_model_thinks_its_tokens_away_unasked(api: MessagesApi, make: Make) -> None:
    await make(model="claude-haiku-5-5").answer(make_turn("Hi"))
    await make(model="claude-opus-5-5").answer(make_turn("Hi"))
    assert api.asked[0].body["thinking"] == {"type": "disabled"}
    assert api.asked[1].body["output_config"] == {"effort": "low"}


async def test_history_alternates_and_is_marked(api: MessagesApi, engine: Anthropic) -> None:
    history = [("contact", "one"), ("engine", "two"), ("contact", "three"), ("engine", "four")]
    await engine.answer(make_turn("five", *history))
    assert api.asked[0].body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "one"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": [{"type": "text", "text": "three"}]},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "four", "cache_control": MARK}],
        },
        {"role": "user", "content": [{"type": "text", "text": "five"}]},
    ]


async def test_entries_of_one_role_share_a_message(api: MessagesApi, engine: Anthropic) -> None:
    history = [("contact", "one"), ("contact", "two"), ("engine", "a"), ("engine", "b")]
    await engine.answer(make_turn("four", *history, ("contact", "three")))
    assert api.asked[0].words == [
        ("user", ["one", "two"]),
        ("assistant", ["a", "b"]),
        ("user", ["three", "four"]),
    ]
    last = api.asked[0].body["messages"][-1]["content"]
    assert [block.get("cache_control") for block in last] == [MARK, None]


async def test_what_the_api_refuses_is_left_out(api: MessagesApi, engine: Anthropic) -> None:
    history = [("engine", "I was first"), ("contact", " \n"), ("engine", "?"), ("contact", "one")]
    await engine.answer(make_turn("two", *history, ("engine", "")))
    assert api.asked[0].words == [("user", ["one", "two"])]


async def test_a_request_begins_with_the_one_before(api: MessagesApi, engine: Anthropic) -> None:
    """Else the prompt cache would not find it."""
    history: list[tuple[str, str]] = []
    for number in range(4):
        turn = make_turn(f"question {number}", *history)
        reply = await engine.answer(turn)
        history.append(("contact", turn.text))
        if number != 1:  # that one failed: its answer is missing
            history.append(("engine", reply.text or ""))
    for before, after in pairwise([asked.flat for asked in api.asked]):
        assert after[: len(before)] == before


async def test_lone_surrogates_do_no_harm(api: MessagesApi, engine: Anthropic) -> None:
    api.will_say("odd \udc80 answer")
    reply = await engine.answer(make_turn("odd \ud800", ("contact", "\udfff old")))
    assert api.asked[0].words == [("user", ["? old", "odd ?"])]
    assert reply.text == "odd ? answer"


async def test_blank_words_are_not_asked(api: MessagesApi, engine: Anthropic) -> None:
    assert str(await failure(engine, " \n")) == "There are no words to answer."
    assert api.asked == []


async def test_chats_do_not_mix(api: MessagesApi, engine: Anthropic) -> None:
    api.speak = lambda asked: f"you said {asked.words[-1][1][-1]}"
    turns = [make_turn(f"n{n}", ("contact", f"old{n}"), ("engine", f"e{n}")) for n in range(50)]
    replies = await asyncio.gather(*(engine.answer(turn) for turn in turns))
    assert [reply.text for reply in replies] == [f"you said n{n}" for n in range(50)]
    for asked in api.asked:
        number = asked.words[-1][1][0].removeprefix("n")
        assert asked.words[0] == ("user", [f"old{number}"])
        assert asked.words[1] == ("assistant", [f"e{number}"])


# What comes back


async def test_usage_and_model(api: MessagesApi, engine: Anthropic) -> None:
    usage = {
        "input_tokens": 5,
        "output_tokens": 6,
        "cache_read_input_tokens": 7,
        "cache_creation_input_tokens": 8,
    }
    api.will_say("Hi", usage=usage, model="claude-sonnet-5-5-20260928")
    reply = await engine.answer(make_turn())
    assert reply.usage == {"input": 5, "output": 6, "cache_read": 7, "cache_write": 8}
    assert reply.model == "claude-sonnet-5-5-20260928"


async def test_only_text_is_words(api: MessagesApi, engine: Anthropic) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    something_new = {"type": "hologram", "text": "flicker"}
    text = {"type": "text", "text": "Yes, "}
    api.will_say(blocks=[thought, text, something_new, {"type": "text", "text": "it is."}])
    assert (await engine.answer(make_turn())).text == "Yes, it is."


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded"])
async def test_a_reply_cut_short_is_a_reply(
    api: MessagesApi, engine: Anthropic, log: RecordedLog, reason: str
) -> None:
    api.will_say("Once upon a", stop_reason=reason)
    assert (await engine.answer(make_turn(CANARY))).text == "Once upon a"
    keys = {"turn": "turn-1", "reason": reason, "limit": 1024}
    assert log.lines == [("warning", "reply_cut_short", keys)]


SPENT = {"input": 12, "output": 7, "cache_read": 0, "cache_write": 0}


async def test_tokens_used_up_before_any_word(api: MessagesApi, engine: Anthropic) -> None:
    thought = {"type": "thinking", "thinking": CANARY, "signature": "s"}
    api.will_say(blocks=[thought], stop_reason="max_tokens")
    error = await failure(engine)
    assert "raise the engine's max_tokens" in str(error)
    assert (error.usage, error.model) == (SPENT, "claude-sonnet-5-5")


@pytest.mark.parametrize("texts", [(), ("",), (" \n", "")])
async def test_no_words_are_a_failure(
    api: MessagesApi, engine: Anthropic, texts: tuple[str, ...]
) -> None:
    api.will_say(*texts)
    error = await failure(engine)
    assert str(error) == "The model answered with no words."
    assert (error.usage, error.model) == (SPENT, "claude-sonnet-5-5")


async def test_a_refusal_is_a_failure(api: MessagesApi, engine: Anthropic) -> None:
    api.will_say(f"I began to talk of {CANARY}", stop_reason="refusal", model="claude-next")
    error = await failure(engine)
    assert str(error) == "The model refused to answer."
    assert (error.usage, error.model) == (SPENT, "claude-next")


@pytest.mark.parametrize("reason", ["pause_turn", "tool_use", "something new", None, ["odd"]])
async def test_whatever_stopped_it_words_are_a_reply(
    api: MessagesApi, engine: Anthropic, log: RecordedLog, reason: Any
) -> None:
    api.will_say("Here.", stop_reason=reason)
    assert (await engine.answer(make_turn())).text == "Here."
    api.will_say(stop_reason=reason)
    assert str(await failure(engine)) == "The model answered with no words."
    assert log.lines == []


@pytest.mark.parametrize(
    "usage", [None, [], "12", {}, {"input_tokens": None, "output_tokens": True}]
)
async def test_a_usage_that_is_none_is_none(
    api: MessagesApi, engine: Anthropic, usage: Any
) -> None:
    api.will_say("Hi", usage=usage)
    assert (await engine.answer(make_turn())).usage == {}


# Settings


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, "api_key"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": f"{KEY}\n"}, "api_key"),
        ({"api_key": KEY, "model": ""}, "model"),
        ({"api_key": KEY, "max_tokens": 0}, "max_tokens"),
        ({"api_key": KEY, "max_tokens": "1024"}, "max_tokens"),
        ({"api_key": KEY, "base_url": "localhost:8080"}, "base_url"),
        ({"api_key": KEY, "base_url": ""}, "base_url"),
        ({"api_key": KEY, "base_url": "https://"}, "base_url"),
        ({"api_key": KEY, "base_url": "http://[::1"}, "base_url"),
        ({"api_key": KEY, "base_url": "http://here:port"}, "base_url"),
        ({"api_key": f"{KEY}\u0142"}, "api_key"),
        ({"api_key": KEY, "temperature": 1}, "temperature"),
    ],
)
def test_settings_name_what_is_wrong(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Anthropic.Settings.model_validate(settings)
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]
    assert KEY not in str(caught.value)


# What stays hidden


def test_the_key_is_not_shown(engine: Anthropic) -> None:
    assert KEY not in repr(engine._settings)


async def test_the_address_is_the_configured_one(
    api: MessagesApi, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
    engine = make(base_url=None)
    assert str(engine._client.base_url) == "https://api.anthropic.com"


async def test_traces_hold_no_words(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "content")
    options = make()._client.open_telemetry
    assert options["traces"]["enabled"] is False
    assert options["traces"]["content_mode"] == "metadata_only"


IN_A_PROCESS = """
import asyncio, logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from openparallax.engines.anthropic import Anthropic
from openparallax.plugin import EngineError
assert "anthropic" not in sys.modules, "the SDK is loaded before it is used"
from tests.pipeline.doubles import make_tools, make_turn
settings = Anthropic.Settings(api_key=sys.argv[2], base_url=sys.argv[1])
async def main():
    engine = Anthropic(settings, make_tools())
    words = sys.stdin.read()
    print((await engine.answer(make_turn(words))).text)
    for _ in range(3):
        try:
            await engine.answer(make_turn(words))
        except EngineError as error:
            print(error)
    await engine.close()
asyncio.run(main())
"""


async def test_the_sdk_logs_nothing_whatever_the_environment(api: MessagesApi) -> None:
    api.will_say("fine")
    api.will_fail(400, message=CANARY)
    api.will_return(CANARY, "text/plain")
    api.will_say(CANARY, stop_reason="refusal")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IN_A_PROCESS, api.url, KEY,
        env={**os.environ, "ANTHROPIC_LOG": "debug", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(CANARY.encode()), 60)
    fine, *failures = out.decode().splitlines()
    assert fine == "fine", err.decode()
    assert len(failures) == 3
    assert CANARY not in str(failures)
    assert CANARY in api.asked[0].words[0][1][0]
    assert CANARY.encode() not in err
    assert KEY.encode() not in err
    assert b"anthropic" not in err


def test_it_comes_through_the_door(engine: Anthropic) -> None:
    (point,) = entry_points(group="openparallax.engines", name="anthropic")
    assert point.load() is Anthropic
    assert Anthropic.Settings.secret_variables == {"api_key": "ANTHROPIC_API_KEY"}
    assert engine.keeps_content is False
    assert engine.writes_markdown is True
