"""Programmes: drawn from a seed, written down, read again, made smaller."""

import pytest

from tests.torture.baits import BAITS
from tests.torture.generating import deal, draw
from tests.torture.points import POINTS
from tests.torture.programme import ECHO, WORDS, Message, Programme, Step
from tests.torture.shrinking import shrink


def test_the_same_seed_draws_the_same_programme() -> None:
    for index in range(40):
        seed, points = deal(3, index)
        assert draw(seed, points) == draw(seed, points)
    assert draw(1) != draw(2)


def test_a_programme_is_read_as_it_was_written() -> None:
    for index in range(40):
        programme = draw(*deal(4, index))
        assert Programme.from_json(programme.to_json()) == programme


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"seed": 1, "people": 1, "steps": [{"odd": 1}]}']
)
def test_what_is_no_programme_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"programme|Expecting value"):
        Programme.from_json(text)


def test_each_point_has_its_turn_and_a_bait() -> None:
    dealt = {point for index in range(len(POINTS)) for point in deal(5, index)[1]}
    assert dealt == {point.name for point in POINTS}
    assert {point.through for point in POINTS} == set(BAITS)


def test_all_sorts_of_steps_are_drawn() -> None:
    steps = [step for index in range(80) for step in draw(*deal(6, index)).steps]
    assert {step.do for step in steps} == {
        *("post", "again", "wait", "rest", "kill", "kill at", "struck", "stop", "clock"),
        *("graph", "statuses", "down", "up", "reload", "forget"),
    }
    assert any(len(step.requests) > 1 for step in steps)
    assert any(step.is_doubled for step in steps)
    said = [message for step in steps for request in step.requests for message in request]
    assert any(message.what == ECHO for message in said)


def _post(*numbers: int) -> Step:
    return Step("post", requests=(tuple(Message(n, 0, WORDS, n, mood="slow") for n in numbers),))


async def test_a_programme_is_made_as_small_as_it_fails() -> None:
    steps = (*(Step("wait", seconds=n) for n in range(20)), _post(1, 2, 3), _post(4), Step("kill"))
    played = []

    async def fails(programme: Programme) -> bool:
        played.append(programme)
        numbers = [message.number for message in programme.messages]
        return 2 in numbers and any(step.do == "kill" for step in programme.steps)

    small = await shrink(Programme(1, 1, steps), fails, is_late=lambda: False)
    assert small.steps == (
        Step("post", requests=((Message(2, 0, WORDS, 2),),)),
        Step("kill"),
    )
    assert len(played) < 80


async def test_making_it_smaller_ends_when_it_is_late() -> None:
    played = 0

    async def fails(_: Programme) -> bool:
        nonlocal played
        played += 1
        return True

    programme = Programme(1, 1, tuple(_post(n) for n in range(1, 65)))
    small = await shrink(programme, fails, is_late=lambda: played >= 3)
    assert played == 3
    assert 0 < len(small.steps) < 64
