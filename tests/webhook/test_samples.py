"""What becomes of each kind of thing that Meta sends: ``corpus.txt`` is the table."""

import pytest

from openparallax.model.messages import DeliveryStatus, Echo, Inbound, Notification, Sender
from openparallax.webhook.payload import parse_body, parse_notification
from tests.webhook import samples
from tests.webhook.outcomes import load_table, outcomes_of
from tests.webhook.soundness import assert_sound

TABLE = load_table()
AT = 1_790_000_000


def parse(name: str) -> Notification:
    return parse_notification(parse_body(samples.load_raw(name)))


def parse_one(name: str) -> Inbound:
    [message] = parse(name).messages
    return message


def test_every_sample_is_in_the_table() -> None:
    assert [*TABLE] == samples.NAMES
    assert len(TABLE) >= 80


@pytest.mark.parametrize("name", samples.NAMES)
def test_outcome(name: str) -> None:
    notification = parse(name)
    assert outcomes_of(notification) == TABLE[name]
    assert_sound(notification)


@pytest.mark.parametrize("name", [name for name in samples.NAMES if name != "batch"])
def test_all_are_of_one_number_and_one_moment(name: str) -> None:
    notification = parse(name)
    for message in notification.messages:
        assert message.phone_number_id == "1234567890123456"
        assert message.display_phone_number == "15550001111"
        assert message.sent_at == AT
        assert message.wamid.startswith("wamid.")
    for status in notification.statuses:
        assert status.wamid == "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjE2"
        assert status.callback in {"op1.0123456789abcdef0123456789abcdef", None}
        assert status.phone_number_id == "1234567890123456"
    for echo in notification.echoes:
        assert (echo.phone_number_id, echo.sent_at) == ("1234567890123456", AT)
        assert echo.wamid.startswith("wamid.")
    for relink in notification.relinks:
        assert relink.at == AT
        told = None if name == "user_id_update_without_metadata" else "1234567890123456"
        assert relink.phone_number_id == told
    for preference in notification.preferences:
        assert (preference.phone_number_id, preference.at) == ("1234567890123456", AT)
    for news in notification.news:
        assert news.business == "102290129340398"
        assert news.at == (0 if news.field == "messages" else AT)


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
        ("text_username_with_number", ANN),
    ],
)
def test_sender(name: str, sender: Sender) -> None:
    assert parse_one(name).sender == sender


def test_an_advertisement_is_kept_by_its_own_names() -> None:
    details = parse_one("text_from_an_ad_in_full").details
    assert details is not None
    assert details.referral == {
        "source_url": "https://fb.me/3cr4Wqqkv",
        "source_id": "120226305854810726",
        "source_type": "ad",
        "headline": "Chat with us",
        "body": "Summer succulents",
        "media_type": "video",
        "video_url": "https://example.org/v.mp4",
        "thumbnail_url": "https://example.org/t.jpg",
        "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
        "welcome_message": "Hi there! Let us know how we can help!",
    }


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


@pytest.mark.parametrize("name", samples.NAMES)
def test_no_repr_shows_words(name: str) -> None:
    notification = parse(name)
    shown = repr(notification)
    nouns: list[Inbound | Echo] = [*notification.messages, *notification.echoes]
    for noun in nouns:
        if noun.text is not None:
            assert f" {noun.text.words}" not in shown
            assert f"'{noun.text.words}" not in shown
        assert noun.wamid not in shown
    for message in notification.messages:
        if message.details is not None:
            said = (message.details.choice_id, *message.details.referral.values())
            assert not any(f"'{one}'" in shown for one in said if one)
    for name_of_somebody in ("'Ann", "'Bo"):
        assert name_of_somebody not in shown


@pytest.mark.parametrize("name", samples.NAMES)
def test_news_hold_nothing_that_people_typed_and_no_number(name: str) -> None:
    shown = repr(parse(name).news)
    for typed in (
        "Ann",
        "ann",
        "bread",
        "bakery",
        "Dear",
        "Track",
        "15550001111",
        "61555822107539",
    ):
        assert typed not in shown
