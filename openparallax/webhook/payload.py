"""From the decoded body of a webhook to a `Notification`; pure, and it never raises.

Meta puts up to 1000 updates into one request, and each of ``entry``, ``changes``, ``messages`` and
``statuses`` may hold several. What cannot be taken is counted under a short name, and the rest of
its batch goes on.
"""

from typing import Any

from openparallax.model.messages import DeliveryStatus, Inbound, Notification, StatusUpdate
from openparallax.webhook.body import Unreadable, parse_body
from openparallax.webhook.inbound import parse_message
from openparallax.webhook.senders import Contacts
from openparallax.webhook.values import as_list, as_object, parse_code, parse_id, parse_label

__all__ = ["Unreadable", "parse_body", "parse_notification"]

_MAX_NAMES = 64
"""Different names counted for one request; the rest goes under ``other``."""

_STATUSES = {status.name.lower(): status for status in DeliveryStatus}


class _Gathered:
    """What has been read so far."""

    __slots__ = ("messages", "statuses", "unsupported")

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.statuses: list[StatusUpdate] = []
        self.unsupported: dict[str, int] = {}

    def take(self, read: Inbound | StatusUpdate | str) -> None:
        """Keep what was read, or count the name of why it could not be."""
        if isinstance(read, Inbound):
            self.messages.append(read)
        elif isinstance(read, StatusUpdate):
            self.statuses.append(read)
        else:
            self.miss(read)

    def miss(self, name: str, times: int = 1) -> None:
        if name not in self.unsupported and len(self.unsupported) >= _MAX_NAMES:
            name = "other"
        self.unsupported[name] = self.unsupported.get(name, 0) + times


def parse_notification(body: object) -> Notification:
    """Read all that one webhook request carried.

    Args:
        body: The decoded JSON, any value whatever; a signed body need not be well formed.

    Source:
        Cloud API, webhooks: ``entry[].changes[].value``, field ``messages``.
    """
    gathered = _Gathered()
    _read_body(body, gathered)
    return Notification(gathered.messages, gathered.statuses, gathered.unsupported)


def _read_body(body: object, gathered: _Gathered) -> None:
    if not isinstance(body, dict):
        return gathered.miss("not_an_object")
    kind = body.get("object", "whatsapp_business_account")
    if kind != "whatsapp_business_account":  # the app may be subscribed to other products too
        return gathered.miss("object_" + parse_label(kind))
    entries = body.get("entry")
    if not isinstance(entries, list):
        return gathered.miss("no_entry")
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list):
            gathered.miss("bad_entry")
            continue
        for change in changes:
            _read_change(change, gathered)
    return None


def _read_change(change: object, gathered: _Gathered) -> None:
    if not isinstance(change, dict):
        return gathered.miss("bad_change")
    field = change.get("field")
    if field != "messages":
        return gathered.miss("field_" + parse_label(field))
    value = change.get("value")
    if not isinstance(value, dict):
        return gathered.miss("bad_change")
    messages = as_list(value.get("messages"))
    statuses = as_list(value.get("statuses"))
    errors = as_list(value.get("errors"))
    for error in errors:
        code = parse_code(as_object(error).get("code"))
        gathered.miss("error" if code is None else f"error_{code}")
    if not messages and not statuses:
        return None if errors else gathered.miss("empty_change")
    metadata = as_object(value.get("metadata"))
    phone_number_id = parse_id(metadata.get("phone_number_id"))
    if phone_number_id is None:
        return gathered.miss("no_metadata", len(messages) + len(statuses))
    if messages:
        display = parse_id(metadata.get("display_phone_number")) or ""
        contacts = Contacts(as_list(value.get("contacts")), only_message=len(messages) == 1)
        for item in messages:
            gathered.take(parse_message(item, phone_number_id, display, contacts))
    for item in statuses:
        gathered.take(_parse_status(item, phone_number_id))
    return None


def _parse_status(item: Any, phone_number_id: str) -> StatusUpdate | str:
    """Read one delivery status, or say in a short name why it cannot be taken."""
    if not isinstance(item, dict):
        return "bad_status"
    wamid = parse_id(item.get("id"))
    if wamid is None:
        return "status_without_id"
    word = item.get("status")
    status = _STATUSES.get(word) if isinstance(word, str) else None
    if status is None:
        return "status_" + parse_label(word)
    callback = item.get("biz_opaque_callback_data")
    code = None
    if status is DeliveryStatus.FAILED:
        errors = as_list(item.get("errors"))
        code = parse_code(as_object(errors[0]).get("code")) if errors else None
    return StatusUpdate(phone_number_id, wamid, status, parse_id(callback), code)
