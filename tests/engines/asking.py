"""Asking an engine of Anthropic's, and what must not be seen of it."""

import asyncio
from collections.abc import Callable

import pytest

from openparallax.engines.anthropic import Anthropic
from openparallax.plugin import EngineError
from tests.pipeline.doubles import make_turn

KEY = "sk-ant-key-that-nobody-may-see"
CANARY = "zebra-cantilever"
MARK = {"type": "ephemeral"}

Make = Callable[..., Anthropic]


async def failure(engine: Anthropic, text: str = CANARY) -> EngineError:
    """What `answer` raises; it must tell nothing, by itself nor by what it came from."""
    with pytest.raises(EngineError) as caught:
        async with asyncio.timeout(20):
            await engine.answer(make_turn(text))
    assert CANARY not in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value
