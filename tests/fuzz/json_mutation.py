"""Neighbours of JSON: the tree is changed, not its bytes."""

import json
import random
from typing import Any

from tests.webhook.mutations import change

_DEEP = ("[" * 3000 + "]" * 3000, '{"a":' * 2000 + "1" + "}" * 2000, "9" * 6000, "-" + "1" * 5000)


def mutate_json(data: bytes, seed: int) -> bytes:
    """One to three things of the value changed; what is no JSON comes back as it is."""
    dice = random.Random(seed)  # noqa: S311 - repeatable is what it has to be
    try:
        body: Any = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(body, dict | list):
        return data
    for _ in range(dice.randint(1, 3)):
        change(dice, body)
    try:
        text = json.dumps(body, ensure_ascii=dice.random() < 0.5, separators=(",", ":"))
    except (ValueError, RecursionError):  # a number of thousands of digits
        return data
    if dice.random() < 0.02:  # what Python's own numbers and stack do not hold
        text = text.replace("null", dice.choice(_DEEP), 1)
    return text.encode("utf-8", "surrogatepass" if dice.random() < 0.1 else "replace")


def mutate_lines(data: bytes, seed: int) -> bytes:
    """The same for a sequence of values, one a line: one changed, repeated, moved or taken away."""
    dice = random.Random(seed)  # noqa: S311
    lines = data.split(b"\n")
    at = dice.randrange(len(lines))
    match dice.randrange(6):
        case 0:
            lines.insert(dice.randrange(len(lines) + 1), lines[at])
        case 1:
            lines.append(lines.pop(at))
        case 2 if len(lines) > 1:
            del lines[at]
        case _:
            lines[at] = mutate_json(lines[at], dice.randrange(2**32))
    return b"\n".join(lines)
