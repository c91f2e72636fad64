"""Engines and stages by name, through the entry points of whatever is installed.

The built-in ones come through the same door. A plugin is imported when its name is asked for and
not before, so that an engine that is not used costs nothing.
"""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel

from openparallax.config import Catalog, EngineChoice, StageChoice
from openparallax.errors import ConfigError
from openparallax.plugin import Engine, Stage, Tools, settings_of

Kind = Literal["engine", "stage"]


def engine_catalog() -> Catalog:
    """The engines that are installed, with the models of their settings."""
    return _Plugins("engine")


def stage_catalog() -> Catalog:
    """The stages that are installed, with the models of their settings."""
    return _Plugins("stage")


def load_engine(choice: EngineChoice, tools: Tools) -> Engine:
    """Make the engine of the configuration; `Engine.close` is the caller's to call.

    Raises:
        ConfigError: The plugin cannot be imported or made, or is no engine.
    """
    made = _Plugins("engine").make(choice.type, choice.settings, tools)
    for name in ("keeps_content", "writes_markdown"):
        if not isinstance(getattr(made, name, None), bool):
            raise ConfigError([f"the engine {choice.type} does not say whether it {_says(name)}"])
    if not (callable(getattr(made, "answer", None)) and callable(getattr(made, "close", None))):
        raise ConfigError([f"the engine {choice.type} has no answer or no close method"])
    return cast("Engine", made)


def load_stages(choices: Sequence[StageChoice], tools: Tools) -> tuple[Stage, ...]:
    """Make the stages of the configuration, in its order.

    Raises:
        ConfigError: A plugin cannot be imported or made, or is no stage.
    """
    plugins = _Plugins("stage")
    made = [(choice.name, plugins.make(choice.name, choice.settings, tools)) for choice in choices]
    wrong = [f"the stage {name} cannot be called" for name, stage in made if not callable(stage)]
    if wrong:
        raise ConfigError(wrong)
    return tuple(cast("Stage", stage) for _, stage in made)


class _Plugins(Mapping[str, type[BaseModel]]):
    """One kind of plugin; ``[name]`` imports it."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._points: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=f"openparallax.{kind}s"):
            self._points.setdefault(point.name, []).append(point)

    def __getitem__(self, name: str) -> type[BaseModel]:
        plugin = self._plugin(name)
        try:
            return settings_of(plugin)
        except TypeError:
            raise ConfigError(
                [f"the {self._kind} {name} declares Settings that are no PluginSettings"]
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._points  # without the import that [name] would do

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def make(self, name: str, settings: BaseModel, tools: Tools) -> object:
        plugin = self._plugin(name)
        try:
            return plugin(settings, tools)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; its text may quote
            raise ConfigError(
                [f"the {self._kind} {name} could not be made ({_what_and_where(error)})"]
            ) from None

    def _plugin(self, name: str) -> type[Any]:
        points = self._points[name]
        if len({point.value for point in points}) > 1:
            packages = sorted({point.dist.name if point.dist else "?" for point in points})
            raise ConfigError(
                [f"the {self._kind} {name} is offered by several packages: {', '.join(packages)}"]
            )
        try:
            plugin = points[0].load()
        except Exception as error:  # noqa: BLE001 - importing a plugin runs foreign code
            why = f"is installed but could not be imported ({_what_and_where(error)})"
            raise ConfigError([f"the {self._kind} {name} {why}"]) from None
        if not isinstance(plugin, type):
            raise ConfigError([f"the {self._kind} {name} is no class"])
        return plugin


def _what_and_where(error: Exception) -> str:
    """The type, what was missing if a module was, and the last frame; no foreign message."""
    what = type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name:
        what += f": {error.name}"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{what} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else what


def _says(name: str) -> str:
    return name.replace("_", " ")
