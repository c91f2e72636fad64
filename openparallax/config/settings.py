"""What the rest of the house gets to see of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from openparallax.config.models import Admin, Conversation, Log, Outbox
from openparallax.config.secrets import Origin
from openparallax.config.watching import Alerts, Tracing
from openparallax.config.whatsapp import WhatsApp

DEFAULT_ENGINE: Final = "anthropic"

Catalog = Mapping[str, type[BaseModel]]
"""Name of an engine or a stage -> the model of its settings.

Names come from iterating. ``[name]`` may import the plugin, and raises `ConfigError` where that
fails. A model may name, as the class variable ``secret_variables``, the environment variables that
its secrets are read from when the file says nothing.
"""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine answers, its own settings, and where the file says so (file:line: key)."""

    type: str
    settings: BaseModel
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class StageChoice:
    """One stage of the pipeline, its own settings, and where the file names it."""

    name: str
    settings: BaseModel
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class OffTheRecord:
    """What differs off the record; None: the same as on the record."""

    idle_minutes: float
    engine: EngineChoice | None
    pipeline: tuple[StageChoice, ...] | None


@dataclass(frozen=True, slots=True)
class Storage:
    path: Path
    """The database's file; absolute, its folder perhaps not there yet."""
    retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration, checked.

    Attributes:
        file: Where it was read from.
        pipeline: The stages, outermost first.
        notices: Name of a sentence of the daemon -> the operator's own wording.
        warnings: Sentences that the operator should see at every start; no values.
        origins: Where secrets were read from that do not stand in the file, by dotted key. Of
            ``file`` ones a new value is taken while the daemon runs; of the others a restart
            takes it.
        text: What the file held; it may hold secrets.
        configured: Where refreshed tokens were put in: the block before that.
    """

    file: Path
    whatsapp: WhatsApp
    engine: EngineChoice
    pipeline: tuple[StageChoice, ...]
    conversation: Conversation
    off_the_record: OffTheRecord
    notices: Mapping[str, str]
    outbox: Outbox
    storage: Storage
    admin: Admin
    log: Log
    alerts: Alerts
    tracing: Tracing
    warnings: tuple[str, ...]
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False, compare=False)
    text: bytes = field(default=b"", repr=False, compare=False)
    configured: WhatsApp | None = field(default=None, repr=False, compare=False)

    @property
    def until_restart(self) -> tuple[str, ...]:
        """Keys of the secrets that a process is given once, so that another needs a restart."""
        given = (key for key, origin in self.origins.items() if origin.kind != "file")
        return tuple(sorted(given))
