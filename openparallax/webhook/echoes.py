"""One item of ``message_echoes``: what a person of ours wrote to a contact from the phone."""

import re
from typing import Any

from openparallax.model.messages import Echo, Sender
from openparallax.webhook.content import parse_content
from openparallax.webhook.inbound import original_of
from openparallax.webhook.senders import Contacts
from openparallax.webhook.values import as_object, parse_id, parse_label, parse_seconds

_NO_ANSWERS = frozenset(
    ("reaction", "edit", "pin", "keep_in_chat", "poll_update", "system", "request_welcome")
)
"""What one does without taking part in the conversation."""

_USER_IDS = ("to_user_id", "recipient_user_id")
_PARENT_IDS = ("to_parent_user_id", "recipient_parent_user_id")
"""Meta documents ``to`` only; people with a username have no number to stand there."""

_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


def parse_echo(item: object, phone_number_id: str, contacts: Contacts) -> Echo | str:
    """Read one echo, or say in a short name why it cannot be taken.

    Source:
        Cloud API, webhooks, field ``smb_message_echoes``.
    """
    if not isinstance(item, dict):
        return "bad_echo"
    word = item.get("type")
    if word == "unsupported":  # edits and pins come as such as well
        word = as_object(item.get("unsupported")).get("type", word)
    if item.get("group_id") is not None:
        return "echo_group"
    if isinstance(word, str) and word in _NO_ANSWERS:
        return "echo_" + word
    wamid = parse_id(item.get("id"))
    if wamid is None:
        return "echo_without_id"
    to = _recipient(item, contacts)
    if to is None:
        return "echo_without_recipient"
    sent_at = parse_seconds(item.get("timestamp"))
    if sent_at is None:
        return "bad_timestamp"
    original = ""
    if item.get("type") == "revoke":
        original = original_of(item)
        if not original:
            return "echo_revoke"
    # Whatever cannot be read of it, somebody wrote: that alone silences the engine.
    content = parse_content(item)
    kind, text = (parse_label(item.get("type")), None) if isinstance(content, str) else content[1:3]
    return Echo(phone_number_id, wamid, to, sent_at, kind, text, original)


def _recipient(item: dict[str, Any], contacts: Contacts) -> Sender | None:
    number = _digits(item.get("to"))
    user = next((item[name] for name in _USER_IDS if item.get(name)), None)
    if isinstance(number, str) and _USER_ID.fullmatch(number):
        number, user = None, user or number
    parent = next((item[name] for name in _PARENT_IDS if item.get(name)), None)
    to = contacts.person(number, user, parent)
    # A lone contact beside an echo without ids may be ourselves.
    if to is None or (to.wa_id is not None and to.wa_id == _digits(item.get("from"))):
        return None
    return to


def _digits(number: object) -> object:
    """``number`` as a wa_id; an echo repeats it as it was dialled, such as ``+1 650-555-1234``."""
    if isinstance(number, str) and len(number) < 40:
        bare = number.translate(_MARKS)
        if bare.isascii() and bare.isdigit():
            return bare
    return number


_MARKS = str.maketrans("", "", "+ -().")
