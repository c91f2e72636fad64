"""How much one chat may say: by Meta's timestamps, in any window, and told once."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from openparallax.inbox import limits
from openparallax.inbox.limits import OnceAMinute, RateLimit, Verdict

WITHIN, OVER, AGAIN = Verdict.WITHIN, Verdict.OVER, Verdict.OVER_AGAIN
HASHES = count()


def judged(limit: RateLimit, *times: int, chat: int = 1) -> list[Verdict]:
    """Of new messages."""
    return [limit.judge(chat, at, next(HASHES)) for at in times]


def test_so_many_in_a_window_then_one_is_told_then_silence() -> None:
    limit = RateLimit(window_s=60, most=3)
    assert judged(limit, 0, 1, 2) == [WITHIN] * 3
    assert judged(limit, 3, 4, 59) == [OVER, AGAIN, AGAIN]
    # What was refused does not count: a place is free as soon as the first is out of the window.
    assert judged(limit, 60, 61, 62, 63) == [WITHIN, WITHIN, WITHIN, OVER]


def test_other_chats_are_not_its_business() -> None:
    limit = RateLimit(window_s=60, most=1)
    assert judged(limit, 0, 0, chat=1) == [WITHIN, OVER]
    assert judged(limit, 0, 0, chat=2) == [WITHIN, OVER]


def test_none_is_no_limit_and_remembers_nobody() -> None:
    limit = RateLimit(window_s=60, most=None)
    assert judged(limit, *[0] * 1000) == [WITHIN] * 1000
    assert not limit._chats


def test_a_backlog_is_measured_by_when_it_was_written() -> None:
    limit = RateLimit(window_s=60, most=2)
    assert judged(limit, *range(0, 100_000, 60)) == [WITHIN] * 1667
    # In whatever order it comes, also behind newer ones that fill their own window.
    assert judged(limit, 200_000, 200_001, *range(190_000, 100_000, -60)) == [WITHIN] * 1502
    assert judged(limit, 200_002) == [OVER]


def test_what_did_not_happen_and_comes_again_counts_once() -> None:
    limit = RateLimit(window_s=60, most=2)
    story = [(0, 101), (1, 102), (2, 103), (3, 104)]
    wanted = [WITHIN, WITHIN, OVER, AGAIN]
    for _ in range(3):
        assert [limit.judge(1, at, hashed) for at, hashed in story] == wanted


def test_memory_is_bounded() -> None:
    limit, told = RateLimit(window_s=60, most=5), OnceAMinute(window_s=60)
    for chat in range(limits.CHATS + 100):
        limit.judge(chat, 0, chat)
        told.is_due(chat, 0.0)
    assert len(limit._chats) == len(told._told) == limits.CHATS
    # Who wrote longest ago was forgotten.
    assert 0 not in limit._chats
    assert limits.CHATS in limit._chats
    for at in range(10_000):
        limit.judge(-1, at % 7, at)
        limit.judge(-2, at * 1000, at)
    assert len(limit._chats[-1].within) <= 5
    assert len(limit._chats[-2].within) <= 5


@given(st.lists(st.integers(0, 200), max_size=60), st.integers(1, 5))
def test_in_order_no_window_ever_holds_more(times: list[int], most: int) -> None:
    limit = RateLimit(window_s=60, most=most)
    times.sort()
    taken = [at for at in times if limit.judge(1, at, next(HASHES)) is WITHIN]
    for at in taken:
        assert sum(at <= other < at + 60 for other in taken) <= most
    for at in set(times) - set(taken):
        assert sum(at - 60 < other <= at for other in taken) == most


def test_a_chat_is_told_the_same_once_a_minute() -> None:
    told = OnceAMinute(window_s=60)
    due = [told.is_due(1, now) for now in (0.0, 59.9, 60.0, 100.0, 120.0)]
    assert due == [True, False, True, False, True]
    assert told.is_due(2, 0.0)
    told.drop()
    assert told.is_due(1, 121.0)
