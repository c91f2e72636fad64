"""Each mode has its engine and its stages, and what keeps content is not used off the record."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from openparallax.app import plugins
from openparallax.session.notices import SENTENCES
from tests.plugins.aviary import Bird, Cage
from tests.town import ANN, Town

Open = Callable[..., AbstractAsyncContextManager[Town]]

KESTREL = {"type": "bird", "name": "kestrel"}
OWL = {"type": "bird", "name": "owl"}


@pytest.fixture
def town_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a town whose house has the aviary's engines and stages."""
    points = [
        EntryPoint("bird", "tests.plugins.aviary:Bird", "openparallax.engines"),
        EntryPoint("cage", "tests.plugins.aviary:Cage", "openparallax.stages"),
        EntryPoint("diary", "tests.plugins.aviary:Diary", "openparallax.stages"),
    ]
    installed = metadata.entry_points

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [*installed(group=group), *(one for one in points if one.group == group)]

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    monkeypatch.setattr(Bird, "made", [])
    monkeypatch.setattr(Cage, "made", [])

    @asynccontextmanager
    async def open_town(**changes: Any) -> AsyncIterator[Town]:
        async with Town(tmp_path, monkeypatch, changes=changes, own_engines=True) as town:
            yield town

    return open_town


async def test_each_mode_has_its_engine_and_its_stages(town_of: Open) -> None:
    off = {"engine": OWL, "pipeline": [{"cage": {"mark": "[]"}}]}
    async with town_of(engine=KESTREL, pipeline=["cage", "cage"], off_the_record=off) as town:
        await town.say(ANN, "who?")
        assert await town.hears(ANN, 1) == ["((kestrel))"]
        await town.say(ANN, "/otr and now?")
        assert "[owl]" in await town.hears(ANN, 3)
        await town.say(ANN, "/otr off")
        await town.hears(ANN, 4)
        await town.say(ANN, "and again?")
        assert (await town.hears(ANN, 5))[-1] == "((kestrel))"
    kestrel, owl = Bird.made
    assert [turn.text for turn in owl.turns] == ["and now?"]
    assert [turn.text for turn in kestrel.turns] == ["who?", "and again?"]
    assert [bird.closed for bird in Bird.made] == [1, 1]
    assert [cage.closed for cage in Cage.made] == [1, 1, 1]


async def test_without_their_own_both_modes_share_them(town_of: Open) -> None:
    async with town_of(engine=KESTREL, pipeline=["cage"]) as town:
        await town.say(ANN, "/otr who?")
        assert "(kestrel)" in await town.hears(ANN, 2)
    assert [bird.closed for bird in Bird.made] == [1]
    assert [cage.closed for cage in Cage.made] == [1]


KEEPING: dict[str, dict[str, Any]] = {
    "an engine": {"engine": {**KESTREL, "keeps": True}},
    "a stage": {"engine": KESTREL, "pipeline": ["cage", "diary"]},
    "an engine of its own": {
        "engine": KESTREL,
        "off_the_record": {"engine": {**OWL, "keeps": True}},
    },
    "a stage of its own": {"engine": KESTREL, "off_the_record": {"pipeline": ["diary"]}},
}


@pytest.mark.parametrize("changes", KEEPING.values(), ids=KEEPING)
async def test_where_something_keeps_content_otr_is_refused(
    town_of: Open, changes: dict[str, Any]
) -> None:
    async with town_of(**changes) as town:
        await town.say(ANN, "/otr confidential")
        assert await town.hears(ANN, 1) == [SENTENCES["otr_refused"]]
        await town.quiet()
        assert b"confidential" not in town.written()
    assert [turn for bird in Bird.made for turn in bird.turns] == []


async def test_what_keeps_content_may_serve_on_the_record(town_of: Open) -> None:
    off = {"engine": OWL, "pipeline": []}
    keeping = {**KESTREL, "keeps": True}
    async with town_of(engine=keeping, pipeline=["diary"], off_the_record=off) as town:
        await town.say(ANN, "who?")
        assert await town.hears(ANN, 1) == ["(kestrel)"]
        await town.say(ANN, "/otr and now?")
        assert "owl" in await town.hears(ANN, 3)
