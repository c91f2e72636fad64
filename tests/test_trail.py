"""The ring of steps: bounded, quick, and nobody who listens can hurt it."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from openparallax.trail import MOST_NOTES, Note, Step, Trail
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


def test_noting_is_one_clock_and_one_append() -> None:
    """Counted, not timed: what a step costs does not grow unseen."""
    trail = Trail(lambda: 0.0)
    assert counted(lambda: trail.note(Step.QUEUED, 1, 2)) <= 10


@pytest.mark.parametrize("step", Step)
def test_a_step_is_a_plain_word(step: Step) -> None:
    assert step.value.replace("_", "").isalpha()
    assert str(step) == step.value
