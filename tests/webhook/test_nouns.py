"""The finer points of what is read beside messages and statuses."""

from typing import Any

import pytest

from openparallax.model.messages import Details, Echo, Kind, News, Relink, Sender, Weight
from openparallax.webhook.details import MAX_REFERRAL
from openparallax.webhook.payload import parse_notification
from tests.fakes import meta

ANN, NEW = "4915112345678", "436601234567"


def parse(*items: meta.Item) -> Any:
    return parse_notification(meta.envelope(*items))


def details_of(**more: Any) -> Details | None:
    [message] = parse(meta.text(ANN, "hi", **more)).messages
    found: Details | None = message.details
    return found


# Details


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"context": None, "referral": None},
        {"context": {}, "referral": {}},
        {"context": "wamid.1", "referral": "ad"},
        {"context": {"id": ["x"], "forwarded": "true", "frequently_forwarded": 1}},
        {"context": {"id": "x" * 513, "from": ANN}},
        {"context": {"referred_product": {"catalog_id": "1"}}},
        {"context": {"referred_product": {"catalog_id": "1", "product_retailer_id": "x" * 512}}},
        {"referral": {"headline": 5, "made_up": "x", "body": "", "welcome_message": "hi"}},
    ],
)
def test_where_nothing_came_there_are_no_details(more: dict[str, Any]) -> None:
    assert details_of(**more) is None


def test_often_forwarded_is_forwarded() -> None:
    for context in ({"frequently_forwarded": True}, {"forwarded": True}):
        details = details_of(context=context)
        assert details is not None
        assert details.is_forwarded
        assert details.is_forwarded_often is ("frequently_forwarded" in context)


def test_an_advertisement_is_mended_and_cut() -> None:
    details = details_of(referral={"body": "a\ud83d" * MAX_REFERRAL, "source_id": "\udc00"})
    assert details == Details(
        referral={"body": "a\ufffd" * (MAX_REFERRAL // 2), "source_id": "\ufffd"}
    )


def test_details_show_none_of_it() -> None:
    shown = repr(
        details_of(
            context={"id": "quokka", "referred_product": {"catalog_id": "quo", "x": 1}},
            referral={"headline": "quokka"},
        )
    )
    assert "quokka" not in shown


@pytest.mark.parametrize("kind", ["reaction", "edit", "hologram"])
def test_what_is_silent_has_no_details(kind: str) -> None:
    [message] = parse(meta.message(ANN, kind, {}, context={"id": "wamid.1"})).messages
    assert (message.kind, message.details) == (Kind.SILENT, None)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ([131060], Kind.RESEND),
        ([131052], Kind.UNREADABLE),
        (["131052"], Kind.UNREADABLE),
        ([131052, 131060], Kind.RESEND),
        ([131051], Kind.SILENT),
        ([], Kind.SILENT),
    ],
)
def test_why_it_is_unsupported(codes: list[object], kind: Kind) -> None:
    errors = [{"code": code} for code in codes]
    [message] = parse(meta.message(ANN, "unsupported", None, errors=errors)).messages
    assert message.kind is kind


def test_a_revoke_names_its_message() -> None:
    revoked, nothing = parse(meta.revoke(ANN, "wamid.9"), meta.revoke(ANN, "")).messages
    assert (revoked.kind, revoked.original) == (Kind.REVOKE, "wamid.9")
    assert (nothing.kind, nothing.original) == (Kind.SILENT, "")


# Relinks


def relink(item: meta.Item) -> Relink | str:
    notification = parse(item)
    assert not notification.messages
    if notification.relinks:
        [found] = notification.relinks
        assert isinstance(found, Relink)
        return found
    [name] = notification.unsupported
    return str(name)


def with_previous(item: meta.Item, user_id: str) -> meta.Item:
    """The same, and the system message names the ids of before."""
    previous = {"previous_user_id": user_id, "previous_parent_user_id": "DE.ENT.1"}
    item["message"]["system"] |= previous
    return item


@pytest.mark.parametrize(
    ("item", "old", "new"),
    [
        (meta.system(ANN, wa_id=NEW), Sender(ANN), Sender(NEW)),
        (
            meta.system(ANN, wa_id=NEW, user_id="DE.1", new_user_id="AT.1"),
            Sender(ANN, "DE.1"),
            Sender(NEW, "AT.1"),
        ),
        # since August 2026 the system message itself says both
        (
            with_previous(meta.system(ANN, wa_id=NEW, new_user_id="AT.1"), "DE.1"),
            Sender(ANN, "DE.1", "DE.ENT.1"),
            Sender(NEW, "AT.1"),
        ),
        (
            with_previous(meta.system(None, "user_changed_user_id", new_user_id="DE.2"), "DE.1"),
            Sender(None, "DE.1", "DE.ENT.1"),
            Sender(None, "DE.2"),
        ),
        (
            with_previous(meta.system(None, user_id="DE.2", new_user_id="DE.2"), "DE.1"),
            Sender(None, "DE.1", "DE.ENT.1"),
            Sender(None, "DE.2"),
        ),
        # the number is the same, or is the new one already: it says nothing about before
        (
            meta.system(ANN, "user_changed_user_id", wa_id=ANN, user_id="DE.1", new_user_id="DE.2"),
            Sender(None, "DE.1"),
            Sender(ANN, "DE.2"),
        ),
        # the id is the same
        (
            meta.system(NEW, wa_id=NEW, user_id="DE.1", new_user_id="DE.1"),
            Sender(None, "DE.1"),
            Sender(NEW, "DE.1"),
        ),
    ],
)
def test_a_system_message(item: meta.Item, old: Sender, new: Sender) -> None:
    found = relink(item)
    assert isinstance(found, Relink)
    assert (found.old, found.new) == (old, new)


@pytest.mark.parametrize(
    ("item", "counted"),
    [
        (meta.system(None, wa_id=NEW), "relink_without_old"),
        (meta.system(NEW, wa_id=NEW), "relink_without_old"),
        (meta.system(ANN), "relink_without_new"),
        (meta.system(None, user_id="DE.1", new_user_id="DE.1"), "relink_without_change"),
        (meta.system(ANN, "customer_identity_changed"), "system_customer_identity_changed"),
        (meta.user_id_update("", "DE.2"), "relink_without_old"),
        (meta.user_id_update("DE.1", ""), "relink_without_new"),
        (meta.user_id_update("DE.1", "DE.2") | {"user_id_update": 5}, "bad_relink"),
        (meta.user_id_update("DE.1", "DE.2", timestamp="soon"), "bad_timestamp"),
        (meta.user_id_update("DE.1", "DE.2", user_id="DE.2"), "relink_without_old"),
    ],
)
def test_a_change_that_cannot_be_followed_is_counted(item: meta.Item, counted: str) -> None:
    assert relink(item) == counted


def test_the_time_of_the_entry_helps_out() -> None:
    body = meta.envelope(meta.user_id_update("DE.1", "DE.2", timestamp=None))
    body["entry"][0]["time"] = 77
    assert [found.at for found in parse_notification(body).relinks] == [77]


# Echoes


@pytest.mark.parametrize(
    ("item", "to"),
    [
        (meta.echo(ANN, "x"), Sender(ANN)),
        (meta.echo("+49 (151) 1234-5678", "x"), Sender(ANN)),
        (meta.echo("US.1A", "x"), Sender(None, "US.1A")),
        (meta.echo(None, "x", to_user_id="US.1A"), Sender(None, "US.1A")),
        (meta.echo(ANN, "x", recipient_user_id="US.1A"), Sender(ANN, "US.1A")),
        (meta.echo(None, "x") | {"contact": {"wa_id": ANN}}, Sender(ANN)),
    ],
)
def test_whom_an_echo_is_for(item: meta.Item, to: Sender) -> None:
    [echo] = parse(item).echoes
    assert isinstance(echo, Echo)
    assert echo.to == to


@pytest.mark.parametrize(
    ("item", "counted"),
    [
        (meta.echo(None, "x"), "echo_without_recipient"),
        (
            meta.echo(None, "x") | {"contact": {"wa_id": meta.DISPLAY_PHONE_NUMBER}},
            "echo_without_recipient",
        ),
        (meta.echo(ANN, "x", group_id="Y2Fw"), "echo_group"),
        (meta.echo(ANN, "x", timestamp=None), "bad_timestamp"),
        (meta.echo(ANN, "x", id=None), "echo_without_id"),
        (meta.echo_revoke(ANN, ""), "echo_revoke"),
        (meta.echo(ANN, kind="unsupported", unsupported={"type": "edit"}), "echo_edit"),
        (meta.echo(ANN, kind="system", content={"type": "user_changed_number"}), "echo_system"),
    ],
)
def test_what_is_no_taking_over_is_counted(item: meta.Item, counted: str) -> None:
    notification = parse(item)
    assert not notification.echoes
    assert notification.unsupported == {counted: 1}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text", {"body": 5}),
        ("text", {"body": "a" * 100_000}),
        ("unsupported", None),
        ("template", {"name": "hi"}),
        ("location", {"latitude": 1}),
    ],
)
def test_somebody_wrote_even_if_it_cannot_be_read(kind: str, content: object) -> None:
    [echo] = parse(meta.echo(ANN, kind=kind, content=content)).echoes
    assert (echo.type, echo.text) == (kind, None)


# News


def news(field: str, **value: Any) -> News:
    [found] = parse(meta.news(field, at=7, **value)).news
    assert isinstance(found, News)
    return found


@pytest.mark.parametrize(
    ("field", "value", "weight"),
    [
        ("account_update", {"event": "account_deleted"}, Weight.ERROR),
        ("account_update", {"event": "OF_TOMORROW"}, Weight.INFO),
        ("account_update", {"event": ["ACCOUNT_DELETED"]}, Weight.ERROR),
        ("account_alerts", {"alert_severity": "CRITICAL", "alert_type": "X"}, Weight.ERROR),
        ("account_alerts", {"alert_info": {"alert_severity": "WARNING"}}, Weight.WARNING),
        ("security", {}, Weight.WARNING),
        (
            "message_template_quality_update",
            {"previous_quality_score": "YELLOW", "new_quality_score": "GREEN"},
            Weight.INFO,
        ),
        (
            "phone_number_quality_update",
            {"event": "UPGRADE", "old_limit": "TIER_2K", "current_limit": "TIER_10K"},
            Weight.INFO,
        ),
        (
            "phone_number_quality_update",
            {"event": "X", "old_limit": "TIER_UNLIMITED", "current_limit": "TIER_50"},
            Weight.WARNING,
        ),
    ],
)
def test_weight(field: str, value: dict[str, Any], weight: Weight) -> None:
    assert news(field, **value).weight is weight


def test_a_sentence_is_no_fact_and_no_event() -> None:
    found = news("account_update", event="Ann's account was closed", reason="Ann said so, too")
    assert (found.event, found.facts) == ("UNKNOWN", {})


def test_long_words_are_cut() -> None:
    found = news("account_update", event="e" * 100, reason="r" * 100, message_template_id=10**40)
    assert (found.event, found.facts) == ("E" * 64, {"reason": "r" * 64})
    assert found.subject == ""


@pytest.mark.parametrize("number", ["+1 555-000-1111", "15550001111", "11"])
def test_of_a_number_only_the_end_is_shown(number: str) -> None:
    assert news("security", display_phone_number=number, event="PIN_CHANGED").subject == "…11"


def test_no_request_brings_more_than_a_thousand_news() -> None:
    notification = parse(meta.errors(*[131031] * 1500))
    assert len(notification.news) == 1000
    assert notification.unsupported == {"error_131031": 1500, "too_much_news": 500}


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_news_without_a_value_are_counted(value: object) -> None:
    notification = parse(meta.change("account_update", value))
    assert (notification.news, notification.unsupported) == ([], {"bad_change": 1})


@pytest.mark.parametrize("category", ["marketing_messages", None])
def test_a_preference_may_leave_its_category_out(category: object) -> None:
    item = meta.preference(ANN, "resume")
    item["preference"].pop("category")
    item["preference"].update({"category": category} if category else {})
    assert [found.wants_marketing for found in parse(item).preferences] == [True]
