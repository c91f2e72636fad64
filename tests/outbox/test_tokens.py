"""Callback data: what we send comes back, and what others send says nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.outbox.tokens import callback_data, new_token, parse_callback


@settings(deadline=None)
@given(st.integers(1, 2**62 - 1))
def test_what_was_sent_is_read_again(number: int) -> None:
    token = new_token()
    assert parse_callback(callback_data(number, token)) == (number, token)
    assert len(callback_data(number, token)) <= 64


@settings(deadline=None)
@given(st.none() | st.text(max_size=80) | st.from_regex(r"[0-9a-fx_+ .-]{0,40}\.[0-9a-f]{30,33}"))
def test_nothing_foreign_raises_or_reaches_beyond_the_table(callback: str | None) -> None:
    number, token = parse_callback(callback)
    assert 0 <= number < 2**62
    assert len(token) in (0, 32)


def test_tokens_are_random_and_never_the_same() -> None:
    tokens = [new_token() for _ in range(1000)]
    assert len(set(tokens)) == 1000
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)
