"""What the model is told of what came beside the words, and where the cache marks stand."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.engines.prompt import QUOTED_CHARACTERS, render_messages, render_system
from openparallax.plugin import Message, Quoted, Turn
from tests.engines.asking import MARK
from tests.fakes.messages_api import Asked, faults_of
from tests.pipeline.doubles import make_turn

AD = {
    "headline": "Cakes",
    "body": "Fresh \n daily",
    "source_url": "a.org/1",
    "ctwa_clid": "a-secret-click",
}


def turn_of(*messages: Message, text: str | None = None) -> Turn:
    words = "\n".join(message.text for message in messages) if text is None else text
    return replace(make_turn(words), messages=messages)


def told(*messages: Message, text: str | None = None) -> list[str]:
    [user] = render_messages(turn_of(*messages, text=text))
    return [block["text"] for block in user["content"]]


def asking(turn: Turn) -> Asked:
    body: dict[str, Any] = {"model": "m", "max_tokens": 1, "system": render_system("s")}
    body["messages"] = render_messages(turn)
    headers = {"x-api-key": "k", "anthropic-version": "1", "content-type": "application/json"}
    return Asked("/v1/messages", headers, body)


@pytest.mark.parametrize(
    ("message", "note"),
    [
        (
            Message("Hi", quoted=Quoted("engine", 'Say "nine".\n[Now]')),
            'in reply to your message "Say \\"nine\\". [Now]"',
        ),
        (Message("Hi", quoted=Quoted("contact", "Hm")), 'in reply to their own message "Hm"'),
        (Message("Hi", quoted=Quoted()), "in reply to an earlier message"),
        (Message("Hi", quoted=Quoted("engine")), "in reply to your message"),
        (Message("Hi", is_forwarded=True), "forwarded"),
        (
            Message("Hi", is_forwarded=True, is_forwarded_often=True),
            "forwarded many times",
        ),
        (Message("Hi", choice_id="yes-1"), 'tapped the choice "yes-1"'),
        (Message("Hi", product="7/42"), 'asks about the product "7/42"'),
        (
            Message("Hi", referral=AD),
            'came from an advertisement headline "Cakes", text "Fresh daily", address "a.org/1"',
        ),
        (Message("Hi", referral={"ctwa_clid": "x"}), "came from an advertisement"),
        (
            Message("Hi", quoted=Quoted(), is_forwarded=True, choice_id="1"),
            'in reply to an earlier message; forwarded; tapped the choice "1"',
        ),
    ],
)
def test_what_came_beside_the_words_stands_before_them(message: Message, note: str) -> None:
    assert told(message) == [f"[WhatsApp: {note}]", "Hi"]


def test_long_quotes_are_cut() -> None:
    [note, _] = told(Message("Hi", quoted=Quoted("engine", "abc " * 5000)))
    assert note.endswith('…"]')
    assert len(note) < QUOTED_CHARACTERS + 60


def test_each_message_has_its_own_note() -> None:
    quoted, plain = Message("one", quoted=Quoted()), Message("two")
    assert told(plain, quoted, plain) == [
        "two",
        "[WhatsApp: in reply to an earlier message]",
        "one",
        "two",
    ]


def test_where_a_stage_changed_the_words_the_notes_stand_before_the_whole() -> None:
    messages = Message("one", is_forwarded=True), Message("two", choice_id="b")
    assert told(*messages, text="ONE TWO") == [
        "[WhatsApp: forwarded]",
        '[WhatsApp: tapped the choice "b"]',
        "ONE TWO",
    ]


def test_with_nothing_beside_them_the_words_are_asked_as_ever() -> None:
    plain = make_turn("one\ntwo", ("contact", "old"), ("engine", "older"))
    beside = replace(plain, messages=(Message("one"), Message("two")))
    assert render_messages(beside) == render_messages(plain)


def test_the_turn_is_marked_where_the_next_request_will_show_the_same() -> None:
    history = [("contact", "a"), ("engine", "b")]
    turn = replace(make_turn("Hi", *history), messages=(Message("Hi"),))
    first = asking(turn)
    assert first.marked == ["s", "b", "Hi"]
    assert first.body["messages"][-1]["content"][-1]["cache_control"] == MARK
    later = asking(make_turn("more", *history, ("contact", "Hi"), ("engine", "reply")))
    assert later.flat[: len(first.flat)] == first.flat


@pytest.mark.parametrize(
    "turn",
    [
        make_turn("Hi"),
        turn_of(Message("Hi"), Message("you")),
        turn_of(Message("Hi", is_forwarded=True)),
        turn_of(Message("Hi"), text="HI"),
    ],
    ids=["unknown", "several", "with a note", "changed by a stage"],
)
def test_and_nowhere_else(turn: Turn) -> None:
    assert asking(turn).marked == ["s"]


SOME = st.text(max_size=8)
MESSAGES = st.builds(
    Message,
    SOME,
    choice_id=SOME,
    quoted=st.none()
    | st.builds(Quoted, st.sampled_from(["contact", "engine", None]), st.none() | SOME),
    is_forwarded=st.booleans(),
    product=SOME,
    referral=st.dictionaries(st.sampled_from([*AD]), SOME, max_size=3),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(MESSAGES, max_size=3),
    st.lists(st.tuples(st.sampled_from(["contact", "engine"]), SOME), max_size=5),
    st.sampled_from(["", "!"]),
)
def test_the_api_takes_whatever_came(
    messages: list[Message], history: list[tuple[str, str]], changed: str
) -> None:
    said = "\n".join(message.text for message in messages)
    words = said + changed if said.strip() else "!"
    turn = replace(make_turn(words, *history), messages=tuple(messages))
    assert list(faults_of("POST", asking(turn))) == []
    notes = [text for _, text in asking(turn).flat if text.startswith("[WhatsApp: ")]
    assert all(note.splitlines() == [note] for note in notes)
