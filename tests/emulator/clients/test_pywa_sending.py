"""pywa sends every kind that it can; the emulator takes each for what it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pywa import types
from pywa.types import templates
from pywa_async.errors import ReEngagementMessage

from tests.emulator.clients.pywa_side import Pywa, pywa_client

ANN = "4915550000001"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
ENGLISH = templates.TemplateLanguage.ENGLISH_US


@dataclass(frozen=True, slots=True)
class Sends:
    """One kind that pywa sends.

    Attributes:
        kind: The type of the message, and of an interactive one its own behind a dot.
        send: Sends it; gets pywa, the id of a picture and of Ann's message.
    """

    kind: str
    send: Callable[[Pywa, str, str], Awaitable[Any]]


def buttons(*titles: str) -> list[types.Button]:
    return [types.Button(title=title, callback_data=title.lower()) for title in titles]


MENU = types.SectionList(
    button_title="Menu",
    sections=[
        types.Section(
            title="Food",
            rows=[types.SectionRow(title="Soup", callback_data="soup", description="hot")],
        )
    ],
)
BOB = types.Contact(
    name=types.Contact.Name(formatted_name="Bob", first_name="Bob"),
    phones=[types.Contact.Phone(phone="+15550000002")],
)
SENDS: dict[str, Sends] = {
    "text": Sends("text", lambda p, _, __: p.wa.send_message(ANN, "*hello*", preview_url=True)),
    "with a plus": Sends("text", lambda p, _, __: p.wa.send_message("+49 1555 0000001", "hello")),
    "by business-scoped id": Sends(
        "text", lambda p, _, __: p.wa.send_message("DE.1000000000000001", "hello")
    ),
    "a quoting text": Sends(
        "text", lambda p, _, hers: p.wa.send_message(ANN, "yes", reply_to_message_id=hers)
    ),
    "buttons": Sends(
        "interactive.button",
        lambda p, _, __: p.wa.send_message(
            ANN, "Well?", header="Soup", footer="today", buttons=buttons("Yes", "No")
        ),
    ),
    "a list": Sends("interactive.list", lambda p, _, __: p.wa.send_message(ANN, "?", buttons=MENU)),
    "a link button": Sends(
        "interactive.cta_url",
        lambda p, _, __: p.wa.send_message(
            ANN, "Look", buttons=types.URLButton(title="Go", url="https://b.example")
        ),
    ),
    "a request for a number": Sends(
        "interactive.request_contact_info", lambda p, _, __: p.wa.request_contact_info(ANN, "Who?")
    ),
    "a call button": Sends(
        "interactive.voice_call",
        lambda p, _, __: p.wa.send_message(ANN, "Call", buttons=types.VoiceCallButton("Call")),
    ),
    "a call permission": Sends(
        "interactive.call_permission_request",
        lambda p, _, __: p.wa.send_message(
            ANN, "May we?", buttons=types.CallPermissionRequestButton()
        ),
    ),
    "a flow": Sends(
        "interactive.flow",
        lambda p, _, __: p.wa.send_message(
            ANN,
            "Fill in",
            buttons=types.FlowButton(
                title="Open",
                flow_id="1",
                flow_token="t",
                flow_action_type=types.FlowActionType.NAVIGATE,
                flow_action_screen="FIRST",
            ),
        ),
    ),
    "a picture of bytes": Sends(
        "image", lambda p, _, __: p.wa.send_image(ANN, PNG, mime_type="image/png", caption="look")
    ),
    "a picture by id": Sends("image", lambda p, picture, _: p.wa.send_image(ANN, picture)),
    "a picture by link": Sends(
        "image", lambda p, _, __: p.wa.send_image(ANN, "https://b.example/a.png")
    ),
    "a picture with buttons": Sends(
        "interactive.button",
        lambda p, picture, _: p.wa.send_image(ANN, picture, caption="?", buttons=buttons("Yes")),
    ),
    "a film": Sends(
        "video", lambda p, _, __: p.wa.send_video(ANN, b"\0\0\0\x18ftyp", mime_type="video/mp4")
    ),
    "a document": Sends(
        "document",
        lambda p, _, __: p.wa.send_document(
            ANN, b"%PDF-1.7", mime_type="application/pdf", filename="bill.pdf"
        ),
    ),
    "sound": Sends("audio", lambda p, _, __: p.wa.send_audio(ANN, b"ID3", mime_type="audio/mpeg")),
    "a voice note": Sends(
        "audio", lambda p, _, __: p.wa.send_voice(ANN, b"OggS", mime_type="audio/ogg")
    ),
    "a sticker": Sends(
        "sticker", lambda p, _, __: p.wa.send_sticker(ANN, b"RIFF", mime_type="image/webp")
    ),
    "a place": Sends("location", lambda p, _, __: p.wa.send_location(ANN, 52.5, 13.4, "Here")),
    "a request for a place": Sends(
        "interactive.location_request_message", lambda p, _, __: p.wa.request_location(ANN, "?")
    ),
    "a contact": Sends("contacts", lambda p, _, __: p.wa.send_contact(ANN, BOB)),
    "a catalogue": Sends(
        "interactive.catalog_message", lambda p, _, __: p.wa.send_catalog(ANN, "All of it")
    ),
    "a product": Sends(
        "interactive.product", lambda p, _, __: p.wa.send_product(ANN, "1", "sku", body="This")
    ),
    "products": Sends(
        "interactive.product_list",
        lambda p, _, __: p.wa.send_products(
            ANN,
            catalog_id="1",
            product_sections=[types.ProductsSection(title="All", skus=["a", "b"])],
            title="Goods",
            body="These",
        ),
    ),
    "a carousel": Sends(
        "interactive.carousel",
        lambda p, picture, _: p.wa.send_carousel(
            ANN,
            body="Choose",
            cards=[
                types.ImageCarouselCard(body=name, image=picture, buttons=buttons(name))
                for name in ("One", "Two")
            ],
        ),
    ),
    "a template": Sends(
        "template", lambda p, _, __: p.wa.send_template(ANN, "hello_world", ENGLISH)
    ),
    "a template with places": Sends(
        "template",
        lambda p, _, __: p.wa.send_template(
            ANN,
            "appointment_reminder",
            ENGLISH,
            [
                templates.BodyText.params("Ann", "Monday"),
                templates.QuickReplyButton.params(callback_data="no", index=0),
            ],
        ),
    ),
    "a template with names": Sends(
        "template",
        lambda p, _, __: p.wa.send_template(
            ANN,
            "order_update",
            ENGLISH,
            [
                templates.HeaderText.params(order_id="A-17"),
                templates.BodyText.params(first_name="Ann"),
            ],
        ),
    ),
}


async def test_every_kind_arrives_as_what_it_is() -> None:
    async with pywa_client() as pywa:
        world = pywa.emulator.world
        hers = pywa.emulator.say("ann", "hello").wamid
        picture = await pywa.wa.upload_media(PNG, mime_type="image/png", filename="a.png")
        arrived = {}
        for name, one in SENDS.items():
            sent = await one.send(pywa, picture.id, hers)
            message = world.message(sent.id)
            assert message is not None, name
            assert (message.person, message.is_ours) == ("ann", True), name
            own = message.content.get("type") if message.kind == "interactive" else None
            arrived[name] = message.kind + (f".{own}" if own else "")
        assert arrived == {name: one.kind for name, one in SENDS.items()}
        quoting = next(one for one in world.all_messages() if one.words == "yes")
        assert quoting.quoted == hers


async def test_reactions_read_marks_and_typing() -> None:
    async with pywa_client() as pywa:
        world, wa = pywa.emulator.world, pywa.wa
        hers = pywa.emulator.say("ann", "hello")
        assert await wa.send_reaction(ANN, "\N{THUMBS UP SIGN}", hers.wamid)
        assert hers.reactions == {"business": "\N{THUMBS UP SIGN}"}
        assert await wa.remove_reaction(ANN, hers.wamid)
        assert not hers.reactions
        assert await wa.indicate_typing(hers.wamid)
        chat = world.chat(hers.number_id, "ann")
        assert chat.typing_until > pywa.emulator.clock.now()
        assert await wa.mark_message_as_read(hers.wamid)
        assert hers.status == "read"


async def test_a_refusal_is_the_error_that_pywa_knows() -> None:
    async with pywa_client() as pywa:
        with pytest.raises(ReEngagementMessage) as caught:
            await pywa.wa.send_message(ANN, "hello?")
        assert caught.value.code == 131047
        assert caught.value.fbtrace_id
