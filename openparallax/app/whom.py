"""What an operator's question says: whom it means, and its other arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openparallax.chats.ids import values_of_address
from openparallax.config import normalise_number
from openparallax.errors import Refusal
from openparallax.storage import Connection, Database, overview

_LONGEST = 256
_MOST = 1 << 62


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the operator means.

    Attributes:
        values: The aliases that were asked for.
        chats: Theirs, with all that was merged with them.
    """

    values: Sequence[str]
    chats: list[int]


async def find(database: Database, asked: Mapping[str, Any]) -> Person:
    """Whom ``who`` or ``chat``, and ``account``, mean.

    Returns:
        Without chats if nobody is known by that.

    Raises:
        Refusal: The arguments are wrong (2).
        NotStored: The file could not be read now.
    """
    account = text_of(asked, "account")
    who = text_of(asked, "who")
    chat = asked.get("chat")
    if (who is None) == (chat is None):
        raise Refusal("name either who or chat.", exit_code=2)
    if who is None:
        number = whole_number(asked, "chat", 0, 1, _MOST)
        found = await database.read(lambda c: overview.chats(c, overview.same_person(c, [number])))
        ids = [line.chat for line in found if account in {None, line.account}]
        return Person((), ids if number in {line.chat for line in found} else [])
    values = _values(who)

    def work(connection: Connection) -> list[int]:
        chats = overview.chats_known_by(connection, values, account)
        if not chats:
            chats = overview.chats_that_left(connection, values[-1], account)
        return overview.same_person(connection, chats)

    return Person(values, await database.read(work))


def nobody(asked: Mapping[str, Any]) -> Refusal:
    """What is said where nobody was found."""
    where = " with that account" if asked.get("account") is not None else ""
    if asked.get("chat") is not None:
        return Refusal(f"there is no such chat{where}. See openparallax sessions list.")
    return Refusal(
        f"nobody is known by that{where}. See openparallax sessions list for who is; "
        "numbers are written with their country code."
    )


def see_form(asked: Mapping[str, Any], person: Person) -> None:
    """See that whom nobody knows was at least named as people are.

    Raises:
        Refusal: It is a name, say, or the short form of the log (2).
    """
    who = asked.get("who")
    if who is None or person.chats:
        return
    try:
        normalise_number(str(who))
    except ValueError:
        raise Refusal(
            "nobody is known by that, and it is neither a number with its country code nor a user "
            "id. See openparallax sessions list; what the log and tail print is chat=N and turn=N.",
            exit_code=2,
        ) from None


def text_of(asked: Mapping[str, Any], key: str) -> str | None:
    """A text among the arguments; None if it is not there."""
    value = asked.get(key)
    if value is None:
        return None
    is_text = isinstance(value, str) and _is_storable(value)
    if not is_text or not 0 < len(value.strip()) <= _LONGEST:
        raise Refusal(f"{key} is to be a text of up to {_LONGEST} characters.", exit_code=2)
    return str(value)


def _is_storable(value: str) -> bool:
    """Whether it has no lone surrogates, of which no file knows anything."""
    return not any("\ud800" <= one <= "\udfff" for one in value)


def whole_number(asked: Mapping[str, Any], key: str, default: int, least: int, most: int) -> int:
    """A whole number among the arguments, or ``default``."""
    value = asked.get(key)
    if value is None:
        return default
    if type(value) is not int or not least <= value <= most:
        raise Refusal(f"{key} is to be a whole number of {least} to {most}.", exit_code=2)
    return value


def _values(who: str) -> tuple[str, ...]:
    """What somebody who is asked for may be among the aliases; a number stands last."""
    try:
        address = normalise_number(who)
    except ValueError:  # an id of a form that is not known here
        address = who.strip()
    return values_of_address(address)
