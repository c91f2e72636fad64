"""Who is there, and by which number or id they are reached."""

import pytest

from openparallax.emulator import Account, Emulator, MovableClock, Person, World, cast
from openparallax.emulator import world as world_module
from openparallax.emulator.people import check_person
from tests.fakes.clock import TurnedClock


def make(*, meets_strangers: bool = False) -> World:
    clock = MovableClock(TurnedClock())
    return World(Account(), cast(), clock, meets_strangers=meets_strangers)


def key_at(world: World, address: str) -> str | None:
    person = world.person_at(address)
    return person.key if person else None


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("4915550000001", "ann"),
        ("DE.1000000000000001", "ann"),
        ("US.1000000000000003", "carol"),
        ("555198765432", "davi"),
        ("5551998765432", "davi"),
        ("carol.writes", None),
        ("ann", None),
        ("", None),
        ("None", None),
    ],
)
def test_people_are_reached_by_every_spelling_of_theirs(address: str, key: str | None) -> None:
    assert key_at(make(), address) == key


def test_the_cast_is_in_order() -> None:
    people = cast()
    for person in people:
        check_person(person, [one for one in people if one is not person])
    assert [person.wa_id for person in people if person.username] == [None]


def test_strangers_are_met_where_that_is_wanted() -> None:
    assert make().person_at("4917712345678") is None
    world = make(meets_strangers=True)
    by_number, by_id = world.person_at("4917712345678"), world.person_at("US.abc")
    assert by_number is not None
    assert (by_number.wa_id, by_number.user_id) == ("4917712345678", None)
    assert by_id is not None
    assert (by_id.wa_id, by_id.user_id) == (None, "US.abc")
    assert world.person_at("4917712345678") is by_number
    assert world.person_at("no address") is None


@pytest.mark.parametrize(
    "details",
    [
        {"key": "Eve", "wa_id": "4915550000099"},
        {"key": "", "wa_id": "4915550000099"},
        {"key": "e" * 41, "wa_id": "4915550000099"},
        {"key": "a/b", "wa_id": "4915550000099"},
        {"key": "eve"},
        {"key": "eve", "wa_id": "+4915550000099"},
        {"key": "eve", "wa_id": "123456"},
        {"key": "eve", "wa_id": "4915550000099", "dialled": ("x",)},
        {"key": "eve", "user_id": "us.1"},
        {"key": "eve", "user_id": "US.1", "parent_user_id": "x"},
        {"key": "ann", "wa_id": "4915550000099"},
        {"key": "eve", "wa_id": "4915550000001"},
        {"key": "eve", "user_id": "DE.1000000000000001"},
        {"key": "eve", "wa_id": "5551998765432"},
    ],
)
def test_whoever_is_nobody_or_somebody_else_is_not_added(details: dict[str, str]) -> None:
    emulator = Emulator()
    with pytest.raises(ValueError, match=r"\w"):
        emulator.add_person(Person(name="Eve", **details))  # type: ignore[arg-type]
    assert len(emulator.world.people) == 4


def test_somebody_new_is_told_of_and_reached() -> None:
    emulator, told = Emulator(), list[str]()
    emulator.world.feed.call(lambda change: told.append(change["kind"]))
    emulator.add_person(Person(key="eve", name="Eve", wa_id="4915550000099"))
    assert (key_at(emulator.world, "4915550000099"), told) == ("eve", ["person"])


def test_old_ids_reach_nobody_any_more() -> None:
    emulator = Emulator()
    emulator.change_number("davi", "5551912345678", user_id="BR.2")
    assert key_at(emulator.world, "5551912345678") == key_at(emulator.world, "BR.2") == "davi"
    for old in ("555198765432", "5551998765432", "BR.1000000000000004"):
        assert key_at(emulator.world, old) is None
    emulator.add_person(Person(key="eve", name="Eve", wa_id="555198765432"))
    assert key_at(emulator.world, "555198765432") == "eve"


@pytest.mark.parametrize(("wa_id", "user_id"), [("15550000002", None), ("x", None), ("", "US.1")])
def test_a_number_of_somebody_else_is_not_taken(wa_id: str, user_id: str | None) -> None:
    emulator = Emulator()
    with pytest.raises(ValueError, match=r"\w"):
        emulator.change_number("ann", wa_id, user_id or "US.1000000000000002")
    assert emulator.person("ann") == cast()[0]
    assert emulator.delivery.waiting == 0


def test_an_unknown_key_says_who_there_is() -> None:
    with pytest.raises(LookupError, match="ann, bob, carol, davi"):
        Emulator().person("eve")


async def test_of_too_many_messages_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(world_module, "MOST_MESSAGES", 3)
    emulator = Emulator()
    said = [emulator.say(person, "x") for person in ("ann", "bob", "ann", "ann", "bob")]
    assert list(emulator.world.all_messages()) == said[2:]
    number = emulator.world.our_number().id
    assert emulator.world.chat(number, "ann").messages == said[2:4]
    assert emulator.world.message(said[0].wamid) is None
