"""PUBLIC: all that an engine or a stage may import.

An engine or a stage is a class named in an entry point (``openparallax.engines``,
``openparallax.stages``) and in the configuration. It is made as ``Class(settings, tools)``, where
``settings`` is an instance of its own ``Settings`` (a frozen, strict model; its errors carry the
key like all others). The built-in ones use this same door and nothing else of the house.

Either may name in ``imports`` modules that take long to import, and import them only where it is
made: a reload then imports them on a thread, and messages are taken meanwhile.

Beside what `Engine` asks for, an engine may have ``async def check(self) -> None``: it sees whether
it could answer, with the key and the model that it was given, spends a token at most, and raises
`EngineError` with a sentence that quotes neither. ``openparallax doctor`` calls it, for at most
half a minute, and no turn runs then.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SecretStr

from openparallax.clock import Clock
from openparallax.logs import Logger
from openparallax.model.session import Mode
from openparallax.model.turn import Chat, Message, Quoted, Reply, Spoken, Turn
from openparallax.pipeline import Engine, EngineError, Next, Stage, TooSlow

__all__ = [
    "Chat",
    "Engine",
    "EngineError",
    "Message",
    "Mode",
    "Next",
    "PluginSettings",
    "Quoted",
    "Reply",
    "SecretStr",
    "Spoken",
    "Stage",
    "TooSlow",
    "Tools",
    "Turn",
]


class PluginSettings(BaseModel):
    """Base of a plugin's settings: frozen, strict, unknown keys refused.

    A field typed ``SecretStr`` is a secret: in the configuration it may also be given as
    ``KEY_env: NAME``. ``secret_variables`` names the environment variable that is read when the
    file says nothing about such a field.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    secret_variables: ClassVar[dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Tools:
    """What a plugin is given: a clock, and a logger that drops what may carry words."""

    clock: Clock
    log: Logger


def settings_of(plugin: type[Any]) -> type[PluginSettings]:
    """The settings model that ``plugin`` declares, or the empty one."""
    declared = getattr(plugin, "Settings", PluginSettings)
    if not (isinstance(declared, type) and issubclass(declared, PluginSettings)):
        raise TypeError(f"{plugin.__module__}.{plugin.__qualname__}.Settings is no PluginSettings")
    return declared
