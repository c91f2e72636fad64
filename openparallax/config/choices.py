"""The engine and the stages: chosen by name, their settings checked by their own models."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from openparallax.config.document import Tree
from openparallax.config.homes import Homes
from openparallax.config.problems import Problems, Where, suggest
from openparallax.config.resolve import Resolver
from openparallax.config.secrets import NotFound, Sources
from openparallax.config.settings import DEFAULT_ENGINE, Catalog, EngineChoice, StageChoice
from openparallax.config.validate import validate
from openparallax.errors import ConfigError

DEFAULT_PIPELINE: Final[Tree] = [{"time_limit": {"seconds": 120}}]
_KEYLESS: Final = "echo"


class Choices:
    """Reads the parts of the file whose shape only plugins know.

    Each method returns None where something was wrong, and has noted it then.
    """

    def __init__(
        self, engines: Catalog, stages: Catalog, sources: Sources, problems: Problems, homes: Homes
    ) -> None:
        self._engines = engines
        self._stages = stages
        self._sources = sources
        self._problems = problems
        self._homes = homes

    def engine(self, given: Tree, where: Where) -> EngineChoice | None:
        """Read ``{type: NAME, …settings}``."""
        if not isinstance(given, Mapping):
            example = f"{where[-1]}: {{type: {_KEYLESS}}}"
            self._problems.add(where, f"must be a block of settings, such as `{example}`")
            return None
        name = self._name(given.get("type", DEFAULT_ENGINE), (*where, "type"), self._engines)
        model = self._model(name, where, self._engines)
        if name is None or model is None:
            return None
        way_out = ""
        if name != _KEYLESS and _KEYLESS in set(self._engines):
            way_out = (
                f"; or choose the engine that needs no key: `{where[-1]}: {{type: {_KEYLESS}}}`"
            )
        own = {key: value for key, value in given.items() if key != "type"}
        settings = self._settings(model, own, where, name, way_out)
        if settings is None:
            return None
        return EngineChoice(name, settings, self._problems.place(where))

    def pipeline(self, given: Tree, where: Where) -> tuple[StageChoice, ...] | None:
        """Read a list of ``NAME`` or ``{NAME: settings}``."""
        if not isinstance(given, list):
            self._problems.add(
                where, 'must be a list of stages: a line beginning with "- " for each; [] for none'
            )
            return None
        stages = [self._stage(one, (*where, index)) for index, one in enumerate(given)]
        return tuple(stage for stage in stages if stage is not None)

    def _stage(self, given: Tree, where: Where) -> StageChoice | None:
        own: Tree = {}
        named: Tree = given
        if isinstance(given, Mapping):
            if len(given) != 1:
                self._problems.add(
                    where,
                    "must be one stage: a name, or a name with its settings indented under it",
                )
                return None
            [(named, own)] = given.items()
        at = (*where, str(named)) if isinstance(given, Mapping) else where
        name = self._name(named, where, self._stages)
        model = self._model(name, where, self._stages)
        if name is None or model is None:
            return None
        if own is None:  # ``- shout:`` with nothing under it
            own = {}
        if not isinstance(own, Mapping):
            self._problems.add(at, "must be a block of settings, indented under it")
            return None
        settings = self._settings(model, own, at, name, "")
        if settings is None:
            return None
        return StageChoice(name, settings, self._problems.place(at))

    def _name(self, given: Tree, where: Where, catalog: Catalog) -> str | None:
        kind = "engine" if catalog is self._engines else "stage"
        if self._problems.blames(where):
            return None
        try:
            name = self._sources.expand(given) if isinstance(given, str) else None
        except NotFound as reason:
            self._problems.add(where, str(reason))
            return None
        known = sorted(catalog)
        if name is None or name not in known:
            near = suggest(name, known) if name else ""
            self._problems.add(
                where,
                f"names no {kind} that is installed{near} (known: {', '.join(known) or 'none'})",
            )
            return None
        return name

    def _model(self, name: str | None, where: Where, catalog: Catalog) -> type[BaseModel] | None:
        if name is None:
            return None
        try:
            return catalog[name]
        except ConfigError as error:
            for problem in error.problems:
                self._problems.add(where, problem)
            return None

    def _settings(
        self, model: type[BaseModel], own: Mapping[str, Tree], where: Where, name: str, way_out: str
    ) -> BaseModel | None:
        resolver = Resolver(self._sources, self._problems, self._homes)
        others = {"type"} if where[-1] == "engine" else set()
        tree = resolver.section(model, own, where, prefix=name, way_out=way_out, others=others)
        return validate(model, tree, where, self._problems, missing=resolver.missing)
