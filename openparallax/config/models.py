"""The sections of the file, as frozen strict models: names, defaults, ranges.

The walk in `resolve` and the check in `validate` both read these, and so does `schema`; the example
file is compared with them. A field's description is what editors show, and what a message says of a
setting that is missing.
"""

from typing import Any, ClassVar, Literal

from pydantic import Field

from openparallax.config.forms import Host, Port, Seconds, Words
from openparallax.config.section import Section
from openparallax.config.watching import Alerts, Tracing
from openparallax.config.whatsapp import WhatsApp


class Channels(Section):
    """Where messages come from."""

    whatsapp: WhatsApp = Field(description="your number on WhatsApp")


class Conversation(Section):
    """How turns are made and how many run."""

    coalesce: Literal["queued", "none"] = Field(
        default="queued",
        description="queued: what waits for a chat when its turn starts is answered together",
    )
    history_messages: int = Field(
        default=40, ge=0, le=1000, description="how many earlier messages the engine is shown"
    )
    max_concurrent_turns: int = Field(
        default=100, ge=1, le=10_000, description="how many chats are answered at a time"
    )
    drain_seconds: float = Field(
        default=25,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="how long turns may take to end when the daemon is stopped",
    )


class OffTheRecordSection(Section):
    """What differs after /otr."""

    left_to_plugins: ClassVar[frozenset[str]] = frozenset({"engine", "pipeline"})

    idle_minutes: float = Field(
        default=60,
        gt=0,
        le=1440,
        allow_inf_nan=False,
        description="after so long without a message the words are forgotten",
    )
    engine: Any = Field(default=None, description="another engine; null: the same")
    pipeline: Any = Field(default=None, description="other stages; null: the same")


class Outbox(Section):
    """How fast and how patiently is sent."""

    receipt_wait_seconds: Seconds = Field(
        default=10,
        description="how long to wait for Meta's word on a message whose fate is not known, before"
        " it is sent again",
    )
    messages_per_second: float | None = Field(
        default=80,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="messages in a second from one number; null: no limit of ours",
    )
    pair_burst: int | None = Field(
        default=45,
        ge=1,
        le=1000,
        description="how many messages a chat may get at once; null: no limit of ours",
    )
    pair_interval_seconds: Seconds = Field(
        default=6, description="after that burst, one message in so many seconds"
    )
    max_in_flight: int = Field(
        default=50, ge=1, le=1000, description="how many messages are on their way at a time"
    )


class StorageSection(Section):
    """The database."""

    url: str | None = Field(
        default=None,
        description="sqlite:///PATH, relative to this file's folder; four slashes for an absolute"
        " path; null: openparallax.db in the state folder",
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="forget what is older than so many days; null: keep it",
    )


class Admin(Section):
    """The operator's listener; it asks nobody who they are."""

    enabled: bool = Field(default=True, description="false: nothing listens on a port for it")
    host: Host = Field(default="127.0.0.1", description="its address; keep it on this machine")
    port: Port = Field(default=9444, description="its port")


class Log(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="what is less than this is not logged"
    )
    format: Literal["auto", "text", "json"] = Field(
        default="auto", description="auto: text on a terminal, JSON elsewhere"
    )


class File(Section):
    """The whole file."""

    left_to_plugins: ClassVar[frozenset[str]] = frozenset({"engine", "pipeline"})

    channels: Channels = Field(description="where messages come from")
    engine: Any = Field(default=None, description="what answers, and its own settings")
    pipeline: Any = Field(
        default=None,
        description="the stages round the engine, outermost first: a name, or a name with settings",
    )
    conversation: Conversation = Field(
        default=Conversation(), description="how turns are made and how many run"
    )
    off_the_record: OffTheRecordSection = Field(
        default=OffTheRecordSection(), description="what differs after /otr"
    )
    notices: dict[str, Words] = Field(
        default_factory=dict,
        description="your own wording for the sentences of the daemon itself, by name",
    )
    outbox: Outbox = Field(default=Outbox(), description="how fast and how patiently is sent")
    storage: StorageSection = Field(default=StorageSection(), description="the database")
    admin: Admin = Field(default=Admin(), description="the operator's own listener")
    log: Log = Field(default=Log(), description="what is written to standard error")
    alerts: Alerts = Field(default=Alerts(), description="whom to tell when something is wrong")
    tracing: Tracing = Field(default=Tracing(), description="traces, by OpenTelemetry")
