"""Webhooks broken at random, always in the same way for the same number."""

import copy
import json
import random
from collections import deque
from typing import Any

from tests.webhook import samples

NASTY: list[Any] = [
    *(None, True, False, 0, -1, 7, 1.5, -0.0, 1e308, 2**31, 2**63, 10**40, "", " ", "0", "-5"),
    *("\ud83d", "a\udc00b", "\x00", "\u202e", "٣", "İ" * 40, "x" * 600, "y" * 2000, "9" * 5000),
    *("messages", "text", "system", "revoke", "unsupported", "messaging_handovers", "stop", "1e5"),
    *([], {}, [[]], [None], [{}], {"": {}}, {"id": {"id": []}}, [1, "two", {"three": 3}]),
    *({"previous": 5, "current": []}, {"code": 131060}, [{"code": "131052"}], "US.1", "+49 151"),
]
_DEEP: Any = None
for _ in range(60):
    _DEEP = [{"deeper": _DEEP}]
NASTY.append(_DEEP)

_BODIES = {name: samples.load(name) for name in samples.NAMES}
_Place = tuple[Any, Any]
"""What holds a value, and under which key or number."""


def mutated(number: int) -> Any:
    """The mutation with this number: one of the samples with one to four things wrong with it."""
    dice = random.Random(number)  # noqa: S311 - repeatable is what it has to be
    body = copy.deepcopy(_BODIES[dice.choice(samples.NAMES)])
    for _ in range(dice.randint(1, 4)):
        change(dice, body)
    return body


def change(dice: random.Random, body: Any) -> None:
    """Make one thing wrong with ``body``, an object or an array."""
    places = _places(body)
    if places:
        # the deeper of three: what is wrong with the frame hides all that is in it
        at = max(dice.randrange(len(places)) for _ in range(3))
        holder, key = places[at]
        dice.choice(_CHANGES)(dice, holder, key, places)


def mutated_bytes(number: int) -> bytes:
    """The same as bytes, of which one in four is damaged as well."""
    raw = json.dumps(mutated(number)).encode()
    dice = random.Random(-number - 1)  # noqa: S311
    at = dice.randrange(len(raw))
    return dice.choice(
        [raw, raw, raw, raw[:at] if dice.random() < 0.5 else raw[:at] + b"\xff" + raw[at:]]
    )


def _places(body: Any) -> list[_Place]:
    """All places, the outer ones first; of a very large body not quite all."""
    found: list[_Place] = []
    rest = deque([body])
    while rest:
        value = rest.popleft()
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            found.append((value, key))
            if isinstance(value[key], dict | list):
                rest.append(value[key])
        if len(found) > 2000:
            break
    return found


def _drop(_dice: random.Random, holder: Any, key: Any, _places: list[_Place]) -> None:
    del holder[key]


def _double(_dice: random.Random, holder: Any, key: Any, _places: list[_Place]) -> None:
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder["more_of_" + key] = holder[key]


def _replace(dice: random.Random, holder: Any, key: Any, _places: list[_Place]) -> None:
    holder[key] = copy.deepcopy(dice.choice(NASTY))


def _rename(dice: random.Random, holder: Any, key: Any, places: list[_Place]) -> None:
    if isinstance(holder, dict):
        names = [name for _, name in places if isinstance(name, str)]
        holder[dice.choice([*names, "", "\ud83d", "x" * 600])] = holder.pop(key)


def _swap(dice: random.Random, holder: Any, key: Any, places: list[_Place]) -> None:
    other, other_key = dice.choice(places)
    one, two = copy.deepcopy(holder[key]), copy.deepcopy(other[other_key])
    holder[key], other[other_key] = two, one


def _nest(dice: random.Random, holder: Any, key: Any, _places: list[_Place]) -> None:
    holder[key] = dice.choice([[holder[key]], {"value": holder[key]}, [[holder[key], None]]])


def _retype(_dice: random.Random, holder: Any, key: Any, _places: list[_Place]) -> None:
    value = holder[key]
    if isinstance(value, str):
        holder[key] = int(value[:4000]) if value.isascii() and value.isdigit() else [value]
    elif isinstance(value, dict):
        holder[key] = [*value.values()]
    elif isinstance(value, list):
        holder[key] = {str(number): one for number, one in enumerate(value)}
    else:
        holder[key] = str(value)


_CHANGES = [_drop, _double, _replace, _replace, _replace, _rename, _swap, _nest, _retype]
