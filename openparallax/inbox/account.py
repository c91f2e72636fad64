"""What the door knows of each of our numbers."""

from collections.abc import Collection, Mapping

from openparallax.chats.allowed import AllowList
from openparallax.chats.numbers import alternate_form, digits_of
from openparallax.inbox.limits import RateLimit
from openparallax.storage import Connection, chats
from openparallax.storage.seen import Hasher

NOT_YET = 1 << 62
"""No envelope has so high a number."""


class Account:
    """One of our numbers.

    Args:
        phone_number_id: Meta's id of it.
        allowed: Who may write to it, as `config.numbers` returns them; nobody named: everybody.
        limit: How much one chat may say.
        takeover_s: For how long nobody but a person of ours answers, after they did.
        hash_key: The file's own key.
    """

    def __init__(
        self,
        phone_number_id: str,
        *,
        allowed: Collection[str],
        limit: RateLimit,
        takeover_s: float,
        hash_key: bytes,
    ) -> None:
        self.id = phone_number_id
        self.allowed = AllowList(allowed)
        self.limit = limit
        self.takeover_s = takeover_s
        self.hash = Hasher(hash_key, phone_number_id)


class OwnNumbers:
    """The digits of our numbers, as webhooks tell them: what comes from there is never answered."""

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        self._accounts = accounts
        self._displays: dict[str, str] | None = None
        self._digits: frozenset[str] = frozenset()

    def drop(self) -> None:
        """Read them from the file the next time."""
        self._displays = None

    def has(self, connection: Connection, account: Account, display: str, wa_id: str) -> bool:
        """Whether ``wa_id`` is one of ours; learns ``display``, the number of ``account``."""
        if self._displays is None:
            self._learn(chats.displays(connection))
        if self._displays is not None and self._displays.get(account.id) != display and display:
            chats.note_display(connection, account.id, digits_of(display))
            self._learn({**self._displays, account.id: display})
        return wa_id in self._digits

    def _learn(self, displays: dict[str, str]) -> None:
        self._displays = displays
        self._digits = frozenset(
            spelling
            for id_, display in displays.items()
            if id_ in self._accounts
            for spelling in (digits_of(display), alternate_form(digits_of(display)))
            if spelling
        )


class Lists:
    """Which messages were let in by another allow-list than the one that is in force.

    Args:
        upcoming: What is below was numbered before these lists were.
    """

    def __init__(self, accounts: Mapping[str, Account], upcoming: int) -> None:
        self._lists = {id_: (account.allowed, upcoming) for id_, account in accounts.items()}
        self._count()

    def change(self, accounts: Mapping[str, Account]) -> None:
        """Others are in force from the next request on, of which `settle` tells."""
        before, self._lists = self._lists, {}
        for id_, account in accounts.items():
            known = before.get(id_)
            stays = known is not None and known[0].entries == account.allowed.entries
            self._lists[id_] = known if known and stays else (account.allowed, NOT_YET)
        self._count()

    def settle(self, accounts: Mapping[str, Account], upcoming: int) -> None:
        """From the envelope ``upcoming`` on these let in; to be called where they begin to."""
        lists = self._lists  # the loop may exchange it
        for id_, account in accounts.items():
            allowed, since = lists.get(id_, (account.allowed, 0))
            if since == NOT_YET and allowed.entries == account.allowed.entries:
                lists[id_] = allowed, upcoming
        self._count()

    def _count(self) -> None:
        self._doubtful_below = max((since for _, since in list(self._lists.values())), default=0)

    def is_doubtful(self, phone_number_id: str, number: int) -> bool:
        """Whether `to_ask` has a list for this envelope; asked of each, and hardly ever true."""
        return number < self._doubtful_below and self.to_ask(phone_number_id, number) is not None

    def to_ask(self, phone_number_id: str, number: int) -> AllowList | None:
        """The list to ask about an envelope before its turn; None: it need not be asked.

        Args:
            phone_number_id: The number of ours that it was sent to.
            number: Of the envelope.
        """
        allowed, since = self._lists.get(phone_number_id, (None, 0))
        if allowed is None or allowed.is_everybody or number >= since:
            return None
        return allowed
