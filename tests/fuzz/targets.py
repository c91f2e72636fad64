"""All targets by name; each is imported only when it is wanted."""

from importlib import import_module

from tests.fuzz.target import Target

_WHERE = {
    "payload": "webhooks",
    "neighbours": "webhooks",
    "door": "door",
    "signature": "signing",
    "gate": "signing",
    "configuration": "settings",
    "numbers": "numbers",
    "markdown": "texts",
    "split": "texts",
    "growth": "texts",
    "commands": "commands",
    "graph": "graph",
    "graph_client": "graph",
    "bodies": "emulated",
    "scenarios": "emulated",
    "log": "log",
    "controls": "controls",
    "socket": "controls",
    "arguments": "arguments",
    "prompt": "engine",
    "memory": "engine",
}
NAMES = tuple(_WHERE)


def load(name: str) -> Target:
    """The target of that name; raises KeyError where there is none."""
    found: Target = getattr(import_module(f"tests.fuzz.{_WHERE[name]}"), name.upper())
    assert found.name == name
    return found
