"""What ``debug_token`` says of an access token, put into words."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from openparallax.app.setup.word import Word, doubt, is_id, odd, unknown, well, wrong
from openparallax.doctor.graph import Answer

_SCOPES: Final = ("whatsapp_business_messaging", "whatsapp_business_management")
_EXPIRED: Final = 463
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfToken:
    """What is known of a token.

    Attributes:
        accounts: Ids that it was given for; some may be no accounts.
    """

    said: tuple[Word, ...]
    accounts: tuple[str, ...] = ()


def judge(answer: Answer, app_id: str) -> OfToken:
    """What an answer of ``debug_token`` means for a bot.

    Source:
        facts, section 14, checks 1 to 3.
    """
    said = answer.body.get("data") if answer.is_ok else None
    if not isinstance(said, Mapping):
        if answer.is_of_token:
            return OfToken(said=(wrong("Meta does not know this token: copy it again."),))
        if answer.code == 100:
            return OfToken(said=(wrong(_OTHER_APP),))
        return OfToken(said=(unknown(answer),))
    if not said.get("is_valid"):
        return OfToken(said=(wrong(_why_invalid(said)),))
    return OfToken(said=tuple(_of_token(said, app_id)), accounts=_accounts(said))


_OTHER_APP: Final = (
    "This token was made for another app. Make one with this app chosen, or begin again with that"
    " app's id and secret."
)


def _why_invalid(said: Mapping[str, Any]) -> str:
    error = said.get("error")
    subcode = error.get("subcode") if isinstance(error, Mapping) else None
    if subcode == _EXPIRED:
        return "This token has expired: make a new one."
    if subcode:
        return "This token was revoked: make a new one."
    return "Meta does not know this token. Was all of it copied?"


def _of_token(said: Mapping[str, Any], app_id: str) -> Iterable[Word]:
    if app_id and str(said.get("app_id", app_id)) != app_id:
        yield wrong(_OTHER_APP)
        return
    kind, ends = said.get("type"), said.get("expires_at")
    left = _left(float(ends)) if isinstance(ends, int | float) and ends > 0 else ""
    if kind in ("APP", "PAGE"):
        yield wrong("This is an app's or a page's token, which cannot send messages.")
        return
    scopes = said.get("scopes")
    granted = scopes if isinstance(scopes, list) else []
    missing = [scope for scope in _SCOPES if scope not in granted]
    if missing:
        yield doubt(
            f"It lacks the permission {' and '.join(missing)}: generate it again and tick both.",
        )
    if kind == "USER":
        ending = f", and ends in {left}" if left else ""
        yield doubt(
            f"This is a temporary token, a person's own{ending}: enough for a first try. One of a"
            " system user lasts.",
        )
    elif left:
        yield odd(
            f"A system user's token; it ends in {left}. With App ID and secret the daemon renews"
            " one of 60 days in time.",
        )
    else:
        yield well("A system user's token that does not end.")


def _left(ends_at: float) -> str:
    left_s = ends_at - time.time()
    if left_s < _DAY_S * 2:
        return f"{max(1, round(left_s / 3600))} h"
    return f"{left_s / _DAY_S:.0f} days"


def _accounts(said: Mapping[str, Any]) -> tuple[str, ...]:
    granular = said.get("granular_scopes")
    found: dict[str, None] = {}
    for one in granular if isinstance(granular, list) else ():
        ids = one.get("target_ids") if isinstance(one, Mapping) else None
        if isinstance(ids, list) and str(one.get("scope", "")).startswith("whatsapp_"):
            found |= dict.fromkeys(str(one) for one in ids if is_id(one))
    return tuple(found)
