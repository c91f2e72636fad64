"""What an answer must be like."""

import re

import pytest

from openparallax.emulator.scenario.matching import (
    Expected,
    choices_of,
    difference,
    sentence_pattern,
)
from openparallax.emulator.world import Message


def heard(text: str = "", kind: str = "text", **content: object) -> Message:
    return Message(
        wamid="wamid.x",
        number_id="1",
        person="ann",
        is_ours=True,
        kind=kind,
        content=content or {"body": text},
        at=0.0,
        status="accepted",
    )


@pytest.mark.parametrize(
    ("expected", "text", "is_like"),
    [
        (Expected(text="a\nb"), "a\nb", True),
        (Expected(text="a"), "a ", False),
        (Expected(text=""), "", True),
        (Expected(contains=("a", "b")), "b, a", True),
        (Expected(contains=("a", "b")), "a", False),
        (Expected(lacks=("x",)), "axe", False),
        (Expected(lacks=("x",)), "ape", True),
        (Expected(begins="a"), "ab", True),
        (Expected(begins="b"), "ab", False),
        (Expected(ends="b"), "ab", True),
        (Expected(ends="a"), "ab", False),
        (Expected(matches=re.compile("a.*b", re.DOTALL)), "a\nb", True),
        (Expected(matches=re.compile("a")), "ab", False),
        (Expected(not_before_s=2.0), "late", True),
        (Expected(not_before_s=4.0), "early", False),
        (Expected(kind="text"), "a", True),
        (Expected(kind="image"), "a", False),
    ],
)
def test_an_answer_is_like_this_or_not(expected: Expected, text: str, is_like: bool) -> None:  # noqa: FBT001 - a table
    assert (expected.differences(heard(text), None, 3.0) == []) is is_like


def test_a_sentence_fits_whatever_is_filled_in() -> None:
    pattern = sentence_pattern("{mode}. Waiting (now): {count}.")
    assert pattern.fullmatch("On the record. Waiting (now): 12.")
    assert not pattern.fullmatch("On the record. Waiting now: 12.")


def test_choices_are_found_wherever_they_stand() -> None:
    rows = [{"id": "1", "title": "One"}, {"id": "2", "title": "Two"}]
    action = {"button": "Look", "sections": [{"title": "S", "rows": rows}]}
    assert choices_of(heard(kind="interactive", action=action)) == {"One": "1", "Two": "2"}
    assert choices_of(heard("One")) == {}


def test_a_difference_points_at_the_place() -> None:
    assert difference("one\nhello", "one\nhallo") == [
        "  one",
        "- hello",
        "?  ^",
        "+ hallo",
        "?  ^",
    ]
