"""Parcels that are past their time go in small steps, the oldest first."""

from openparallax.storage import Connection, parcels
from openparallax.storage.database import execute
from tests.storage.rows import add_chat, file, parcel

__all__ = ["file"]

DAY = 86400
NOW = 1_790_000_000


def post(connection: Connection, *created: int) -> None:
    chat, session = add_chat(connection)
    for number, at in enumerate(created, start=1):
        execute(connection, parcels.post(parcel(number, chat, session), at))


def left(connection: Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT number FROM parcels ORDER BY number")]


def test_only_what_is_past_its_time(file: Connection) -> None:
    post(file, NOW - 40 * DAY, NOW - 32 * DAY, NOW - 30 * DAY, NOW)
    assert parcels.forget_old(file, NOW, 100) == 2
    assert left(file) == [3, 4]
    assert parcels.forget_old(file, NOW, 100) == 0
    assert parcels.forget_old(file, NOW + 32 * DAY, 100) == 2
    assert left(file) == []


def test_in_small_steps(file: Connection) -> None:
    post(file, *[NOW - 40 * DAY] * 25, NOW)
    steps = []
    while deleted := parcels.forget_old(file, NOW, 10):
        steps.append(deleted)
    assert steps == [10, 10, 5]
    assert left(file) == [26]


def test_a_step_costs_the_same_with_any_number_of_young_ones(file: Connection) -> None:
    post(file, *[NOW] * 3000)
    looked_at = 0

    def count() -> int:
        nonlocal looked_at
        looked_at += 1
        return 0

    file.set_progress_handler(count, 1)
    parcels.forget_old(file, NOW, 10)
    file.set_progress_handler(None, 0)
    assert looked_at < 500


def test_some_that_a_wrong_clock_dated_ahead_do_not_keep_the_rest(file: Connection) -> None:
    post(file, *[NOW + 400 * DAY] * 3, *[NOW - 40 * DAY] * 5, NOW)
    while parcels.forget_old(file, NOW, 5):
        pass
    assert left(file) == [1, 2, 3, 9]
