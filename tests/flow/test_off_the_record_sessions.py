"""Sessions: what ``/new``, ``/otr`` and ``/otr off`` do to what the engine sees."""

import time
from collections.abc import Sequence

import pytest

from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.fakes.graph import error
from tests.town import ANN, Town

T0 = int(time.time()) - 600
DAY = 86400


async def script(town: Town, *said: str) -> None:
    """Say one thing after the other, each when the one before was answered."""
    for words in said:
        count = len(town.heard(ANN))
        await town.say(ANN, words)
        await town.hears(ANN, count + 1)
        await town.quiet()


def seen(engine: FakeEngine) -> list[tuple[str, list[str]]]:
    return [(turn.text, [said.text for said in turn.history]) for turn in engine.asked]


async def test_off_the_record_again_is_still_off_the_record(town: Town, engine: FakeEngine) -> None:
    canaries = [Canary() for _ in range(3)]
    await script(town, "/otr", canaries[0].words, "/otr", canaries[1].words)
    await script(town, "/OTR", canaries[2].words)
    assert town.heard(ANN).count(SENTENCES["otr"]) == 3
    assert len(engine.asked[-1].history) == 4, "one session, not three"
    assert {turn.mode.label for turn in engine.asked} == {"off the record"}
    assert heard_singing(town, *canaries) == []


async def test_the_way_back_leads_to_the_session_before(town: Town, engine: FakeEngine) -> None:
    await script(town, "one", "/otr", "hidden", "/otr off", "two", "/otr", "again", "/otr off", "3")
    assert seen(engine) == [
        ("one", []),
        ("hidden", []),
        ("two", ["one", "one"]),
        ("again", []),
        ("3", ["one", "one", "two", "two"]),
    ]
    assert [turn.mode.label for turn in engine.asked if turn.text in ("hidden", "again")] == [
        "off the record"
    ] * 2


async def test_a_way_back_from_nowhere(town: Town, engine: FakeEngine) -> None:
    await script(town, "one", "/otr off", "two")
    assert town.heard(ANN)[1] == SENTENCES["otr_off_idle"]
    assert seen(engine)[1] == ("two", ["one", "one"])


async def test_new_while_off_the_record_says_that_one_is_on_it_again(
    town: Town, engine: FakeEngine
) -> None:
    hidden, open_ = Canary(), Canary()
    await script(town, "one", "/otr", hidden.words, "/new")
    assert town.heard(ANN)[-1] == SENTENCES["new_after_otr"]
    await script(town, open_.words, "/otr off", "two")
    assert town.heard(ANN)[-2] == SENTENCES["otr_off_idle"]
    assert seen(engine)[2:] == [
        (open_.words, []),
        ("two", [open_.words, open_.words]),
    ]
    assert heard_singing(town, hidden) == []
    assert heard_singing(town, open_)


async def test_new_with_words_while_off_the_record(town: Town, engine: FakeEngine) -> None:
    await script(town, "/otr")
    await town.say(ANN, "/new open words")
    heard = await town.hears(ANN, 3)
    assert heard[1:] == [SENTENCES["new_after_otr"], "open words"]
    assert engine.asked[-1].mode.label == "on the record"


async def test_a_late_new_does_not_end_what_was_begun_after_it(
    town: Town, engine: FakeEngine
) -> None:
    """/new@5, /otr@10: the first arrives last. Still off; and the way back leads to a fresh one."""
    hidden = Canary()
    await town.say(ANN, "one", at=T0)
    await town.hears(ANN, 1)
    await town.say(ANN, "/otr", at=T0 + 10)
    await town.hears(ANN, 2)
    await town.say(ANN, f"/new {hidden}", at=T0 + 5)
    heard = await town.hears(ANN, 4)
    assert heard[2:] == [SENTENCES["still_off_the_record"], hidden.words]
    assert heard_singing(town, hidden) == []
    await town.say(ANN, "/otr off", at=T0 + 20)
    await town.say(ANN, "two", at=T0 + 21)
    await town.until(lambda: "two" in town.heard(ANN))
    assert seen(engine)[-1] == ("two", [])


@pytest.mark.parametrize("words", ["/status", "/help", "/ort", "/new", "/otr off"])
async def test_a_command_is_never_part_of_a_prompt(
    town: Town, engine: FakeEngine, words: str
) -> None:
    await script(town, "one", words, "two")
    assert not any("/" in turn.text for turn in engine.asked)
    assert all("/" not in said.text for turn in engine.asked for said in turn.history)


async def held_until_the_person_writes(town: Town) -> None:
    await town.until(lambda: "turn_held" in town.log.getvalue())
    await town.quiet()


async def test_what_a_closed_window_holds_moves_too(town: Town, engine: FakeEngine) -> None:
    """The command both releases what was held and moves it, in one request."""
    canary = Canary()
    now = int(time.time())
    await town.say(ANN, canary.words, at=now - DAY - 3000)
    await held_until_the_person_writes(town)
    assert heard_singing(town, canary)
    await town.say(ANN, "/otr", at=now - DAY - 3600)
    assert heard_singing(town, canary) == []
    await town.say(ANN, "more", at=now)
    await town.until(lambda: any("more" in said for said in town.heard(ANN)))
    await town.quiet()
    spoken = "\n".join(said for said in town.heard(ANN) if said != SENTENCES["otr"])
    assert spoken == f"{canary}\nmore"
    assert {turn.mode.label for turn in engine.asked} == {"off the record"}
    assert heard_singing(town, canary) == []


async def test_a_reply_that_a_closed_window_holds_moves_too(town: Town) -> None:
    canary = Canary()
    town.graph.queue(error(131047))
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.until(lambda: "parcel_held" in town.log.getvalue())
    await town.quiet()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_the_command_in_one_batch_with_what_it_moves_and_releases(
    town: Town, engine: FakeEngine
) -> None:
    canaries = [Canary() for _ in range(3)]
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, canaries[0].words, at=T0 + 20)
    await town.until(lambda: gate.waiting == 1)
    batch: Sequence[meta.Item] = [
        meta.text(ANN, canaries[1].words, at=T0 + 9),
        meta.text(ANN, "/otr", at=T0 + 10),
        meta.text(ANN, canaries[2].words, at=T0 + 11),
    ]
    await town.post(*batch)
    assert heard_singing(town, canaries[0], canaries[2]) == []
    gate.open()
    await town.until(lambda: any(canaries[2].words in said for said in town.heard(ANN)))
    await town.quiet()
    spoken = "\n".join(said for said in town.heard(ANN) if said != SENTENCES["otr"])
    assert spoken == "\n".join(canary.words for canary in canaries)
    assert heard_singing(town, canaries[0], canaries[2]) == []
