"""Where a setting belongs that stands in the wrong block."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from pydantic import BaseModel

from openparallax.config.document import Tree
from openparallax.config.models import File
from openparallax.config.problems import Where, dotted
from openparallax.config.settings import DEFAULT_ENGINE, Catalog
from openparallax.config.shapes import is_model, is_secret, members
from openparallax.errors import ConfigError


class Homes:
    """Every setting of the file, of the engine that it names, and the names of all plugins."""

    def __init__(self, tree: Mapping[str, Tree], engines: Catalog, stages: Catalog) -> None:
        self._engines = set(engines)
        self._stages = set(stages)
        self._ways = list(_ways(File, ()))
        chosen = tree.get("engine")
        kind = chosen.get("type", DEFAULT_ENGINE) if isinstance(chosen, Mapping) else DEFAULT_ENGINE
        if isinstance(kind, str) and kind in self._engines:
            with suppress(ConfigError):  # it will be told where the engine is chosen
                self._ways += [("engine", key) for key in _keys(engines[kind])]

    def of(self, key: str, where: Where) -> str:
        """`` here: it belongs …`` for a key that is a setting elsewhere, else nothing.

        Args:
            key: What was found.
            where: The block that it was found in.
        """
        if not where and key in self._engines:
            return f": it is an engine; write `engine: {{type: {key}}}`"
        if not where and key in self._stages:
            return ": it is a stage; it belongs into the list under pipeline"
        places = [way[:-1] for way in self._ways if way[-1] == key]
        if not places or where in places:
            return ""
        names = [f"under {dotted(one)}" if one else "at the top level" for one in places]
        return f" here: it belongs {' or '.join(names)}"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name
        if is_secret(field.annotation):
            yield f"{field.alias or name}_env"


def _ways(model: type[BaseModel], where: Where) -> Iterator[Where]:
    yield from ((*where, key) for key in _keys(model))
    for name, field in model.model_fields.items():
        for member in members(field.annotation):
            if is_model(member):
                yield from _ways(member, (*where, name))
