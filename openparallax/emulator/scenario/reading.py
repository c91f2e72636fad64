"""From a file to a `Scenario`, or to everything that is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from openparallax.config.document import Tree, bytes_of, load_text, parse
from openparallax.config.problems import Problems
from openparallax.emulator.people import Person, cast
from openparallax.emulator.scenario.acting import digits_of
from openparallax.emulator.scenario.house import OneOutcome
from openparallax.emulator.scenario.platform import RULES
from openparallax.emulator.scenario.script import DEFAULT_WITHIN_S, AccountChanges, Scenario
from openparallax.emulator.scenario.slots import Book, Slot
from openparallax.emulator.scenario.step import every
from openparallax.emulator.scenario.wording import RESERVED, read_steps
from openparallax.emulator.world import Status

KEYS: Final = (
    "scenario",
    "about",
    "people",
    "account",
    "rules",
    "ladder",
    "engine",
    "configuration",
    "within",
    "leftovers",
    "steps",
)
_KEY_OF_PERSON = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_USER_ID = re.compile(r"[A-Z]{2}\.[0-9A-Za-z]{1,128}")
_USERNAME = re.compile(r"[a-z0-9._]{3,35}")
_OF_PERSON = ("name", "number", "also", "username", "id", "reachable")
_RUNGS: Final[tuple[Status, ...]] = ("sent", "delivered", "read")


def load(path: Path, *, sentences: Mapping[str, str] | None = None) -> Scenario:
    """Read a scenario.

    Args:
        path: The YAML file.
        sentences: What the daemon says by itself, by name, for ``{notice: …}``; None: such an
            expectation is refused. What the scenario's own ``configuration`` puts in their place
            is known.

    Raises:
        ConfigError: It cannot be played as it stands; all that is wrong, with file, line and key.
    """
    problems = Problems(str(path))
    tree = parse(load_text(str(path), bytes_of(path)), problems)
    if not isinstance(tree, dict):
        problems.add((), "must be a script: `scenario: TITLE` and `steps:` with a list under it")
        raise problems.error()
    book = Book(problems, dict.fromkeys(person.key for person in cast()), sentences)
    slots = Slot(tree, (), book).block(KEYS)
    for key in ("scenario", "steps"):
        if key not in slots:
            problems.add((), f"has no {key}: {_WHAT[key]}")
    configuration = _configuration(slots.get("configuration"), book)
    people = _people(slots["people"]) if "people" in slots else ()
    scenario = Scenario(
        file=path,
        title=slots["scenario"].text() if "scenario" in slots else "",
        about=slots["about"].text() if "about" in slots else "",
        people=people,
        account=_account(slots["account"]) if "account" in slots else AccountChanges(),
        rules=_rules(slots["rules"]) if "rules" in slots else {},
        ladder=_ladder(slots["ladder"]) if "ladder" in slots else None,
        engine=slots["engine"].text() if "engine" in slots else None,
        configuration=configuration,
        within_s=slots["within"].duration() if "within" in slots else DEFAULT_WITHIN_S,
        allows_leftovers="leftovers" in slots and _leftovers(slots["leftovers"]),
        sentences=book.sentences or {},
        steps=read_steps(slots["steps"]) if "steps" in slots else (),
    )
    if scenario.engine not in ("echo", None):
        for step in every(scenario.steps):
            if isinstance(step, OneOutcome):
                problems.add((), f"{step.title}: needs `engine: echo`", line=step.line)
    problems.raise_if_any()
    return scenario


_WHAT: Final = {
    "scenario": "a title in one line",
    "steps": "a list of what is said and what must come back",
}


def _configuration(slot: Slot | None, book: Book) -> Mapping[str, Tree]:
    """A piece of the daemon's configuration; only its notices mean something here."""
    if slot is None:
        return {}
    slot.block()
    plain = slot.plain()
    if not isinstance(plain, dict):
        return {}
    own = plain.get("notices")
    if isinstance(own, dict) and book.sentences is not None:
        texts = {name: said for name, said in own.items() if isinstance(said, str)}
        book.sentences = {**book.sentences, **texts}
    return plain


def _people(slot: Slot) -> tuple[Person, ...]:
    known = {person.key: person for person in cast()}
    found: list[Person] = []
    for key, one in slot.block().items():
        if not _KEY_OF_PERSON.fullmatch(key) or key in RESERVED:
            one.wrong("must be named in small letters, and not like a step")
            continue
        base = known.get(key)
        slot.book.people[key] = None
        if (person := _person(key, base, one)) is not None:
            found.append(person)
    return tuple(found)


def _person(key: str, base: Person | None, slot: Slot) -> Person | None:
    slots = slot.block(_OF_PERSON)
    if not isinstance(slot.value, dict):
        return None
    person = base or Person(key=key, name=key.capitalize())
    if "name" in slots:
        person = replace(person, name=slots["name"].text())
    if "number" in slots:
        is_known = slots["number"].value is not None
        person = replace(person, wa_id=digits_of(slots["number"]) if is_known else None)
    if "also" in slots:
        also = slots["also"]
        listed = also.items() if isinstance(also.value, list) else [also]
        person = replace(person, dialled=tuple(digits_of(one) for one in listed))
    if "username" in slots:
        person = replace(person, username=_fitting(slots["username"], _USERNAME, "no username"))
    if "id" in slots:
        wrong = "no business-scoped id, such as US.1234567890"
        person = replace(person, user_id=_fitting(slots["id"], _USER_ID, wrong))
    if "reachable" in slots:
        person = replace(person, is_reachable=slots["reachable"].truth())
    if person.wa_id is None and person.user_id is None:
        slot.wrong("can be reached neither by `number` nor by `id`")
    return person


def _fitting(slot: Slot, pattern: re.Pattern[str], wrong: str) -> str:
    text = slot.text().removeprefix("@")
    if text and not pattern.fullmatch(text):
        slot.wrong(f"is {wrong}")
    return text


def _account(slot: Slot) -> AccountChanges:
    slots = slot.block(("test number for", "token expires", "messages per second"))
    allowed = slots.get("test number for")
    expires, rate = slots.get("token expires"), slots.get("messages per second")
    return AccountChanges(
        allow_list=None if allowed is None else tuple(one.person() for one in allowed.items()),
        token_expires_s=None if expires is None else expires.duration(is_signed=True),
        messages_per_second=None if rate is None else rate.whole(1, 1000),
    )


def _rules(slot: Slot) -> Mapping[str, bool]:
    return {name: one.truth() for name, one in slot.block(RULES).items()}


def _ladder(slot: Slot) -> tuple[tuple[float, Status], ...]:
    slots = slot.block(_RUNGS)
    steps = tuple((slots[name].duration(), name) for name in _RUNGS if name in slots)
    if [at for at, _ in steps] != sorted(at for at, _ in steps):
        slot.wrong("must rise: sent before delivered before read")
    return steps


def _leftovers(slot: Slot) -> bool:
    return slot.one_of(("allowed", "refused")) == "allowed"
