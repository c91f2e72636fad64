"""What was seen stays seen for eight days; what is past its time goes in small steps."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.storage import Connection, seen
from tests.storage.rows import empty_file, file

__all__ = ["file"]

DAY, HOUR = 86400, 3600
NOW = 1_790_000_000
IMPOSSIBLE = [0, 1, 946_684_800, 4_102_444_800, 253_402_300_799]
"""1970, the year 2000, 2100, 9999."""


def count(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM seen").fetchone()[0])


def forget_all(connection: Connection, now: float, most: int = 10_000) -> int:
    total = 0
    while deleted := seen.forget_old(connection, now, most):
        total += deleted
    return total


def test_a_repeat_is_known(file: Connection) -> None:
    assert seen.note(file, 1, NOW, NOW)
    assert not seen.note(file, 1, NOW, NOW + 60)
    assert seen.note(file, 2, NOW, NOW)
    assert count(file) == 2


@pytest.mark.parametrize("sent_at", [NOW, NOW - DAY, NOW - 7 * DAY, NOW + HOUR, *IMPOSSIBLE])
@pytest.mark.parametrize("days", [0, 1, 3, 7.9])
def test_for_eight_days(file: Connection, sent_at: int, days: float) -> None:
    assert seen.note(file, 1, sent_at, NOW)
    later = NOW + days * DAY
    if sent_at in IMPOSSIBLE or later < sent_at + 8 * DAY:
        forget_all(file, later)
        assert not seen.note(file, 1, sent_at, later)


@pytest.mark.parametrize("sent_at", [NOW, NOW - 7 * DAY, *IMPOSSIBLE])
def test_forgotten_when_it_is_past_its_time(file: Connection, sent_at: int) -> None:
    seen.note(file, 1, sent_at, NOW)
    assert forget_all(file, NOW + 11 * DAY) == 1
    assert count(file) == 0


def test_forgotten_in_small_steps_and_the_young_stay(file: Connection) -> None:
    for n in range(100):
        seen.note(file, n, NOW - 5 * DAY + n, NOW)
        seen.note(file, 1000 + n, 0, NOW)
        seen.note(file, 2000 + n, NOW, NOW)
        seen.note(file, 3000 + n, 0, NOW + 5 * DAY)
    steps = []
    while deleted := seen.forget_old(file, NOW + 10 * DAY, 30):
        steps.append(deleted)
    assert max(steps) <= 30
    assert sum(steps) == 300
    assert all(not seen.note(file, 3000 + n, 0, NOW + 10 * DAY) for n in range(100))


@dataclass
class Meta:
    """What Meta delivers, and delivers again for seven days, to a house with a bad clock."""

    file: Connection
    real: float = NOW
    ahead: int = 0
    sent: dict[int, int] = field(default_factory=dict)
    first: dict[int, float] = field(default_factory=dict)

    def deliver(self, message: int, age: int) -> None:
        sent_at = self.sent.setdefault(message, int(self.real) - age)
        is_new = seen.note(self.file, message, sent_at, self.real + self.ahead)
        if message not in self.first:
            assert is_new
            self.first[message] = self.real
        elif self.real < min(self.first[message], sent_at) + 7 * DAY:
            assert not is_new, "admitted twice"


STEPS = st.one_of(
    st.tuples(st.just("deliver"), st.integers(0, 5), st.integers(0, 6 * DAY)),
    st.tuples(st.just("pass"), st.integers(1, 2 * DAY), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from([-DAY, 0, DAY]), st.just(0)),
    st.tuples(st.just("forget"), st.just(1000), st.just(0)),
)


@given(st.lists(STEPS, max_size=40))
def test_never_twice_with_a_clock_that_is_a_day_off(steps: list[tuple[str, int, int]]) -> None:
    file = empty_file()
    meta = Meta(file)
    for what, one, other in steps:
        if what == "deliver":
            meta.deliver(one, other)
        elif what == "pass":
            meta.real += one
        elif what == "clock":
            meta.ahead = one
        else:
            forget_all(file, meta.real + meta.ahead)
    file.close()


def test_a_hash_is_of_this_file_and_number_and_shows_nothing() -> None:
    one, other = seen.Hasher(b"k" * 32, "1"), seen.Hasher(b"k" * 32, "2")
    elsewhere = seen.Hasher(b"l" * 32, "1")
    hashes = {hasher("wamid.HBgL") for hasher in (one, other, elsewhere)}
    assert len(hashes) == 3
    assert one("wamid.HBgL") == one("wamid.HBgL")
    assert all(-(2**63) <= one(f"wamid.{n}\ud83d") < 2**63 for n in range(100))
