"""What a number shows to people: its profile, its ice breakers and commands."""

import json
from collections.abc import Mapping
from typing import Any, Final

from openparallax.emulator.account import Number
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import missing, select, text_of

_PROFILE_TEXTS: Final = {
    "about": 139,
    "address": 256,
    "description": 512,
    "email": 128,
    "vertical": 64,
    "profile_picture_url": 2048,
}
"""Field -> most characters, as Meta's page on profiles has it."""
PROFILE_FIELDS = (*_PROFILE_TEXTS, "websites", "messaging_product")
MOST_WEBSITES = 2
MOST_COMMANDS = 30
MOST_PROMPTS = 4


def read_profile(number: Number, fields: str | None) -> dict[str, Any]:
    """The fields that are asked for; one that was never set is absent."""
    whole = {name: number.profile.get(name) for name in PROFILE_FIELDS}
    whole["messaging_product"] = "whatsapp"
    whole["vertical"] = number.profile.get("vertical", "UNDEFINED")
    found = select(whole, fields, PROFILE_FIELDS, "WhatsAppBusinessProfile")
    return {**found, "messaging_product": "whatsapp"}


def change_profile(number: Number, body: Mapping[str, Any]) -> None:
    """Set what is given and leave the rest; an empty text takes a field away.

    Raises:
        GraphError: 100.
    """
    if body.get("messaging_product") != "whatsapp":
        raise missing("messaging_product")
    new: dict[str, Any] = {
        name: text_of(body, name, most)
        for name, most in _PROFILE_TEXTS.items()
        if name in body and name != "profile_picture_url"
    }
    if "websites" in body:
        sites = body["websites"]
        if not isinstance(sites, list) or not all(isinstance(one, str) for one in sites):
            raise GraphError(100, message="(#100) Param websites must be an array of strings.")
        if len(sites) > MOST_WEBSITES:
            raise GraphError(100, message="(#100) Param websites must have at most 2 elements.")
        new["websites"] = sites
    number.profile.update(new)
    for name in [name for name, value in number.profile.items() if not value]:
        del number.profile[name]


def change_automation(number: Number, body: Mapping[str, Any]) -> None:
    """Set ice breakers, commands, or whether a welcome is asked for.

    ``commands`` may be JSON as text, as SDKs send it.

    Raises:
        GraphError: 100.
    """
    new: dict[str, Any] = {}
    prompts = _list(body, "prompts", MOST_PROMPTS)
    if prompts is not None:
        if not all(isinstance(one, str) and len(one) <= 80 for one in prompts):
            raise GraphError(100, message="(#100) Param prompts must be texts of 80 characters.")
        new["prompts"] = prompts
    commands = _list(body, "commands", MOST_COMMANDS)
    if commands is not None:
        new["commands"] = [_command(one) for one in commands]
    welcome = body.get("enable_welcome_message")
    if welcome is not None:
        new["enable_welcome_message"] = welcome in (True, "true", "1")
    number.automation.update(new)


def _list(body: Mapping[str, Any], name: str, most: int) -> list[Any] | None:
    value = body.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = ""
    if value is None:
        return None
    if not isinstance(value, list):
        raise GraphError(100, message=f"(#100) Param {name} must be an array.")
    if len(value) > most:
        raise GraphError(100, message=f"(#100) Param {name} must have at most {most} elements.")
    return value


def _command(one: object) -> dict[str, str]:
    if not isinstance(one, dict):
        raise GraphError(100, message="(#100) Param commands must be an array of objects.")
    name = text_of(one, "command_name", 32)
    if not name:
        raise missing("command_name")
    return {"command_name": name, "command_description": text_of(one, "command_description", 256)}
