"""A person's ids have changed: told by a message of type ``system`` or a field of its own."""

from typing import Any

from openparallax.model.messages import Relink, Sender
from openparallax.webhook.values import as_object, parse_id, parse_seconds

_CHANGES = {"user_changed_number", "customer_changed_number", "user_changed_user_id"}
_SAME_IDS = "customer_identity_changed"
"""The person has a new phone or has set it up anew."""


def parse_system(message: dict[str, Any], phone_number_id: str) -> Relink | str | None:
    """Read a message of type ``system``.

    A number stands among the old ids only if it is not the new one too: a new number may have been
    somebody else's before, whose chat must not be joined to this person's.

    Returns:
        The change; or in a short name why it cannot be taken; or None if it is about something
        else.

    Source:
        Cloud API, webhooks, system messages (2026; no contacts come with them); the previous ids
        since 2026-08-11, when ``user_id_update`` was said to be no field to subscribe to;
        ``customer`` and ``new_wa_id`` are of older versions.
    """
    system = as_object(message.get("system"))
    what = system.get("type")
    if what == _SAME_IDS:
        return "system_" + _SAME_IDS
    if not isinstance(what, str) or what not in _CHANGES:
        return None
    number = parse_id(system.get("wa_id")) or parse_id(system.get("new_wa_id"))
    numbers = (parse_id(system.get("customer")), parse_id(message.get("from")))
    old = Sender(
        next((known for known in numbers if known is not None and known != number), None),
        parse_id(system.get("previous_user_id")) or parse_id(message.get("from_user_id")),
        parse_id(system.get("previous_parent_user_id"))
        or parse_id(message.get("from_parent_user_id")),
    )
    new = Sender(number, parse_id(system.get("user_id")), parse_id(system.get("parent_user_id")))
    return _relink(phone_number_id, old, new, message.get("timestamp"))


def parse_user_id_update(item: object, phone_number_id: str | None, time: object) -> Relink | str:
    """Read one item of field ``user_id_update``, or say in a short name why it cannot be taken.

    Args:
        item: The item.
        phone_number_id: Which of our numbers was told, if the change says so.
        time: The entry's, where the item has none.

    Source:
        Cloud API, webhooks, field ``user_id_update`` (2026). ``wa_id`` is the number that the
        person has now.
    """
    if not isinstance(item, dict):
        return "bad_relink"
    ids, parents = item.get("user_id"), item.get("parent_user_id")
    old = Sender(None, _part(ids, "previous"), _part(parents, "previous"))
    new = Sender(parse_id(item.get("wa_id")), _part(ids, "current"), _part(parents, "current"))
    at = item.get("timestamp")
    return _relink(phone_number_id, old, new, time if at is None else at)


def _relink(phone_number_id: str | None, old: Sender, new: Sender, at: object) -> Relink | str:
    if old == _NOBODY:
        return "relink_without_old"
    if new == _NOBODY:
        return "relink_without_new"
    if old == new:
        return "relink_without_change"
    seconds = parse_seconds(at)
    if seconds is None:
        return "bad_timestamp"
    return Relink(phone_number_id, old, new, seconds)


def _part(value: object, which: str) -> str | None:
    """The previous or current id; one that came bare is the current one."""
    if isinstance(value, dict):
        return parse_id(value.get(which))
    return parse_id(value) if which == "current" else None


_NOBODY = Sender()
