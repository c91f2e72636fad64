"""The block ``channels.whatsapp``: our numbers, and the public listener."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from openparallax.config.forms import (
    OURS,
    BaseUrl,
    ContactPattern,
    GraphVersion,
    Host,
    MetaId,
    PhoneNumberId,
    Port,
    PublicUrl,
    Seconds,
    WebhookPath,
)
from openparallax.config.section import Section


def _header_safe(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise PydanticCustomError(OURS, "holds a space, a line break or a letter no token has")
    return value


def _given(value: SecretStr | None) -> SecretStr:
    if value is None:
        raise PydanticCustomError(OURS, "has no value")
    return value


class Tls(Section):
    """The pair of files that the public listener speaks https with; checked when it was loaded.

    Both paths are absolute.
    """

    certificate: Path = Field(
        description="the file with the certificate and its chain, your own certificate first"
    )
    key: Path = Field(description="the file with its private key, without a password")


class RateLimit(Section):
    """How much of one chat is answered."""

    window_seconds: Seconds = Field(default=60, description="the time in which is counted")
    max_messages: int = Field(
        default=30, ge=1, le=100_000, description="messages of one chat in that time"
    )


class AnyNumber(Section):
    """What can be said of each of our numbers."""

    enabled: bool = Field(default=True, description="false: this number is not served")
    phone_number_id: PhoneNumberId = Field(
        description="the id that Meta's dashboard shows with your number, in quotes"
    )
    app_secret: tuple[SecretStr, ...] = Field(
        default=(),
        max_length=2,
        description="what Meta signs its requests with; a list of two while you exchange it."
        " Without it signatures cannot be checked",
    )
    allowed_numbers: frozenset[ContactPattern] = Field(
        default=frozenset(),
        repr=False,
        description="who may write: numbers with country code, spelt as you like, or"
        " business-scoped user ids; empty: everybody",
    )
    """As `normalise_number` returns them."""
    graph_api_url: BaseUrl = Field(
        default="https://graph.facebook.com",
        description="Meta's Graph API; another address may carry a path",
    )
    graph_api_version: GraphVersion = Field(
        default="v25.0", description="the Graph API's version, such as v25.0"
    )
    graph_timeout_seconds: Seconds = Field(default=20, description="how long one send may take")
    rate_limit: RateLimit | None = Field(
        default=RateLimit(),
        description="how many messages one chat may have answered in a time; null: no limit",
    )
    presence: Literal["typing", "read", "none"] = Field(
        default="typing",
        description="what is seen while an answer is made: typing (which marks read), read, none",
    )
    human_takeover_minutes: float = Field(
        default=60,
        ge=0,
        le=10_080,
        allow_inf_nan=False,
        description="how long the daemon is silent in a chat after you answered from the phone",
    )
    app_id: MetaId | None = Field(default=None, description="the id of your app at Meta, in quotes")
    waba_id: MetaId | None = Field(
        default=None, description="the id of your WhatsApp business account, in quotes"
    )
    public_url: PublicUrl | None = Field(
        default=None,
        description="the https address that Meta calls; webhook_path comes behind it",
    )


class Number(AnyNumber):
    """A further one of our numbers: what it does not say is as the first one's, not the default."""

    credential_prefix: ClassVar[str] = "whatsapp"
    told_apart_by: ClassVar[str] = "phone_number_id"

    access_token: Annotated[
        Annotated[SecretStr, AfterValidator(_header_safe)] | None, AfterValidator(_given)
    ] = Field(default=None, description="the token that this number's answers are sent with")
    verify_token: Annotated[SecretStr | None, AfterValidator(_given)] = Field(
        default=None, description="this number's own text in Meta's dashboard"
    )


class WhatsApp(AnyNumber):
    """The first of our numbers, and the public listener."""

    secret_variables: ClassVar[dict[str, str]] = {
        "access_token": "WHATSAPP_ACCESS_TOKEN",
        "app_secret": "WHATSAPP_APP_SECRET",
    }
    credential_prefix: ClassVar[str] = "whatsapp"

    access_token: Annotated[SecretStr, AfterValidator(_header_safe)] = Field(
        description="the token that answers are sent with: a system user's, that does not expire"
    )
    verify_token: SecretStr = Field(
        description="any text of your own, the same as in Meta's dashboard"
    )
    webhook_host: Host = Field(
        default="127.0.0.1", description="the address that the daemon listens on for Meta"
    )
    webhook_port: Port = Field(default=9443, description="the port that it listens on")
    webhook_path: WebhookPath = Field(default="/webhook", description="the path of the webhook")
    tls: Tls | None = Field(
        default=None,
        description="speak https on the listener itself, with this pair of files; they are read"
        " again when they change",
    )
    allow_unsigned_webhooks: bool = Field(
        default=False,
        description="true: accept requests that nobody signed, from anywhere; for trying out only",
    )
    accounts: tuple[Number, ...] = Field(
        default=(),
        description="further numbers; what one does not say is as for the first number",
    )

    @property
    def callback_url(self) -> str | None:
        """What is to stand in Meta's dashboard; None where ``public_url`` is not given.

        ``public_url`` may hold the path already, as some write it.
        """
        url, path = self.public_url, self.webhook_path.rstrip("/")
        if url is None or (path and url.endswith(path)):
            return url
        return f"{url}{self.webhook_path}"

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
