"""The ids of a sender as aliases: how they are written, and whose they are at a moment."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from openparallax.chats.numbers import digits_of, match_key
from openparallax.model.messages import Sender
from openparallax.storage import Connection, aliases
from openparallax.storage.aliases import Alias, Left

USER, PARENT, NUMBER = "u:", "p:", "n:"
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Who:
    """A sender as one of our numbers sees it, at a moment of Meta's.

    Attributes:
        account: Row of our number.
        sender: The ids.
        at: Meta's timestamp of what carried them.
    """

    account: int
    sender: Sender
    at: int


def values_of(sender: Sender) -> list[str]:
    """The aliases of a sender, the surest first."""
    number = number_of(sender)
    return [*ids_of(sender), *(() if number is None else (number,))]


def ids_of(sender: Sender) -> Iterator[str]:
    """The business-scoped ones among the aliases of a sender."""
    if sender.user_id is not None:
        yield USER + sender.user_id
    if sender.parent_user_id is not None:
        yield PARENT + sender.parent_user_id


def number_of(sender: Sender) -> str | None:
    """The alias of a sender's number."""
    return None if sender.wa_id is None else _number(sender.wa_id)


def values_of_address(address: str) -> tuple[str, ...]:
    """What a chat's address may be among the aliases of its contact."""
    return USER + address, PARENT + address, _number(address)


def _number(wa_id: str) -> str:
    # An id that stands where numbers stand must not meet the number of the same digits.
    return NUMBER + (wa_id if _LETTER.search(wa_id) else match_key(digits_of(wa_id)) or wa_id)


def find(connection: Connection, who: Who, value: str | None) -> Alias | None:
    """Whom a value stands for today."""
    return None if value is None else aliases.find(connection, who.account, value)


def find_left(connection: Connection, who: Who, value: str | None) -> Left | None:
    """Whose a number was at the time of ``who``, if they have left it since, or in that second."""
    return None if value is None else aliases.find_left(connection, who.account, value, who.at)


def user_ids(connection: Connection, account: int, contact: int) -> list[str]:
    """The business-scoped user ids of a contact, the newest first."""
    values = aliases.of_contact(connection, account, contact)
    return [value.removeprefix(USER) for value, _ in values if value.startswith(USER)]


def numbers_of(connection: Connection, account: int, contact: int) -> list[tuple[str, int]]:
    """The aliases of a contact that are numbers and since when they are theirs, newest first."""
    values = aliases.of_contact(connection, account, contact)
    return [(value, since) for value, since in values if value.startswith(NUMBER)]
