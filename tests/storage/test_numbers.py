"""Numbers rise, and none is used twice: not after a rollback, a drop or a restart."""

from hypothesis import given
from hypothesis import strategies as st

from openparallax.storage.meta import BLOCK, Numbers
from tests.storage.rows import empty_file

STEPS = st.one_of(
    st.tuples(st.sampled_from(["commit", "roll back", "savepoint"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["commit", "roll back"]), st.sampled_from([BLOCK - 1, BLOCK + 1])),
    st.tuples(st.sampled_from(["drop", "restart"]), st.just(0)),
)


@given(st.lists(STEPS, max_size=15))
def test_never_twice(steps: list[tuple[str, int]]) -> None:
    file = empty_file()
    numbers = Numbers("made_up")
    given_now: list[int] = []
    kept: list[int] = []
    for what, count in steps:
        if what == "restart":
            numbers = Numbers("made_up")
            given_now = []
            continue
        if what == "drop":
            numbers.drop()
            continue
        file.execute("BEGIN IMMEDIATE")
        file.execute("SAVEPOINT unit")
        taken = [numbers.take(file) for _ in range(count)]
        given_now += taken
        if what == "savepoint":
            file.execute("ROLLBACK TO unit")
        file.execute("RELEASE unit")
        if what == "roll back":
            file.execute("ROLLBACK")
        else:
            file.execute("COMMIT")
        if what == "commit":
            kept += taken
        else:
            numbers.drop()
        assert given_now == sorted(set(given_now))
        assert kept == sorted(set(kept))
    file.close()


def test_counters_do_not_share_and_begin_with_one() -> None:
    file = empty_file()
    assert [Numbers(name).take(file) for name in ("a", "b")] == [1, 1]
    assert Numbers("a").take(file) == 1 + BLOCK
    file.close()


def test_a_warm_counter_does_not_write() -> None:
    file = empty_file()
    numbers = Numbers("a")
    numbers.take(file)
    before = file.total_changes
    for _ in range(BLOCK - 1):
        numbers.take(file)
    assert file.total_changes == before
    numbers.take(file)
    assert file.total_changes == before + 1
    file.close()
