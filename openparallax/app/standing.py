"""Whether somebody who was let in may still write, asked again when their turn comes."""

from collections.abc import Callable
from functools import partial

from openparallax.chats.allowed import AllowList
from openparallax.logs import Logger, shorten
from openparallax.model.envelope import Envelope
from openparallax.storage import Connection, Database, aliases, chats
from openparallax.storage.chats import ChatRow


class Standing:
    """Asks the allow-list that is in force now about what an earlier one let in.

    That is what waited while the list was changed: by a reload, or between two processes.

    Args:
        to_ask: The list for an envelope of one of our numbers; None: it needs no asking.
    """

    def __init__(
        self, database: Database, *, to_ask: Callable[[str, int], AllowList | None], log: Logger
    ) -> None:
        self._database = database
        self._to_ask = to_ask
        self._log = log

    async def lets_in(self, chat: ChatRow, envelope: Envelope) -> bool:
        """Whether an envelope of this chat is to be answered; one line says so if not.

        Raises:
            NotStored: The file could not be read now; to be repeated.
        """
        allowed = self._to_ask(chat.account, envelope.number)
        if allowed is None or await self._database.read(partial(_is_on, allowed, chat)):
            return True
        self._log.info(
            "sender_not_allowed",
            contact=shorten(chat.address),
            chat=chat.id,
            turn=envelope.number,
        )
        return False


def _is_on(allowed: AllowList, chat: ChatRow, connection: Connection) -> bool:
    account = chats.find_account(connection, chat.account)
    if account is None:
        return False
    # The ids of a chat that was merged with another since are that one's.
    return allowed.lets_in_one_of(
        value
        for contact in chats.contacts_of(connection, chat.id)
        for value, _ in aliases.of_contact(connection, account, contact)
    )
