"""Meta delivers concurrently: words that were written after ``/otr`` may arrive before it."""

import time

from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes.engines import FakeEngine, Gate
from tests.fakes.graph import ok
from tests.town import ANN, Town

T0 = int(time.time()) - 600


async def confirmed(town: Town) -> None:
    await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))


async def test_words_still_queued(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "slow", at=T0)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, canary.words, at=T0 + 20)
    assert heard_singing(town, canary)
    await town.say(ANN, "/otr", at=T0 + 10)
    await confirmed(town)
    assert heard_singing(town, canary) == []
    gate.open()
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, canary) == []
    assert engine.asked[-1].mode.label == "off the record"
    assert not engine.asked[-1].history
    await town.say(ANN, "more", at=T0 + 30)
    await town.until(lambda: "more" in town.heard(ANN))
    assert [spoken.text for spoken in engine.asked[-1].history] == [canary.words, canary.words]


async def test_words_that_the_engine_is_answering(town: Town, engine: FakeEngine) -> None:
    canary, answered = Canary(), Canary()
    gate = Gate()

    async def answer(turn: Turn) -> Reply:
        await gate(turn)
        return Reply(text=f"{answered} to {turn.text}")

    engine.answer_with = answer
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "/otr", at=T0 + 10)
    await confirmed(town)
    assert heard_singing(town, canary) == []
    gate.open()
    await town.until(lambda: f"{answered} to {canary}" in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, canary, answered) == []
    assert len(engine.asked) == 1
    await town.say(ANN, "more", at=T0 + 30)
    await town.until(lambda: f"{answered} to more" in town.heard(ANN))
    assert [spoken.text for spoken in engine.asked[-1].history] == [
        canary.words,
        f"{answered} to {canary}",
    ]


async def test_words_answered_and_sent(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await town.say(ANN, "before", at=T0)
    await town.hears(ANN, 1)
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.hears(ANN, 2)
    await town.quiet()
    assert heard_singing(town, canary)
    await town.say(ANN, "/otr", at=T0 + 10)
    # Acknowledged: so it is gone already.
    assert heard_singing(town, canary) == []
    await town.say(ANN, "more", at=T0 + 30)
    await town.hears(ANN, 4)
    assert [spoken.text for spoken in engine.asked[-1].history] == [canary.words, canary.words]
    await town.say(ANN, "/otr off", at=T0 + 40)
    await town.say(ANN, "back", at=T0 + 50)
    await town.hears(ANN, 6)
    assert [spoken.text for spoken in engine.asked[-1].history] == ["before", "before"]
    await town.stop()
    assert heard_singing(town, canary) == []


async def test_words_whose_reply_waits_in_the_outbox(town: Town) -> None:
    canary = Canary()
    town.changes = {"outbox": {"receipt_wait_seconds": 0.1}}
    await town.restart()
    town.graph.queue(town.graph.hang())
    await town.say(ANN, "stuck", at=T0)
    await town.graph.wait_for_calls(1)
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.until(lambda: not town.up.dispatcher.running)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    town.graph.release()
    await town.until(lambda: canary.words in town.heard(ANN))
    await confirmed(town)
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_words_whose_reply_is_being_sent_and_nobody_knows(town: Town) -> None:
    """The send of the reply hangs and must be repeated: from memory, since the disk has it not."""
    canary = Canary()
    town.changes = {
        "outbox": {"receipt_wait_seconds": 0.1},
        "channels": {"whatsapp": {"graph_timeout_seconds": 1}},
    }
    await town.restart()
    town.graph.queue(town.graph.hang())
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.graph.wait_for_calls(1)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    await town.until(lambda: canary.words in town.heard(ANN))
    await confirmed(town)
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_a_long_reply_half_sent(town: Town, engine: FakeEngine) -> None:
    canary = Canary()

    async def answer(turn: Turn) -> Reply:
        return Reply(text=f"{turn.text} word " * 600)

    engine.answer_with = answer
    town.graph.queue(ok(), town.graph.hang(accepts=True))
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.graph.wait_for_calls(2)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    town.graph.release()
    await town.until(lambda: sum(said.count(canary.core) for said in town.heard(ANN)) == 600)
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_all_stages_at_once(town: Town, engine: FakeEngine) -> None:
    """Sent, running and queued when ``/otr`` comes; nothing lost, all moved, in order."""
    sent, running, queued = Canary(), Canary(), Canary()
    await town.say(ANN, sent.words, at=T0 + 20)
    await town.hears(ANN, 1)
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, running.words, at=T0 + 21)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, queued.words, at=T0 + 22)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, sent, running, queued) == []
    gate.open()
    await town.until(lambda: queued.words in town.heard(ANN))
    await town.quiet()
    spoken = [said for said in town.heard(ANN) if said != SENTENCES["otr"]]
    assert spoken == [sent.words, running.words, queued.words]
    assert heard_singing(town, sent, running, queued) == []
    assert [said.text for said in engine.asked[-1].history] == [
        sent.words, sent.words, running.words, running.words,
    ]  # fmt: skip


async def test_a_turn_of_old_and_new_words_is_written_nowhere(
    town: Town, engine: FakeEngine
) -> None:
    """Answered together: what the engine says quotes both, so both sorts count as newer."""
    old, new, first = Canary(), Canary(), Canary()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, first.words, at=T0)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, new.words, at=T0 + 20)
    await town.say(ANN, old.words, at=T0 + 5)
    gate.open()
    await town.hears(ANN, 2)
    await town.quiet()
    assert engine.asked[-1].text == f"{new}\n{old}"
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, new) == []
    assert heard_singing(town, first)


async def test_a_running_turn_of_old_and_new_words(town: Town, engine: FakeEngine) -> None:
    """It ends off the record; what stays on the record is still found when that must go too."""
    old, new = Canary(), Canary()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "first", at=T0)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, old.words, at=T0 + 5)
    await town.say(ANN, new.words, at=T0 + 20)
    second = Gate()
    engine.answer_with = second
    gate.open()
    await town.until(lambda: second.waiting == 1)
    assert engine.asked[-1].text == f"{old}\n{new}"
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, new) == []
    second.open()
    await town.until(lambda: f"{old}\n{new}" in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, new) == []
    await town.say(ANN, "/otr", at=T0 + 4)
    assert heard_singing(town, old, new) == []


async def test_an_old_message_answered_with_new_words_in_its_history(
    town: Town, engine: FakeEngine
) -> None:
    """The engine had read what was said off the record when it answered what was not."""
    new = Canary()

    async def recall(turn: Turn) -> Reply:
        return Reply(text=f"{turn.text} after {[said.text for said in turn.history]}")

    engine.answer_with = recall
    await town.say(ANN, new.words, at=T0 + 20)
    await town.hears(ANN, 1)
    await town.say(ANN, "old", at=T0 + 5)
    assert new.core in (await town.hears(ANN, 2))[1]
    await town.quiet()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, new) == []


async def test_an_old_message_being_answered_with_new_words_in_its_history(
    town: Town, engine: FakeEngine
) -> None:
    new = Canary()
    gate = Gate()
    await town.say(ANN, new.words, at=T0 + 20)
    await town.hears(ANN, 1)
    await town.quiet()

    async def recall(turn: Turn) -> Reply:
        await gate(turn)
        return Reply(text=f"{turn.text} after {[said.text for said in turn.history]}")

    engine.answer_with = recall
    await town.say(ANN, "old", at=T0 + 5)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, new) == []
    gate.open()
    await town.until(lambda: any("old after" in said for said in town.heard(ANN)))
    await town.quiet()
    assert heard_singing(town, new) == []


async def test_a_late_otr_with_words(town: Town, engine: FakeEngine) -> None:
    first, second = Canary(), Canary()
    await town.say(ANN, second.words, at=T0 + 20)
    await town.hears(ANN, 1)
    await town.say(ANN, f"/otr {first}", at=T0 + 10)
    await town.until(lambda: first.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, first, second) == []
