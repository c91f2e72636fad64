"""What was spent is added up, and no plugin's oddities get into the file."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.storage import Connection, usage
from openparallax.storage.database import execute
from openparallax.storage.usage import MOST_TOKENS, Spent
from tests.storage.rows import empty_file, file

__all__ = ["file"]

TODAY = usage.day_of(1_790_000_000)


def add(
    connection: Connection,
    spent: Mapping[str, Any],
    *,
    day: int = TODAY,
    chat: int = 1,
    model: Any = "m",
) -> None:
    for write in usage.add(day, chat, model, spent):
        execute(connection, write)


def test_a_day_is_one_in_utc() -> None:
    assert [usage.day_of(now) for now in (0, 86399.9, 86400, 1_790_000_000)] == [0, 0, 1, 20717]


def test_it_adds_up(file: Connection) -> None:
    add(file, {"input": 5, "output": 2})
    add(file, {"input": 6, "cache_read": 1})
    assert usage.of_chat(file, 1) == [
        Spent("m", "cache_read", 1),
        Spent("m", "input", 11),
        Spent("m", "output", 2),
    ]


def test_days_chats_and_models_are_kept_apart(file: Connection) -> None:
    add(file, {"input": 1})
    add(file, {"input": 2}, day=TODAY - 1)
    add(file, {"input": 4}, chat=2)
    add(file, {"input": 8}, model="other")
    assert usage.of_chat(file, 1) == [Spent("m", "input", 3), Spent("other", "input", 8)]
    assert usage.of_chat(file, 1, TODAY - 1, TODAY - 1) == [Spent("m", "input", 2)]
    assert usage.of_chat(file, 2, TODAY) == [Spent("m", "input", 4)]
    assert usage.of_chat(file, 3) == []
    assert usage.of_day(file, TODAY) == [Spent("m", "input", 5), Spent("other", "input", 8)]
    assert usage.totals(file, 0, TODAY - 1) == [Spent("m", "input", 2)]
    assert usage.totals(file) == [Spent("m", "input", 7), Spent("other", "input", 8)]


class Broken(dict[str, int]):
    """A plugin's own mapping, which cannot be read."""

    def items(self) -> Any:
        raise ValueError


@pytest.mark.parametrize(
    "spent",
    [
        {},
        {"input": 0},
        {"input": -1},
        {"input": True},
        {"input": 1.5},
        {"input": "5"},
        {"input": None},
        {"input": MOST_TOKENS + 1},
        {"Input": 1},
        {"two words": 1},
        {"": 1},
        {"zażółć": 1},
        {5: 1},
        [("input", 1)],
        None,
        Broken(),
    ],
)
def test_what_is_no_count_is_left_out(spent: Any) -> None:
    assert usage.add(TODAY, 1, "m", spent) == []


def test_names_are_cut_and_kinds_are_few(file: Connection) -> None:
    long = "k" * 40
    add(file, {long + "1": 1, long + "2": 2}, model="claude\n\x00" + "m" * 100)
    assert usage.of_chat(file, 1) == [Spent("claude" + "m" * 58, "k" * 32, 3)]
    add(file, {f"kind_{n}": 1 for n in range(50)}, chat=2)
    assert len(usage.of_chat(file, 2)) == usage.MOST_KINDS
    add(file, {"input": 1}, chat=3, model=None)
    assert usage.of_chat(file, 3) == [Spent("", "input", 1)]


def test_no_sum_is_too_large_for_the_file(file: Connection) -> None:
    for _ in range(3):
        add(file, {"input": MOST_TOKENS})
    assert usage.of_chat(file, 1) == [Spent("m", "input", MOST_TOKENS)]
    for chat in range(2, 6):
        add(file, {"input": MOST_TOKENS}, chat=chat)
    assert usage.totals(file) == [Spent("m", "input", 5 * MOST_TOKENS)]


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.dictionaries(ODD, ODD, max_size=20), ODD), max_size=3))
def test_whatever_a_plugin_says_can_be_written(said: list[tuple[dict[Any, Any], Any]]) -> None:
    connection = empty_file()
    for spent, model in said:
        add(connection, spent, model=model)
    for one in usage.totals(connection):
        assert one.tokens > 0
        assert one.model.isprintable()
    connection.close()
