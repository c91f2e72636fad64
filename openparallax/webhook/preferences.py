"""One item of ``user_preferences``: whether a contact wants marketing."""

from openparallax.model.messages import Preference
from openparallax.webhook.senders import Contacts
from openparallax.webhook.values import parse_label, parse_seconds

_ANSWERS = {"stop": False, "resume": True}
_CATEGORY = "marketing_messages"


def parse_preference(item: object, phone_number_id: str, contacts: Contacts) -> Preference | str:
    """Read one preference, or say in a short name why it cannot be taken.

    Source:
        Cloud API, webhooks, field ``user_preferences``.
    """
    if not isinstance(item, dict):
        return "bad_preference"
    category, answer = item.get("category", _CATEGORY), item.get("value")
    if category != _CATEGORY:
        return "preference_" + parse_label(category)[:20]
    if not isinstance(answer, str) or answer not in _ANSWERS:
        return "preference_" + parse_label(answer)[:20]
    person = contacts.person(item.get("wa_id"), item.get("user_id"), item.get("parent_user_id"))
    if person is None:
        return "preference_without_person"
    at = parse_seconds(item.get("timestamp"))
    if at is None:
        return "bad_timestamp"
    return Preference(phone_number_id, person, _ANSWERS[answer], at)
