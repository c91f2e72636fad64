"""`Anthropic.check`: what the doctor asks, and what it says of each thing that may be wrong."""

from typing import Any

import pytest

from openparallax.doctor.engine import see_engine
from openparallax.doctor.finding import Finding, Level
from openparallax.engines import anthropic
from openparallax.engines.anthropic import Anthropic
from openparallax.engines.echo import Echo
from openparallax.plugin import EngineError, PluginSettings
from tests.engines.asking import KEY, Make
from tests.fakes.messages_api import MessagesApi
from tests.pipeline.doubles import make_tools

MODEL = {"id": "claude-sonnet-5-5", "type": "model", "display_name": "Sonnet"}


async def found_of(engine: Any) -> Finding:
    [one] = await see_engine("anthropic", engine)
    assert KEY not in one.says
    return one


async def test_the_model_is_looked_up_and_nothing_is_spent(
    api: MessagesApi, engine: Anthropic
) -> None:
    api.will_return(MODEL)
    one = await found_of(engine)
    assert one.level is Level.OK
    assert [asked.path for asked in api.asked] == ["/v1/models/claude-sonnet-5-5"]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "the API key is not valid"),
        (403, "the API key may not do this"),
        (429, "rate limit is reached"),
        (500, "the API failed"),
        (529, "overloaded"),
    ],
)
async def test_what_is_wrong_has_its_sentence(
    api: MessagesApi, engine: Anthropic, status: int, says: str
) -> None:
    api.will_fail(status)
    one = await found_of(engine)
    assert (one.level, one.check) == (Level.FAILURE, "engine.reachable")
    assert says in one.says
    assert len(api.asked) == 1, "asked once, not again and again"


async def test_an_unknown_model_of_anthropics_own(
    api: MessagesApi, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic, "ADDRESS", api.url)
    api.will_fail(404)
    one = await found_of(make(base_url=None, model="claude-nonesuch"))
    assert "there is no such model" in one.says
    assert len(api.asked) == 1, "no token is spent on it"


async def test_a_server_that_knows_no_models_is_asked_for_one_token(
    api: MessagesApi, engine: Anthropic
) -> None:
    api.will_fail(404)
    assert (await found_of(engine)).level is Level.OK
    assert [asked.path for asked in api.asked][1:] == ["/v1/messages"]
    assert api.asked[1].body["max_tokens"] == 1
    assert "system" not in api.asked[1].body


async def test_a_server_that_knows_neither(api: MessagesApi, engine: Anthropic) -> None:
    api.will_fail(404, times=2)
    assert "no such model or address" in (await found_of(engine)).says


async def test_another_page_at_the_address(api: MessagesApi, engine: Anthropic) -> None:
    api.will_return("<html>welcome</html>", "text/html")
    assert "something else than a message" in (await found_of(engine)).says


async def test_no_network(make: Make) -> None:
    one = await found_of(make(base_url="http://127.0.0.1:9"))
    assert "could not be reached: check the network" in one.says


async def test_one_that_does_not_answer(
    api: MessagesApi, engine: Anthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic, "CHECK_S", 0.05)
    api.will_stall()
    assert "did not answer in time" in (await found_of(engine)).says
    api.release()


async def test_echo_has_nothing_to_examine() -> None:
    [one] = await see_engine("echo", Echo(PluginSettings(), make_tools()))
    assert (one.level, one.says) == (Level.OK, "The engine echo has nothing to examine.")


class _Odd:
    """A plugin whose check is not as it should be."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def check(self) -> None:
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (None, "can be reached"),
        (EngineError("The key is gone."), "The engine odd cannot answer: The key is gone."),
        (ValueError("words of somebody"), "could not examine itself (ValueError)"),
    ],
)
async def test_a_plugins_own_check(error: Exception | None, says: str) -> None:
    [one] = await see_engine("odd", _Odd(error))
    assert says in one.says
    assert "words" not in one.says
