"""The forms that single values must have: addresses, paths, versions."""

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from openparallax.config.numbers import normalise_number

OURS = "openparallax"
"""Type of the findings whose sentence is ours, and shown as it is."""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?\Z")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]*\Z")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``; a name other than localhost counts as no."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _wrong(sentence: str) -> PydanticCustomError:
    # pydantic fills in braces; our sentences have none to fill
    return PydanticCustomError(OURS, "{sentence}", {"sentence": sentence})


def _host(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        digits_only = value.replace(".", "").isdigit()
        if digits_only or not _HOST.match(value):
            raise _wrong(
                "must be an address or a host's name alone, such as 127.0.0.1, 0.0.0.0 or ::"
            ) from None
    return value


def _webhook_path(value: str) -> str:
    if not _PATH.match(value) or "//" in value or {".", ".."} & set(value.split("/")):
        raise _wrong("must be a path such as /webhook: a slash, then letters, digits and - . _ ~ /")
    if value == "/healthz":
        raise _wrong("must not be /healthz, which answers whether the daemon lives")
    return value


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    bare = value.isascii() and value.isprintable() and " " not in value
    if parts.scheme not in {"https", "http"} or not parts.hostname or port == 0 or not bare:
        raise _wrong("must be an address such as https://graph.facebook.com")
    if parts.query or parts.fragment or parts.username is not None or "@" in parts.netloc:
        raise _wrong("must have no user, question mark or # in it")
    return value.rstrip("/")


def _public_url(value: str) -> str:
    if not value.strip():
        raise _wrong("is empty")
    if not value.startswith("https://"):
        raise _wrong("must be an address such as https://bot.example.org: Meta calls https only")
    return _base_url(value)


def _meta_id(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,40}", value, re.ASCII):
        raise _wrong("must be digits only, as Meta's dashboard shows them, in quotes")
    return value


def _version(value: str) -> str:
    if not re.fullmatch(r"v[1-9][0-9]?\.[0-9]", value, re.ASCII):
        raise _wrong("must look like v25.0")
    return value


def _number_id(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,40}", value, re.ASCII):
        raise _wrong(
            "must be digits only: the id that Meta's dashboard shows with the number, not the"
            " telephone number itself"
        )
    return value


def _contact(value: str) -> str:
    if value.strip().lower() in {"*", "all", "any", "everybody", "everyone"}:
        raise _wrong("is no number; to let everybody write, let allowed_numbers be []")
    try:
        return normalise_number(value)
    except ValueError as error:
        raise _wrong(str(error)) from None


def _not_blank(value: str) -> str:
    if not value.strip():
        raise _wrong("is empty")
    return value


def _shown(pattern: str) -> Any:
    """What editors are told of a form; the message for a person is the validator's."""
    return Field(json_schema_extra={"pattern": pattern})


Host = Annotated[str, AfterValidator(_host), _shown("^[A-Za-z0-9:._-]+$")]
Port = Annotated[int, Field(ge=0, le=65535)]
"""0 lets the system choose a free one, which serves tests and nobody else."""
WebhookPath = Annotated[str, AfterValidator(_webhook_path), _shown("^/[A-Za-z0-9._~/-]*$")]
PublicUrl = Annotated[str, AfterValidator(_public_url), _shown("^https://[^?#@ ]+$")]
MetaId = Annotated[str, AfterValidator(_meta_id), _shown("^[0-9]{1,40}$")]
BaseUrl = Annotated[str, AfterValidator(_base_url), _shown("^https?://[^?#@ ]+$")]
GraphVersion = Annotated[str, AfterValidator(_version), _shown("^v[1-9][0-9]?\\.[0-9]$")]
PhoneNumberId = Annotated[str, AfterValidator(_number_id), _shown("^[0-9]{1,40}$")]
ContactPattern = Annotated[str, AfterValidator(_contact)]
Words = Annotated[str, AfterValidator(_not_blank), _shown("[^ ]")]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
