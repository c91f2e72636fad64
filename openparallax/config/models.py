"""The sections of the file, as frozen strict models: names, defaults, ranges.

The walk in `resolve` and the check in `validate` both read these; the example file is compared
with them. A field's description is what a message says of a setting that is missing.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from openparallax.config.forms import (
    OURS,
    BaseUrl,
    ContactPattern,
    GraphVersion,
    Host,
    PhoneNumberId,
    Port,
    Seconds,
    WebhookPath,
    Words,
    is_loopback,
)


class Section(BaseModel):
    """A block of settings."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    secret_variables: ClassVar[dict[str, str]] = {}
    """Secret -> environment variable that is read when the file says nothing of it."""
    credential_prefix: ClassVar[str] = ""
    left_to_plugins: ClassVar[frozenset[str]] = frozenset()
    """Keys whose shape only a plugin's own model knows."""


def _header_safe(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise PydanticCustomError(OURS, "holds a space, a line break or a letter no token has")
    return value


class Tls(Section):
    certificate: Words
    key: Words


class RateLimit(Section):
    window_seconds: Seconds = 60
    max_messages: int = Field(default=30, ge=1, le=100_000)


class AnyNumber(Section):
    """What can be said of each of our numbers."""

    enabled: bool = True
    phone_number_id: PhoneNumberId = Field(
        description="the id that Meta's dashboard shows with your number, in quotes"
    )
    app_secret: tuple[SecretStr, ...] = Field(default=(), max_length=2)
    """Empty: signatures cannot be checked. Two during a rotation."""
    allowed_numbers: frozenset[ContactPattern] = Field(default=frozenset(), repr=False)
    """Digits and business-scoped ids, as `normalise_number` returns them; empty: everybody."""
    graph_api_url: BaseUrl = "https://graph.facebook.com"
    graph_api_version: GraphVersion = "v25.0"
    graph_timeout_seconds: Seconds = 20
    rate_limit: RateLimit | None = RateLimit()
    presence: Literal["typing", "read", "none"] = "typing"
    human_takeover_minutes: float = Field(default=60, ge=0, le=10_080, allow_inf_nan=False)
    app_id: Words | None = None
    waba_id: Words | None = None
    public_url: Words | None = None


class Number(AnyNumber):
    """A further one of our numbers: what it does not say is as the first one's, not the default."""

    access_token: Annotated[SecretStr, AfterValidator(_header_safe)] | None = None
    verify_token: SecretStr | None = None


class WhatsApp(AnyNumber):
    """The first of our numbers, and the public listener."""

    secret_variables: ClassVar[dict[str, str]] = {
        "access_token": "WHATSAPP_ACCESS_TOKEN",
        "app_secret": "WHATSAPP_APP_SECRET",
    }
    credential_prefix: ClassVar[str] = "whatsapp"

    access_token: Annotated[SecretStr, AfterValidator(_header_safe)]
    verify_token: SecretStr = Field(
        description="any text of your own, the same as in Meta's dashboard"
    )
    webhook_host: Host = "127.0.0.1"
    webhook_port: Port = 9443
    webhook_path: WebhookPath = "/webhook"
    tls: Tls | None = None
    allow_unsigned_webhooks: bool = False
    accounts: tuple[Number, ...] = ()

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the public listener directly."""
        return is_loopback(self.webhook_host)

    @property
    def numbers(self) -> tuple["WhatsApp", ...]:
        """All our numbers that are switched on, this one first, each with all that holds for it.

        A further number has of its own what it says, and else what the first one has.
        """
        others = (
            self.model_copy(
                update={
                    "accounts": (),
                    **{name: getattr(one, name) for name in one.model_fields_set},
                }
            )
            for one in self.accounts
            if one.enabled
        )
        return (self, *others)


class Channels(Section):
    whatsapp: WhatsApp = Field(description="your number on WhatsApp")


class Conversation(Section):
    """How turns are made and how many run."""

    coalesce: Literal["queued", "none"] = "queued"
    history_messages: int = Field(default=40, ge=0, le=1000)
    max_concurrent_turns: int = Field(default=100, ge=1, le=10_000)
    drain_seconds: float = Field(default=25, ge=0, le=3600, allow_inf_nan=False)


class OffTheRecordSection(Section):
    left_to_plugins: ClassVar[frozenset[str]] = frozenset({"engine", "pipeline"})

    idle_minutes: float = Field(default=60, gt=0, le=1440, allow_inf_nan=False)
    engine: Any = None
    pipeline: Any = None


class Outbox(Section):
    """How fast and how patiently is sent."""

    receipt_wait_seconds: Seconds = 10
    messages_per_second: float | None = Field(default=80, gt=0, le=1000, allow_inf_nan=False)
    pair_burst: int | None = Field(default=45, ge=1, le=1000)
    pair_interval_seconds: Seconds = 6
    max_in_flight: int = Field(default=50, ge=1, le=1000)


class StorageSection(Section):
    url: str | None = None
    retention_days: int | None = Field(default=None, ge=1, le=36_500)


class Admin(Section):
    """The operator's listener; nothing listens in this version."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Port = 9444


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class File(Section):
    """The whole file."""

    left_to_plugins: ClassVar[frozenset[str]] = frozenset({"engine", "pipeline"})

    channels: Channels = Field(description="where messages come from")
    engine: Any = None
    pipeline: Any = None
    conversation: Conversation = Conversation()
    off_the_record: OffTheRecordSection = OffTheRecordSection()
    notices: dict[str, Words] = Field(default_factory=dict)
    outbox: Outbox = Outbox()
    storage: StorageSection = StorageSection()
    admin: Admin = Admin()
    log: Log = Log()
