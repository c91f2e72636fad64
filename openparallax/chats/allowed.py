"""The allow-list: who may write."""

from collections.abc import Collection

from openparallax.chats.ids import NUMBER, number_of
from openparallax.chats.numbers import match_key
from openparallax.model.messages import Sender


class AllowList:
    """Numbers and business-scoped ids; an empty list lets everybody in."""

    def __init__(self, entries: Collection[str]) -> None:
        self._ids = frozenset(entry for entry in entries if not entry.isdigit())
        self._numbers = frozenset(match_key(entry) for entry in entries if entry.isdigit())
        self._everybody = not entries

    def lets_in(self, sender: Sender) -> bool:
        """Whether one of the ids that this message carries is on the list."""
        if self._everybody:
            return True
        number = number_of(sender)
        if number is not None and number.removeprefix(NUMBER) in self._numbers:
            return True
        return sender.user_id in self._ids or sender.parent_user_id in self._ids
