"""One request as Meta writes it: envelope, escapes, signature."""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MOST_UPDATES = 1000
"""In one request."""

BAD_SECRET = "not the app's secret"  # noqa: S105 - what a wrong signature is made with


@dataclass(slots=True, kw_only=True)
class Change:
    """One entry of ``changes[]``, holding one update.

    Attributes:
        topic: The webhook's ``field``.
        value: An object for every topic that Meta has.
        time: Unix seconds, in ``entry.time``; news of the account carry it, messages do not.
        is_whole: It shares its change with nothing that follows or precedes it.
        waba_id: Of the business account that it is about; "": the one that `envelope` is told.
    """

    topic: str
    value: Any = field(repr=False)
    time: int | None = None
    is_whole: bool = False
    waba_id: str = ""


def envelope(changes: Iterable[Change], waba_id: str, *, spread: bool = False) -> dict[str, Any]:
    """One request with ``changes`` in their order.

    With ``spread`` each has an entry of its own. Otherwise neighbours of one topic, number and sort
    share a change, and each person is listed once among its contacts.
    """
    written: list[Change] = []
    for change in changes:
        if spread or not (written and _join(written[-1], change)):
            value = change.value if change.is_whole else _copy(change.value)
            written.append(replace(change, value=value))
    groups: list[list[Change]] = []
    for change in written:
        if spread or not groups or groups[-1][0].waba_id != change.waba_id:
            groups.append([])
        groups[-1].append(change)
    return {
        "object": "whatsapp_business_account",
        "entry": [_entry(group, waba_id) for group in groups],
    }


def _entry(group: list[Change], waba_id: str) -> dict[str, Any]:
    times = [change.time for change in group if change.time is not None]
    return {
        "id": group[0].waba_id or waba_id,
        **({"time": times[-1]} if times else {}),
        "changes": [{"field": change.topic, "value": change.value} for change in group],
    }


def _join(into: Change, change: Change) -> bool:
    """Put ``change`` into the one before it, if they are of one sort; whether they were."""
    if change.is_whole or into.is_whole or into.topic != change.topic:
        return False
    several = _lists(change.value)
    if not several or several != _lists(into.value) or _rest(change.value) != _rest(into.value):
        return False
    for name in several:
        into.value[name].extend(change.value[name])
    for contact in change.value.get("contacts", ()):
        contacts = into.value.setdefault("contacts", [])
        if contact not in contacts:
            contacts.append(contact)
    return True


def _lists(value: Mapping[str, Any]) -> set[str]:
    return {name for name, held in value.items() if isinstance(held, list)} - {"contacts"}


def _rest(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: held for name, held in value.items() if not isinstance(held, list)}


def _copy(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(held) if isinstance(held, list) else held for name, held in value.items()}


def dump(payload: object) -> bytes:
    r"""JSON as Meta writes it: compact, ``\uXXXX`` in lower case, ``\/``."""
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def sign(raw: bytes, secret: str) -> str:
    """The value of ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()
