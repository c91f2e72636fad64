"""From a sender to a chat, through aliases; a cache of what the file says."""

from collections import OrderedDict
from functools import partial

from openparallax.chats import identity
from openparallax.chats.ids import Who
from openparallax.chats.learning import Met
from openparallax.chats.numbers import digits_of, match_key
from openparallax.model.messages import Relink, Sender
from openparallax.storage import Connection, Database, chats
from openparallax.storage.chats import ChatRow

KEPT = 10_000
"""Chats remembered; one costs about half a kilobyte."""


class Directory:
    """Finds chats. The cache saves a look-up and nothing else: it may be dropped at any time."""

    def __init__(self) -> None:
        self._accounts: dict[str, int] = {}
        self._chats: OrderedDict[int, ChatRow] = OrderedDict()
        self._known: OrderedDict[tuple[str, Sender], tuple[int, int]] = OrderedDict()

    def drop(self) -> None:
        """Forget the cache: a unit that changed it did not happen."""
        self._accounts.clear()
        self._chats.clear()
        self._known.clear()

    def cached(self, chat: int) -> ChatRow | None:
        """What is remembered of a chat, if anything."""
        return self._chats.get(chat)

    async def by_id(self, database: Database, chat: int) -> ChatRow:
        """A chat as it is remembered, or else as the file has it.

        Raises:
            LookupError: There is none with this id.
            NotStored: The file could not be read now; may be repeated.
        """
        cached = self.cached(chat)
        if cached is not None:
            return cached
        found = await database.read(partial(chats.chat_by_id, chat=chat))
        if found is None:
            raise LookupError("a chat that is not there")
        return found

    def known(self, account: str, sender: Sender, at: int) -> ChatRow | None:
        """The chat of a sender who wrote just so before; None says nothing."""
        found = self._known.get((account, sender))
        if found is None or at < found[1]:
            return None
        cached = self._chats.get(found[0])
        if cached is None or (sender.name or cached.name) != cached.name:
            return None
        return cached if _is_answered_at(cached, _address(sender)) else None

    def meet(self, connection: Connection, account: str, sender: Sender, at: int) -> Met:
        """Find out who ``sender`` is, and note what is learnt by that; part of the caller's unit.

        Whoever is not known yet is made known, with a chat and an empty session on the record. See
        `chats.identity` for the rules.

        Args:
            connection: Inside a unit.
            account: Phone number id of ours that was written to.
            sender: Who wrote, by at least one id.
            at: Meta's timestamp of the message; an older one takes no id away from anybody.
        """
        who = self._who(connection, account, sender, at)
        met = identity.identify(connection, who)
        return self._found(connection, account, met, sender)

    def relink(
        self, connection: Connection, account: str, change: Relink, *, adds: bool = True
    ) -> Met | None:
        """Note that somebody's ids have changed; None if nobody with a chat is known by any.

        Args:
            connection: Inside a unit.
            account: Phone number id of ours.
            change: The ids, and when.
            adds: Note it of people who are not known yet, too.
        """
        old = self._who(connection, account, change.old, change.at)
        met = identity.relink(connection, old, change.new, adds=adds)
        return None if met is None else self._found(connection, account, met, change.new)

    def remember(self, account: str, sender: Sender, chat: ChatRow, since: int) -> None:
        """Save the look-up the next time that ``sender`` writes just so, later than ``since``."""
        self._known[account, sender] = (chat.id, since)
        self._chats[chat.id] = chat
        self._chats.move_to_end(chat.id)
        while len(self._chats) > KEPT:
            self._chats.popitem(last=False)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _found(self, connection: Connection, account: str, met: Met, sender: Sender) -> Met:
        if met.has_changed:
            self.drop()  # what is remembered of others may be wrong by now
        # One object for each chat: what the door changes in it must be seen by everybody.
        chat = met.chat = self._chats.get(met.chat.id, met.chat)
        address = _address(met.sender)
        if address and not met.is_late and not _is_answered_at(chat, address):
            chats.move_chat(connection, chat.id, address)
            chat.address, chat.alternate = address, 0
        if sender.name and sender.name != chat.name and not met.is_late:
            chats.name_contact(connection, chat.contact, sender.name)
            chat.name = sender.name
        for loser in met.merged:
            chats.move_chat(connection, loser.id, chat.address)
        if met.sender == sender and not met.is_late:
            self.remember(account, sender, chat, met.since)
        return met

    def _who(self, connection: Connection, account: str, sender: Sender, at: int) -> Who:
        row = self._accounts.get(account)
        if row is None:
            row = self._accounts[account] = chats.account_id(connection, account)
        return Who(row, sender, at)


def _is_answered_at(chat: ChatRow, address: str) -> bool:
    """Whether answers go to ``address`` already, or to the spelling of it that works."""
    if chat.address == address:
        return True
    return chat.alternate == 1 and match_key(digits_of(address)) == match_key(chat.address)


def _address(sender: Sender) -> str:
    """Where to answer: the number where there is one, as Meta gave it, else the id."""
    return sender.wa_id or sender.user_id or sender.parent_user_id or ""
