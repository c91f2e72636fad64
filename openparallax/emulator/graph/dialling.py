"""Whose phone rings when the business dials a number."""

from typing import Any, Final

from openparallax.emulator.account import Number
from openparallax.emulator.graph.bodies import digits_of
from openparallax.emulator.people import Person
from openparallax.emulator.world import World

_TWO_DIGITS: Final = frozenset(
    str(code)
    for code in (
        *(20, 27, 30, 31, 32, 33, 34, 36, 39, *range(40, 50), *range(51, 59), *range(60, 67)),
        *(81, 82, 84, 86, *range(90, 96), 98),
    )
    if code != 42
)


def country_code(digits: str) -> str:
    """The country code that a number begins with; Source: ITU-T E.164."""
    if digits[:1] in ("1", "7"):
        return digits[:1]
    return digits[:2] if digits[:2] in _TWO_DIGITS else digits[:3]


def dial(
    request: dict[str, Any], number: Number | None, world: World
) -> tuple[str, Person | None, str]:
    """Whom a request means, whether it is well-formed or not.

    Meta writes that a number without ``+`` gets the business's own country code. In practice bots
    send back the digits of webhooks and reach people, so digits that are somebody's stand for
    themselves here, and the country code is tried after that. Unsure: facts, section 2.1.

    Returns:
        The address as it was given, digits alone; who answers to it, if anybody; and the address
        that was dialled.
    """
    to, recipient = request.get("to"), request.get("recipient")
    if to is None:
        address = recipient if isinstance(recipient, str) else ""
        return address, world.person_at(address) if address else None, address
    given = str(to) if isinstance(to, str | int) else ""
    digits = digits_of(given)
    if not digits:
        return given, None, given
    person = world.person_at(digits)
    if person is not None or number is None or given.lstrip().startswith("+"):
        return digits, person, digits
    longer = country_code(number.display_phone_number.lstrip("+")) + digits
    person = world.person_at(longer)
    return digits, person, longer if person is not None else digits
