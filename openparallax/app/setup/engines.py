"""The engines that are installed: what each must be given, and whether its key is one."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from openparallax import logs
from openparallax.app.plugins import close_all, load_engine
from openparallax.app.setup.answers import Kept
from openparallax.app.setup.word import Word, doubt, well
from openparallax.clock import SystemClock
from openparallax.config import Catalog, EngineChoice
from openparallax.config.shapes import is_secret
from openparallax.doctor import finding
from openparallax.doctor.engine import see_engine
from openparallax.errors import ConfigError
from openparallax.plugin import Tools

_ABOUT: Final[Mapping[str, str]] = {
    "anthropic": "Claude, with a key of Anthropic's",
    "echo": "says back what was said, for trying out, and needs no key",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A setting of an engine that has no default."""

    name: str
    about: str
    is_secret: bool


class Engines:
    """The engines that are installed.

    Args:
        catalog: With the models of their settings.
        environment: Of this process, for keys that are in variables.
    """

    def __init__(self, catalog: Catalog, environment: Mapping[str, str]) -> None:
        self._catalog = catalog
        self._environment = environment

    def names(self) -> dict[str, str]:
        """Each with what it is, the built-in ones first."""
        found = {name: _ABOUT[name] for name in _ABOUT if name in set(self._catalog)}
        for name in sorted(set(self._catalog) - set(found)):
            found[name] = "a plugin that is installed"
        return found

    def wants(self, name: str) -> list[Wanted]:
        """What has no default."""
        try:
            model = self._catalog[name]
        except ConfigError:
            return []
        return [
            Wanted(field.alias or key, _sentence(field.description), is_secret(field.annotation))
            for key, field in model.model_fields.items()
            if field.is_required()
        ]

    def of_environment(self, name: str, secret: str) -> Kept | None:
        """A secret that a variable holds."""
        try:
            variables: Mapping[str, str] = getattr(self._catalog[name], "secret_variables", {})
        except ConfigError:
            return None
        variable = variables.get(secret, "")
        value = self._environment.get(variable, "").strip()
        return Kept(f"${variable}", value) if value else None

    async def ask(self, name: str, settings: Mapping[str, str]) -> tuple[Word, ...]:
        """Have the engine look after itself with these settings, if it can.

        What it finds is a doubt and no more: it cannot tell a wrong key from a bad day.
        """
        tools = Tools(clock=SystemClock(), log=logs.configure(level="error"))
        try:
            made = self._catalog[name].model_validate(dict(settings))
            engine = load_engine(EngineChoice(name, made), tools)
        except (ConfigError, ValidationError):
            return (doubt("The engine does not take that."),)
        try:
            if not hasattr(engine, "check"):
                return ()
            found = await see_engine(name, engine)
        finally:
            await close_all([engine], tools.log)
        return tuple(
            well(one.says) if one.level is finding.Level.OK else doubt(one.says) for one in found
        )


def _sentence(text: str | None) -> str:
    return inspect.cleandoc(text or "no description").rstrip(".")
