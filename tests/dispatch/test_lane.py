"""What is answered together."""

from dataclasses import replace

import pytest

from openparallax.dispatch.lane import MOST_CHARACTERS, MOST_MESSAGES, Lane
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId

ON, OFF = Session(SessionId(1), Mode.ON_THE_RECORD), Session(SessionId(2), Mode.OFF_THE_RECORD)


def words(number: int, session: Session = ON, length: int = 10) -> Envelope:
    return Envelope(number, 1, session, Errand.TURN, 1000, 1000 + 86400 + number, length)


def command(number: int, session: Session = ON) -> Envelope:
    return replace(words(number, session), errand=Errand.HELP)


def claimed(number: int, turn: int) -> Envelope:
    return replace(words(number), turn=turn, attempts=1)


def group(*envelopes: Envelope, coalesces: bool = True) -> list[int]:
    lane = Lane(1)
    for envelope in envelopes:
        lane.add(envelope)
    return [envelope.number for envelope in lane.group(coalesces=coalesces)]


def test_words_that_follow_each_other() -> None:
    assert group(words(1)) == [1]
    assert group(words(1), words(2), words(3)) == [1, 2, 3]
    assert group(words(1), words(2), coalesces=False) == [1]


def test_a_command_is_alone_and_a_border() -> None:
    assert group(words(1), command(2), words(3)) == [1]
    assert group(command(1), words(2)) == [1]
    assert group(command(1), command(2)) == [1]


def test_a_session_is_a_border() -> None:
    assert group(words(1), words(2, OFF), words(3)) == [1]
    assert group(words(1, OFF), words(2, OFF), words(3)) == [1, 2]


def test_no_more_than_so_many() -> None:
    assert len(group(*(words(n) for n in range(1, 50)))) == MOST_MESSAGES == 20


def test_no_more_than_so_long_but_always_one() -> None:
    half = MOST_CHARACTERS // 2
    assert group(words(1, length=half), words(2, length=half), words(3, length=1)) == [1, 2]
    assert group(words(1, length=half), words(2, length=half + 1)) == [1]
    assert group(words(1, length=10 * half), words(2)) == [1]


@pytest.mark.parametrize("coalesces", [True, False])
def test_what_was_claimed_together_stays_together(*, coalesces: bool) -> None:
    together = [claimed(1, 1), claimed(2, 1), words(3)]
    assert group(*together, coalesces=coalesces) == [1, 2]
    assert group(claimed(1, 1), words(2), coalesces=coalesces) == [1]
    assert group(claimed(1, 1), claimed(2, 2), coalesces=coalesces) == [1]


def test_the_rest_of_a_claim_whose_first_is_gone() -> None:
    assert group(claimed(2, 1), claimed(3, 1), words(4)) == [2, 3, 4]


def test_the_window_is_that_of_the_newest() -> None:
    lane = Lane(1)
    lane.add(words(5))
    lane.add(words(3))
    assert lane.window_until == words(5).window_until
