"""The allow-list: who may write."""

from collections.abc import Collection, Iterable

from openparallax.chats.ids import NUMBER, PARENT, USER, number_of
from openparallax.chats.numbers import match_key
from openparallax.model.messages import Sender


class AllowList:
    """Numbers and business-scoped ids; an empty list lets everybody in.

    Attributes:
        entries: As they were given.
        is_everybody: There are none.
    """

    def __init__(self, entries: Collection[str]) -> None:
        self.entries = frozenset(entries)
        self._ids = frozenset(entry for entry in entries if not entry.isdigit())
        self._numbers = frozenset(match_key(entry) for entry in entries if entry.isdigit())
        self.is_everybody = not entries

    def lets_in(self, sender: Sender) -> bool:
        """Whether one of the ids that this message carries is on the list."""
        if self.is_everybody:
            return True
        number = number_of(sender)
        if number is not None and number.removeprefix(NUMBER) in self._numbers:
            return True
        return sender.user_id in self._ids or sender.parent_user_id in self._ids

    def lets_in_one_of(self, aliases: Iterable[str]) -> bool:
        """The same of all ids by which a contact is known by now, as `chats.ids` writes them."""
        return self.is_everybody or any(
            alias.removeprefix(NUMBER) in self._numbers
            if alias.startswith(NUMBER)
            else alias.removeprefix(USER).removeprefix(PARENT) in self._ids
            for alias in aliases
        )
