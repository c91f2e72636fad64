"""The tolerances of the parser, one by one, and that it never raises."""

import copy
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.model.messages import Kind, Notification
from openparallax.webhook.content import MAX_WORDS
from openparallax.webhook.payload import parse_notification
from tests.fakes import meta
from tests.webhook import samples
from tests.webhook.soundness import assert_sound

ANN = "4915112345678"


def parse(*items: meta.Item) -> Notification:
    return parse_notification(meta.envelope(*items))


def ann(words: str = "hello", **details: Any) -> meta.Item:
    return meta.text(ANN, words, at=1_790_000_000, **details)


def ann_with(**fields: Any) -> meta.Item:
    """A message of Ann's with some fields put in or, by ``...``, taken out."""
    item = ann()
    item["message"].update({{"sender": "from"}.get(key, key): fields[key] for key in fields})
    item["message"] = {key: value for key, value in item["message"].items() if value is not ...}
    return item


# Timestamps


@pytest.mark.parametrize(
    ("given_as", "read_as"),
    [
        ("1790000000", 1_790_000_000),
        (1_790_000_000, 1_790_000_000),
        (1_790_000_000.9, 1_790_000_000),
        ("0", 0),
        (253_402_300_799, 253_402_300_799),
    ],
)
def test_timestamp(given_as: object, read_as: int) -> None:
    [message] = parse(ann_with(timestamp=given_as)).messages
    assert message.sent_at == read_as


@pytest.mark.parametrize(
    "timestamp",
    [
        *(math.nan, math.inf, -math.inf, 1e300, -1, -0.5, 253_402_300_800, 2**63, 10**4000),
        *("9" * 4000, "9" * 5000, "-5", "", "soon", "1.5", "²", "1_0", None, True, [], {}, ...),
    ],
)
def test_a_timestamp_that_is_none_is_counted(timestamp: object) -> None:
    notification = parse(ann("before"), ann_with(timestamp=timestamp), ann("after"))
    assert len(notification.messages) == 2
    assert notification.unsupported == {"bad_timestamp": 1}


# Ids and words


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"id": ...}, "no_id"),
        ({"id": ""}, "no_id"),
        ({"id": ["wamid.1"]}, "no_id"),
        ({"id": True}, "no_id"),
        ({"id": "w" * 513}, "long_id"),
        ({"text": {"body": None}}, "bad_text"),
        ({"text": {"body": 5}}, "bad_text"),
        ({"text": {}}, "bad_text"),
        ({"text": "hello"}, "bad_text"),
        ({"text": ...}, "bad_text"),
        ({"text": {"body": "a" * (MAX_WORDS + 1)}}, "too_long"),
        ({"type": "image", "image": {"caption": "a" * (MAX_WORDS + 1)}}, "too_long"),
        ({"type": "button", "button": {"payload": "x"}}, "bad_text"),
        ({"type": "interactive", "interactive": {"type": "list_reply"}}, "bad_text"),
    ],
)
def test_what_cannot_be_taken_is_counted_and_the_rest_goes_in(
    fields: dict[str, Any], counted: str
) -> None:
    notification = parse(ann("before"), ann_with(**fields), ann("after"))
    words = [message.text.words for message in notification.messages if message.text]
    assert words == ["before", "after"]
    assert notification.unsupported == {counted: 1}


def test_the_longest_that_goes_in() -> None:
    [message] = parse(ann_with(id="w" * 512, text={"body": "a" * MAX_WORDS})).messages
    assert message.wamid == "w" * 512
    assert message.text is not None
    assert len(message.text) == MAX_WORDS


def test_lone_surrogates_are_replaced_wherever_they_stand() -> None:
    half = "\ud83d"
    item = ann(f"a{half}b", name=f"n{half}", wamid=f"w{half}")
    reply = {"type": "button_reply", "button_reply": {"id": f"i{half}", "title": f"t{half}"}}
    tapped = meta.message(ANN, "interactive", reply, at=1)
    said, chosen = parse(item, tapped).messages
    assert said.text is not None
    assert said.text.words == "a�b"
    assert said.sender.name == "n�"
    assert said.wamid == "w�"
    assert chosen.details is not None
    assert chosen.details.choice_id == "i�"


def test_whole_pairs_and_nul_are_left_alone() -> None:
    [message] = parse(ann("\U0001f600 \x00 é")).messages
    assert message.text is not None
    assert message.text.words == "\U0001f600 \x00 é"


@pytest.mark.parametrize("group_id", ["Y2Fw", "", 5, False])
def test_a_message_of_a_group_is_never_text(group_id: object) -> None:
    [message] = parse(ann_with(group_id=group_id)).messages
    assert (message.kind, message.type, message.text) == (Kind.SILENT, "group", None)


@pytest.mark.parametrize("code", [131060, "131060"])
def test_code_131060_asks_to_send_again_wherever_it_stands(code: object) -> None:
    errors = [None, {"code": 131051}, {"code": code}]
    [message] = parse(meta.message(ANN, "unsupported", None, errors=errors)).messages
    assert message.kind is Kind.RESEND


def test_foreign_names_are_cut_and_cleaned() -> None:
    long_name = "İst ein Wort: " + "x" * 100
    [message] = parse(meta.message(ANN, long_name)).messages
    assert message.kind is Kind.SILENT
    assert re.fullmatch("[a-z0-9_]{1,32}", message.type)
    [counted] = parse(meta.change(long_name, {})).unsupported
    assert re.fullmatch("field_[a-z0-9_]{1,32}", counted)


def test_no_request_makes_more_than_a_few_names() -> None:
    notification = parse(*(meta.change(f"made_up_{number}", {}) for number in range(1000)))
    assert len(notification.unsupported) == 65
    assert sum(notification.unsupported.values()) == 1000


# Senders


def test_a_contact_is_found_by_id_and_not_by_place() -> None:
    bo, cy = meta.text("441", "b", name="Bo"), meta.text(None, "c", name="Cy", user_id="GB.1")
    body = meta.envelope(bo, cy)
    body["entry"][0]["changes"][0]["value"]["contacts"].reverse()
    assert [message.sender.name for message in parse_notification(body).messages] == ["Bo", "Cy"]


def test_the_contact_completes_the_ids_of_the_message() -> None:
    item = ann(user_id="DE.1", parent_user_id="DE.ENT.1")
    del item["message"]["from_user_id"], item["message"]["from_parent_user_id"]
    [message] = parse(item).messages
    assert (message.sender.wa_id, message.sender.user_id) == (ANN, "DE.1")
    assert message.sender.parent_user_id == "DE.ENT.1"


def test_a_number_with_another_user_id_is_another_person() -> None:
    item = ann(user_id="DE.1", parent_user_id="DE.ENT.1")
    item["contact"]["user_id"] = "DE.2"
    item["message"].pop("from_parent_user_id")
    [message] = parse(item).messages
    assert message.sender.user_id == "DE.1"
    assert (message.sender.parent_user_id, message.sender.name) == (None, None)


def test_an_id_shared_by_two_contacts_lends_nothing() -> None:
    body = meta.envelope(ann(name="Ann", user_id="DE.1"), ann(name="Al", user_id="DE.2"), ann())
    first, second, third = parse_notification(body).messages
    assert (first.sender.name, second.sender.name) == ("Ann", "Al")
    assert (third.sender.wa_id, third.sender.user_id, third.sender.name) == (ANN, None, None)


@pytest.mark.parametrize("how_many", [2, 3])
def test_without_any_id_only_a_single_message_takes_a_single_contact(how_many: int) -> None:
    items = [ann_with(sender=...) for _ in range(how_many)]
    notification = parse(*items)
    assert not notification.messages
    assert notification.unsupported == {"no_sender": how_many}


def test_without_any_id_two_contacts_are_not_guessed_from() -> None:
    body = meta.envelope(ann_with(sender=...))
    body["entry"][0]["changes"][0]["value"]["contacts"].append({"wa_id": "441"})
    assert parse_notification(body).unsupported == {"no_sender": 1}


# Envelopes


@pytest.mark.parametrize("metadata", [..., None, [], {}, {"phone_number_id": ""}])
def test_without_our_number_each_item_is_counted(metadata: object) -> None:
    body = meta.envelope(ann(), ann())
    value = body["entry"][0]["changes"][0]["value"]
    value["metadata"] = metadata
    if metadata is ...:
        del value["metadata"]
    assert parse_notification(body).unsupported == {"no_metadata": 2}


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        (None, "not_an_object"),
        ([], "not_an_object"),
        ({}, "no_entry"),
        ({"entry": {}}, "no_entry"),
        ({"entry": [5]}, "bad_entry"),
        ({"entry": [{"changes": 5}]}, "bad_entry"),
        ({"entry": [{"changes": [5]}]}, "bad_change"),
        ({"entry": [{"changes": [{"field": "messages"}]}]}, "bad_change"),
        ({"entry": [{"changes": [{"field": "messages", "value": {}}]}]}, "empty_change"),
        ({"entry": [{"changes": [{"field": ["messages"], "value": {}}]}]}, "field_none"),
        ({"object": ["page"], "entry": []}, "object_none"),
    ],
)
def test_a_broken_frame_is_counted(body: object, counted: str) -> None:
    assert parse_notification(body) == Notification([], [], [], [], [], [], {counted: 1})


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"status": "warning"}, "status_warning"),
        ({"status": {}}, "status_none"),
        ({"id": None}, "status_without_id"),
    ],
)
def test_a_broken_status_is_counted(fields: dict[str, object], counted: str) -> None:
    good, bad = meta.status("wamid.1"), meta.status("wamid.2")
    bad["status"].update(fields)
    notification = parse(bad, good)
    assert [status.wamid for status in notification.statuses] == ["wamid.1"]
    assert notification.unsupported == {counted: 1}


@pytest.mark.parametrize("errors", [None, {}, [], [None], [{}], [{"code": "x"}], [{"code": 2**80}]])
def test_a_failure_without_a_usable_code(errors: object) -> None:
    item = meta.status("wamid.1", "failed")
    item["status"]["errors"] = errors
    [status] = parse(item).statuses
    assert status.code is None


# Properties

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(["messages", "text", "whatsapp_business_account", 131060, 2**70, "9" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_parsing_never_raises_on_any_value(body: object) -> None:
    assert_sound(parse_notification(body))


def mutate(data: st.DataObject, value: Any) -> Any:
    """``value`` with something anywhere within it replaced, removed or doubled."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 5)) == 0:
        return data.draw(JSON)
    key: Any = data.draw(
        st.sampled_from(sorted(value))
        if isinstance(value, dict)
        else st.sampled_from(range(len(value)))
    )
    change = data.draw(st.sampled_from(["into", "into", "into", "remove", "double"]))
    if change == "into":
        value[key] = mutate(data, value[key])
    elif change == "remove":
        del value[key]
    elif isinstance(value, list):
        value.append(copy.deepcopy(value[key]))
    return value


@given(st.data(), st.sampled_from(samples.NAMES))
def test_parsing_never_raises_on_mutated_payloads(data: st.DataObject, name: str) -> None:
    body = samples.load(name)
    for _ in range(data.draw(st.integers(1, 4))):
        body = mutate(data, body)
    assert_sound(parse_notification(body))


SAMPLES_OF_ONE = [name for name in samples.NAMES if name not in {"batch", "everything_at_once"}]


@given(st.data(), st.sampled_from(SAMPLES_OF_ONE))
def test_whatever_stands_beside_them_good_messages_go_in(data: st.DataObject, name: str) -> None:
    between = samples.load(name).get("entry", [])
    body = meta.envelope(ann("before"), spread=True)
    body["entry"] += [mutate(data, entry) for entry in between]
    body["entry"] += meta.envelope(ann("after"))["entry"]
    notification = parse_notification(body)
    assert_sound(notification)
    words = [message.text.words for message in notification.messages if message.text]
    assert words[0] == "before"
    assert words[-1] == "after"


@given(st.data())
def test_a_message_never_harms_its_neighbours_in_one_change(data: st.DataObject) -> None:
    bad = ann("between")
    bad["message"] = mutate(data, bad["message"])
    notification = parse(ann("before"), bad, ann("after"))
    assert_sound(notification)
    words = [message.text.words for message in notification.messages if message.text]
    assert words[0] == "before"
    assert words[-1] == "after"
    taken = len(notification.messages) + len(notification.relinks)
    assert taken + sum(notification.unsupported.values()) == 3
