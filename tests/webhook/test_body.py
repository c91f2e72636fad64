"""From bytes to JSON: what is refused, and what is mended."""

import contextlib
import json
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.webhook.body import Unreadable, parse_body
from openparallax.webhook.payload import parse_notification
from tests.fakes import meta

CANARY = "quokka"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b'{"a": quokka}',
        b'"quokka',
        b'"quokka\\',
        b'{"a": NaN, "quokka": 1}',
        b"[Infinity]",
        b"[-Infinity]",
        b'"quokka \xff"',
        b'"quokka \xed\xa0\x80"',
        b"[" * 100_000,
        b'["quokka", ' + b"[" * 5000 + b"]" * 4999 + b"]" + b"x",
        b"]" * 5000,
        b"[" * 5000 + b"}" * 5000,
        b"1" * 5000 + b"x",
        b'\xef\xbb\xbf{"byte order mark": 1}',
        '{"quokka": 1}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_is_unreadable_without_a_word_of_it(raw: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_body(raw)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(error, chain=True))
    assert str(error) == "The body is not JSON in UTF-8."


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from([*'0.eE+-[]{}":,\\u', ""]))),
)
def test_the_quick_decoder_says_what_the_standard_library_says(
    value: object, changes: list[tuple[int, str]]
) -> None:
    text = json.dumps(value)
    for chosen, mark in changes:
        place = chosen % (len(text) + 1)
        text = text[:place] + mark + text[place + 1 :]
    try:
        expected = repr(json.JSONDecoder(parse_constant=_no_json).decode(text))
    except ValueError:
        expected = ""
    try:
        found = repr(parse_body(text.encode()))
    except Unreadable:
        found = ""
    assert found == expected


def _no_json(constant: str) -> object:
    raise ValueError(constant)


@given(st.binary())
def test_bytes_give_a_value_or_are_unreadable(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        parse_body(raw)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    assert parse_body(json.dumps(value).encode()) == value
    assert parse_body(json.dumps(value, ensure_ascii=False).encode()) == value


def among_good_ones(strange: bytes) -> bytes:
    """A batch in which ``strange`` stands as a field of the middle message."""
    items = [meta.text("491", words, at=1) for words in ("before", "between", "after")]
    items[1]["message"]["strange"] = "HERE"
    return meta.body(*items).replace(b'"HERE"', strange)


@pytest.mark.parametrize(
    "strange",
    [
        b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"[" * 3000 + b'"]]]}\\"[[["' + b"]" * 3000,
        b"[[1],2," + b"[" * 3000 + b"]" * 3000 + b",3]," + b"[" * 3000 + b"]" * 3000,
        b"9" * 5000,
        b"-" + b"9" * 500_000,
        b"[" * 2000 + b"7" * 5000 + b"]" * 2000,
        b"1e999",
        rb'"\ud83d"',
    ],
    ids=lambda raw: f"{len(raw)} bytes",
)
def test_what_no_decoder_likes_costs_only_itself(strange: bytes) -> None:
    if strange.startswith(b"[[1]"):  # two fields in one
        strange = strange.replace(b"3],", b'3],"more":')
    notification = parse_notification(parse_body(among_good_ones(strange)))
    words = [message.text.words for message in notification.messages if message.text]
    assert words == ["before", "between", "after"]
    assert not notification.unsupported


def test_a_timestamp_of_many_digits_costs_only_its_message() -> None:
    raw = meta.body(*(meta.text("491", words, at=1) for words in ("before", "between", "after")))
    raw = raw.replace(b'"timestamp":"1"', b'"timestamp":' + b"9" * 5000, 1)
    notification = parse_notification(parse_body(raw))
    assert [message.text.words for message in notification.messages if message.text] == [
        "between",
        "after",
    ]
    assert notification.unsupported == {"bad_timestamp": 1}


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 4_000_000,
        b'{"a":' * 700_000,
        b"[" * 2000 + b'"' + b'\\"' * 1_900_000,
        b'"' + b'\\"' * 1_900_000,
        b"[" * 2_000_000 + b"]" * 2_000_000,
        b'["",' * 1_000_000,
        b"9" * 4_000_000,
        b"-" * 4_000_000,
    ],
    ids=lambda raw: raw[:6].decode(),
)
def test_four_megabytes_of_malice_take_no_time(raw: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(Unreadable):
        parse_notification(parse_body(raw))
    assert time.process_time() - began < 30  # quadratic work would take minutes
