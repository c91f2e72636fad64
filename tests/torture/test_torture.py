"""Very short forms of ``scripts/torture``, with the real daemon."""

import pytest

from tests.torture.changing import GONE, TOKEN, WRONG
from tests.torture.nursery import Nursery
from tests.torture.points import NUMBERS
from tests.torture.programme import REVOKE, WORDS, Message, Programme, Step
from tests.torture.running import play


def _post(*messages: Message) -> Step:
    return Step("post", requests=(messages,))


PROGRAMME = Programme(
    seed=1,
    people=2,
    accounts=2,
    steps=(
        _post(Message(1, 0, WORDS, 1), Message(2, 1, WORDS, 1, account=1)),
        _post(Message(3, 0, WORDS, 9, mood="slow")),
        Step("kill at", point="in the middle of moving words off"),
        _post(Message(4, 0, "/otr words", 5, mood="long")),
        Step("struck", seconds=10),
        Step("again", of=3),
        Step("clock", seconds=-3600),
        Step("graph", who=0, mood="cut after"),
        _post(Message(5, 0, "/otr off", 10), Message(6, 0, WORDS, 11, mood="raise")),
        _post(Message(7, 0, "/help words", 12), Message(8, 1, "picture", 12)),
        _post(Message(9, 0, REVOKE, 13, of=1)),
        Step("stop"),
        _post(Message(10, 1, WORDS, 14, mood="slow", account=1), Message(11, 1, WORDS, 15)),
        Step("reload", mood="other stages", point="control"),
        Step("reload", mood="another engine"),
        Step("reload", mood=WRONG, point="control"),
        Step("reload", mood=TOKEN),
        Step("reload", mood=GONE),
        _post(Message(12, 1, WORDS, 16, account=1)),
    ),
)


@pytest.mark.slow
async def test_a_programme_with_a_death_and_a_stop_keeps_every_promise() -> None:
    async with Nursery() as nursery:
        played, verdict = await play(PROGRAMME, nursery)
    assert verdict.findings == []
    assert played.points[NUMBERS["in the middle of moving words off"]][1] == 1
    assert len(played.deaths) == 1
    assert len(played.reloads) >= 3
    assert played.looks == len(played.lives) >= 2
    assert played.asked
    assert verdict.counts["parts that Graph took twice"] == 0
