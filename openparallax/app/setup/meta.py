"""What Meta says of a value that was pasted: asked at once, read only.

Each question ends in `Word`s. Where Graph cannot be reached, or does not want to be asked just now,
the word is UNKNOWN, and nobody is kept from going on.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from openparallax.app.setup.tokens import OfToken, judge
from openparallax.app.setup.word import Word, is_id, odd, printable, unknown, well, wrong
from openparallax.doctor.graph import Answer, Reader

_OF_NUMBER: Final = "id,display_phone_number,verified_name,status,health_status"
_MOST_ACCOUNTS: Final = 8
_INVALID_APPLICATION: Final = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number that the token can see."""

    id: str
    waba_id: str
    shown: str = field(repr=False)
    name: str = ""

    @property
    def digits(self) -> str:
        return _digits(self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPlace:
    """What is known of a number and its account.

    Attributes:
        number: The number, where the id is one.
        choices: Where something is wrong: the numbers that could be meant.
    """

    said: tuple[Word, ...]
    number: Number | None = None
    choices: tuple[Number, ...] = ()


def words_of(said: OfToken | OfPlace) -> tuple[Word, ...]:
    return said.said


class Meta:
    """Asks Graph; keeps nothing.

    Args:
        base_url: Of Graph.
        version: Such as ``v25.0``.
    """

    def __init__(self, base_url: str, version: str) -> None:
        self._base_url = base_url
        self._version = version

    async def app(self, app_id: str, app_secret: str) -> tuple[Word, ...]:
        """Whether the secret is this app's: the call itself proves it.

        Source:
            facts, section 14, check 4.
        """
        async with self._reader(f"{app_id}|{app_secret}") as graph:
            answer = await graph.get(app_id, fields="id,name")
        if answer.is_ok:
            return (well(f"The app {_name(answer.body)}, and this is its secret."),)
        message = _message(answer)
        if answer.code == _INVALID_APPLICATION or "validating application" in message:
            return (wrong("Meta knows no app with this App ID."),)
        if answer.is_of_token:
            return (
                wrong(
                    "The secret is not this app's. Both stand on one page, App settings, Basic;"
                    " or it was reset there since it was copied."
                ),
            )
        return (unknown(answer),)

    async def token(self, token: str, app_id: str, app_secret: str) -> OfToken:
        """What the token is good for.

        Source:
            facts, section 14, checks 1 to 3: ``debug_token``.
        """
        async with self._reader(f"{app_id}|{app_secret}") as graph:
            answer = await graph.get("debug_token", input_token=token)
            if answer.is_of_token:  # the app's secret is wrong, and was taken all the same
                graph = graph.speaking_as(token)  # noqa: PLW2901 - closes with the other one
                answer = await graph.get("debug_token", input_token=token)
        return judge(answer, app_id)

    async def numbers(self, token: str, accounts: Sequence[str]) -> tuple[Number, ...]:
        """The numbers of these accounts; of what is none, or does not answer, nothing."""
        async with self._reader(token) as graph:
            found = await asyncio.gather(
                *(_numbers(graph, one) for one in list(accounts)[:_MOST_ACCOUNTS])
            )
        return tuple({one.id: one for rows, _ in found for one in rows}.values())

    async def place(
        self, token: str, number_id: str, waba_id: str, accounts: Sequence[str]
    ) -> OfPlace:
        """Whether there is such a number, and whether it belongs to that account.

        In ``accounts``, too, is looked for numbers that could be meant.

        Source:
            facts, section 14, checks 5 and 7.
        """
        async with self._reader(token) as graph:
            found, listed = await asyncio.gather(
                graph.get(number_id, fields=_OF_NUMBER), _numbers(graph, waba_id)
            )
            is_number = found.is_ok and bool(found.body.get("display_phone_number"))
            numbers, listing = listed
            if is_number and any(one.id == number_id for one in numbers):
                number = next(one for one in numbers if one.id == number_id)
                return OfPlace(said=tuple(_of_number(number, found)), number=number)
            for answer in (found, listing):
                if not answer.is_ok and not (answer.is_gone or answer.code == 100):
                    return OfPlace(said=(unknown(answer),))
            known = (number_id, *_accounts_of(found), *accounts)
            others = [one for one in dict.fromkeys(known) if one != waba_id]
            more = await asyncio.gather(*(_numbers(graph, one) for one in others[:_MOST_ACCOUNTS]))
        choices = tuple(
            {one.id: one for one in (*numbers, *(n for rows, _ in more for n in rows))}.values()
        )
        swapped = bool(more and more[0][1].is_ok and others[0] == number_id)
        says = _why_not_there(
            number_id,
            choices,
            is_number=is_number,
            is_account=listing.is_ok,
            is_swapped=swapped,
        )
        return OfPlace(said=(wrong(says),), choices=choices)

    def _reader(self, token: str) -> Reader:
        return Reader(self._base_url, self._version, token)


def _accounts_of(found: Answer) -> tuple[str, ...]:
    """The account that a number belongs to, as its health names it."""
    health = found.body.get("health_status")
    entities = health.get("entities") if isinstance(health, Mapping) else None
    return tuple(
        str(one.get("id"))
        for one in (entities if isinstance(entities, list) else ())
        if isinstance(one, Mapping) and one.get("entity_type") == "WABA" and is_id(one.get("id"))
    )


async def _numbers(graph: Reader, waba_id: str) -> tuple[list[Number], Answer]:
    """The numbers of an account; the answer says whether it is one."""
    rows, answer = await graph.rows(
        f"{waba_id}/phone_numbers", fields="id,display_phone_number,verified_name"
    )
    return [
        Number(
            id=str(row.get("id", "")),
            waba_id=waba_id,
            shown=printable(row.get("display_phone_number")),
            name=printable(row.get("verified_name")),
        )
        for row in rows
        if is_id(row.get("id"))
    ], answer


def _of_number(number: Number, found: Answer) -> Iterable[Word]:
    named = f', "{number.name}"' if number.name else ""
    yield well(f"The number {number.shown}{named}; it belongs to the account.")
    status = printable(found.body.get("status"))
    if status and status != "CONNECTED":
        yield odd(
            f"Its status is {status}, not CONNECTED: it must be registered before it can send"
            ' (README, "The number").',
        )


def _why_not_there(
    number_id: str,
    choices: tuple[Number, ...],
    *,
    is_number: bool,
    is_account: bool,
    is_swapped: bool,
) -> str:
    if not is_number:
        meant = next((one for one in choices if one.digits.endswith(number_id.lstrip("0"))), None)
        if meant is not None:
            return f"This is the telephone number itself; Meta's id of it is {meant.id}."
        if is_swapped:
            return "This is the id of the account, not of a number in it."
        if is_account:
            return "The account has no number with this id."
        return "Neither a number nor an account with these ids is there for this token." + _ASSETS
    if not is_account:
        return "There is such a number, but no account with that id for this token." + _ASSETS
    owner = next((one for one in choices if one.id == number_id), None)
    elsewhere = f": it belongs to the account {owner.waba_id}" if owner else ""
    return f"There are such a number and such an account, but it is not one of its{elsewhere}."


_ASSETS: Final = (
    " Are the ids right, and was the account assigned to the system user (Business settings,"
    " System users, Assign assets)?"
)


def _message(answer: Answer) -> str:
    error = answer.body.get("error")
    return str(error.get("message", "")) if isinstance(error, Mapping) else ""


def _name(body: Mapping[str, Any]) -> str:
    return f'"{printable(body.get("name"))}"' if body.get("name") else "is there"


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isascii() and c.isdigit())
