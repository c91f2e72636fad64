"""A town whose house asks the real engine, and a fake Messages API to be asked."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.messages_api import Asked, MessagesApi
from tests.town import Town

SYSTEM = "Be brief."


@asynccontextmanager
async def town_with_claude(
    folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any
) -> AsyncIterator[tuple[Town, MessagesApi]]:
    """A town and the API that it asks, which says back what it is asked last.

    In the end the API must have had nothing to complain of.
    """
    for name in os.environ:
        if name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    # The SDK's own wait before it tries again is a real one.
    monkeypatch.setattr("anthropic._base_client.INITIAL_RETRY_DELAY", 0.001)
    async with MessagesApi() as api:
        api.speak = lambda asked: f"re {asked.said}"
        engine = {
            "type": "anthropic",
            "api_key": "made-up",
            "base_url": api.url,
            "system_prompt": SYSTEM,
        }
        changes = {"engine": engine, **changes}
        async with Town(folder, monkeypatch, changes=changes, own_engines=True) as town:
            yield town, api
    assert api.faults == []


def conversation(*said: str) -> list[tuple[str, str]]:
    """What the model sees of ``said``, all of it but the last answered with ``re …``."""
    *answered, last = said
    seen = []
    for words in answered:
        seen += [("user", words), ("assistant", f"re {words}")]
    return [*seen, ("user", last)]


def seen(asked: Asked) -> str:
    """Everything that the model sees, in one piece."""
    return str(asked.body)
