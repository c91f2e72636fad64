"""What the emulator must know of a daemon's configuration, to be its Meta."""

import ipaddress
import secrets
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from openparallax.config import Settings, WhatsApp
from openparallax.emulator import Account, Number, Person, cast
from openparallax.emulator.webhooks.posting import check_address
from openparallax.errors import ConfigError

OF_PROGRAM = ("WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN")
"""What somebody else's program and the emulator must agree on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The emulator's side of one configuration.

    Attributes:
        webhook_url: Where webhooks go.
        health_url: Where the daemon says that it lives.
        certificates: How the listener's certificate is checked; None: as usual, or it has none.
    """

    account: Account
    people: list[Person]
    webhook_url: str
    health_url: str = ""
    certificates: ssl.SSLContext | None = field(default=None, repr=False)


def of_settings(settings: Settings) -> Outside:
    """The numbers, tokens and secrets of a configuration, and whoever may write to them.

    Raises:
        ConfigError: The daemon would listen where the emulator does not post to.
    """
    whatsapp = settings.whatsapp
    host = _reachable(whatsapp.webhook_host)
    if not _is_reached(f"http://{host}/"):
        named = f"channels.whatsapp.webhook_host is {whatsapp.webhook_host}"
        raise ConfigError(
            [f"{named}, and here webhooks go to loopback only: let it be 127.0.0.1 or 0.0.0.0"]
        )
    first, *others = whatsapp.numbers
    account = Account(
        app_secret=_secret(first),
        verify_token=first.verify_token.get_secret_value(),
        numbers=[_number(0, first)],
    )
    account.numbers += [
        _number(at, one, app_secret="" if _secret(one) == account.app_secret else _secret(one))
        for at, one in enumerate(others, start=1)
    ]
    account.waba_id = first.waba_id or account.waba_id
    account.app_id = first.app_id or account.app_id
    account.subscribed_apps = [account.app_id]
    for one in whatsapp.numbers:
        account.add_token(one.access_token.get_secret_value())
    scheme = "http" if whatsapp.tls is None else "https"
    root = f"{scheme}://{host}:{whatsapp.webhook_port}"
    account.subscription.callback_url = root + whatsapp.webhook_path
    return Outside(
        account=account,
        people=[*_let_in(whatsapp), *cast()],
        webhook_url=root + whatsapp.webhook_path,
        health_url=f"{root}/healthz",
        certificates=None if whatsapp.tls is None else unchecked(),
    )


def of_program(url: str, environment: Mapping[str, str]) -> Outside:
    """For somebody else's program at ``url``: secrets of the environment, or made ones.

    Raises:
        ConfigError: ``url`` is not an address of this machine.
    """
    if not (url.isprintable() and _is_reached(url)):
        raise ConfigError(
            ["--bot: must be an address on this machine, such as http://127.0.0.1:8000/webhook"]
        )
    account = Account()
    token, secret, verify = (environment.get(name, "") for name in OF_PROGRAM)
    account.app_secret = secret or account.app_secret
    account.verify_token = verify or account.verify_token
    account.add_token(token or f"EAA{secrets.token_hex(24)}")
    account.subscription.callback_url = url
    is_tls = urlsplit(url).scheme == "https"
    return Outside(
        account=account,
        people=cast(),
        webhook_url=url,
        certificates=unchecked() if is_tls else None,
    )


def unchecked() -> ssl.SSLContext:
    """A context that takes any certificate.

    It is for the name that Meta calls, and perhaps the machine's own: what is here is loopback,
    where nobody can get in between.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _number(at: int, whatsapp: WhatsApp, *, app_secret: str = "") -> Number:
    # The number itself stands in no configuration: this one is made up.
    return Number(
        id=whatsapp.phone_number_id,
        display_phone_number=f"1555010{at:04}",
        app_secret=app_secret,
        waba_id=whatsapp.waba_id or "",
    )


def _secret(whatsapp: WhatsApp) -> str:
    """The first of two: while they are exchanged Meta signs with one of them."""
    return whatsapp.app_secret[0].get_secret_value() if whatsapp.app_secret else ""


def _let_in(whatsapp: WhatsApp) -> Iterator[Person]:
    """One for each entry of the allow-lists, the first number's first; the cast meets silence."""
    cast_of = {who for one in cast() for who in (one.wa_id, one.user_id)}
    lists = [sorted(map(str, one.allowed_numbers)) for one in whatsapp.numbers]
    allowed = dict.fromkeys(who for one in lists for who in one if who not in cast_of)
    for at, who in enumerate(allowed, start=1):
        is_number = who.isdecimal()
        yield Person(
            key=f"allowed-{at}",
            name=f"Allowed {at}",
            wa_id=who if is_number else None,
            user_id=None if is_number else who,
        )


def _reachable(host: str) -> str:
    """An address at which a listener on ``host`` answers, as it stands in a URL."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return f"[{host}]" if address.version == 6 else host


def _is_reached(url: str) -> bool:
    """Whether the emulator posts there; it judges, since others read some addresses otherwise."""
    try:
        return bool(check_address(url))
    except ValueError:
        return False
