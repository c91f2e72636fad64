"""What stands under a message's ``type``: which kind it is, and its words if it has any."""

from collections.abc import Callable
from typing import Any

from openparallax.model.messages import Kind
from openparallax.model.text import Text
from openparallax.webhook.values import as_list, as_object, mend, parse_code, parse_label

MAX_WORDS = 65_536
"""Longest text taken, in characters. WhatsApp's own limit is lower and not documented."""

_ERRORS = {131060: Kind.RESEND, 131052: Kind.UNREADABLE}
"""What an ``unsupported`` message was: not available (yet), or media that could not be fetched."""

_Found = tuple[Kind, object, object]
"""The kind, the words and the id of a choice, the latter two as they came."""


def parse_content(message: dict[str, Any]) -> tuple[Kind, str, Text | None, object] | str:
    """The kind, the field's word for it, the words and the choice's id as it came; or why not.

    Source:
        Cloud API, webhooks, field ``messages``; the types stand in `_READERS`.
    """
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
    return kind, word, text, choice


def _text(_message: dict[str, Any], content: dict[str, Any]) -> _Found:
    return Kind.TEXT, content.get("body"), None


def _button(_message: dict[str, Any], content: dict[str, Any]) -> _Found:
    return Kind.TEXT, content.get("text"), content.get("payload")


def _interactive(_message: dict[str, Any], content: dict[str, Any]) -> _Found:
    form = content.get("type")
    if form in ("button_reply", "list_reply"):
        choice = as_object(content.get(form))
        return Kind.TEXT, choice.get("title"), choice.get("id")
    return Kind.UNREADABLE, None, None


def _captioned(_message: dict[str, Any], content: dict[str, Any]) -> _Found:
    return Kind.UNREADABLE, content.get("caption"), None


def _unreadable(_message: dict[str, Any], _content: dict[str, Any]) -> _Found:
    return Kind.UNREADABLE, None, None


def _silent(_message: dict[str, Any], _content: dict[str, Any]) -> _Found:
    return Kind.SILENT, None, None


def _revoke(_message: dict[str, Any], _content: dict[str, Any]) -> _Found:
    return Kind.REVOKE, None, None


def _unsupported(message: dict[str, Any], _content: dict[str, Any]) -> _Found:
    kinds = set()
    for error in as_list(message.get("errors")):
        code = parse_code(as_object(error).get("code"))
        if code in _ERRORS:
            kinds.add(_ERRORS[code])
    for kind in (Kind.RESEND, Kind.UNREADABLE):
        if kind in kinds:
            return kind, None, None
    return Kind.SILENT, None, None


_READERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], _Found]] = {
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
    "revoke": _revoke,
    "system": _silent,
    "request_welcome": _silent,
    "unsupported": _unsupported,
}
