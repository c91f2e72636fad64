"""From a sender to a chat, through aliases; a cache of what the file says."""

from collections import OrderedDict

from openparallax.chats.numbers import digits_of, match_key
from openparallax.model.messages import Sender
from openparallax.storage import Connection, chats
from openparallax.storage.chats import ChatRow

KEPT = 10_000
"""Chats remembered; one costs about half a kilobyte."""


class Directory:
    """Finds chats. The cache saves a look-up and nothing else: it may be dropped at any time."""

    def __init__(self) -> None:
        self._accounts: dict[str, int] = {}
        self._chats: OrderedDict[int, ChatRow] = OrderedDict()
        self._known: OrderedDict[tuple[str, Sender], int] = OrderedDict()

    def drop(self) -> None:
        """Forget the cache: a unit that changed it did not happen."""
        self._accounts.clear()
        self._chats.clear()
        self._known.clear()

    def find(self, connection: Connection, account: str, sender: Sender) -> ChatRow | None:
        """The chat of ``sender``, or None if there is none yet."""
        known = self._known.get((account, sender))
        if known is not None and (cached := self._chats.get(known)) is not None:
            if cached.address == _address(sender) and (sender.name or cached.name) == cached.name:
                return cached
            # Known, but not as they wrote last: by another number, id or name.
            return self._remember(connection, account, sender, cached)
        contact = self._contact(connection, sender)
        if contact is None:
            return None
        for alias in _aliases(sender):
            chats.add_alias(connection, alias, contact)
        found = chats.find_chat(connection, self._account(connection, account), contact)
        if found is None:
            return None
        return self._remember(connection, account, sender, self._chats.get(found.id, found))

    def add(self, connection: Connection, account: str, sender: Sender) -> int:
        """Make the chat of a ``sender`` whom `find` does not know; it needs a session yet."""
        contact = self._contact(connection, sender)
        if contact is None:
            contact = chats.add_contact(connection, sender.name or "")
            for alias in _aliases(sender):
                chats.add_alias(connection, alias, contact)
        return chats.add_chat(
            connection, self._account(connection, account), contact, _address(sender)
        )

    def _remember(
        self, connection: Connection, account: str, sender: Sender, chat: ChatRow
    ) -> ChatRow:
        address = _address(sender)
        if chat.address != address:
            chats.move_chat(connection, chat.id, address)
            chat.address = address
        if sender.name and sender.name != chat.name:
            chats.name_contact(connection, chat.contact, sender.name)
            chat.name = sender.name
        self._known[account, sender] = chat.id
        self._chats[chat.id] = chat
        self._chats.move_to_end(chat.id)
        while len(self._chats) > KEPT:
            self._chats.popitem(last=False)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return chat

    def cached(self, chat: int) -> ChatRow | None:
        """What is remembered of a chat, if anything."""
        return self._chats.get(chat)

    def _account(self, connection: Connection, phone_number_id: str) -> int:
        found = self._accounts.get(phone_number_id)
        if found is None:
            found = chats.account_id(connection, phone_number_id)
            self._accounts[phone_number_id] = found
        return found

    def _contact(self, connection: Connection, sender: Sender) -> int | None:
        for alias in _aliases(sender):
            found = chats.contact_of(connection, alias)
            if found is not None:
                return found
        return None


def _aliases(sender: Sender) -> list[str]:
    """What the sender is known by, the surest first: a number may be given to somebody else."""
    aliases = [f"u:{one}" for one in (sender.user_id, sender.parent_user_id) if one is not None]
    if sender.wa_id is not None:
        aliases.append(f"n:{match_key(digits_of(sender.wa_id)) or sender.wa_id}")
    return aliases


def _address(sender: Sender) -> str:
    """Where to answer: the number where there is one, as Meta gave it, else the id."""
    return sender.wa_id or sender.user_id or sender.parent_user_id or ""
