"""What Meta keeps of a business: its app, account, numbers, tokens and templates."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from openparallax.emulator.ready_templates import ready_templates

SCOPES = ("business_management", "whatsapp_business_management", "whatsapp_business_messaging")

FIELDS = (
    "messages",
    "smb_message_echoes",
    "user_preferences",
    "account_update",
    "phone_number_quality_update",
    "message_template_status_update",
    "security",
)
"""Webhooks that a careful bot subscribes to."""


@dataclass(slots=True, kw_only=True)
class Token:
    """An access token.

    Attributes:
        kind: As ``debug_token`` names it.
        expires_at: Unix seconds; 0: never.
        is_valid: False: revoked.
        user_id: Whom ``debug_token`` names as its owner.
        target_ids: What it may be used for: ids of accounts; empty: all.
    """

    value: str = field(repr=False)
    kind: Literal["SYSTEM_USER", "USER", "APP"] = "SYSTEM_USER"
    expires_at: int = 0
    issued_at: int = 0
    is_valid: bool = True
    scopes: tuple[str, ...] = SCOPES
    target_ids: tuple[str, ...] = ()
    app_id: str = ""
    """Empty: the app of the account."""
    user_id: str = "100000000000002"


@dataclass(slots=True, kw_only=True)
class Number:
    """One of the business's numbers; fields are named and valued as Graph's.

    Attributes:
        display_phone_number: Digits, as webhooks write it.
        messages_per_second: The throughput that 130429 guards.
        allow_list: Digits that a test number may write to; None: it is no test number.
        automation: What ``conversational_automation`` says.
        waba_id: Of the business account that it belongs to; empty: the account's.
        app_secret: Of the app that gets its webhooks, where that is another one; empty: the
            account's.
        profile: What ``whatsapp_business_profile`` says; an unset field is absent.
        settings: What ``settings`` says beside the defaults.
        registrations: Unix seconds of the last calls that registered or deregistered it.
    """

    id: str
    display_phone_number: str
    verified_name: str = "OpenParallax"
    status: str = "CONNECTED"
    quality_rating: str = "GREEN"
    name_status: str = "APPROVED"
    code_verification_status: str = "VERIFIED"
    platform_type: str = "CLOUD_API"
    account_mode: str = "LIVE"
    throughput: str = "STANDARD"
    messaging_limit: str = "TIER_2K"
    is_on_biz_app: bool = False
    is_pin_enabled: bool = False
    is_official_business_account: bool = False
    is_preverified_number: bool = False
    new_name_status: str = "NONE"
    certificate: str | None = None
    last_onboarded_time: str | None = None
    search_visibility: str = "NON_VISIBLE"
    pin: str | None = field(default=None, repr=False)
    webhook_override: str | None = None
    messages_per_second: int = 80
    allow_list: set[str] | None = None
    automation: dict[str, Any] = field(default_factory=dict)
    waba_id: str = ""
    app_secret: str = field(default="", repr=False)
    profile: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    registrations: list[float] = field(default_factory=list)
    health: list[dict[str, Any]] = field(default_factory=list)
    """Errors of ``health_status``; empty: AVAILABLE.

    Each: ``error_code``, ``error_description``, ``possible_solution``, and, for the emulator alone,
    ``entity_type`` (PHONE_NUMBER if not given, WABA, BUSINESS, APP) and ``can_send_message``
    (BLOCKED if not given, LIMITED).
    """


@dataclass(slots=True, kw_only=True)
class Subscription:
    """What the app gets: Graph's ``/{app}/subscriptions``."""

    callback_url: str = ""
    fields: list[str] = field(default_factory=lambda: list(FIELDS))
    is_active: bool = True
    version: str = "v25.0"
    """Of the webhooks' shapes: below v24 statuses carry ``conversation``."""


@dataclass(slots=True, kw_only=True)
class Account:
    """One app and one WhatsApp business account. Everything may be changed while it runs.

    Attributes:
        app_secret: What webhooks are signed with; empty: they are not signed.
        verify_token: What the handshake asks with.
        waba_id: Id of the business account.
        subscribed_apps: Ids of the apps that get its webhooks; the classic trap is an empty list.
        subscription: The app's webhook object.
        tokens: By value; those that Graph lets in. Empty: every token is.
        templates: As ``message_templates`` lists them.
        is_live: The app is in live mode.
        funding_id: ``primary_funding_id``; None: no way to pay.
        waba_override: Where webhooks of this business account go instead of the app's address.
        reviews_templates: True: what is handed in stays PENDING; False: it is approved at once.
    """

    app_id: str = "1234567890"
    app_name: str = "OpenParallax dev"
    app_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    verify_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    waba_id: str = "102290129340398"
    waba_name: str = "OpenParallax"
    numbers: list[Number] = field(
        default_factory=lambda: [Number(id="1234567890123456", display_phone_number="15550100000")]
    )
    subscribed_apps: list[str] = field(default_factory=lambda: ["1234567890"])
    subscription: Subscription = field(default_factory=Subscription)
    tokens: dict[str, Token] = field(default_factory=dict, repr=False)
    templates: list[dict[str, Any]] = field(default_factory=ready_templates)
    is_live: bool = True
    funding_id: str | None = "100000000000001"
    business_id: str = "100000000000003"
    waba_override: str | None = None
    waba_status: str = "ACTIVE"
    account_review_status: str = "APPROVED"
    business_verification_status: str = "verified"
    currency: str = "USD"
    country: str = "US"
    timezone_id: str = "1"
    message_template_namespace: str = "ba30dd89_2ebd_41e4_b805_f2c05ae04cc9"
    reviews_templates: bool = False

    def number(self, number_id: str) -> Number | None:
        return next((number for number in self.numbers if number.id == number_id), None)

    def add_token(self, value: str, **details: Any) -> Token:
        """Let ``value`` in; ``details`` as in `Token`."""
        self.tokens[value] = Token(value=value, **details)
        return self.tokens[value]
