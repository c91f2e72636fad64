"""The plain model of sessions and modes: a table of stories."""

from collections.abc import Sequence

import pytest

from tests.torture.model import Chat, State, Where, after_all, after_request, after_trying
from tests.torture.programme import Message

ON, OFF, EITHER = Where.ON, Where.OFF, Where.EITHER


def told(*said: tuple[str, int], of: int = 0) -> list[Message]:
    return [Message(n, 0, what, at, of=of) for n, (what, at) in enumerate(said, start=1)]


def after(messages: Sequence[Message]) -> Chat:
    chat = Chat()
    for message in messages:
        chat = after_request(chat, [message])
    return chat


@pytest.mark.parametrize(
    ("said", "where", "is_off"),
    [
        ([("words", 1)], [ON], False),
        ([("/otr", 1), ("words", 2)], [OFF], True),
        ([("/otr words", 1)], [OFF], True),
        ([("captioned /otr", 1), ("words", 2)], [OFF], True),
        ([("/otr", 1), ("/otr", 2), ("words", 3)], [OFF], True),
        ([("/otr", 1), ("words", 2), ("/otr off", 3), ("words", 4)], [OFF, ON], False),
        ([("/otr", 1), ("/new words", 2)], [ON], False),
        ([("/new", 1), ("words", 2)], [ON], False),
        # swapped: off the record wins
        ([("/otr", 1), ("/otr off", 5), ("words", 4)], [OFF], False),
        ([("/otr", 1), ("/otr off", 5), ("words", 5)], [ON], False),
        ([("words", 5), ("/otr", 3)], [OFF], True),
        ([("words", 5), ("/otr", 5)], [ON], True),
        ([("words", 2), ("words", 5), ("words", 3), ("/otr", 3)], [ON, OFF, EITHER], True),
        ([("/otr", 5), ("words", 3)], [OFF], True),
        ([("/otr", 5), ("/otr off", 3), ("words", 6)], [OFF], True),
        ([("/otr", 1), ("/otr", 5), ("/otr off", 3), ("words", 6)], [OFF], True),
        ([("/otr", 5), ("/otr off", 5), ("words", 5)], [ON], False),
        ([("/otr", 5), ("/new words", 3)], [OFF], True),
        ([("words", 1), ("/new", 5), ("words", 6), ("/otr", 0)], [OFF, OFF], True),
        ([("/otr", 1), ("/otr off", 9), ("/otr", 2), ("/otr off", 3), ("words", 8)], [OFF], False),
    ],
)
def test_where_words_go(said: list[tuple[str, int]], where: list[Where], *, is_off: bool) -> None:
    chat = after(told(*said))
    assert [one.where for one in chat.said] == where
    assert chat.is_off is is_off


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ([("/help", 1), ("/status", 2), ("/ort words", 3)], ["help", "status", "mistyped"]),
        ([("/new words", 1)], ["new", "words"]),
        ([("/otr", 1)], []),
        ([("/otr words", 1), ("/otr off", 2)], ["words", "otr_off"]),
        ([("/otr off", 1)], ["otr_off_idle"]),
        ([("/otr", 5), ("/otr off", 2)], ["still_off_the_record"]),
        ([("/otr", 5), ("/new words", 2)], ["still_off_the_record", "words"]),
        ([("/otr", 1), ("/new", 2)], ["new_after_otr"]),
        ([("reaction", 1), ("unsupported", 2)], []),
        ([("picture", 1), ("place", 2), ("resend", 3)], ["only_text", "only_text?", "resend"]),
    ],
)
def test_what_is_heard(said: list[tuple[str, int]], heard: list[str]) -> None:
    chat = after(told(*said))
    assert [one.kind + ("" if one.must else "?") for one in chat.heard] == heard


def test_sessions_lie_above_each_other() -> None:
    chat = after(told(("/new", 1), ("/otr", 2), ("/new", 1), ("/otr off", 3)))
    found = [(one.is_off, one.state, one.before) for one in chat.sessions]
    assert found == [
        (False, State.ENDED, None),
        (False, State.ENDED, None),
        (True, State.ENDED, 3),
        (False, State.OPEN, None),
    ]
    assert chat.open == 3


def test_a_revoked_message_may_have_been_answered_or_not() -> None:
    messages = [Message(1, 0, "/new words", 1), Message(2, 0, "revoke", 2, of=1)]
    chat = after(messages)
    assert [(one.kind, one.must) for one in chat.heard] == [("new", True), ("words", False)]
    chat = after(messages[::-1])
    assert [(one.kind, one.must) for one in chat.heard] == [("new", True), ("words", False)]


@pytest.mark.parametrize(
    ("said", "heard", "theirs"),
    [
        ([("words", 1), ("echo", 2)], ["words?"], set()),
        ([("echo", 2), ("words", 11), ("words", 12)], ["words"], {2}),
        ([("echo", 2), ("words", 1), ("picture", 3), ("resend", 3)], [], {2}),
        ([("echo", 2), ("/new words", 3), ("/help", 4)], ["new", "help"], {2}),
        ([("picture", 1), ("/help", 1), ("echo", 2)], ["only_text?", "help"], set()),
        ([("words", 12), ("echo", 2)], ["words"], set()),  # it came late
        ([("echo", 2), ("words", 12), ("echo", 9)], ["words?"], set()),
    ],
)
def test_what_a_person_of_ours_takes_over(
    said: list[tuple[str, int]], heard: list[str], theirs: set[int]
) -> None:
    chat = Chat(takeover_s=10)
    for message in told(*said):
        chat = after_request(chat, [message])
    assert [one.kind + ("" if one.must else "?") for one in chat.heard] == heard
    assert chat.theirs == theirs


def test_what_was_taken_over_may_not_be_answered_later_unless_a_newer_one_keeps_it() -> None:
    messages = told(("words", 1), ("echo", 2))
    chat = after_request(Chat(takeover_s=10), messages[::-1])
    assert chat.handed == {(2, 1)}  # of one request: by their timestamps
    messages = told(("words", 1), ("words", 12), ("echo", 2))
    assert set(after(messages).handed) == {(3, 1), (3, 2)}
    chat = Chat(takeover_s=10)
    for message in messages:
        chat = after_request(chat, [message])
    assert chat.handed == set()


@pytest.mark.parametrize(
    ("said", "heard", "over"),
    [
        ([("words", 1)] * 2, ["words", "words"], set()),
        ([("words", 1)] * 4, ["words", "words", "rate_limited"], {3, 4}),
        ([("words", 1), ("/help", 1), ("/new words", 2)], ["words", "help", "new", "words"], set()),
        ([("words", 1), ("words", 2), ("words", 22)], ["words", "words", "words"], set()),
        ([("words", 2), ("words", 2), ("words", 22)], ["words", "words", "rate_limited"], {3}),
        ([("words", 30), ("words", 31), ("words", 5)], ["words", "words", "words"], set()),
        (
            [("words", 1), ("words", 1), ("words", 2), ("words", 40), ("words", 41), ("words", 42)],
            ["words", "words", "rate_limited", "words", "words", "rate_limited"],
            {3, 6},
        ),
    ],
)
def test_what_is_too_much(said: list[tuple[str, int]], heard: list[str], over: set[int]) -> None:
    chat = Chat(limit=2)
    for message in told(*said):
        chat = after_request(chat, [message])
    assert [one.kind for one in chat.heard] == heard
    assert chat.over == over
    assert chat.over.isdisjoint(chat.places)


@pytest.mark.parametrize(
    ("said", "sessions"),
    [
        ([("words", 1), ("forget", 2), ("words", 3)], [State.ENDED, State.OPEN]),
        (
            [("words", 1), ("/otr", 2), ("forget", 3), ("words", 4), ("/otr off", 5)],
            [State.ENDED, State.ENDED, State.OPEN],
        ),
    ],
)
def test_what_is_forgotten_is_over_and_the_mode_stays(
    said: list[tuple[str, int]], sessions: list[State]
) -> None:
    chat = after(told(*said))
    assert [one.state for one in chat.sessions] == sessions
    assert not chat.is_off
    assert chat.forgotten == {1}
    assert chat.heard[0].number == 1
    assert not chat.heard[0].must
    assert chat.heard[-1].must
    assert {forgetting for forgetting, _ in chat.handed} == {2 if len(said) == 3 else 3}


def test_what_is_forgotten_is_in_no_later_session_either() -> None:
    chat = after(told(("words", 5), ("forget", 6), ("words", 7), ("/otr", 4)))
    assert [one.where for one in chat.said] == [ON, OFF]
    late = after(told(("/new", 5), ("forget", 6), ("words", 3)))
    assert late.places[3].session == late.open


@pytest.mark.parametrize(("tries", "sessions"), [(0, {1}), (1, {2}), (3, {2, 3, 4})])
def test_what_was_asked_again_may_have_been_done_each_time(tries: int, sessions: set[int]) -> None:
    (forget,) = told(("forget", 1))
    states = after_trying([Chat()], forget, tries)
    assert {len(state.sessions) for state in states} == sessions


def test_a_death_forgets_how_much_was_said() -> None:
    one, two, three = ((message,) for message in told(*[("words", 1)] * 3))
    for may_die, found in ((False, {frozenset({3})}), (True, {frozenset({3}), frozenset()})):
        states = after_all([Chat(limit=2)], [one])
        states = after_all(states, [two], may_die=may_die)
        assert {state.over for state in after_all(states, [three])} == found


def test_in_one_request_the_timestamps_say_the_order() -> None:
    chat = after_request(Chat(), told(("words", 5), ("/otr", 3), ("words", 2)))
    assert [(one.at, one.where) for one in chat.said] == [(2, ON), (5, OFF)]


def test_of_requests_at_the_same_time_each_order_counts() -> None:
    words, otr = told(("words", 3), ("/otr", 3))
    states = after_all([Chat()], [(words,), (otr,)])
    assert {state.said[0].where for state in states} == {ON, OFF}
    words, otr = told(("words", 4), ("/otr", 3))
    assert {state.said[0].where for state in after_all([Chat()], [(words,), (otr,)])} == {OFF}
