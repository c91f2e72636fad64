"""One item of ``messages``: what a contact wrote, or that their ids have changed."""

from openparallax.model.messages import Inbound, Kind, Relink, Sender
from openparallax.webhook.content import parse_content
from openparallax.webhook.details import parse_details
from openparallax.webhook.relinks import parse_system
from openparallax.webhook.senders import Contacts
from openparallax.webhook.values import as_object, parse_id, parse_seconds

_WITH_DETAILS = (Kind.TEXT, Kind.UNREADABLE)


def parse_message(
    message: object, phone_number_id: str, display_phone_number: str, contacts: Contacts
) -> Inbound | Relink | str:
    """Read one message, or say in a short name why it cannot be taken.

    Source:
        Cloud API, webhooks, field ``messages``.
    """
    if not isinstance(message, dict):
        return "bad_message"
    if message.get("type") == "system" and message.get("group_id") is None:
        told = parse_system(message, phone_number_id)
        if told is not None:
            return told
    wamid = parse_id(message.get("id"))
    sender = contacts.sender(message)
    sent_at = parse_seconds(message.get("timestamp"))
    if wamid is None or sender is None or sent_at is None:
        return _missing(message, wamid, sender)
    content = parse_content(message)
    if isinstance(content, str):
        return content
    kind, word, text, choice = content
    details, original = None, ""
    if kind in _WITH_DETAILS:
        if choice is not None or "context" in message or "referral" in message:
            details = parse_details(choice, message.get("context"), message.get("referral"))
    elif kind is Kind.REVOKE:
        original = original_of(message)
        kind = Kind.REVOKE if original else Kind.SILENT
    return Inbound(
        phone_number_id,
        display_phone_number,
        wamid,
        sender,
        sent_at,
        kind,
        word,
        text,
        details,
        original,
    )


def _missing(message: dict[str, object], wamid: str | None, sender: Sender | None) -> str:
    if wamid is None:
        return "long_id" if isinstance(message.get("id"), str) and message["id"] else "no_id"
    return "no_sender" if sender is None else "bad_timestamp"


def original_of(message: dict[str, object]) -> str:
    """Meta's id of the message that a ``revoke`` deletes, or ""."""
    return parse_id(as_object(message.get("revoke")).get("original_message_id")) or ""
