"""Who may be written with: a small cast with every way in which Meta names people."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
WA_ID = re.compile(r"[1-9][0-9]{6,14}")
USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody with WhatsApp.

    Attributes:
        key: Their name in scenarios and addresses of the page: lower case, no spaces.
        name: Display name of the profile.
        wa_id: Digits as Meta writes them; None where only a username is known.
        user_id: Business-scoped id.
        parent_user_id: The same for a managed business's parent; mostly None.
        username: Without ``@``.
        dialled: Further spellings of the number that reach the same phone.
        is_reachable: False: the phone is gone; sends fail later with 131026.
        takes_marketing: False: marketing of this business is stopped; it fails with 131050.
    """

    key: str
    name: str
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None
    dialled: tuple[str, ...] = ()
    is_reachable: bool = True
    takes_marketing: bool = True

    @property
    def address(self) -> str:
        """What stands for them in ids: the number, or the business-scoped id."""
        return self.wa_id or self.user_id or self.key

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everything that reaches them."""
        ids = (self.wa_id, self.user_id, self.parent_user_id, *self.dialled)
        return tuple(one for one in ids if one)

    def is_at(self, address: str) -> bool:
        """Whether that is one of their addresses; asked of everybody for each unknown one."""
        ids = (self.wa_id, self.user_id, self.parent_user_id)
        return bool(address) and (address in ids or address in self.dialled)


def check_person(person: Person, others: Iterable[Person]) -> None:
    """Whether somebody may be among ``others``.

    Raises:
        ValueError: A key or an id is none, or somebody else's.
    """
    if not KEY.fullmatch(person.key):
        raise ValueError("a key is lower case, digits, '_', '.' and '-', at most 40")
    if not person.wa_id and not person.user_id:
        raise ValueError("somebody has a number, a business-scoped id, or both")
    for number in (person.wa_id, *person.dialled):
        if number is not None and not WA_ID.fullmatch(number):
            raise ValueError("a number is seven to fifteen digits, without + and spaces")
    for user_id in (person.user_id, person.parent_user_id):
        if user_id is not None and not USER_ID.fullmatch(user_id):
            raise ValueError("a business-scoped id is a country, a dot, and letters and digits")
    for other in others:
        if other.key == person.key:
            raise ValueError(f"there is somebody called {other.key} already")
        if set(other.addresses) & set(person.addresses):
            raise ValueError(f"{other.key} has one of these numbers or ids already")


def cast() -> list[Person]:
    """The people that are there from the start; made-up numbers, none of which is anybody's."""
    return [
        Person(key="ann", name="Ann", wa_id="4915550000001", user_id="DE.1000000000000001"),
        Person(key="bob", name="Bob", wa_id="15550000002", user_id="US.1000000000000002"),
        Person(key="carol", name="Carol", user_id="US.1000000000000003", username="carol.writes"),
        Person(
            key="davi",
            name="Davi",
            wa_id="555198765432",
            user_id="BR.1000000000000004",
            dialled=("5551998765432",),
        ),
    ]
