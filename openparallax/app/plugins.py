"""Engines and stages by name, through the entry points of whatever is installed.

The built-in ones come through the same door. A plugin is imported when its name is asked for and
not before, so that an engine that is not used costs nothing.
"""

import asyncio
import inspect
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel

from openparallax.config import Catalog, EngineChoice, Settings, StageChoice
from openparallax.errors import ConfigError
from openparallax.logs import Logger, PluginLogger
from openparallax.plugin import Engine, Stage, Tools, settings_of

Kind = Literal["engine", "stage"]

_METHODS: dict[Kind, tuple[str, ...]] = {"engine": ("answer", "close"), "stage": ("__call__",)}

_RENDERER = "openparallax.rendering.document"
"""Imported when the first Markdown is to be rendered, which is on the loop."""

CLOSE_S = 2.0
"""How long a plugin may take to let go of what it holds."""


def engine_catalog() -> Catalog:
    """The engines that are installed, with the models of their settings."""
    return _Plugins("engine")


def stage_catalog() -> Catalog:
    """The stages that are installed, with the models of their settings."""
    return _Plugins("stage")


def load_engine(choice: EngineChoice, tools: Tools) -> Engine:
    """Make the engine of the configuration; to be handed to `close_all` in the end.

    Raises:
        ConfigError: The plugin cannot be imported or made, or is no engine.
    """
    with _placed(choice):
        made = _Plugins("engine").make(choice.type, choice.settings, tools)
        for name in ("keeps_content", "writes_markdown"):
            if not isinstance(getattr(made, name, None), bool):
                raise ConfigError(
                    [f"the engine {choice.type} does not say whether it {_says(name)}"]
                )
        if not (callable(getattr(made, "answer", None)) and callable(getattr(made, "close", None))):
            raise ConfigError([f"the engine {choice.type} has no answer or no close method"])
        return cast("Engine", made)


def load_stages(choices: Sequence[StageChoice], tools: Tools) -> tuple[Stage, ...]:
    """Make the stages of the configuration, in its order; `close_all` is for them too.

    Raises:
        ConfigError: A plugin cannot be imported or made, or is no stage.
    """
    made: list[Stage] = []
    wrong: list[str] = []
    for choice in choices:
        try:
            made.append(_load_stage(choice, tools))
        except ConfigError as error:
            wrong += error.problems
    if wrong:
        raise ConfigError(wrong)
    return tuple(made)


def keepers(settings: Settings) -> list[str]:
    """Who would answer off the record and says of itself that it keeps content; made is nothing.

    One that only says so once it is made is not among them.

    Raises:
        ConfigError: A plugin cannot be imported.
    """
    off = settings.off_the_record
    engine = (off.engine or settings.engine).type
    stages = settings.pipeline if off.pipeline is None else off.pipeline
    classes = [(engine, _Plugins("engine").plugin(engine))]
    classes += [(stage.name, _Plugins("stage").plugin(stage.name)) for stage in stages]
    return [name for name, plugin in classes if getattr(plugin, "keeps_content", False) is True]


def import_ahead(settings: Settings) -> None:
    """Import what engines and stages import only when they are made; for a thread.

    They name it in ``imports``. What cannot be imported is found out, and told, when they are made.
    """
    aside = settings.off_the_record
    engines = {one.type for one in (settings.engine, aside.engine) if one is not None}
    stages = {one.name for one in (*settings.pipeline, *(aside.pipeline or ()))}
    kinds = (_Plugins("engine"), engines), (_Plugins("stage"), stages)
    for plugin in (known.plugin(name) for known, names in kinds for name in names):
        late = [_RENDERER] if getattr(plugin, "writes_markdown", False) is True else []
        for module in (*getattr(plugin, "imports", ()), *late):
            with suppress(Exception, SystemExit):
                import_module(module)


async def close_all(plugins: Collection[object], log: Logger) -> None:
    """Close every engine and stage that has something to close, once each and all together.

    ``close`` may be async or not; one that is not is called on the loop and has to be quick. What
    fails or takes longer than `CLOSE_S` is logged and left behind.
    """
    once = {id(plugin): plugin for plugin in plugins}.values()
    closing = {
        asyncio.create_task(_close(plugin)): type(plugin).__name__
        for plugin in once
        if callable(getattr(plugin, "close", None))
    }
    if not closing:
        return
    done, late = await asyncio.wait(closing, timeout=CLOSE_S)
    for task in done:
        error = asyncio.CancelledError() if task.cancelled() else task.result()
        if error is not None:
            log.warning("plugin_not_closed", name=closing[task], exc_info=error)
    for task in late:
        task.cancel()
        log.warning("plugin_not_closed", name=closing[task], seconds=CLOSE_S)


async def _close(plugin: Any) -> BaseException | None:
    """What it raised: an exception that nobody looked at would be reported with its words."""
    try:
        closing = plugin.close()
        if inspect.isawaitable(closing):
            await closing
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        return error
    return None


def _load_stage(choice: StageChoice, tools: Tools) -> Stage:
    with _placed(choice):
        stage = _Plugins("stage").make(choice.name, choice.settings, tools)
        if wrong := list(_wrong_with_stage(choice.name, stage)):
            raise ConfigError(wrong)
        return cast("Stage", stage)


@contextmanager
def _placed(choice: EngineChoice | StageChoice) -> Iterator[None]:
    """Put file, line and key before what is found out only when the plugin is made."""
    try:
        yield
    except ConfigError as error:
        place = f"{choice.place}: " if choice.place else ""
        raise ConfigError([f"{place}{problem}" for problem in error.problems]) from None


def _wrong_with_stage(name: str, stage: object) -> Iterator[str]:
    if not callable(stage):
        yield f"the stage {name} cannot be called"
    elif not isinstance(getattr(stage, "keeps_content", None), bool):
        yield f"the stage {name} does not say whether it {_says('keeps_content')}"
    if not callable(getattr(stage, "close", _close)):
        yield f"the stage {name} has a close that cannot be called"


class _Plugins(Mapping[str, type[BaseModel]]):
    """One kind of plugin; ``[name]`` imports it."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._points: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=f"openparallax.{kind}s"):
            self._points.setdefault(point.name, []).append(point)

    def __getitem__(self, name: str) -> type[BaseModel]:
        plugin = self.plugin(name)
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
        plugin = self.plugin(name)
        try:
            return plugin(settings, replace(tools, log=PluginLogger(tools.log, name)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it may be anything, and quote
            raise ConfigError(
                [f"the {self._kind} {name} could not be made ({_what_and_where(error)})"]
            ) from None

    def plugin(self, name: str) -> type[Any]:
        """Import it."""
        points = self._points[name]
        if len({point.value for point in points}) > 1:
            packages = sorted({point.dist.name if point.dist else "?" for point in points})
            raise ConfigError(
                [f"the {self._kind} {name} is offered by several packages: {', '.join(packages)}"]
            )
        try:
            plugin = points[0].load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs foreign code
            why = f"is installed but could not be imported ({_what_and_where(error)})"
            raise ConfigError([f"the {self._kind} {name} {why}"]) from None
        if not isinstance(plugin, type):
            raise ConfigError([f"the {self._kind} {name} is no class"])
        lacking = [one for one in _METHODS[self._kind] if not _has_method(plugin, one)]
        if lacking:
            raise ConfigError(
                [f"the {self._kind} {name} ({plugin.__name__}) has no method {lacking[0]}"]
            )
        return plugin


def _has_method(plugin: type[Any], name: str) -> bool:
    # Not getattr alone: every class can be called, which says nothing of what it makes.
    return any(callable(vars(base).get(name)) for base in plugin.__mro__)


def _what_and_where(error: BaseException) -> str:
    """The type, what was missing if a module was, and the last frame; no foreign message."""
    what = type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name:
        what += f": {error.name}"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{what} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else what


def _says(name: str) -> str:
    return name.replace("_", " ")
