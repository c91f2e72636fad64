"""Certificates: until when one holds, and what is wrong with one that is not trusted."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from openparallax.config.validity import span_of
from openparallax.doctor.finding import Notes

DAY_S: Final = 86_400
SOON_S: Final = 14 * DAY_S
_WRONG: Final = {
    9: ("is not valid yet", "See this machine's clock, or wait until it begins."),
    10: ("has expired", "Renew it, and see why that did not happen by itself."),
    18: ("is self-signed", "Get one of a public authority, such as Let's Encrypt (Caddy does)."),
    19: (
        "is of an authority that nobody trusts",
        "Get one of a public authority, such as Let's Encrypt (Caddy does).",
    ),
    20: (
        "comes without its chain, or is of an authority that is not trusted",
        "Have the server send the full chain (fullchain.pem, not cert.pem).",
    ),
    21: (
        "comes without its chain",
        "Have the server send the full chain (fullchain.pem, not cert.pem).",
    ),
    62: ("is for another name", "Get one for the name in public_url."),
    64: ("is for another address", "Get one for the name in public_url, and use a name there."),
}
"""OpenSSL's numbers of what is wrong. Source: x509_vfy.h."""


def distrust(error: BaseException) -> tuple[str, str] | None:
    """What is wrong with a certificate and what to do; None where the error is another."""
    for one in _chain(error):
        # aiohttp's own error is of the same kind, and has no number.
        code = getattr(one, "verify_code", None)
        if isinstance(one, ssl.SSLCertVerificationError) and isinstance(code, int):
            return _WRONG.get(
                code,
                ("is not trusted", "See with a browser what it says of the certificate."),
            )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    step: BaseException | None = error
    for _ in range(8):
        if step is None:
            return
        yield step
        inner = getattr(step, "certificate_error", None) or getattr(step, "os_error", None)
        step = inner if isinstance(inner, BaseException) else step.__cause__ or step.__context__


def see_end(notes: Notes, check: str, what: str, der: bytes, now: float) -> None:
    """Note until when a certificate holds."""
    span = span_of(der)
    if span is None:
        notes.note(check, f"Until when {what} holds could not be read.")
        return
    begins_at, ends_at = span
    left_s = ends_at - now
    # One of a few days is renewed after two thirds of them.
    is_soon = left_s < min(SOON_S, (ends_at - begins_at) / 4)
    until = datetime.fromtimestamp(ends_at, UTC).strftime("%Y-%m-%d")
    why = "Once it has expired Meta refuses to call, and no message comes."
    to_do = "Renew it, and see why that did not happen by itself (certbot renew, Caddy's log)."
    if left_s <= 0:
        notes.failure(check, f"{_upper(what)} has expired on {until}.", why=why, to_do=to_do)
    elif begins_at > now + DAY_S:
        notes.failure(
            check, f"{_upper(what)} is not valid yet.", why=why, to_do="See this machine's clock."
        )
    elif is_soon:
        days = left_s / DAY_S
        left = f"in {days:.0f} days" if days >= 2 else f"in {left_s / 3600:.0f} hours"
        notes.warning(check, f"{_upper(what)} expires {left}, on {until}.", why=why, to_do=to_do)
    else:
        notes.ok(check, f"{_upper(what)} holds until {until}.")


def _upper(what: str) -> str:
    return what[:1].upper() + what[1:]
