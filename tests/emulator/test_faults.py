"""The switches: for whom, how often, and what is no switch."""

import pytest

from openparallax.emulator.faults import NAMES, Faults


@pytest.fixture
def faults() -> Faults:
    return Faults()


def test_all_are_off_until_one_is_set(faults: Faults) -> None:
    assert [faults.take(name, "ann") for name in NAMES] == [None] * len(NAMES)


def test_one_for_a_person_comes_before_one_for_all(faults: Faults) -> None:
    of_all = faults.set("refuse", value=131000)
    of_ann = faults.set("refuse", person="ann", value=131047)
    assert faults.look("refuse", "ann") is of_ann
    assert faults.look("refuse", "bob") is of_all
    assert faults.look("refuse", None) is of_all
    assert faults.look("hang", "ann") is None


def test_the_same_switch_is_set_anew(faults: Faults) -> None:
    faults.set("refuse", value=1)
    faults.set("refuse", value=2)
    assert faults.as_data() == [{"name": "refuse", "person": None, "value": "2", "times": None}]


def test_times_are_used_up_by_taking_and_not_by_looking(faults: Faults) -> None:
    changes = list[int]()
    faults.on_change = lambda: changes.append(len(faults.as_data()))
    faults.set("duplicate", times=2)
    faults.look("duplicate", "ann")
    assert faults.take("duplicate", "ann")
    assert faults.take("duplicate", "bob")
    assert faults.take("duplicate", "ann") is None
    assert changes == [1, 1, 0]


@pytest.mark.parametrize(
    ("name", "person", "left"),
    [
        (None, None, []),
        ("hang", None, [("reorder", "ann")]),
        ("hang", "ann", [("hang", None), ("reorder", "ann")]),
        (None, "ann", [("hang", None)]),
    ],
)
def test_switching_off(
    faults: Faults, name: str | None, person: str | None, left: list[tuple[str, str | None]]
) -> None:
    faults.set("hang")
    faults.set("hang", person="ann", value=3)
    faults.set("reorder", person="ann")
    faults.clear(name, person=person)
    assert [(one["name"], one["person"]) for one in faults.as_data()] == left


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonsense", ""),
        ("refuse", ""),
        ("refuse", "x"),
        ("refuse", "4,"),
        ("refuse_other", "4,x"),
        ("fail", "-1"),
        ("error_after_accepting", "5e2"),
        ("batch", None),
        ("batch", "apart"),
        ("batch", "9" * 5000),
        ("delay", "soon"),
        ("delay", "nan"),
        ("hang", "-1"),
        ("drop_status", "accepted"),
        ("duplicate", "x" * 41),
    ],
)
def test_what_is_no_switch_is_refused(faults: Faults, name: str, value: object) -> None:
    with pytest.raises(ValueError, match="fault"):
        faults.set(name, value=value)
    with pytest.raises(ValueError, match="once"):
        faults.set("hang", times=0)
    assert faults.as_data() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delay", 1.5),
        ("delay", ""),
        ("delay", None),
        ("hang", 3),
        ("drop_status", "read"),
        ("refuse", 131047),
        ("batch", "2,apart"),
        ("refuse", "4,60"),
        ("refuse_other", "80008"),
    ],
)
def test_values_may_be_numbers_or_text(faults: Faults, name: str, value: object) -> None:
    assert faults.set(name, value=value).value == str("" if value is None else value)
