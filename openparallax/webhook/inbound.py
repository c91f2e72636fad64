"""One item of ``messages``: which kind it is, and its words if it has any."""

from collections.abc import Callable
from typing import Any

from openparallax.model.messages import Inbound, Kind
from openparallax.model.text import Text
from openparallax.webhook.senders import Contacts
from openparallax.webhook.values import (
    as_list,
    as_object,
    mend,
    parse_code,
    parse_id,
    parse_label,
    parse_seconds,
)

MAX_WORDS = 65_536
"""Longest text taken, in characters. WhatsApp's own limit is lower and not documented."""

_UNAVAILABLE = 131060

_Content = tuple[Kind, object, object]
"""The kind, the words and the id of a choice, the latter two as they came."""


def parse_message(
    message: object, phone_number_id: str, display_phone_number: str, contacts: Contacts
) -> Inbound | str:
    """Read one message, or say in a short fixed name why it cannot be taken.

    Source:
        Cloud API, webhooks, field ``messages``; the types stand in `_READERS`.
    """
    if not isinstance(message, dict):
        return "bad_message"
    wamid = parse_id(message.get("id"))
    if wamid is None:
        return "long_id" if isinstance(message.get("id"), str) and message["id"] else "no_id"
    sender = contacts.sender(message)
    if sender is None:
        return "no_sender"
    sent_at = parse_seconds(message.get("timestamp"))
    if sent_at is None:
        return "bad_timestamp"
    content = _parse_content(message)
    if isinstance(content, str):
        return content
    kind, word, text, choice = content
    return Inbound(
        phone_number_id, display_phone_number, wamid, sender, sent_at, kind, word, text, choice
    )


def _parse_content(message: dict[str, Any]) -> tuple[Kind, str, Text | None, str | None] | str:
    """The kind, the field's word for it, the words and the choice's id; or why not."""
    word = message.get("type")
    if message.get("group_id") is not None:  # whatever its type: a group is never answered
        return Kind.SILENT, "group", None, None
    if not isinstance(word, str) or word not in _READERS:
        return Kind.SILENT, parse_label(word), None, None
    kind, words, choice = _READERS[word](message, as_object(message.get(word)))
    text = None
    if isinstance(words, str):
        if len(words) > MAX_WORDS:
            return "too_long"
        if words and not words.isspace():
            text = Text(mend(words))
        elif kind is Kind.TEXT:
            kind = Kind.SILENT
    elif kind is Kind.TEXT:
        return "bad_text"
    return kind, word, text, None if choice is None else parse_id(choice)


def _text(_message: dict[str, Any], content: dict[str, Any]) -> _Content:
    return Kind.TEXT, content.get("body"), None


def _button(_message: dict[str, Any], content: dict[str, Any]) -> _Content:
    return Kind.TEXT, content.get("text"), content.get("payload")


def _interactive(_message: dict[str, Any], content: dict[str, Any]) -> _Content:
    form = content.get("type")
    if form in ("button_reply", "list_reply"):
        choice = as_object(content.get(form))
        return Kind.TEXT, choice.get("title"), choice.get("id")
    return Kind.UNREADABLE, None, None


def _captioned(_message: dict[str, Any], content: dict[str, Any]) -> _Content:
    return Kind.UNREADABLE, content.get("caption"), None


def _unreadable(_message: dict[str, Any], _content: dict[str, Any]) -> _Content:
    return Kind.UNREADABLE, None, None


def _silent(_message: dict[str, Any], _content: dict[str, Any]) -> _Content:
    return Kind.SILENT, None, None


def _unsupported(message: dict[str, Any], _content: dict[str, Any]) -> _Content:
    for error in as_list(message.get("errors")):
        if parse_code(as_object(error).get("code")) == _UNAVAILABLE:
            return Kind.RESEND, None, None
    return Kind.SILENT, None, None


_READERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], _Content]] = {
    "text": _text,
    "button": _button,
    "interactive": _interactive,
    "image": _captioned,
    "video": _captioned,
    "document": _captioned,
    "audio": _captioned,
    "sticker": _captioned,
    "location": _unreadable,
    "contacts": _unreadable,
    "order": _unreadable,
    "reaction": _silent,
    "edit": _silent,
    "revoke": _silent,
    "system": _silent,
    "request_welcome": _silent,
    "unsupported": _unsupported,
}
