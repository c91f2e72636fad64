"""Bodies of sends, and how a bot of the tests sends them."""

import copy
from typing import Any

from openparallax.emulator import Emulator
from tests.emulator.graph.desk import Desk, Said

ANN = "+4915550000001"
BOB = "+15550000002"
CAROL = "US.1000000000000003"
NOBODY = "+4915550000099"


def text(body: Any = "hello", /, **changes: Any) -> dict[str, Any]:
    """A text to Ann; ``changes`` of the envelope, None takes a key away."""
    return said("text", {"body": body}, **changes)


def said(kind: str, content: Any, **changes: Any) -> dict[str, Any]:
    """Any kind of message to Ann."""
    whole = {
        "messaging_product": "whatsapp",
        "to": ANN,
        "type": kind,
        kind: content,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def template(name: str = "hello_world", code: str = "en_US", **changes: Any) -> dict[str, Any]:
    content = {"name": name, "language": {"code": code}, **changes.pop("more", {})}
    return said("template", content, **changes)


def body_of(*parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a template's body."""
    return {"components": [{"type": "body", "parameters": list(parameters)}]}


def word(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def buttons(count: int = 2, **changes: Any) -> dict[str, Any]:
    """An interactive message with reply buttons, ``changes`` of its parts."""
    return {
        "type": "button",
        "body": {"text": "Which?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": f"b{n}", "title": f"Button {n}"}}
                for n in range(count)
            ]
        },
        **changes,
    }


def rows(*counts: int, **changes: Any) -> dict[str, Any]:
    """An interactive list with sections of that many rows."""
    return {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {
            "button": "Choose",
            "sections": [
                {
                    "title": f"Section {place}",
                    "rows": [
                        {"id": f"r{place}.{row}", "title": f"Row {row}", "description": "more"}
                        for row in range(count)
                    ],
                }
                for place, count in enumerate(counts)
            ],
        },
        **changes,
    }


def put(holder: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one thing changed; ``path`` as ``action.buttons.0.reply.title``."""
    whole = copy.deepcopy(holder)
    at: Any = whole
    *way, last = path.split(".")
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return whole


def heard(emulator: Emulator, *people: str) -> None:
    """These have written just now, so that they may be written to."""
    for person in people or ("ann", "bob", "carol", "davi"):
        number = emulator.world.our_number()
        chat = emulator.world.chat(number.id, person)
        chat.open_until = emulator.clock.now() + 86_400


async def send(desk: Desk, body: Any, **more: Any) -> Said:
    return await desk.post(f"{desk.number.id}/messages", json=body, **more)
