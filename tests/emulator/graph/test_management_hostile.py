"""Whatever is sent to an edge of management gets an answer in Meta's shape."""

import json
from typing import Any

import pytest

from tests.emulator.graph.desk import Desk, desk

VALUES: tuple[Any, ...] = (
    None,
    True,
    7,
    -1.5,
    "",
    "x" * 5000,
    "\ud800",
    "\0",
    [],
    [[]],
    {},
    {"a": {}},
)
OVERRIDE = ("override_callback_uri", "verify_token")
TEMPLATE = ("name", "language", "category", "components", "parameter_format", "hsm_id")
OAUTH = ("grant_type", "client_id", "client_secret", "fb_exchange_token", "revoke_token", "code")
EDGES: dict[str, tuple[str, ...]] = {
    "POST {number}": ("webhook_configuration", "new_display_name"),
    "POST {number}/register": ("messaging_product", "pin"),
    "POST {number}/deregister": (),
    "POST {number}/settings": ("calling",),
    "POST {number}/conversational_automation": ("prompts", "commands", "enable_welcome_message"),
    "POST {number}/whatsapp_business_profile": ("messaging_product", "about", "websites"),
    "POST {waba}/subscribed_apps": OVERRIDE,
    "DELETE {waba}/subscribed_apps": OVERRIDE,
    "POST {waba}/message_templates": TEMPLATE,
    "DELETE {waba}/message_templates": TEMPLATE,
    "POST {template}": TEMPLATE,
    "POST {app}/subscriptions": ("object", "callback_url", "verify_token", "fields"),
    "DELETE {app}/subscriptions": ("object", "fields"),
    "POST oauth/access_token": OAUTH,
    "POST oauth/revoke": OAUTH,
}
QUERIES = ("fields", "limit", "after", "before", "status", "name", "summary", "input_token")
ASKED = (
    "{number}",
    "{waba}",
    "{app}",
    "{template}",
    "{number}/settings",
    "{number}/conversational_automation",
    "{number}/whatsapp_business_profile",
    "{waba}/phone_numbers",
    "{waba}/subscribed_apps",
    "{waba}/message_templates",
    "{app}/subscriptions",
    "debug_token",
    "oauth/access_token",
    "whatsapp_business/attachments",
)


def named(sitting: Desk, path: str) -> str:
    """The path with the ids of what is there."""
    return path.format(
        number=sitting.number.id,
        waba=sitting.account.waba_id,
        app=sitting.account.app_id,
        template=sitting.account.templates[0]["id"],
    )


@pytest.mark.parametrize("edge", EDGES)
async def test_bodies_of_any_kind(edge: str) -> None:
    method, _, path = edge.partition(" ")
    async with desk() as sitting:
        right = {
            "messaging_product": "whatsapp",
            "object": "whatsapp_business_account",
            "name": "season",
            "language": "en",
            "category": "UTILITY",
            "callback_url": "x",
            "grant_type": "fb_exchange_token",
            "client_id": sitting.account.app_id,
            "client_secret": sitting.account.app_secret,
        }
        bodies = [*VALUES, *({**right, name: value} for name in EDGES[edge] for value in VALUES)]
        for body in bodies:
            said = await sitting.ask(
                method,
                named(sitting, path),
                token=sitting.app_token,
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            assert said.status < 500, body
            if said.status >= 400:
                assert isinstance(said.error["code"], int)


@pytest.mark.parametrize("path", ASKED)
async def test_queries_of_any_kind(path: str) -> None:
    async with desk() as sitting:
        values = (
            "",
            "%00",
            "%ED%A0%80",
            "%FF",
            "{{{",
            "}),(",
            ",,,",
            "9" * 50,
            "x" * 3000,
            "a=b&a=c",
        )
        for query in [f"{name}={value}" for name in QUERIES for value in values]:
            said = await sitting.get(f"{named(sitting, path)}?{query}", token=sitting.app_token)
            assert said.status < 500, query
            if said.status >= 400:
                assert isinstance(said.error["code"], int)
