"""Engines and stages by name, as the command line and the daemon get them."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from openparallax.app import plugins
from openparallax.app.plugins import (
    close_all,
    engine_catalog,
    keepers,
    load_engine,
    load_stages,
    stage_catalog,
)
from openparallax.clock import SystemClock
from openparallax.config import EngineChoice, StageChoice
from openparallax.errors import ConfigError
from openparallax.logs import configure
from openparallax.plugin import PluginSettings, Tools
from tests.pipeline.doubles import RecordedLog

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
        keeps_content = False
        def __init__(self, settings, tools): pass
        async def __call__(self, turn, call_next):
            return await call_next(turn)

    class Mute:
        keeps_content = False
        writes_markdown = False
        def __init__(self, settings, tools): pass

    class Undecided(Parrot):
        writes_markdown = None

    class Silent(Shout):
        keeps_content = None

    class Ajar(Shout):
        close = "later"

    class Loose(Parrot):
        Settings = dict

    class Fails(Parrot):
        def __init__(self, settings, tools):
            raise RuntimeError("sesame")

    class Exits(Parrot):
        def __init__(self, settings, tools):
            raise SystemExit("sesame")

    class Diary(Parrot):
        keeps_content = True

    class Ledger(Shout):
        keeps_content = True

    thing = 5
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with plugins of its own, on the path and in the entry points."""
    (tmp_path / "aviary.py").write_text(dedent(PARROT))
    (tmp_path / "aviary_broken.py").write_text("raise RuntimeError('sesame')\n")
    (tmp_path / "aviary_exits.py").write_text("raise SystemExit('sesame')\n")
    (tmp_path / "aviary_needs.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    engines = {
        "parrot": "aviary:Parrot",
        "mute": "aviary:Mute",
        "undecided": "aviary:Undecided",
        "loose": "aviary:Loose",
        "fails": "aviary:Fails",
        "exits": "aviary:Exits",
        "diary": "aviary:Diary",
        "leaves": "aviary_exits:Parrot",
        "thing": "aviary:thing",
        "nothing": "aviary:Nothing",
        "broken": "aviary_broken:Parrot",
        "needs": "aviary_needs:Parrot",
    }
    points = [EntryPoint(n, v, "openparallax.engines") for n, v in engines.items()]
    points += [EntryPoint("twice", v, "openparallax.engines") for v in ("a:A", "b:B")]
    stages = {
        "shout": "aviary:Shout",
        "thing": "aviary:Loose",
        "silent": "aviary:Silent",
        "ajar": "aviary:Ajar",
        "ledger": "aviary:Ledger",
    }
    points += [EntryPoint(n, v, "openparallax.stages") for n, v in stages.items()]

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    yield
    for name in ("aviary", "aviary_broken", "aviary_exits", "aviary_needs"):
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
    assert len(engine_catalog()) == 13
    model = engine_catalog()["parrot"]
    engine = load_engine(_engine("parrot", model(words=5)), tools)
    stages = load_stages((StageChoice("shout", PluginSettings()),), tools)

    assert vars(engine)["settings"] == model(words=5)
    assert [type(stage).__name__ for stage in stages] == ["Shout"]
    await engine.close()


@pytest.mark.usefixtures("package")
def test_naming_them_imports_nothing() -> None:
    assert "needs" in engine_catalog()
    assert sorted(stage_catalog()) == ["ajar", "ledger", "shout", "silent", "thing"]
    assert "aviary" not in sys.modules


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "the engine broken is installed but could not be imported (RuntimeError at"),
        ("needs", "could not be imported (ModuleNotFoundError: no_such_package at aviary_needs.py"),
        ("leaves", "the engine leaves is installed but could not be imported (SystemExit at"),
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
        ("mute", "the engine mute (Mute) has no method answer"),
        ("undecided", "the engine undecided does not say whether it writes markdown"),
        ("fails", "the engine fails could not be made (RuntimeError at aviary.py:"),
        ("exits", "the engine exits could not be made (SystemExit at aviary.py:"),
    ],
)
def test_what_was_made_must_be_an_engine(tools: Tools, name: str, said: str) -> None:
    assert said in _refused(load_engine, _engine(name), tools)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("thing", "the stage thing (Loose) has no method __call__"),
        ("silent", "the stage silent does not say whether it keeps content"),
        ("ajar", "the stage ajar has a close that cannot be called"),
    ],
)
def test_what_was_made_must_be_a_stage(tools: Tools, name: str, said: str) -> None:
    choice = StageChoice(name, PluginSettings())

    assert said in _refused(load_stages, (choice,), tools)


@pytest.mark.usefixtures("package")
def test_what_is_found_out_late_is_said_with_its_place_and_all_at_once(tools: Tools) -> None:
    fails = EngineChoice("fails", PluginSettings(), place="c.yaml:3: engine")
    stages = [
        StageChoice(name, PluginSettings(), place=f"c.yaml:{line}: pipeline.{line - 5}")
        for line, name in enumerate(("silent", "shout", "ajar"), 5)
    ]

    assert _refused(load_engine, fails, tools).startswith("c.yaml:3: engine: the engine fails coul")
    with pytest.raises(ConfigError) as raised:
        load_stages(stages, tools)
    assert raised.value.problems == [
        "c.yaml:5: pipeline.0: the stage silent does not say whether it keeps content",
        "c.yaml:7: pipeline.2: the stage ajar has a close that cannot be called",
    ]


@pytest.mark.usefixtures("package")
def test_who_keeps_content_is_known_before_anything_is_made() -> None:
    def kept_by(
        engine: str, *stages: str, off: str | None = None, stages_off: tuple[str, ...] | None = None
    ) -> list[str]:
        def choices(names: tuple[str, ...]) -> tuple[StageChoice, ...]:
            return tuple(StageChoice(name, PluginSettings()) for name in names)

        settings = SimpleNamespace(
            engine=_engine(engine),
            pipeline=choices(stages),
            off_the_record=SimpleNamespace(
                engine=off and _engine(off),
                pipeline=None if stages_off is None else choices(stages_off),
            ),
        )
        return keepers(settings)  # type: ignore[arg-type]

    assert kept_by("parrot", "shout") == []
    assert kept_by("diary", "ledger", "shout") == ["diary", "ledger"]
    assert kept_by("diary", off="parrot") == []
    assert kept_by("parrot", "ledger", stages_off=()) == []
    assert kept_by("parrot", off="diary", stages_off=("ledger",)) == ["diary", "ledger"]


class Closing:
    """Something with a close, which does what it is told."""

    def __init__(self, close: Callable[[], object]) -> None:
        self.closed = 0
        self._close = close

    def close(self) -> object:
        self.closed += 1
        return self._close()


async def test_everything_is_closed_once_whatever_the_others_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plugins, "CLOSE_S", 0.05)
    never = asyncio.Event()
    ends: list[str] = []

    def fails() -> None:
        raise RuntimeError("sesame")

    def exits() -> None:
        raise SystemExit("sesame")

    async def hangs() -> None:
        await never.wait()

    async def cancels() -> None:
        raise asyncio.CancelledError

    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await never.wait()
        await never.wait()

    async def lets_go() -> None:
        await asyncio.sleep(0)
        ends.append("async")

    does = [fails, exits, hangs, cancels, stubborn, lets_go, lambda: ends.append("plain")]
    things = [Closing(close) for close in does]
    log = RecordedLog()

    await close_all([*things, object(), *things], log)

    assert [thing.closed for thing in things] == [1] * len(things)
    assert sorted(ends) == ["async", "plain"]
    assert [(level, event) for level, event, _ in log.lines] == [
        ("warning", "plugin_not_closed")
    ] * 5
    assert sorted("seconds" in keys for *_, keys in log.lines) == [False, False, False, True, True]
    assert {keys["name"] for *_, keys in log.lines} == {"Closing"}
    await asyncio.sleep(0)
    never.set()  # so that the stubborn one ends before the test does


async def test_nothing_to_close_is_closed_at_once() -> None:
    log = RecordedLog()
    await close_all([], log)
    await close_all([object()], log)
    assert log.lines == []


def test_a_name_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        engine_catalog()["nothing of the sort"]
