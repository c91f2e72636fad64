"""Commands that overtake one another, words behind their end, caches that know nothing any more."""

import time

import pytest

from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

T0 = int(time.time()) - 600


async def test_a_second_otr_between_does_not_hide_the_first(town: Town) -> None:
    """/otr@10, words@15, /otr@20: first come the words, then the second command, then the first."""
    canary = Canary()
    await town.say(ANN, canary.words, at=T0 + 15)
    await town.hears(ANN, 1)
    await town.say(ANN, "/otr", at=T0 + 20)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []


async def test_a_new_between_does_not_hide_what_was_said_before_it(town: Town) -> None:
    """/otr@10, words@11..15 with /new between: all arrive before the first command."""
    canaries = [Canary() for _ in range(3)]
    for place, canary in enumerate(canaries):
        await town.say(ANN, canary.words, at=T0 + 11 + 2 * place)
        await town.hears(ANN, 2 * place + 1)
        await town.say(ANN, "/new", at=T0 + 12 + 2 * place)
    await town.quiet()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, *canaries) == []


async def test_an_older_end_does_not_undo_a_newer_otr(town: Town) -> None:
    """/otr@10, /otr off@15, /otr@20; the end arrives last: the person wants to be off."""
    canary = Canary()
    await town.say(ANN, "/otr", at=T0 + 10)
    await town.say(ANN, "/otr", at=T0 + 20)
    await town.say(ANN, "/otr off", at=T0 + 15)
    await town.say(ANN, canary.words, at=T0 + 25)
    await town.until(lambda: canary.words in town.heard(ANN))
    assert SENTENCES["still_off_the_record"] in town.heard(ANN)
    assert heard_singing(town, canary) == []


@pytest.mark.parametrize("end", ["/otr off", "/new"])
async def test_words_older_than_the_end_belong_to_what_was_ended(
    town: Town, engine: FakeEngine, end: str
) -> None:
    late, tied = Canary(), Canary()
    await town.say(ANN, "/otr hello", at=T0 + 10)
    await town.hears(ANN, 2)
    await town.say(ANN, end, at=T0 + 20)
    await town.hears(ANN, 3)
    await town.say(ANN, late.words, at=T0 + 19)
    await town.until(lambda: late.words in town.heard(ANN))
    assert [said.text for said in engine.asked[-1].history] == ["hello", "hello"]
    await town.say(ANN, tied.words, at=T0 + 20)
    await town.until(lambda: tied.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, late) == []
    assert heard_singing(town, tied)
    assert not engine.asked[-1].history


async def test_what_comes_in_the_same_second_goes_by_arrival(town: Town) -> None:
    before, between, behind = Canary(), Canary(), Canary()
    for said in (before, "/otr", between, "/otr off", behind):
        await town.say(ANN, str(said), at=T0)
    await town.until(lambda: behind.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, between) == []
    assert heard_singing(town, before)
    assert heard_singing(town, behind)


async def test_two_requests_swapped_around_new(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "one", at=T0)
    await town.hears(ANN, 1)
    await town.say(ANN, "/new", at=T0 + 20)
    await town.hears(ANN, 2)
    await town.say(ANN, "two", at=T0 + 10)
    await town.hears(ANN, 3)
    await town.say(ANN, "three", at=T0 + 30)
    await town.hears(ANN, 4)
    seen = {turn.text: [said.text for said in turn.history] for turn in engine.asked}
    assert seen["two"] == ["one", "one"]
    assert seen["three"] == []


async def test_after_a_restart_too(town: Town) -> None:
    """Nothing is remembered of the chat: how new its newest words are must be looked up."""
    canary = Canary()
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.hears(ANN, 1)
    await town.restart()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []


async def test_after_a_crash_with_the_words_unanswered(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    await town.start()
    await town.until(lambda: gate.waiting == 2)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    gate.open()
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_while_the_cached_chat_was_dropped(town: Town) -> None:
    """A failed unit or a closed window empties the cache in the middle of everything."""
    canary = Canary()
    await town.say(ANN, "hello", at=T0)
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.until(lambda: any(canary.words in said for said in town.heard(ANN)))
    town.up.door.drop()
    await town.say(ANN, "older", at=T0 + 5)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []


async def test_one_late_command_moves_words_of_its_own_chat_only(town: Town) -> None:
    canary = Canary()
    await town.say(BOB, canary.words, at=T0 + 20)
    await town.hears(BOB, 1)
    await town.say(ANN, "/otr", at=T0 + 10)
    await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))
    assert heard_singing(town, canary)
