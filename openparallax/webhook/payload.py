"""From the decoded body of a webhook to a `Notification`; pure, and it never raises.

Meta puts up to 1000 updates into one request, and each of ``entry``, ``changes``, ``messages`` and
the like may hold several. What cannot be taken is counted under a short name, and the rest of its
batch goes on.
"""

from collections.abc import Callable
from typing import Any

from openparallax.model.messages import Inbound, Notification
from openparallax.webhook.body import Unreadable, parse_body
from openparallax.webhook.echoes import parse_echo
from openparallax.webhook.gathered import NOT_ITS_NUMBER, Gathered
from openparallax.webhook.inbound import parse_message
from openparallax.webhook.news import FIELDS, error_news, parse_news
from openparallax.webhook.preferences import parse_preference
from openparallax.webhook.relinks import parse_user_id_update
from openparallax.webhook.senders import Contacts
from openparallax.webhook.statuses import parse_status
from openparallax.webhook.values import as_list, as_object, parse_code, parse_id, parse_label

__all__ = ["NOT_ITS_NUMBER", "Unreadable", "parse_body", "parse_notification"]

_Object = dict[str, Any]


def parse_notification(
    body: object,
    *,
    accounts: frozenset[str] | None = None,
    others: frozenset[str] = frozenset(),
) -> Notification:
    """Read all that one webhook request carried.

    Args:
        body: The decoded JSON, any value whatever; a signed body need not be well formed.
        accounts: The phone number ids that the request may speak for; None where signatures are
            not checked.
        others: Phone number ids of ours that it may not speak for: what comes for them is counted
            as `NOT_ITS_NUMBER`.

    Source:
        Cloud API, webhooks: ``entry[].changes[].field`` and ``.value``.
    """
    gathered = Gathered(others)
    _read_body(body, gathered)
    return Notification(
        gathered.messages,
        gathered.statuses,
        gathered.echoes,
        gathered.relinks,
        gathered.preferences,
        gathered.news,
        gathered.unsupported,
        accounts,
    )


def _read_body(body: object, gathered: Gathered) -> None:
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
            _read_change(change, entry, gathered)
    return None


def _read_change(change: object, entry: _Object, gathered: Gathered) -> None:
    if not isinstance(change, dict):
        return gathered.miss("bad_change")
    field = change.get("field")
    if not isinstance(field, str) or (field not in _READERS and field not in FIELDS):
        return gathered.miss("field_" + parse_label(field))
    value = change.get("value")
    if not isinstance(value, dict):
        return gathered.miss("bad_change")
    read = _READERS.get(field)
    if read is not None:
        return read(value, entry, gathered)
    for news in parse_news(field, value, entry):
        gathered.tell(news)
    return None


def _read_messages(value: _Object, entry: _Object, gathered: Gathered) -> None:
    # most requests hold one list of the three, so nothing is called for the others
    messages = as_list(value["messages"]) if "messages" in value else ()
    statuses = as_list(value["statuses"]) if "statuses" in value else ()
    errors = as_list(value["errors"]) if "errors" in value else ()
    if not messages and not statuses and not errors:
        return gathered.miss("empty_change")
    metadata = as_object(value.get("metadata"))
    phone_number_id = parse_id(metadata.get("phone_number_id"))
    if gathered.others and phone_number_id in gathered.others:
        return gathered.miss(NOT_ITS_NUMBER, len(messages) + len(statuses) + len(errors))
    for error in errors:
        _read_error(error, metadata, entry, gathered)
    if phone_number_id is None:
        return gathered.miss("no_metadata", len(messages) + len(statuses))
    if messages:
        display = parse_id(metadata.get("display_phone_number")) or ""
        contacts = Contacts(as_list(value.get("contacts")), only_message=len(messages) == 1)
        for item in messages:
            read = parse_message(item, phone_number_id, display, contacts)
            if isinstance(read, Inbound):
                gathered.messages.append(read)
            else:
                gathered.take(read, gathered.relinks)
    for item in statuses:
        gathered.take(parse_status(item, phone_number_id), gathered.statuses)
    return None


def _read_error(error: object, metadata: _Object, entry: _Object, gathered: Gathered) -> None:
    code = parse_code(as_object(error).get("code"))
    gathered.miss("error" if code is None else f"error_{code}")
    if code is not None:
        gathered.tell(error_news(code, metadata, entry))


def _read_echoes(value: _Object, _entry: _Object, gathered: Gathered) -> None:
    found, phone_number_id = _items("message_echoes", value, gathered, needs_number=True)
    contacts = Contacts(as_list(value.get("contacts")), only_message=len(found) == 1)
    for item in found:
        gathered.take(parse_echo(item, phone_number_id or "", contacts), gathered.echoes)


def _read_preferences(value: _Object, _entry: _Object, gathered: Gathered) -> None:
    found, phone_number_id = _items("user_preferences", value, gathered, needs_number=True)
    contacts = Contacts(as_list(value.get("contacts")), only_message=len(found) == 1)
    for item in found:
        read = parse_preference(item, phone_number_id or "", contacts)
        gathered.take(read, gathered.preferences)


def _read_user_ids(value: _Object, entry: _Object, gathered: Gathered) -> None:
    found, phone_number_id = _items("user_id_update", value, gathered, needs_number=False)
    for item in found:
        read = parse_user_id_update(item, phone_number_id, entry.get("time"))
        gathered.take(read, gathered.relinks)


def _items(
    key: str, value: _Object, gathered: Gathered, *, needs_number: bool
) -> tuple[list[Any], str | None]:
    """What stands in the list ``key``, and for which number; nothing if it may not be taken."""
    found = as_list(value.get(key))
    phone_number_id = parse_id(as_object(value.get("metadata")).get("phone_number_id"))
    if not found:
        gathered.miss("empty_change")
    elif phone_number_id in gathered.others:
        gathered.miss(NOT_ITS_NUMBER, len(found))
    elif phone_number_id is None and needs_number:
        gathered.miss("no_metadata", len(found))
    else:
        return found, phone_number_id
    return [], None


_READERS: dict[str, Callable[[_Object, _Object, Gathered], None]] = {
    "messages": _read_messages,
    "smb_message_echoes": _read_echoes,
    "user_preferences": _read_preferences,
    "user_id_update": _read_user_ids,
}
