"""Who it is, and what follows for sessions and answers from what is learnt about them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from openparallax.chats.directory import Directory
from openparallax.chats.learning import Met
from openparallax.inbox.account import Account
from openparallax.inbox.admission import Admission
from openparallax.inbox.moving import Mover
from openparallax.model.messages import Preference, Relink, Sender
from openparallax.storage import Connection, chats
from openparallax.storage.chats import ChatRow


class People:
    """Meets people; the rules of who is who stand in `chats.identity`."""

    def __init__(self, *, directory: Directory, mover: Mover) -> None:
        self._directory = directory
        self._mover = mover

    def chat_of(
        self,
        connection: Connection,
        account: Account,
        sender: Sender,
        at: int,
        admission: Admission,
    ) -> ChatRow:
        """The chat of ``sender``, made if there is none yet."""
        known = self._directory.known(account.id, sender, at)
        if known is not None:
            return known
        met = self._directory.meet(connection, account.id, sender, at)
        if met.is_new:
            met.chat.latest = at
        self._settle(connection, met, at, admission)
        return met.chat

    def relink(
        self, connection: Connection, account: Account, change: Relink, admission: Admission
    ) -> None:
        """Somebody's ids have changed."""
        allowed = account.allowed
        met = self._directory.relink(
            connection,
            account.id,
            change,
            adds=allowed.lets_in(change.old) or allowed.lets_in(change.new),
        )
        if met is None:
            admission.count("relink_of_nobody")
            return
        admission.count("relinked")
        self._settle(connection, met, change.at, admission)

    def prefer(
        self, connection: Connection, account: Account, wish: Preference, admission: Admission
    ) -> None:
        """Somebody does or does not want marketing."""
        chat = self.chat_of(connection, account, wish.sender, wish.at, admission)
        chats.prefer(connection, chat.contact, wants_marketing=wish.wants_marketing)
        admission.count("preference")

    def _settle(self, connection: Connection, met: Met, at: int, admission: Admission) -> None:
        admission.reloads.update(met.moved)
        for loser in met.merged:
            admission.count("merged")
            admission.merges.append((loser.id, met.chat.id))
        if met.merged:
            self._mover.join(connection, met.chat, met.off_since, met.off_again, admission)
        if met.is_after_off:
            # The same person by another id, or another one by the same number: nobody can say.
            self._mover.begin_off(connection, met.chat, at, admission)


def addressed(relinks: Sequence[Relink], accounts: frozenset[str]) -> Iterator[Relink]:
    """Each of ``relinks`` for each of our numbers that it may speak for."""
    for change in relinks:
        if change.phone_number_id is not None:
            yield change
        else:
            yield from (replace(change, phone_number_id=one) for one in sorted(accounts))
