"""What was answered so far, and what may be offered in place of an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SECRETS: Final = ("app_secret", "access_token", "verify_token")
"""Of the block ``channels.whatsapp``."""
HARMLESS: Final = ("app_id", "phone_number_id", "waba_id", "public_url", "engine")
"""What may be kept of answers that led to nothing: no secret, and no person's number."""


@dataclass(slots=True, kw_only=True)
class Answers:
    """All that a configuration is made of.

    Attributes:
        app_secret, access_token, verify_token: New ones; "" leaves what the file says of it.
        allowed: Who may write, as the file spells them; empty: everybody; None: not answered.
        engine: Name of an engine.
        engine_settings: Settings of its own that must be given, without the secret ones.
        engine_secrets: Likewise the secret ones. Of options there is one alone, which is for the
            first that the engine wants, whatever that is called.
        webhook_port, graph_api_url: None: as it is, or the default.
        is_unchecked: Meta could not be asked about something of it.
    """

    app_id: str = ""
    app_secret: str = field(default="", repr=False)
    phone_number_id: str = ""
    waba_id: str = ""
    access_token: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)
    public_url: str = ""
    allowed: tuple[str, ...] | None = field(default=None, repr=False)
    engine: str = ""
    engine_settings: dict[str, str] = field(default_factory=dict, repr=False)
    engine_secrets: dict[str, str] = field(default_factory=dict, repr=False)
    webhook_port: int | None = None
    graph_api_url: str | None = None
    is_unchecked: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret that is there already.

    Attributes:
        place: Where it is, for the person: ``$WHATSAPP_ACCESS_TOKEN``, ``the file that ...``.
        value: "" where it cannot be read from here.
        is_of_file: The configuration names it, so that it need not be written again.
    """

    place: str
    value: str = field(default="", repr=False)
    is_of_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What Enter takes.

    Attributes:
        values: Name of an answer -> what stood there.
        secrets: Name of a secret -> where it is; those of the engine by their names in its block.
        allowed: None: nobody was named yet.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Kept] = field(default_factory=dict)
    allowed: tuple[str, ...] | None = field(default=None, repr=False)
    webhook_path: str = "/webhook"
    webhook_port: int = 9443
    graph_api_url: str = "https://graph.facebook.com"
    graph_api_version: str = "v25.0"
