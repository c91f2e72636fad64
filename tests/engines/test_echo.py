from importlib.metadata import entry_points

import pytest

from openparallax.engines.echo import Echo
from openparallax.plugin import Engine, PluginSettings, Reply
from tests.pipeline.doubles import make_tools, make_turn


def made() -> Engine:
    return Echo(PluginSettings(), make_tools())


@pytest.mark.parametrize("text", ["Hello", "*not* `markdown`\n\n", "\U0001f44d\U0001f3fd", " "])
async def test_it_says_exactly_what_was_said(text: str) -> None:
    engine = made()
    assert await engine.answer(make_turn(text)) == Reply(text=text)
    await engine.close()


def test_it_keeps_nothing_and_writes_no_markdown() -> None:
    engine = made()
    assert engine.keeps_content is False
    assert engine.writes_markdown is False


def test_it_comes_through_the_door() -> None:
    (point,) = entry_points(group="openparallax.engines", name="echo")
    assert point.load() is Echo
