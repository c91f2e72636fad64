"""What an engine writes as Markdown, and what of it the person and the engine see."""

import pytest

from openparallax.plugin import Reply, Turn
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.flow.records import begin, both_modes
from tests.town import ANN, Town

WRITTEN = "# Plan\n\nIt is **bold**, `snake_case` and [here](https://a.example/b_c)."
SHOWN = "*Plan*\n\nIt is *bold*, `snake_case` and here: https://a.example/b_c."


async def write(_turn: Turn) -> Reply:
    return Reply(text=WRITTEN)


@both_modes
async def test_markdown_is_rendered_for_the_person_and_stays_itself_for_the_engine(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    engine.writes_markdown = True
    await town.restart()
    await begin(town, mode)
    engine.answer_with = write
    await town.say(ANN, "one")
    await town.until(lambda: town.heard(ANN)[-1:] == [SHOWN])
    await town.say(ANN, "two")
    await town.until(lambda: town.heard(ANN)[-2:] == [SHOWN, SHOWN])
    assert ("engine", WRITTEN) in [(one.role, one.text) for one in engine.asked[-1].history]
    assert SHOWN not in [one.text for one in engine.asked[-1].history]


async def test_a_long_answer_is_rendered_too(town: Town, engine: FakeEngine) -> None:
    async def at_length(_turn: Turn) -> Reply:
        return Reply(text="\n\n".join(f"**{n}** " + "word " * 100 for n in range(20)))

    engine.writes_markdown = True
    engine.answer_with = at_length
    await town.restart()
    await town.post(meta.text(ANN, "tell me"))
    heard = "\n".join(await town.hears(ANN, 3))
    assert "**" not in heard
    assert all(f"*{n}* word" in heard for n in range(20))


async def test_what_an_engine_without_markdown_writes_is_sent_as_it_is(
    town: Town, engine: FakeEngine
) -> None:
    engine.answer_with = write
    await town.say(ANN, "one")
    assert await town.hears(ANN, 1) == [WRITTEN]


@pytest.mark.parametrize("signs", ["**", "[](#)", "> ", "<!-- -->"])
async def test_signs_alone_are_never_silence(town: Town, engine: FakeEngine, signs: str) -> None:
    async def only_signs(_turn: Turn) -> Reply:
        return Reply(text=signs)

    engine.writes_markdown = True
    engine.answer_with = only_signs
    await town.restart()
    await town.say(ANN, "one")
    [heard] = await town.hears(ANN, 1)
    assert heard.strip()
