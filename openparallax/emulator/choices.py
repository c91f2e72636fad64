"""What can be tapped in a message of the business, and what a tap says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openparallax.emulator.world import Message


@dataclass(frozen=True, slots=True)
class Choice:
    """A button, a row of a list, or a quick reply.

    Attributes:
        id: What the business gave it; a quick reply's payload.
        kind: Type of the message that a tap sends.
        content: What stands under that type's own name.
    """

    id: str
    title: str
    kind: str
    content: dict[str, Any] = field(repr=False)


def choices_in(message: Message, templates: list[dict[str, Any]]) -> list[Choice]:
    """Everything that can be tapped, in its order; ``templates`` are those of the account."""
    if message.kind == "interactive":
        return [*_buttons(message.content), *_rows(message.content)]
    if message.kind == "template":
        return list(_quick_replies(message.content, templates))
    return []


def _buttons(content: dict[str, Any]) -> Iterator[Choice]:
    for button in _objects(content.get("action"), "buttons"):
        reply = button.get("reply")
        if isinstance(reply, dict):
            said = {"id": str(reply.get("id", "")), "title": str(reply.get("title", ""))}
            yield _reply("button_reply", said)


def _rows(content: dict[str, Any]) -> Iterator[Choice]:
    for section in _objects(content.get("action"), "sections"):
        for row in _objects(section, "rows"):
            names = [name for name in ("id", "title", "description") if name in row]
            yield _reply("list_reply", {name: str(row[name]) for name in names})


def _reply(kind: str, said: dict[str, str]) -> Choice:
    content = {"type": kind, kind: said}
    return Choice(said.get("id", ""), said.get("title", ""), "interactive", content)


def _quick_replies(content: dict[str, Any], templates: list[dict[str, Any]]) -> Iterator[Choice]:
    """Those of the template, with the payloads that the send gave; else their words."""
    payloads = {
        str(component.get("index", "")): str(parameter.get("payload", ""))
        for component in _objects(content, "components")
        if str(component.get("sub_type", "")).lower() == "quick_reply"
        for parameter in _objects(component, "parameters")
        if parameter.get("type") == "payload"
    }
    titles = _titles(content, templates)
    for index in sorted(titles.keys() | payloads.keys(), key=lambda index: (len(index), index)):
        payload = payloads.get(index) or titles.get(index, "")
        title = titles.get(index) or payload
        if title:
            yield Choice(payload, title, "button", {"payload": payload, "text": title})


def _titles(content: dict[str, Any], templates: list[dict[str, Any]]) -> dict[str, str]:
    """By its index among the template's buttons, the words of each quick reply."""
    language = content.get("language")
    code = language.get("code") if isinstance(language, dict) else None
    named = [one for one in templates if one.get("name") == content.get("name")]
    template = next((one for one in named if one.get("language") == code), None)
    return {
        str(index): str(button.get("text", ""))
        for component in _objects(template, "components")
        if str(component.get("type", "")).upper() == "BUTTONS"
        for index, button in enumerate(_objects(component, "buttons"))
        if str(button.get("type", "")).upper() == "QUICK_REPLY"
    }


def _objects(held: object, name: str) -> list[dict[str, Any]]:
    found = held.get(name) if isinstance(held, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
