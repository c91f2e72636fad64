"""What the rooms below rely on, whatever came."""

import re

from openparallax.model.messages import (
    Details,
    Echo,
    Inbound,
    Kind,
    News,
    Notification,
    Preference,
    Relink,
    Sender,
    Weight,
)
from openparallax.webhook.content import MAX_WORDS
from openparallax.webhook.details import MAX_REFERRAL, REFERRAL

MAX_ID = 512
_LABEL = re.compile("[a-z0-9_]{1,32}")
_EVENT = re.compile("[A-Z0-9_.:+ ,-]{1,64}")


def assert_sound(notification: Notification) -> None:
    for message in notification.messages:
        _assert_message(message)
    for status in notification.statuses:
        _assert_id(status.phone_number_id)
        _assert_id(status.wamid)
        assert_storable(status.callback, MAX_ID)
        assert status.code is None or abs(status.code) < 2**31
    for echo in notification.echoes:
        _assert_echo(echo)
    for relink in notification.relinks:
        _assert_relink(relink)
    for preference in notification.preferences:
        _assert_preference(preference)
    assert len(notification.news) <= 1000
    for news in notification.news:
        _assert_news(news)
    assert len(notification.unsupported) <= 66
    for name, times in notification.unsupported.items():
        assert re.fullmatch("[a-z0-9_-]{1,40}", name)  # an error code may be below 0
        assert times > 0


def assert_storable(text: str | None, longest: int) -> None:
    if text is not None:
        assert isinstance(text, str)
        assert len(text) <= longest
        text.encode()  # raises on a lone surrogate


def _assert_id(an_id: str) -> None:
    assert an_id
    assert_storable(an_id, MAX_ID)


def _assert_seconds(seconds: int) -> None:
    assert type(seconds) is int
    assert 0 <= seconds < 2**63


def _assert_person(person: Sender) -> None:
    ids = (person.wa_id, person.user_id, person.parent_user_id)
    assert any(ids)
    for text in (*ids, person.name):
        assert text != ""
        assert_storable(text, MAX_ID)


def _assert_message(message: Inbound) -> None:
    assert isinstance(message, Inbound)
    _assert_id(message.phone_number_id)
    _assert_id(message.wamid)
    assert_storable(message.display_phone_number, MAX_ID)
    _assert_person(message.sender)
    _assert_seconds(message.sent_at)
    assert _LABEL.fullmatch(message.type)
    if message.kind is Kind.TEXT:
        assert message.text is not None
    if message.text is not None:
        assert message.kind in {Kind.TEXT, Kind.UNREADABLE}
        assert message.text.words.strip()
        assert_storable(message.text.words, MAX_WORDS)
    if message.details is not None:
        assert message.kind in {Kind.TEXT, Kind.UNREADABLE}
        _assert_details(message.details)
    assert bool(message.original) is (message.kind is Kind.REVOKE)
    assert_storable(message.original, MAX_ID)


def _assert_details(details: Details) -> None:
    assert details != Details()
    for text in (details.choice_id, details.quoted, details.product):
        assert_storable(text, MAX_ID)
    assert type(details.is_forwarded) is type(details.is_forwarded_often) is bool
    assert details.is_forwarded or not details.is_forwarded_often
    for name, value in details.referral.items():
        assert name in {*REFERRAL, "welcome_message"}
        assert value
        assert_storable(value, MAX_REFERRAL)


def _assert_echo(echo: Echo) -> None:
    _assert_id(echo.phone_number_id)
    _assert_id(echo.wamid)
    _assert_person(echo.to)
    _assert_seconds(echo.sent_at)
    assert _LABEL.fullmatch(echo.type)
    assert echo.type not in {"reaction", "edit", "system"}
    if echo.text is not None:
        assert echo.text.words.strip()
        assert_storable(echo.text.words, MAX_WORDS)
    assert bool(echo.original) is (echo.type == "revoke")
    assert_storable(echo.original, MAX_ID)


def _assert_relink(relink: Relink) -> None:
    if relink.phone_number_id is not None:
        _assert_id(relink.phone_number_id)
    _assert_person(relink.old)
    _assert_person(relink.new)
    assert relink.old != relink.new
    assert relink.old.wa_id is None or relink.old.wa_id != relink.new.wa_id
    _assert_seconds(relink.at)


def _assert_preference(preference: Preference) -> None:
    _assert_id(preference.phone_number_id)
    _assert_person(preference.sender)
    assert type(preference.wants_marketing) is bool
    _assert_seconds(preference.at)


def _assert_news(news: News) -> None:
    assert_storable(news.business, MAX_ID)
    assert _LABEL.fullmatch(news.field) or news.field == "message_template_components_update"
    assert_storable(news.subject, 64)
    assert _EVENT.fullmatch(news.event)
    assert len(news.facts) <= 32  # of a fixed list of names
    for name, value in news.facts.items():
        assert _LABEL.fullmatch(name)
        assert re.fullmatch("[A-Za-z0-9_.:+ ,-]{1,64}", value)
    assert type(news.weight) is Weight
    _assert_seconds(news.at)
