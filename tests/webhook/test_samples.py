"""What becomes of each kind of thing that Meta sends."""

import pytest

from openparallax.model.messages import DeliveryStatus, Inbound, Kind, Notification, Sender
from openparallax.webhook.payload import parse_body, parse_notification
from tests.webhook import samples

TEXT, UNREADABLE, RESEND, SILENT = Kind.TEXT, Kind.UNREADABLE, Kind.RESEND, Kind.SILENT

# name of the file: kind, type, words, id of the choice
MESSAGES: dict[str, tuple[Kind, str, str | None, str | None]] = {
    "text": (TEXT, "text", "Are you open on Sunday?", None),
    "text_emoji_and_surrogates": (TEXT, "text", "café \U0001f600 half � and �", None),
    "text_quoting": (TEXT, "text", "yes, that one", None),
    "text_from_an_ad": (TEXT, "text", "How much is it?", None),
    "text_forwarded": (TEXT, "text", "look at this", None),
    "text_username_only": (TEXT, "text", "I have no number", None),
    "text_parent_id": (TEXT, "text", "managed", None),
    "text_without_contacts": (TEXT, "text", "nobody introduced me", None),
    "text_without_profile": (TEXT, "text", "no name", None),
    "text_ids_only_in_contact": (TEXT, "text", "who am I", None),
    "text_numbers_as_numbers": (TEXT, "text", "typed", None),
    "text_blank": (SILENT, "text", None, None),
    "button_template": (TEXT, "button", "Confirm", "CONFIRM-1"),
    "interactive_button": (TEXT, "interactive", "Nine o'clock", "slot-9"),
    "interactive_list": (TEXT, "interactive", "Rye bread", "row-2"),
    "interactive_flow": (UNREADABLE, "interactive", None, None),
    "interactive_call_permission": (UNREADABLE, "interactive", None, None),
    "image": (UNREADABLE, "image", None, None),
    "image_with_caption": (UNREADABLE, "image", "/otr", None),
    "video": (UNREADABLE, "video", None, None),
    "audio_voice_note": (UNREADABLE, "audio", None, None),
    "document": (UNREADABLE, "document", "the plan", None),
    "sticker": (UNREADABLE, "sticker", None, None),
    "location": (UNREADABLE, "location", None, None),
    "contacts": (UNREADABLE, "contacts", None, None),
    "order": (UNREADABLE, "order", None, None),
    "reaction": (SILENT, "reaction", None, None),
    "reaction_removed": (SILENT, "reaction", None, None),
    "edit": (SILENT, "edit", None, None),
    "revoke": (SILENT, "revoke", None, None),
    "system_number_changed": (SILENT, "system", None, None),
    "request_welcome": (SILENT, "request_welcome", None, None),
    "unsupported_poll": (SILENT, "unsupported", None, None),
    "unsupported_unavailable": (RESEND, "unsupported", None, None),
    "group_text": (SILENT, "group", None, None),
    "type_of_tomorrow": (SILENT, "hologram_3d", None, None),
}

CALLBACK = "op1.0123456789abcdef0123456789abcdef"

STATUSES: dict[str, tuple[DeliveryStatus, str | None, int | None]] = {
    "status_sent": (DeliveryStatus.SENT, CALLBACK, None),
    "status_delivered": (DeliveryStatus.DELIVERED, CALLBACK, None),
    "status_read_without_number": (DeliveryStatus.READ, CALLBACK, None),
    "status_played": (DeliveryStatus.PLAYED, None, None),
    "status_failed": (DeliveryStatus.FAILED, CALLBACK, 131047),
}

COUNTED = {
    "status_of_tomorrow": {"status_forwarded": 1},
    "value_errors": {"error_131000": 1},
    "account_update": {"field_account_update": 1},
    "user_id_update": {"field_user_id_update": 1},
    "echo_from_the_phone": {"field_smb_message_echoes": 1},
    "another_product": {"object_instagram": 1},
}


def parse(name: str) -> Notification:
    return parse_notification(parse_body(samples.load_raw(name)))


def parse_one(name: str) -> Inbound:
    [message] = parse(name).messages
    return message


def test_every_sample_is_expected_here() -> None:
    assert {*MESSAGES, *STATUSES, *COUNTED, "batch"} == set(samples.NAMES)


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name: str) -> None:
    message = parse_one(name)
    words = message.text.words if message.text else None
    assert (message.kind, message.type, words, message.choice_id) == MESSAGES[name]
    assert message.phone_number_id == "1234567890123456"
    assert message.display_phone_number == "15550001111"
    assert message.sent_at == 1_790_000_000
    assert message.wamid.startswith("wamid.")
    assert not parse(name).statuses
    assert not parse(name).unsupported


@pytest.mark.parametrize("name", STATUSES)
def test_status(name: str) -> None:
    notification = parse(name)
    [status] = notification.statuses
    assert (status.status, status.callback, status.code) == STATUSES[name]
    assert status.wamid == "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjE2"
    assert status.phone_number_id == "1234567890123456"
    assert not notification.messages
    assert not notification.unsupported


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_only_counted(name: str) -> None:
    notification = parse(name)
    assert notification.unsupported == COUNTED[name]
    assert not notification.messages
    assert not notification.statuses


ANN = Sender("4915112345678", "DE.13491208655302741918", None, "Ann")


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("text", ANN),
        ("text_username_only", Sender(None, "US.99887766554433221100", None, "Bo")),
        (
            "text_parent_id",
            Sender("4915112345678", "US.99887766554433221100", "US.ENT.1122334455", "Bo"),
        ),
        ("text_without_contacts", Sender("4915112345678")),
        ("text_without_profile", Sender("4915112345678", "DE.13491208655302741918")),
        ("text_ids_only_in_contact", ANN),
        ("text_numbers_as_numbers", ANN),
    ],
)
def test_sender(name: str, sender: Sender) -> None:
    assert parse_one(name).sender == sender


def test_all_four_levels_of_a_batch_are_read_in_order() -> None:
    batch = parse("batch")
    said = [
        (message.phone_number_id, message.sender.name, message.text and message.text.words)
        for message in batch.messages
    ]
    assert said == [
        ("1234567890123456", "Ann", "one"),
        ("1234567890123456", "Bo", "two"),
        ("1234567890123456", "Ann", "three"),
        ("6543210987654321", "Ann", "to the other number"),
    ]
    assert [status.status for status in batch.statuses] == [
        DeliveryStatus.SENT,
        DeliveryStatus.DELIVERED,
    ]
    assert batch.unsupported == {"field_calls": 1}


@pytest.mark.parametrize("name", samples.NAMES)
def test_no_repr_shows_words(name: str) -> None:
    shown = repr(parse(name))
    for word in ("Sunday", "one", "plan", "/otr", "Rye", "Nine", "Ann", "Bo"):
        assert f"'{word}" not in shown
        assert f" {word}" not in shown
