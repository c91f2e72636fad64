"""From one entry under ``steps`` to a step: the words of the language."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from openparallax.config.document import Tree
from openparallax.config.problems import nearest
from openparallax.emulator.scenario import acting, hearing, house, platform, together, traffic
from openparallax.emulator.scenario.slots import Slot
from openparallax.emulator.scenario.step import Step

Reading = Callable[..., Step]

OF_PEOPLE: Final[Mapping[str, Reading]] = {
    "": acting.Says.read,
    "says": acting.Says.read,
    "sends": acting.Sends.read,
    "taps": acting.Taps.read,
    "reacts": acting.Reacts.read,
    "deletes": acting.Deletes.read,
    "reads": acting.Reads.read,
    "phone": acting.Phone.read,
    "changes number": acting.ChangesNumber.read,
    "hears": hearing.Hears.read,
    "hears lines": hearing.HearsLines.read,
    "hears nothing": hearing.HearsNothing.read,
    "sees": hearing.Sees.read,
}
"""What stands behind somebody's name."""

OF_ALL: Final[Mapping[str, Reading]] = {
    "note": together.Note.read,
    "wait": together.Wait.read,
    "clock": platform.Clock.read,
    "fault": platform.SetFault.read,
    "clear faults": platform.ClearFaults.read,
    "token": platform.Token.read,
    "rules": platform.SetRules.read,
    "count anew": traffic.CountAnew.read,
    "graph got": traffic.GraphGot.read,
    "graph refused": traffic.GraphRefused.read,
    "post webhook": traffic.PostWebhook.read,
    "graph answered": partial(traffic.Answered.read, direction="graph"),
    "webhook answered": partial(traffic.Answered.read, direction="webhook"),
    "all webhooks are taken": traffic.AllTaken.read,
    "daemon": house.Daemon.read,
    "on disk": partial(house.Disk.read, is_wanted=True),
    "nowhere on disk": partial(house.Disk.read, is_wanted=False),
    "every message has one outcome": house.OneOutcome.read,
}
"""What stands alone."""

OF_STEPS: Final = ("batch", "at once", "repeat")
BUSINESS: Final = "business to"
RESERVED: Final = frozenset({name.split(maxsplit=1)[0] for name in (*OF_ALL, *OF_STEPS, BUSINESS)})
"""First words of steps; nobody may be called so."""
MOST_REPEATS: Final = 1000
MOST_STEPS: Final = 2000


def read_steps(slot: Slot) -> tuple[Step, ...]:
    """A list of steps."""
    if slot.value == [] or slot.value is None:
        slot.wrong("lists no steps")
        return ()
    found: list[Step] = []
    for one in slot.items():
        found += read_step(one)
        if len(found) > MOST_STEPS:
            slot.wrong(f"has more than {MOST_STEPS} steps")
            break
    return tuple(found)


def read_step(slot: Slot) -> list[Step]:
    """One entry: mostly one step; none where it is wrong, several where it repeats."""
    if isinstance(slot.value, str):
        key, value = str(slot.value), None
    elif isinstance(slot.value, dict) and len(slot.value) == 1:
        ((key, value),) = slot.value.items()
    elif isinstance(slot.value, dict) and len(slot.value) > 1:
        slot.wrong('is more than one step: begin each with "- ", or indent what belongs to it')
        return []
    else:
        slot.wrong("is no step: write `- ann: hello` or the like")
        return []
    name = " ".join(key.split())
    inside = slot.at(key, value)
    title = name if name in OF_STEPS else title_of(name, value)
    head = {"line": slot.line, "title": title}
    first, _, verb = name.partition(" ")
    if first in slot.book.people and verb in ("", "says") and isinstance(value, list):
        return [
            acting.Says.read(one, first, line=one.line, title=title_of(name, one.value))
            for one in inside.items()
        ]
    if first in slot.book.people and verb in OF_PEOPLE:
        return [OF_PEOPLE[verb](inside, first, **head)]
    if name in OF_ALL:
        return [OF_ALL[name](inside, **head)]
    if name in OF_STEPS:
        return _of_steps(name, inside, head)
    if name.startswith(f"{BUSINESS} "):
        person = name.removeprefix(f"{BUSINESS} ")
        if person in slot.book.people:
            return [acting.Business.read(inside, person, **head)]
        slot.wrong(f"names nobody; there are {', '.join(slot.book.people)}")
        return []
    slot.wrong(_unknown(slot, first, verb, name))
    return []


def _of_steps(name: str, slot: Slot, head: Mapping[str, Any]) -> list[Step]:
    if name == "batch":
        steps = read_steps(slot)
        allowed = (acting.Says, acting.Sends, acting.Taps, acting.Reacts, acting.Deletes)
        if not all(isinstance(step, allowed) for step in steps):
            slot.wrong("may hold only what people say, send, tap, react and delete")
        return [together.Batch(steps=steps, **head)]
    if name == "at once":
        lanes = tuple(
            read_steps(one) if isinstance(one.value, list) else tuple(read_step(one))
            for one in slot.items()
        )
        return [together.AtOnce(lanes=lanes, **head)]
    slots = slot.block(("times", "steps"))
    if slots.keys() != {"times", "steps"}:
        slot.wrong("must have both `times: …` and `steps: …`")
        return []
    found: list[Step] = []
    steps_slot = slots["steps"]
    for number in range(1, slots["times"].whole(1, MOST_REPEATS) + 1):
        numbered = Slot(_numbered(steps_slot.value, number), steps_slot.where, slot.book)
        found += read_steps(numbered)
        if len(found) > MOST_STEPS:
            slot.wrong(f"makes more than {MOST_STEPS} steps")
            break
    return found


def _numbered(tree: Tree, number: int) -> Tree:
    """``{n}`` becomes the number of the round; keys stay, since their lines are known by name."""
    if isinstance(tree, dict):
        return {key: _numbered(value, number) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_numbered(value, number) for value in tree]
    if isinstance(tree, str) and "{n}" in tree:
        return tree.replace("{n}", str(number))
    return tree


def _unknown(slot: Slot, first: str, verb: str, name: str) -> str:
    """What to say of a step that is none; of its words only those that are ours."""
    people = slot.book.people
    if first in people:
        near = nearest(verb, [known for known in OF_PEOPLE if known])
        meant = (
            f"; did you mean {first} {near[0]}?" if near else f"; there are {_listed(OF_PEOPLE)}"
        )
        return f"is nothing that {first} can do{meant}"
    if verb in OF_PEOPLE:
        near = nearest(first, people)
        meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(people)}"
        if near or verb:
            return f"names nobody{meant}"
    near = nearest(name, [*OF_ALL, *OF_STEPS, BUSINESS])
    if near:
        return f"is no step; did you mean {near[0]}?"
    return (
        f"is no step; there are {_listed([*OF_ALL, *OF_STEPS, BUSINESS])}, and what somebody does:"
        f" {', '.join(people)}"
    )


def _listed(names: Any) -> str:
    return ", ".join(name for name in names if name)


def title_of(name: str, value: Tree) -> str:
    """The step in one line, as it is shown."""
    return name if value is None else f"{name}: {_flow(value)}"


def _flow(tree: Tree) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return f"[{', '.join(map(_flow, tree))}]"
    if tree is None or isinstance(tree, bool):
        return json.dumps(tree)
    text = str(tree)
    return json.dumps(text, ensure_ascii=False) if "\n" in text or not text else text
