"""Requests as Meta writes them: escapes, signature, what travels together."""

import json

import pytest

from openparallax.emulator.webhooks.envelope import Change, dump, envelope, sign

SECRET = "test_app_secret"


@pytest.mark.parametrize(
    ("payload", "written", "digest"),
    [
        (
            {"object": "whatsapp_business_account", "entry": []},
            rb'{"object":"whatsapp_business_account","entry":[]}',
            "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756",
        ),
        (
            {"body": "café 😀 https://x.y"},
            rb'{"body":"caf\u00e9 \ud83d\ude00 https:\/\/x.y"}',
            "26e87ac3569200a123da7634dfad31ebe39ebe20a9a0c7171c66907b26c721e8",
        ),
    ],
)
def test_bytes_and_signature_are_metas(payload: object, written: bytes, digest: str) -> None:
    assert dump(payload) == written
    assert sign(written, SECRET) == f"sha256={digest}"


def test_other_bytes_of_the_same_words_are_signed_otherwise() -> None:
    spaced = rb'{"object": "whatsapp_business_account", "entry": []}'
    digest = "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"
    assert sign(spaced, SECRET) == f"sha256={digest}"


def test_what_is_read_back_is_what_was_said() -> None:
    words = "\\/ / \ud83d \x00 \u2028 \x7f \U0001f600"
    assert json.loads(dump({"a": words})) == {"a": words}


def message(who: str, number: str = "1", topic: str = "messages") -> Change:
    value = {
        "metadata": {"phone_number_id": number},
        "contacts": [{"wa_id": who}],
        "messages": [{"from": who}],
    }
    return Change(topic=topic, value=value)


def status(who: str) -> Change:
    value = {"metadata": {"phone_number_id": "1"}, "statuses": [{"recipient_id": who}]}
    return Change(topic="messages", value=value)


def test_neighbours_of_one_sort_share_a_change_and_each_person_is_listed_once() -> None:
    given = [message("a"), message("b"), message("a"), status("a"), message("a"), message("a", "2")]
    before = json.dumps([change.value for change in given])
    [entry] = envelope(given, "waba")["entry"]
    shapes = [
        {name: len(held) for name, held in change["value"].items() if name != "metadata"}
        for change in entry["changes"]
    ]
    assert shapes == [
        {"contacts": 2, "messages": 3},
        {"statuses": 1},
        {"contacts": 1, "messages": 1},
        {"contacts": 1, "messages": 1},
    ]
    assert json.dumps([change.value for change in given]) == before
    assert entry["id"] == "waba"
    assert "time" not in entry


def test_other_topics_accounts_and_news_stand_apart() -> None:
    news = Change(topic="account_update", value={"event": "X"}, time=7, is_whole=True)
    other = message("a", topic="smb_message_echoes")
    of_another = message("a")
    of_another.waba_id = "another"
    first, second = envelope([message("a"), other, news, of_another], "waba")["entry"]
    assert [change["field"] for change in first["changes"]] == [
        "messages",
        "smb_message_echoes",
        "account_update",
    ]
    assert (first["id"], first["time"], second["id"]) == ("waba", 7, "another")


def test_spread_gives_each_an_entry_of_its_own() -> None:
    entries = envelope([message("a"), message("a")], "waba", spread=True)["entry"]
    assert [len(entry["changes"]) for entry in entries] == [1, 1]
