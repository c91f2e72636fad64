"""The fake is as strict as the real API, so that what it takes, the real one takes."""

from typing import Any

import pytest

from openparallax.engines.anthropic import Anthropic
from tests.engines.asking import KEY, MARK
from tests.fakes.messages_api import Asked, MessagesApi, faults_of
from tests.pipeline.doubles import make_tools, make_turn

HEADERS = {"x-api-key": "k", "anthropic-version": "1", "content-type": "application/json"}


def says(role: str, *texts: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text, **more} for text in texts]}


def faults(**changes: Any) -> list[str]:
    body = {"model": "m", "max_tokens": 1, "messages": [says("user", "Hi")], **changes}
    return list(faults_of("POST", Asked("/v1/messages", HEADERS, body)))


def test_what_is_right_has_no_fault() -> None:
    assert faults() == []
    talk = [says("user", "a", "b"), says("assistant", "c"), says("user", "d", cache_control=MARK)]
    assert faults(messages=talk, system=[{"type": "text", "text": "s"}]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"model": ""},
        {"max_tokens": None},
        {"max_tokens": 0},
        {"stream_everything": True},
        {"messages": []},
        {"messages": [says("assistant", "a")]},
        {"messages": [says("user", "a"), says("user", "b")]},
        {"messages": [says("user", "a"), says("assistant", "b")]},
        {"messages": [says("user")]},
        {"messages": [says("user", " \n")]},
        {"messages": [says("user", "a", colour="red")]},
        {"messages": [says("user", *"abcde", cache_control=MARK)]},
        {"messages": [says("user", "a", cache_control={"type": "eternal"})]},
        {"system": [{"type": "text", "text": ""}]},
    ],
)
def test_what_the_api_refuses_is_a_fault(changes: dict[str, Any]) -> None:
    assert len(faults(**changes)) == 1


@pytest.mark.parametrize("missing", HEADERS)
def test_headers_are_wanted(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    body = {"model": "m", "max_tokens": 1, "messages": [says("user", "Hi")]}
    assert len(list(faults_of("POST", Asked("/v1/messages", headers, body)))) == 1


async def test_a_fault_is_answered_and_noted() -> None:
    async with MessagesApi() as api:
        settings = Anthropic.Settings.model_validate(
            {"api_key": KEY, "base_url": f"{api.url}/elsewhere"}
        )
        engine = Anthropic(settings, make_tools())
        with pytest.raises(Exception, match="answered 400"):
            await engine.answer(make_turn())
        assert api.faults == ["POST /elsewhere/v1/messages is not in the API"]
        await engine.close()
