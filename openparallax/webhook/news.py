"""Fields about our accounts, numbers and templates: what happened, and who has to care."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openparallax.model.messages import News, Weight
from openparallax.webhook.values import as_list, as_object, parse_id, parse_seconds

MAX_WORD = 64
"""Longest word of Meta's kept, in characters; what is longer is cut."""

INFO, WARNING, ERROR = Weight.INFO, Weight.WARNING, Weight.ERROR


@dataclass(frozen=True, slots=True)
class _Field:
    """How one field is read.

    Attributes:
        event: The key of the word for what happened; "" where the field has none.
        weights: By that word.
        otherwise: The weight of every other word.
        items: The key of a list of such news, where they do not stand in the value itself.
    """

    event: str = "event"
    weights: Mapping[str, Weight] = field(default_factory=dict)
    otherwise: Weight = INFO
    items: str = ""


FIELDS: dict[str, _Field] = {
    # the account; ERROR: it cannot send, or soon cannot, or is in danger
    "account_update": _Field(
        weights={
            "ACCOUNT_DELETED": ERROR,
            "ACCOUNT_RESTRICTION": ERROR,
            "ACCOUNT_VIOLATION": ERROR,
            "ACCOUNT_OFFBOARDED": ERROR,
            "DISABLED_UPDATE": ERROR,
            "PARTNER_REMOVED": ERROR,
            "PARTNER_APP_UNINSTALLED": ERROR,
            "PHONE_NUMBER_REMOVED": ERROR,
        }
    ),
    "account_alerts": _Field(event="alert_type"),
    "account_review_update": _Field(
        event="decision", weights={"REJECTED": ERROR, "DEFERRED": WARNING}
    ),
    "business_capability_update": _Field(event=""),
    "payment_configuration_update": _Field(event="status"),
    "partner_solutions": _Field(weights={"SOLUTION_DEACTIVATED": WARNING}),
    # its numbers
    "phone_number_quality_update": _Field(weights={"DOWNGRADE": WARNING, "FLAGGED": WARNING}),
    "phone_number_name_update": _Field(
        event="decision", weights={"REJECTED": WARNING, "DECLINED": WARNING}
    ),
    "business_username_update": _Field(event="status"),
    "security": _Field(otherwise=WARNING),
    # its templates
    "message_template_status_update": _Field(
        weights={
            "REJECTED": WARNING,
            "PAUSED": WARNING,
            "DISABLED": WARNING,
            "FLAGGED": WARNING,
            "LOCKED": WARNING,
            "LIMIT_EXCEEDED": WARNING,
        }
    ),
    "message_template_quality_update": _Field(
        event="new_quality_score", weights={"YELLOW": WARNING, "RED": WARNING}
    ),
    "message_template_components_update": _Field(event=""),
    "template_category_update": _Field(event="new_category"),
    # what Meta noticed in chats that began with an advertisement
    "automatic_events": _Field(event="event_name", items="automatic_events"),
}
"""The account-level fields that are news.

Source:
    Cloud API, webhooks (2026): the reference page of each field.
"""

_FACTS = {
    "alert_severity": "severity",
    "alert_status": "status",
    "country": "country",
    "current_limit": "limit",
    "disable_date": "until",
    "effective_month": "month",
    "entity_type": "entity",
    "expiration": "until",
    "max_daily_conversation_per_phone": "limit",
    "max_daily_conversations_per_business": "limit",
    "max_phone_numbers_per_business": "numbers",
    "max_phone_numbers_per_waba": "numbers",
    "message_template_category": "category",
    "message_template_language": "language",
    "new_category": "category",
    "new_quality_score": "quality",
    "old_limit": "limit_before",
    "previous_category": "category_before",
    "previous_quality_score": "quality_before",
    "pricing_category": "category",
    "reason": "reason",
    "region": "region",
    "rejection_reason": "reason",
    "restriction_type": "restriction",
    "solution_status": "status",
    "status": "status",
    "tier": "tier",
    "title": "stage",
    "violation_type": "violation",
    "waba_ban_date": "ban_date",
    "waba_ban_state": "ban",
}
"""The keys whose values are Meta's own words, and what they are called here."""

_INSIDE = (
    "alert_info",
    "ban_info",
    "restriction_info",
    "violation_info",
    "disconnection_info",
    "partner_client_certification_info",
    "volume_tier_info",
    "disable_info",
    "other_info",
)
"""Where such keys stand besides the value itself; what is found first counts."""

_WORD = re.compile(r"[A-Za-z0-9_.:+-]+|[A-Z][a-z]+ [0-9]{1,2}, [0-9]{4}")
"""A name, a number or a date: never a sentence, which may quote what people typed."""

_SEVERITIES = {"CRITICAL": ERROR, "WARNING": WARNING}

_RANKS = {
    word: rank
    for words in (
        ("RED", "YELLOW", "GREEN"),
        ("TIER_50", "TIER_250", "TIER_1K", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"),
    )
    for rank, word in enumerate(words)
}


def parse_news(name: str, value: dict[str, Any], entry: dict[str, Any]) -> Iterator[News]:
    """Read a change of one of `FIELDS`; no template's text and no person's name or number.

    Args:
        name: The field.
        value: The change's value.
        entry: What the change stands in: ``id`` is the business, ``time`` when it happened.
    """
    how = FIELDS[name]
    for item in as_list(value.get(how.items)) if how.items else (value,):
        places = list(_places(as_object(item)))
        facts = _facts(places)
        event = _first(places, how.event).upper() if how.event else "UPDATED"
        yield News(
            business=parse_id(entry.get("id")) or "",
            field=name,
            subject=_subject(places[0]),
            event=event or "UNKNOWN",
            facts=facts,
            weight=_weigh(how.weights.get(event, how.otherwise), facts),
            at=parse_seconds(entry.get("time")) or 0,
        )


def error_news(code: int, metadata: dict[str, Any], entry: dict[str, Any]) -> News:
    """One of ``errors`` of field ``messages``: a trouble of the number as a whole.

    Args:
        code: The error's.
        metadata: Of the value.
        entry: As for `parse_news`.
    """
    return News(
        business=parse_id(entry.get("id")) or "",
        field="messages",
        subject=_subject(metadata),
        event=f"ERROR_{code}",
        facts={},
        weight=WARNING,
        at=parse_seconds(entry.get("time")) or 0,
    )


def _places(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """``value`` and the objects in it that say more."""
    yield value
    for name in _INSIDE:
        inner = value.get(name)
        if isinstance(inner, list):
            inner = inner[0] if inner else None
        if isinstance(inner, dict):
            yield inner


def _facts(places: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, name in _FACTS.items():
        word = _first(places, key)
        if word and word != "NONE":
            found.setdefault(name, word)
    return found


def _first(places: list[dict[str, Any]], key: str) -> str:
    return next((word for place in places if (word := _word(place.get(key)))), "")


def _word(value: object) -> str:
    """A word of Meta's, cut; "" for what is none."""
    if isinstance(value, list) and value:
        value = value[0]
    if type(value) is int and abs(value) < 10**32:
        return str(value)
    if isinstance(value, str) and _WORD.fullmatch(value[:MAX_WORD]):
        return value[:MAX_WORD]
    return ""


def _subject(value: dict[str, Any]) -> str:
    for key in ("message_template_id", "solution_id"):
        if found := _word(value.get(key)):
            return found
    for key in ("display_phone_number", "phone_number"):
        number = value.get(key)
        if isinstance(number, str) and number[-2:].isdecimal():
            return "…" + number[-2:]
    return _word(value.get("entity_id")) if value.get("entity_type") == "PHONE_NUMBER" else ""


def _weigh(weight: Weight, facts: Mapping[str, str]) -> Weight:
    """``weight`` put right by what else is said."""
    if facts.get("ban") == "REINSTATE":
        return INFO
    weight = max(weight, _SEVERITIES.get(facts.get("severity", ""), INFO))
    for name in ("limit", "quality"):
        before, now = _RANKS.get(facts.get(name + "_before", "")), _RANKS.get(facts.get(name, ""))
        if before is not None and now is not None and now < before:
            weight = max(weight, WARNING)
    return weight
