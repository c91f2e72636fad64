"""Engines and stages by name, as the command line and the daemon get them."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from pydantic import BaseModel

from openparallax.app import plugins
from openparallax.app.plugins import engine_catalog, load_engine, load_stages, stage_catalog
from openparallax.clock import SystemClock
from openparallax.config import EngineChoice, StageChoice
from openparallax.errors import ConfigError
from openparallax.logs import configure
from openparallax.plugin import PluginSettings, Tools

PARROT = """\
    from openparallax.plugin import PluginSettings, Reply

    class Parrot:
        keeps_content = False
        writes_markdown = False
        class Settings(PluginSettings):
            words: int = 3
        def __init__(self, settings, tools):
            self.settings = settings
        async def answer(self, turn):
            return Reply(text=turn.text)
        async def close(self):
            pass

    class Shout:
        def __init__(self, settings, tools): pass
        async def __call__(self, turn, call_next):
            return await call_next(turn)

    class Mute:
        keeps_content = False
        writes_markdown = False
        def __init__(self, settings, tools): pass

    class Undecided(Parrot):
        writes_markdown = None

    class Loose:
        Settings = dict

    class Fails:
        def __init__(self, settings, tools):
            raise RuntimeError("sesame")

    thing = 5
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with plugins of its own, on the path and in the entry points."""
    (tmp_path / "aviary.py").write_text(dedent(PARROT))
    (tmp_path / "aviary_broken.py").write_text("raise RuntimeError('sesame')\n")
    (tmp_path / "aviary_needs.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    engines = {
        "parrot": "aviary:Parrot",
        "mute": "aviary:Mute",
        "undecided": "aviary:Undecided",
        "loose": "aviary:Loose",
        "fails": "aviary:Fails",
        "thing": "aviary:thing",
        "nothing": "aviary:Nothing",
        "broken": "aviary_broken:Parrot",
        "needs": "aviary_needs:Parrot",
    }
    points = [EntryPoint(n, v, "openparallax.engines") for n, v in engines.items()]
    points += [EntryPoint("twice", v, "openparallax.engines") for v in ("a:A", "b:B")]
    points += [EntryPoint("shout", "aviary:Shout", "openparallax.stages")]
    points += [EntryPoint("thing", "aviary:Loose", "openparallax.stages")]

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    yield
    for name in ("aviary", "aviary_broken", "aviary_needs"):
        sys.modules.pop(name, None)


@pytest.fixture
def tools() -> Tools:
    return Tools(SystemClock(), configure(level="error"))


def _refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        call(*arguments)
    [problem] = raised.value.problems
    assert "sesame" not in problem
    return problem


def _engine(name: str, settings: BaseModel | None = None) -> EngineChoice:
    return EngineChoice(name, settings or PluginSettings())


def test_the_built_in_ones_come_through_the_same_door() -> None:
    assert {"anthropic", "echo"} <= set(engine_catalog())
    assert "time_limit" in set(stage_catalog())
    assert engine_catalog()["echo"] is PluginSettings
    assert stage_catalog()["time_limit"].model_fields.keys() == {"seconds"}


async def test_the_built_in_ones_can_be_made(tools: Tools) -> None:
    engine = load_engine(_engine("echo"), tools)
    settings = stage_catalog()["time_limit"](seconds=3)
    [stage] = load_stages((StageChoice("time_limit", settings),), tools)

    assert callable(stage)
    assert engine.keeps_content is False
    await engine.close()


@pytest.mark.usefixtures("package")
async def test_another_package_s_plugins(tools: Tools) -> None:
    assert len(engine_catalog()) == 10
    model = engine_catalog()["parrot"]
    engine = load_engine(_engine("parrot", model(words=5)), tools)
    stages = load_stages((StageChoice("shout", PluginSettings()),), tools)

    assert vars(engine)["settings"] == model(words=5)
    assert [type(stage).__name__ for stage in stages] == ["Shout"]
    await engine.close()


@pytest.mark.usefixtures("package")
def test_naming_them_imports_nothing() -> None:
    assert "needs" in engine_catalog()
    assert sorted(stage_catalog()) == ["shout", "thing"]
    assert "aviary" not in sys.modules


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "the engine broken is installed but could not be imported (RuntimeError at"),
        ("needs", "could not be imported (ModuleNotFoundError: no_such_package at aviary_needs.py"),
        ("nothing", "the engine nothing is installed but could not be imported (AttributeError"),
        ("loose", "the engine loose declares Settings that are no PluginSettings"),
        ("thing", "the engine thing is no class"),
        ("twice", "the engine twice is offered by several packages"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_said_in_words(name: str, said: str) -> None:
    assert said in _refused(engine_catalog().__getitem__, name)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mute", "the engine mute has no answer or no close method"),
        ("undecided", "the engine undecided does not say whether it writes markdown"),
        ("fails", "the engine fails could not be made (RuntimeError at aviary.py:"),
    ],
)
def test_what_was_made_must_be_an_engine(tools: Tools, name: str, said: str) -> None:
    assert said in _refused(load_engine, _engine(name), tools)


@pytest.mark.usefixtures("package")
def test_what_was_made_must_be_a_stage(tools: Tools) -> None:
    choice = StageChoice("thing", PluginSettings())

    assert "the stage thing could not be made" in _refused(load_stages, (choice,), tools)


def test_a_name_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        engine_catalog()["nothing of the sort"]
