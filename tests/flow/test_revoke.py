"""A message is deleted by who wrote it: its words are nowhere any more, and no answer is owed."""

import asyncio

import pytest

from openparallax.model.entry import Role
from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate, echo
from tests.flow.records import T0, begin, both_modes, moment, noted, troubles
from tests.town import ANN, BOB, Town


def id_of(item: meta.Item) -> str:
    return str(item["message"]["id"])


def deletes(item: meta.Item, at: int = T0 + 60, sender: str = ANN, **more: object) -> meta.Item:
    return meta.revoke(sender, id_of(item), at=at, **more)


async def shown(town: Town, engine: FakeEngine, at: int = T0 + 100) -> list[str]:
    """What an engine is shown from now on, the hello before it left out."""
    await town.say(ANN, "what do you know?", at=at)
    await town.until(lambda: town.heard(ANN)[-1:] == ["what do you know?"])
    return [one.text for one in engine.asked[-1].history if one.text != "hello"]


@both_modes
async def test_answered(town: Town, engine: FakeEngine, mode: str) -> None:
    canary = Canary()
    engine.answer_with = noted
    await begin(town, mode)
    referral = {"body": canary.words, "headline": f"about {canary}"}
    said = meta.text(ANN, f"{canary} " * 500, at=T0 + 1, referral=referral)
    await town.post(said)
    await town.hears(ANN, 1)
    await town.quiet()
    await town.post(deletes(said))
    assert heard_singing(town, canary) == []
    engine.answer_with = echo
    assert [text for text in await shown(town, engine) if canary.core in text] == []
    await town.post(said, deletes(said))
    await moment(town)
    assert heard_singing(town, canary) == []
    assert town.heard(ANN) == ["noted", "what do you know?"]
    if mode == "on the record":  # what answered it stays
        assert "noted" in [one.text for one in engine.asked[-1].history]


@both_modes
async def test_running_and_queued(town: Town, engine: FakeEngine, mode: str) -> None:
    canary, gate = Canary(), Gate()
    await begin(town, mode)
    engine.answer_with = gate
    running = meta.text(ANN, f"running {canary}", at=T0 + 1)
    queued = meta.text(ANN, f"queued {canary}", at=T0 + 2)
    await town.post(running)
    await town.until(lambda: gate.waiting == 1)
    await town.post(queued, meta.text(ANN, "stays", at=T0 + 3))
    await town.post(deletes(running), deletes(queued))
    assert heard_singing(town, canary) == []
    gate.open()
    assert await town.hears(ANN, 1) == ["stays"]
    assert [text for text in await shown(town, engine) if canary.core in text] == []
    assert heard_singing(town, canary) == []
    assert troubles(town) == []


@both_modes
async def test_one_of_several_that_are_answered_together(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    """What answers the others goes out; of the one nothing is shown again."""
    canary, gate = Canary(), Gate()
    await begin(town, mode)
    engine.answer_with = gate
    items = [meta.text(ANN, words, at=T0 + 1) for words in ("one", canary.words, "three")]
    await town.post(*items)
    await town.until(lambda: gate.waiting == 1)
    await town.post(deletes(items[1]))
    engine.answer_with = echo
    gate.open()
    await town.hears(ANN, 1)
    history = await shown(town, engine)
    assert history[:2] == ["one", "three"]
    assert canary.words not in history


@both_modes
async def test_it_overtook_its_message(town: Town, engine: FakeEngine, mode: str) -> None:
    canary = Canary()
    await begin(town, mode)
    said = meta.text(ANN, canary.words, at=T0 + 1)
    await town.post(deletes(said, at=T0 + 2))
    # A unit that fails in between forgets nothing of it.
    town.up.database._writer._drop_caches()
    await town.post(said)
    await town.post(said)
    assert await shown(town, engine) == []
    assert town.heard(ANN) == ["what do you know?"]
    assert heard_singing(town, canary) == []


@both_modes
async def test_in_one_request_with_its_message(town: Town, engine: FakeEngine, mode: str) -> None:
    canary = Canary()
    await begin(town, mode)
    for order in (1, -1):
        said = meta.text(ANN, canary.words, at=T0 + 1)
        await town.post(*[said, deletes(said, at=T0 + 1)][::order])
        await town.post(*[said, deletes(said, at=T0 + 2)][::order])
    assert await shown(town, engine) == []
    assert heard_singing(town, canary) == []


async def test_in_one_request_with_a_late_otr(town: Town, engine: FakeEngine) -> None:
    """The words go off the record and are deleted there, before they are ever held."""
    canary = Canary()
    await begin(town, "on the record")
    gate = Gate()
    answered = meta.text(ANN, f"answered {canary}", at=T0 + 20)
    await town.post(answered)
    await town.hears(ANN, 1)
    await town.quiet()
    engine.answer_with = gate
    running = meta.text(ANN, f"running {canary}", at=T0 + 21)
    await town.post(running)
    await town.until(lambda: gate.waiting == 1)
    brought = meta.text(ANN, f"brought {canary}", at=T0 + 22)
    await town.post(
        brought,
        deletes(answered, at=T0 + 30),
        deletes(running, at=T0 + 30),
        deletes(brought, at=T0 + 30),
        meta.text(ANN, "/otr", at=T0 + 10),
    )
    gate.open()
    assert heard_singing(town, canary) == []
    engine.answer_with = echo
    assert await shown(town, engine) == []
    assert heard_singing(town, canary) == []
    # What had answered the first is still there, off the record now.
    (held,) = town.up.volatile._sessions.values()
    roles = [(one.role, canary.core in one.text.words) for one in held.entries.values()]
    assert (Role.ENGINE, True) in roles
    assert (Role.CONTACT, True) not in roles


@both_modes
async def test_what_was_left_to_a_person(town: Town, engine: FakeEngine, mode: str) -> None:
    canary = Canary()
    await begin(town, mode)
    said = meta.text(ANN, canary.words, at=T0 + 2)
    await town.post(meta.echo(ANN, "mine", at=T0 + 1))
    await town.post(said)
    await town.post(deletes(said))
    assert heard_singing(town, canary) == []
    assert canary.words not in await shown(town, engine, T0 + 1 + 3600)


@both_modes
async def test_after_a_restart_and_in_the_session_before(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    canary = Canary()
    engine.answer_with = noted
    await begin(town, mode)
    said = meta.text(ANN, canary.words, at=T0 + 1)
    await town.post(said)
    await town.hears(ANN, 1)
    await town.say(ANN, "/new", at=T0 + 2)
    await town.hears(ANN, 2)
    await town.quiet()
    await town.restart()
    await town.post(deletes(said))
    assert heard_singing(town, canary) == []


async def test_of_another_chat_of_nobody_and_of_another_number(
    town: Town, engine: FakeEngine
) -> None:
    said = meta.text(ANN, "mine to delete", at=T0 + 1)
    await town.post(said)
    await town.hears(ANN, 1)
    await town.quiet()
    await town.post(deletes(said, sender=BOB))
    await town.post(deletes(said, phone_number_id="999"))
    await town.post(meta.revoke(BOB, "wamid.nothing", at=T0 + 60))
    assert await shown(town, engine) == ["mine to delete", "mine to delete"]
    assert town.heard(BOB) == []


@pytest.mark.parametrize("words", ["/new and {}", "/otr {}"])
async def test_words_behind_a_command(town: Town, engine: FakeEngine, words: str) -> None:
    canary, gate = Canary(), Gate()
    engine.answer_with = gate
    said = meta.text(ANN, words.format(canary), at=T0 + 1)
    await town.post(said)
    await town.until(lambda: gate.waiting == 1)
    await town.post(deletes(said))
    gate.open()
    engine.answer_with = echo
    assert await shown(town, engine) == []
    assert heard_singing(town, canary) == []


@both_modes
async def test_in_the_same_commit_as_the_end_of_the_turn(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    async def answer(turn: Turn) -> Reply:
        await gate(turn)
        return await noted(turn)

    canary = Canary()
    await begin(town, mode)
    engine.answer_with = answer
    for place in range(5):
        gate = Gate()
        said = meta.text(ANN, canary.words, at=T0 + 1)
        await town.post(said)
        await town.until(lambda gate=gate: gate.waiting == 1)  # type: ignore[misc]
        posting = asyncio.ensure_future(town.post(deletes(said)))
        await asyncio.sleep(0.001 * place)
        gate.open()
        await posting
        await town.quiet()
        assert heard_singing(town, canary) == []
    engine.answer_with = echo
    assert [text for text in await shown(town, engine) if canary.core in text] == []
    assert troubles(town) == []


async def test_whoever_deletes_what_is_being_answered_has_said_it(
    town: Town, engine: FakeEngine
) -> None:
    """The turn's end does not happen then; how much was said is counted all the same."""
    limit = {"window_seconds": 60, "max_messages": 1}
    town.changes = {"channels": {"whatsapp": {"rate_limit": limit}}}
    await town.restart()
    gate = Gate()
    engine.answer_with = gate
    said = meta.text(ANN, "one", at=T0 + 1)
    await town.post(said)
    await town.until(lambda: gate.waiting == 1)
    await town.post(deletes(said, T0 + 2))
    gate.open()
    await town.quiet()
    await town.post(meta.text(ANN, "two", at=T0 + 3))
    assert await town.hears(ANN, 1) == [SENTENCES["rate_limited"]]
    assert len(engine.asked) == 1
