import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from openparallax.engines.anthropic import Anthropic
from tests.engines.asking import KEY, Make
from tests.fakes.messages_api import MessagesApi
from tests.pipeline.doubles import RecordedLog, make_tools


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().endswith("_PROXY") or name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


@pytest_asyncio.fixture
async def api() -> AsyncIterator[MessagesApi]:
    """The fake; at the end it must have had nothing to complain of."""
    async with MessagesApi() as api:
        yield api
    assert api.faults == []


@pytest.fixture
def log() -> RecordedLog:
    return RecordedLog()


@pytest_asyncio.fixture
async def make(api: MessagesApi, log: RecordedLog) -> AsyncIterator[Make]:
    """Makes engines that ask the fake, and closes them."""
    made: list[Anthropic] = []

    def make(**settings: Any) -> Anthropic:
        given = {"api_key": KEY, "base_url": api.url, **settings}
        engine = Anthropic(Anthropic.Settings.model_validate(given), make_tools(log=log))
        made.append(engine)
        return engine

    yield make
    for engine in made:
        await engine.close()


@pytest.fixture
def engine(make: Make) -> Anthropic:
    return make()
