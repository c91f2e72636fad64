"""Off the record: a canary goes through the whole house, and then every byte is searched."""

import asyncio
import time

import pytest

from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.fakes.graph import error
from tests.town import ANN, BOB, Town


async def go_off(town: Town, person: str = ANN) -> None:
    """Send ``/otr`` and wait for the confirmation."""
    before = town.heard(person).count(SENTENCES["otr"])
    await town.say(person, "/otr")
    await town.until(lambda: town.heard(person).count(SENTENCES["otr"]) == before + 1)


async def test_message_and_reply_are_written_nowhere(town: Town, engine: FakeEngine) -> None:
    asked, answered = Canary(), Canary()

    async def answer(turn: Turn) -> Reply:
        return Reply(text=f"{turn.text} and {answered}")

    engine.answer_with = answer
    await go_off(town)
    await town.say(ANN, asked.words)
    assert (await town.hears(ANN, 2))[1] == f"{asked} and {answered}"
    await town.quiet()
    assert heard_singing(town, asked, answered) == []
    await town.say(ANN, "again")
    await town.hears(ANN, 3)
    assert [spoken.text for spoken in engine.asked[-1].history] == [
        asked.words,
        f"{asked} and {answered}",
    ]
    await town.stop()
    assert heard_singing(town, asked, answered) == []


async def test_words_in_the_same_message_as_the_command(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await town.say(ANN, f"/otr {canary}")
    heard = await town.hears(ANN, 2)
    assert sorted(heard) == sorted([SENTENCES["otr"], canary.words])
    assert [turn.mode.label for turn in engine.asked] == ["off the record"]
    assert heard_singing(town, canary) == []


async def test_words_in_the_caption_of_a_picture(town: Town) -> None:
    first, second = Canary(), Canary()
    await town.post(meta.media(ANN, caption=f"/otr {first}"))
    assert first.words in await town.hears(ANN, 2)
    await town.post(meta.media(ANN, caption=second.words))
    assert SENTENCES["only_text"] in await town.hears(ANN, 3)
    assert heard_singing(town, first, second) == []


async def test_a_tap_on_a_button_is_words_too(town: Town) -> None:
    title, choice = Canary(), Canary()
    await go_off(town)
    await town.post(meta.button(ANN, title.words, choice.words))
    assert (await town.hears(ANN, 2))[1] == title.words
    assert heard_singing(town, title, choice) == []


@pytest.mark.parametrize(
    "command",
    [
        "/ort {}",
        "/otroff {}",
        "/offtherecord {}",
        "/help {}",
        "/status {}",
        "/OTRR\n{}",
        "/otr\u200bx {}",
    ],
)
@pytest.mark.parametrize("is_off", [False, True])
async def test_a_mistyped_command_is_kept_in_neither_mode(
    town: Town, engine: FakeEngine, command: str, *, is_off: bool
) -> None:
    canary = Canary()
    if is_off:
        await go_off(town)
    await town.say(ANN, command.format(canary))
    heard = await town.hears(ANN, 2 if is_off else 1)
    assert "Did you mean /" in heard[-1]
    assert engine.asked == []
    assert heard_singing(town, canary) == []


async def test_a_turn_that_takes_too_long(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    town.changes = {"pipeline": [{"time_limit": {"seconds": 0.05}}]}
    await town.restart()
    gate = Gate()

    async def answer(turn: Turn) -> Reply:
        try:
            return await gate(turn)
        except asyncio.CancelledError:
            raise RuntimeError(turn.text) from None

    engine.answer_with = answer
    await go_off(town)
    await town.say(ANN, canary.words)
    assert (await town.hears(ANN, 2))[1] == SENTENCES["too_slow"]
    await town.quiet()
    await town.stop()
    assert heard_singing(town, canary) == []


async def test_an_answer_in_parts(town: Town, engine: FakeEngine) -> None:
    canary = Canary()

    async def answer(turn: Turn) -> Reply:
        return Reply(text=f"{turn.text} word " * 600)

    engine.answer_with = answer
    await go_off(town)
    await town.say(ANN, canary.words)
    await town.until(lambda: sum(said.count(canary.core) for said in town.heard(ANN)) == 600)
    assert len(town.heard(ANN)) > 3
    assert heard_singing(town, canary) == []


async def test_messages_answered_together(town: Town, engine: FakeEngine) -> None:
    canaries = [Canary() for _ in range(4)]
    gate = Gate()
    engine.answer_with = gate
    await go_off(town)
    for count, canary in enumerate(canaries):
        await town.say(ANN, canary.words)
        if not count:
            await town.until(lambda: gate.waiting == 1)
    assert heard_singing(town, *canaries) == []
    gate.open()
    heard = await town.hears(ANN, 3)
    assert heard[1:] == [canaries[0].words, "\n".join(c.words for c in canaries[1:])]
    assert heard_singing(town, *canaries) == []


async def test_graph_failing_in_many_ways_and_quoting(town: Town) -> None:
    canary = Canary()
    await go_off(town)
    town.graph.queue(
        error(1, 500, message=canary.words, error_user_msg=canary.words),
        error(130429, 400, message=canary.words, error_data={"details": canary.words}),
        error(131009, 400, message=canary.words, fbtrace_id=canary.words[:40]),
    )
    await town.say(ANN, canary.words)
    await town.until(lambda: len(town.graph.calls) == 4)
    await town.quiet()
    await town.say(ANN, "next")
    assert "next" in await town.hears(ANN, 2)
    assert heard_singing(town, canary) == []


async def test_only_the_chat_that_asked_is_off_the_record(town: Town, engine: FakeEngine) -> None:
    ann, bob = Canary(), Canary()
    await go_off(town)
    await town.say(BOB, bob.words)
    await town.say(ANN, ann.words)
    await town.hears(BOB, 1)
    await town.hears(ANN, 2)
    assert heard_singing(town, ann) == []
    assert heard_singing(town, bob)
    assert not any(ann.core in said.text for turn in engine.asked for said in turn.history)


async def test_commands_before_between_and_behind_words_in_one_request(
    town: Town, engine: FakeEngine
) -> None:
    on = [Canary() for _ in range(3)]
    off = [Canary() for _ in range(3)]
    at = int(time.time()) - 60
    script = [on[0], "/otr", off[0], off[1], "/otr", off[2], "/otr off", on[1], "/new", on[2]]
    await town.post(*(meta.text(ANN, str(said), at=at) for said in script))
    await town.until(lambda: any(on[2].words in said for said in town.heard(ANN)))
    await town.quiet()
    assert heard_singing(town, *off) == []
    assert [bool(heard_singing(town, canary)) for canary in on] == [True] * 3
    seen = {turn.text: [said.text for said in turn.history] for turn in engine.asked}
    assert seen[on[1].words] == [on[0].words, on[0].words]
    assert seen[on[2].words] == []
    assert seen[f"{off[0]}\n{off[1]}\n{off[2]}"] == []


async def test_commands_among_words_in_several_requests(town: Town) -> None:
    on = [Canary() for _ in range(2)]
    off = [Canary() for _ in range(2)]
    at = int(time.time()) - 60
    for place, said in enumerate([on[0], "/otr", off[0], "/otr off", on[1], f"/otr {off[1]}"]):
        await town.say(ANN, str(said), at=at + place)
    await town.until(lambda: any(off[1].words in said for said in town.heard(ANN)))
    await town.quiet()
    assert heard_singing(town, *off) == []
    assert all(heard_singing(town, canary) for canary in on)


async def test_the_confirmation_goes_past_a_running_turn(town: Town, engine: FakeEngine) -> None:
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "slow")
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "/otr")
    assert await town.hears(ANN, 1) == [SENTENCES["otr"]]
    gate.open()
    assert await town.hears(ANN, 2) == [SENTENCES["otr"], "slow"]


async def test_what_carries_words_does_not_show_them(town: Town, engine: FakeEngine) -> None:
    """Reprs of all that is alive in the house while a turn runs off the record."""
    canary = Canary()
    gate = Gate()
    engine.answer_with = gate
    await go_off(town)
    await town.say(ANN, canary.words)
    await town.until(lambda: gate.waiting == 1)
    (turn,) = engine.asked
    house = town.up
    shown = [repr(turn), str(turn), f"{turn}", repr(house.volatile), repr(house.dispatcher)]
    for session in house.volatile._sessions.values():
        shown += [repr(session), *(repr(entry) for entry in session.entries.values())]
    for lane in house.dispatcher._lanes._lanes.values():
        shown += [repr(envelope) for envelope in lane.waiting]
    assert len(shown) > 6
    assert not any(canary.core in one for one in shown)
    gate.open()
    await town.hears(ANN, 2)
