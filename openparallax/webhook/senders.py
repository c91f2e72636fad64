"""Who it is: the ids of a message and of the contact that came with it, put together."""

from typing import Any

from openparallax.model.messages import Sender
from openparallax.webhook.values import mend, parse_id

_MAX_NAME = 256

_Card = tuple[str | None, str | None, str | None, str | None]
"""The wa_id, user id, parent's user id and name of one contact."""


class Contacts:
    """The contacts of one change, found by their ids and never by position.

    Args:
        found: ``value.contacts``, any list.
        only_message: Whether the change holds a single message. If it holds a single contact too,
            a message without any id is that contact's.

    Source:
        Cloud API: one change may hold more messages than contacts, or fewer; people with usernames
        come without ``wa_id`` and ``from``.
    """

    __slots__ = ("_by_id", "_only")

    def __init__(self, found: list[Any], *, only_message: bool) -> None:
        self._only: _Card | None = None
        if len(found) == 1 and isinstance(found[0], dict):  # nearly always
            card = _card(found[0])
            self._by_id: dict[str | None, _Card | None]
            self._by_id = {card[0]: card, card[1]: card, card[2]: card}
            if only_message:
                self._only = card
            return
        self._by_id = {}
        for contact in found:
            if isinstance(contact, dict):
                self._add(_card(contact))

    def _add(self, card: _Card) -> None:
        for known_as in card[:3]:
            if known_as is None:
                continue
            other = self._by_id.setdefault(known_as, card)
            if other is not card and (other is None or other[:3] != card[:3]):
                self._by_id[known_as] = None  # two people share this id: it identifies neither

    def sender(self, message: dict[str, Any]) -> Sender | None:
        """Who wrote ``message``; None if nothing says so."""
        return self.person(
            message.get("from"), message.get("from_user_id"), message.get("from_parent_user_id")
        )

    def person(self, number: object, user: object, parent_user: object) -> Sender | None:
        """Who has these ids, given as they came; None if there are none and no lone contact."""
        wa_id = parse_id(number)
        user_id = parse_id(user)
        parent = parse_id(parent_user)
        for known_as in (user_id, wa_id, parent):
            card = None if known_as is None else self._by_id.get(known_as)
            if card is None:
                continue
            # A number whose business-scoped ids differ is another person by now: nothing is shared.
            if not (_differ(card[1], user_id) or (user_id is None and _differ(card[0], wa_id))):
                return Sender(wa_id or card[0], user_id or card[1], parent or card[2], card[3])
        if wa_id is None and user_id is None and parent is None:
            return None if self._only is None or not any(self._only[:3]) else Sender(*self._only)
        return Sender(wa_id, user_id, parent)


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _card(contact: dict[str, Any]) -> _Card:
    return (
        parse_id(contact.get("wa_id")),
        parse_id(contact.get("user_id")),
        parse_id(contact.get("parent_user_id")),
        _name(contact.get("profile")),
    )


def _name(profile: object) -> str | None:
    name = profile.get("name") if isinstance(profile, dict) else None
    return mend(name[:_MAX_NAME]) if isinstance(name, str) and name else None
