"""The limits of bodies, one by one: what is just right is taken, what is just wrong refused."""

from typing import Any

import pytest

from openparallax.clock import SystemClock
from openparallax.emulator import Account, MovableClock, World
from openparallax.emulator.graph.bodies import parse_message
from openparallax.emulator.graph.dialling import country_code
from openparallax.emulator.graph.errors import GraphError
from tests.emulator.graph.saying import body_of, buttons, put, rows, said, template, text, word

LINK = "https://example.com/a"
CTA = {
    "type": "cta_url",
    "body": {"text": "Look"},
    "action": {"name": "cta_url", "parameters": {"display_text": "See", "url": LINK}},
}
PLACE = {
    "type": "location_request_message",
    "body": {"text": "Where?"},
    "action": {"name": "send_location"},
}
NUMBER = {
    "type": "request_contact_info",
    "body": {"text": "Which?"},
    "action": {"name": "request_contact_info"},
}
FLOW = {
    "type": "flow",
    "body": {"text": "Fill in"},
    "action": {
        "name": "flow",
        "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Go"},
    },
}
URL_TEMPLATE = {
    "name": "link",
    "language": "en_US",
    "status": "APPROVED",
    "components": [
        {"type": "HEADER", "format": "IMAGE"},
        {"type": "BODY", "text": "Look"},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://example.com/{{1}}"}]},
    ],
}
PICTURE = {"type": "header", "parameters": [{"type": "image", "image": {"link": LINK}}]}


def button(*parameters: dict[str, Any], index: Any = "0") -> dict[str, Any]:
    return {"type": "button", "sub_type": "url", "index": index, "parameters": [*parameters]}


def of_parts(*components: Any) -> dict[str, Any]:
    return template("link", more={"components": [*components]})


def interactive(holder: dict[str, Any], path: str = "type", value: Any = None) -> dict[str, Any]:
    return said("interactive", holder if value is None else put(holder, path, value))


def code_of(body: Any) -> int | None:
    """The code with which a body is refused; None: it may be sent."""
    account = Account()
    account.templates.append(URL_TEMPLATE)
    world = World(account, [], MovableClock(SystemClock()))
    try:
        parse_message(body, world, account.numbers[0])
    except GraphError as error:
        return error.code
    return None


GOOD = [
    text("x" * 4096),
    text("😀" * 4096),
    text(type=None),
    text(type="TEXT"),
    text(recipient_type="individual"),
    text(biz_opaque_callback_data="x" * 512),
    text(context=None, category="utility", recipient_identity_key_hash="x"),
    said("text", {"body": "a", "preview_url": True}),
    said("image", {"link": LINK, "caption": "x" * 1024}),
    said("document", {"link": LINK, "caption": "", "filename": "a"}),
    said("location", {"latitude": -90, "longitude": 180.0, "address": "there"}),
    said("reaction", {"message_id": "wamid.x", "emoji": "👍🏽"}),
    said("reaction", {"message_id": "wamid.x", "emoji": ""}),
    interactive(buttons(3), "body.text", "x" * 1024),
    interactive(buttons(1), "action.buttons.0.reply", {"id": "x" * 256, "title": "x" * 20}),
    interactive(buttons(), "header", {"type": "image", "image": {"link": LINK}}),
    interactive(buttons(), "footer", {"text": "x" * 60}),
    interactive(rows(10)),
    interactive(rows(5, 5), "body.text", "x" * 4096),
    interactive(rows(1), "action.sections.0.rows.0", {"id": "x" * 200, "title": "x" * 24}),
    interactive(CTA),
    interactive(PLACE),
    interactive(NUMBER),
    interactive({**NUMBER, "type": "contact_request"}, "action.name", "contact_request"),
    interactive(FLOW),
    interactive({"type": "product", "action": {"catalog_id": "1"}}),
    template(),
    of_parts(PICTURE, button(word("x"))),
    of_parts(PICTURE, button(word("x"), index=0)),
]

BAD = [
    (100, text(messaging_product="telegram")),
    (100, text(recipient_type="group")),
    (100, text("")),
    (100, text(None)),
    (100, text(7)),
    (100, text("x" * 4097)),
    (100, said("text", "hello")),
    (100, said("text", None)),
    (100, said("text", {"body": "a", "bodi": "b"})),
    (100, said("text", {"body": "a", "preview_url": "perhaps"})),
    (100, text(type="carrier_pigeon", carrier_pigeon={})),
    (100, text(type=7)),
    (100, text(biz_opaque_callback_data="x" * 513)),
    (100, text(biz_opaque_callback_data=7)),
    (100, text(context="wamid.x")),
    (100, text(context={"id": "wamid.x"})),
    (131051, text(type="system")),
    (131009, text(to=None, recipient="us.1")),
    (100, said("image", {})),
    (100, said("image", {"id": "1"})),
    (100, said("image", {"id": ["1"]})),
    (100, said("image", {"id": "1", "link": LINK})),
    (100, said("image", {"link": "file:///etc/passwd"})),
    (100, said("image", {"link": "https://"})),
    (100, said("image", {"link": "https://[/"})),
    (100, said("image", {"link": 7})),
    (100, said("image", {"link": LINK, "caption": "x" * 1025})),
    (100, said("audio", {"link": LINK, "caption": "x"})),
    (100, said("audio", {"link": LINK, "voice": "loud"})),
    (100, said("sticker", {"link": LINK, "caption": "x"})),
    (100, said("image", {"link": LINK, "filename": "x"})),
    (100, said("location", {"latitude": 1})),
    (131009, said("location", {"latitude": 1, "longitude": "east"})),
    (131009, said("location", {"latitude": 1, "longitude": True})),
    (131009, said("location", {"latitude": 1, "longitude": [1]})),
    (131009, said("location", {"latitude": "nan", "longitude": 1})),
    (100, said("contacts", [])),
    (100, said("contacts", {})),
    (100, said("contacts", ["Bob"])),
    (100, said("contacts", [{"name": {}}])),
    (100, said("contacts", [{"name": {"formatted_name": "Bob"}, "phones": "1"}])),
    (100, said("contacts", [{"name": {"formatted_name": "Bob"}}] * 258)),
    (100, said("reaction", {"emoji": "👍"})),
    (100, said("reaction", {"message_id": "wamid.x"})),
    (131009, said("reaction", {"message_id": "wamid.x", "emoji": "yes"})),
    (100, interactive({"action": {}})),
    (100, interactive(buttons(), "type", "lever")),
    (100, interactive(buttons(), "type", ["button"])),
    (100, interactive(buttons(), "action", [])),
    (100, interactive(buttons(), "extra", 1)),
    (131008, interactive(buttons(), "body", {})),
    (131008, interactive(buttons(), "body", "Which?")),
    (131009, interactive(buttons(), "body.text", "x" * 1025)),
    (131009, interactive(buttons(), "footer", {"text": "x" * 61})),
    (131009, interactive(buttons(), "header", {"type": "text", "text": "x" * 61})),
    (131009, interactive(buttons(), "header", {"type": "audio"})),
    (131009, interactive(buttons(), "header", "x")),
    (100, interactive(buttons(), "header", {"type": "image", "image": {"id": "1"}})),
    (131009, interactive(buttons(4))),
    (131009, interactive(buttons(0))),
    (131009, interactive(buttons(), "action.buttons.0", "x")),
    (131009, interactive(buttons(), "action.buttons.0.type", "url")),
    (131008, interactive(buttons(), "action.buttons.0.reply", {"id": "x"})),
    (131009, interactive(buttons(), "action.buttons.0.reply.title", "Button 1")),
    (131009, interactive(buttons(), "action.buttons.0.reply.id", "b1")),
    (131009, interactive(buttons(), "action.buttons.0.reply.id", "x" * 257)),
    (131009, interactive(rows(11))),
    (131009, interactive(rows(6, 5))),
    (131009, interactive(rows(*[1] * 11))),
    (131009, interactive(rows(0))),
    (131009, interactive(rows(1), "header", {"type": "image", "image": {"link": LINK}})),
    (131009, interactive(rows(1), "body.text", "x" * 4097)),
    (131009, interactive(rows(1), "action.button", "x" * 21)),
    (131008, interactive(rows(1), "action.sections.0", {"title": "a"})),
    (131009, interactive(rows(1), "action.sections.0", "a")),
    (131008, interactive(rows(1), "action", {"sections": []})),
    (131009, interactive(rows(1), "action.sections.0.title", "x" * 25)),
    (131009, interactive(rows(2), "action.sections.0.rows.0.id", "r0.1")),
    (131009, interactive(rows(1), "action.sections.0.rows.0.id", "x" * 201)),
    (131009, interactive(rows(1), "action.sections.0.rows.0.title", "x" * 25)),
    (131009, interactive(rows(1), "action.sections.0.rows.0.description", "x" * 73)),
    (131009, interactive(CTA, "action.parameters.display_text", "x" * 21)),
    (131009, interactive(CTA, "action.parameters.url", "ftp://x")),
    (131008, interactive(CTA, "action", {"name": "cta_url"})),
    (131009, interactive(PLACE, "action.name", "cta_url")),
    (131008, interactive(PLACE, "action", {})),
    (131008, interactive(FLOW, "action.parameters.flow_name", "both")),
    (131009, interactive(FLOW, "action.parameters.flow_cta", "x" * 31)),
    (100, said("template", {"name": "hello_world"})),
    (100, said("template", {"language": {"code": "en_US"}})),
    (132001, template("hello_world", "en")),
    (100, template(more={"components": {}})),
    (100, template(more={"components": ["x"]})),
    (100, template(more={"components": [{"type": "tail"}]})),
    (100, template(more={"components": [{"type": "body", "parameters": ["x"]}]})),
    (100, template(more={"components": [{"type": "body"}, {"type": "body"}]})),
    (132000, template(more=body_of(word("too many")))),
    (132000, of_parts(button(word("x")))),
    (132012, of_parts({"type": "header", "parameters": [word("x")]}, button(word("x")))),
    (131008, of_parts(PICTURE)),
    (132000, of_parts(PICTURE, button(word("x"), word("y")))),
    (132012, of_parts(PICTURE, button(word("x")), button(word("x"), index=1))),
    (100, of_parts(PICTURE, button(word("x"), index="x"))),
    (100, of_parts(PICTURE, button(word("x")), button(word("x")))),
    (132012, template("appointment_reminder", more=body_of(word("a"), {"type": "image"}))),
    (100, template("appointment_reminder", more=body_of(word("a"), {"type": "text"}))),
]


@pytest.mark.parametrize("body", GOOD, ids=range(len(GOOD)))
def test_what_is_just_right_is_taken(body: dict[str, Any]) -> None:
    assert code_of(body) is None


@pytest.mark.parametrize(("code", "body"), BAD, ids=range(len(BAD)))
def test_what_is_just_wrong_is_refused(code: int, body: dict[str, Any]) -> None:
    assert code_of(body) == code


def test_a_refusal_says_nothing_of_what_was_written() -> None:
    body = text("secret words " * 400)
    account = Account()
    world = World(account, [], MovableClock(SystemClock()))
    with pytest.raises(GraphError) as raised:
        parse_message(body, world, account.numbers[0])
    assert "secret" not in str(raised.value) + raised.value.details


@pytest.mark.parametrize(
    ("digits", "code"),
    [("15550100000", "1"), ("79001234567", "7"), ("4915550000001", "49"), ("351912345678", "351")],
)
def test_country_codes_have_one_two_or_three_digits(digits: str, code: str) -> None:
    assert country_code(digits) == code
