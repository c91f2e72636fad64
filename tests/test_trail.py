"""The ring of steps: bounded, quick, and nobody who listens can hurt it."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openparallax import trail as trail_module
from openparallax.trail import APART, MOST_NOTES, Note, Step, Taken, Trail
from tests.fakes.clock import TurnedClock


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


def test_the_oldest_steps_go(clock: TurnedClock) -> None:
    trail = Trail(clock.now, most=3)
    assert (trail.begins_at, list(trail.notes())) == (trail.since, [])
    for turn in range(5):
        trail.note(Step.QUEUED, 1, turn)
    assert [note.turn for note in trail.notes()] == [2, 3, 4]
    assert [note.turn for note in trail.notes(latest=1)] == [4]
    assert [note.turn for note in trail.latest(Step.QUEUED, 2)] == [4, 3]
    assert trail.latest(Step.ASKED) == []
    assert trail.begins_at == next(trail.notes()).at


def test_a_note_says_what_it_was_given(clock: TurnedClock) -> None:
    trail = Trail(clock.now)
    trail.note(Step.SENT, 1, 2, 3, 4, "account", "49…07", "about", 131026, 0.5, 6)
    assert list(trail.notes()) == [
        Note(clock.now(), Step.SENT, 1, 2, 3, 4, "account", "49…07", "about", 131026, 0.5, 6)
    ]


def test_who_listens_hears_each_step_until_they_stop_or_raise(clock: TurnedClock) -> None:
    trail = Trail(clock.now)
    heard: list[Note] = []

    def breaks(_note: Note) -> None:
        raise ValueError("made up")

    trail.listen(breaks)
    answers: list[Note] = []
    trail.listen(answers.append, Step.ANSWERED, Step.ENGINE_FAILED)
    stop = trail.listen(heard.append)
    trail.note(Step.QUEUED)
    trail.note(Step.ASKED)
    stop()
    stop()
    trail.note(Step.ANSWERED)
    assert [note.step for note in heard] == [Step.QUEUED, Step.ASKED]
    assert len(list(trail.notes())) == 3
    assert [note.step for note in answers] == [Step.ANSWERED]
    assert len(trail._hearers) == 1


def test_what_the_ring_takes_at_most(clock: TurnedClock) -> None:
    """Each note by itself, as if no two shared a number or a word: less than the docstring says."""
    trail = Trail(clock.now)
    trail.note(Step.SENT, 1000, 2000, 3000, 4000, "1" * 16, "49…07", "a" * 80, 131026, 0.5, 600)
    [taken] = trail._ring
    shared = {"step", "account"}
    own = [sys.getsizeof(taken)]
    own += [sys.getsizeof(value) for key, value in zip(Note._fields, taken, strict=True)
            if key not in shared]  # fmt: skip
    assert MOST_NOTES * sum(own) < 15e6


def counted(work: Callable[[], Any]) -> int:
    """How many events the interpreter tells a profiler of: calls and returns."""
    count = 0

    def note(*_event: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def taken_of(step: Step, turn: int = 0) -> Taken:
    return 0.5, step, 1, turn, 0, 0, "", "", "", None, None, 0


def test_what_costs_nothing_while_nobody_listens(clock: TurnedClock) -> None:
    """Counted, not timed: what a step costs does not grow unseen."""
    trail, taken = Trail(clock.now), taken_of(Step.QUEUED)
    nothing = counted(lambda: None)
    trail.listen(print, *APART)
    assert counted(lambda: trail.add(taken)) == nothing + 2  # a call of the deque's own, and back
    assert counted(lambda: trail.extend([taken] * 100)) == nothing + 2
    assert counted(lambda: trail.note(Step.QUEUED, 1, 2)) <= 12


@pytest.mark.parametrize("steps", [(), (Step.QUEUED,), (Step.ENGINE_FAILED, Step.QUEUED)])
def test_what_is_added_is_heard_by_who_listens(clock: TurnedClock, steps: tuple[Step, ...]) -> None:
    trail = Trail(clock.now)
    heard: list[Note] = []
    stop = trail.listen(heard.append, *steps)
    trail.add(taken_of(Step.QUEUED, 1))
    trail.extend([taken_of(Step.QUEUED, 2), taken_of(Step.QUEUED, 3)])
    stop()
    trail.add(taken_of(Step.QUEUED, 4))
    trail.extend([taken_of(Step.QUEUED, 5)])
    assert [note.turn for note in heard] == [1, 2, 3]
    assert [note.turn for note in trail.notes()] == [1, 2, 3, 4, 5]


def test_those_who_listen_in_every_house_hear_of_it(clock: TurnedClock) -> None:
    trail = Trail(clock.now)
    heard: list[Note] = []
    trail.listen(heard.append, *APART)
    for step in Step:
        trail.note(step)
    assert {note.step for note in heard} == APART


def test_nothing_that_stands_apart_is_added() -> None:
    """Else those who listen to nothing but that would not hear of it."""
    names = "|".join(step.name for step in APART)
    adds = re.compile(rf"\.(?:add|step|came)\(\s*(?:\(\s*)?[^()]*Step\.(?:{names})\b")
    rooms = Path(trail_module.__file__).parent
    assert [one for one in rooms.rglob("*.py") if adds.search(one.read_text("utf-8"))] == []
    assert adds.search("receipts.step(Step.PAUSED, parcel)")


def test_what_came_since(clock: TurnedClock) -> None:
    trail = Trail(clock.now, most=4)
    assert trail.mark is None
    assert list(trail.since_mark(None, Step.READ)) == []
    trail.note(Step.READ, 1, 1)
    trail.note(Step.READ, 1, 1)  # the same words, and yet another step
    mark = trail.mark
    assert list(trail.since_mark(mark, Step.READ)) == []
    assert len(list(trail.since_mark(None, Step.READ))) == 2
    trail.note(Step.READ, 1, 2)
    trail.note(Step.SENT, 1, 3)
    trail.note(Step.READ, 1, 4)
    assert [note.turn for note in trail.since_mark(mark, Step.READ)] == [4, 2]
    for turn in range(5, 8):
        trail.note(Step.READ, 1, turn)
    assert [note.turn for note in trail.since_mark(mark, Step.READ)] == [7, 6, 5, 4]


@pytest.mark.parametrize("step", Step)
def test_a_step_is_a_plain_word(step: Step) -> None:
    assert step.value.replace("_", "").isalpha()
    assert str(step) == step.value
