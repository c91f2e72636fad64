"""Off the record through crashes, restarts and the last seconds of a process."""

import shutil
import time
from pathlib import Path

import pytest

from openparallax.app.housekeeping import Housekeeping
from openparallax.dispatch import turn as turn_module
from openparallax.session.notices import SENTENCES
from openparallax.storage import Database
from tests.canary import Canary, heard_singing, singing_in
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, Town

T0 = int(time.time()) - 600


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meta is given less time to bring words again than in life."""
    monkeypatch.setattr(turn_module, "LOST_AFTER_S", 0.3)


async def go_off(town: Town) -> None:
    await town.say(ANN, "/otr")
    await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))
    await town.quiet()


@pytest.mark.parametrize("is_crash", [False, True])
async def test_a_chat_stays_off_the_record_and_its_words_are_forgotten(
    town: Town, engine: FakeEngine, *, is_crash: bool
) -> None:
    before, after = Canary(), Canary()
    await go_off(town)
    await town.say(ANN, before.words)
    await town.hears(ANN, 2)
    await town.quiet()
    if is_crash:
        await town.crash()
        await town.start()
    else:
        await town.restart()
    await town.say(ANN, after.words)
    await town.until(lambda: after.words in town.heard(ANN))
    assert engine.asked[-1].mode.label == "off the record"
    assert not engine.asked[-1].history
    await town.say(ANN, "/status")
    await town.until(lambda: town.heard(ANN)[-1].startswith("Off the record"))
    assert heard_singing(town, before, after) == []
    await town.say(ANN, "/otr off")
    await town.until(lambda: SENTENCES["otr_off"] in town.heard(ANN))
    assert SENTENCES["lost"] not in town.heard(ANN)


async def test_the_way_back_survives_a_restart(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "one")
    await town.hears(ANN, 1)
    await go_off(town)
    await town.restart()
    await town.say(ANN, "hidden")
    await town.until(lambda: "hidden" in town.heard(ANN))
    await town.restart()
    await town.say(ANN, "/otr off")
    await town.say(ANN, "two")
    await town.until(lambda: "two" in town.heard(ANN))
    assert [said.text for said in engine.asked[-1].history] == ["one", "one"]


async def test_which_session_was_left_survives_a_restart(town: Town) -> None:
    """Words older than ``/otr off`` that arrive after it and after a restart."""
    canary = Canary()
    await town.say(ANN, "/otr", at=T0 + 10)
    await town.say(ANN, "/otr off", at=T0 + 20)
    await town.hears(ANN, 2)
    await town.restart()
    await town.say(ANN, canary.words, at=T0 + 15)
    await town.until(lambda: canary.words in town.heard(ANN))
    assert heard_singing(town, canary) == []


@pytest.mark.parametrize("count", [1, 4])
async def test_what_was_queued_is_told_to_be_lost(
    town: Town, engine: FakeEngine, count: int
) -> None:
    canaries = [Canary() for _ in range(count)]
    gate = Gate()
    await go_off(town)
    engine.answer_with = gate
    for canary in canaries:
        await town.say(ANN, canary.words)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    assert heard_singing(town, *canaries) == []
    gate.open()
    await town.start()
    await town.until(lambda: SENTENCES["lost"] in town.heard(ANN))
    await town.quiet()
    assert 1 <= town.heard(ANN).count(SENTENCES["lost"]) <= 2
    assert "turn_lost" in town.log.getvalue()
    await town.say(ANN, "still there?")
    await town.until(lambda: "still there?" in town.heard(ANN))
    assert [turn.text for turn in engine.asked].count(canaries[0].words) == 1
    assert heard_singing(town, *canaries) == []


async def test_a_reply_that_was_not_sent_is_replaced_by_the_notice(town: Town) -> None:
    canary = Canary()
    await go_off(town)
    town.graph.queue(town.graph.hang())
    await town.say(ANN, "stuck")
    await town.graph.wait_for_calls(2)
    await town.say(ANN, canary.words)
    await town.until(lambda: not town.up.dispatcher.running)
    await town.crash()
    town.graph.release()
    await town.start()
    await town.until(lambda: SENTENCES["lost"] in town.heard(ANN))
    await town.quiet()
    assert canary.words not in town.heard(ANN)
    assert "parcel_lost" in town.log.getvalue()
    assert heard_singing(town, canary) == []


async def test_a_long_reply_half_sent_is_replaced_by_one_notice(town: Town) -> None:
    canary = Canary()
    await go_off(town)
    town.graph.queue(town.graph.hang())
    await town.post(*(meta.text(ANN, f"{canary} " + "word " * 700, at=T0 + n) for n in range(4)))
    await town.until(lambda: town.up.outbox.waiting >= 3)
    await town.crash()
    town.graph.release()
    await town.start()
    await town.until(lambda: SENTENCES["lost"] in town.heard(ANN))
    await town.quiet()
    assert town.heard(ANN).count(SENTENCES["lost"]) == 1
    assert heard_singing(town, canary) == []


async def test_the_confirmation_itself_is_not_lost(town: Town) -> None:
    town.graph.queue(town.graph.hang())
    await town.say(ANN, "/otr")
    await town.graph.wait_for_calls(1)
    await town.crash()
    town.graph.release()
    await town.start()
    await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))
    await town.quiet()
    assert SENTENCES["lost"] not in town.heard(ANN)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meta has longer to bring words again than the slowest machine takes."""
    monkeypatch.setattr(turn_module, "LOST_AFTER_S", 600)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("words", ["{}", "/otr {}"])
async def test_meta_brings_the_words_again_after_a_crash(
    town: Town, engine: FakeEngine, words: str
) -> None:
    """The crash came between the commit and the 200."""
    canary = Canary()
    gate = Gate()
    engine.answer_with = gate
    if words == "{}":
        await go_off(town)
    message = meta.text(ANN, words.format(canary))
    await town.post(message)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    gate.open()
    await town.start()
    await town.post(message, message)
    await town.post(message)
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    await town.post(message)
    await town.quiet()
    assert town.heard(ANN).count(canary.words) == 1
    assert SENTENCES["lost"] not in town.heard(ANN)
    assert heard_singing(town, canary) == []


@pytest.mark.usefixtures("patient")
async def test_a_batch_with_a_repeat_and_something_new(town: Town, engine: FakeEngine) -> None:
    old, new = Canary(), Canary()
    gate = Gate()
    await go_off(town)
    engine.answer_with = gate
    first = meta.text(ANN, old.words, at=T0)
    await town.post(first)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    gate.open()
    await town.start()
    await town.post(first, meta.text(ANN, new.words, at=T0 + 1))
    await town.until(lambda: any(new.core in said for said in town.heard(ANN)))
    await town.quiet()
    spoken = "\n".join(said for said in town.heard(ANN) if said != SENTENCES["otr"])
    assert spoken == f"{old}\n{new}"
    assert heard_singing(town, old, new) == []


async def test_a_kill_between_the_scrub_and_the_cutting_of_the_log(
    town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The log still holds what was scrubbed; the next start must cut it, or nobody does."""
    canary = Canary()

    async def never(_self: Housekeeping) -> None:
        return None

    monkeypatch.setattr(Housekeeping, "truncate", never)
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.hears(ANN, 1)
    await town.quiet()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary)
    # What a kill leaves: `Town.crash` closes the file, and closing it would cut the log.
    left = tmp_path / "left"
    shutil.copytree(town.state, left, ignore=shutil.ignore_patterns("control.sock"))
    (left / "openparallax.db-shm").unlink()
    assert singing_in(left, canary)
    database = Database(left / "openparallax.db", log=town.up._log)
    await database.open()
    try:
        assert singing_in(left, canary) == []
    finally:
        await database.close()
