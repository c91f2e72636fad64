"""A person of ours answers from the phone: the engine is silent, and knows later what was said."""

import asyncio
import time
from typing import Any

import pytest

from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from openparallax.transcript.durable import DurableTranscript
from tests.canary import Canary, heard_singing
from tests.fakes import behaviours, meta
from tests.fakes.engines import FakeEngine, Gate, echo
from tests.flow.records import T0, assert_kept_as, begin, both_modes, logged, moment, troubles
from tests.town import ANN, BOB, Town

HOUR = 3600
WHATSAPP = {"channels": {"whatsapp": {"presence": "typing"}}}


def spoken(engine: FakeEngine) -> list[tuple[str, str]]:
    """The history that the engine was shown last."""
    return [(one.role, one.text) for one in engine.asked[-1].history]


@both_modes
async def test_the_answer_of_a_running_turn_never_goes_out(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    canary, gate = Canary(), Gate()
    await begin(town, mode)
    engine.answer_with = gate
    await town.say(ANN, f"running {canary}", at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, f"waiting {canary}", at=T0 + 2)
    await town.post(meta.echo(ANN, f"I am here {canary}", at=T0 + 3))
    gate.open()
    await moment(town)
    assert town.heard(ANN) == []
    assert len(engine.asked) == (1 if mode == "off the record" else 2)
    assert len(logged(town, "taken_over")) == 1
    assert_kept_as(mode, town, canary)
    assert troubles(town) == []


@both_modes
async def test_what_was_said_meanwhile_is_in_the_next_prompt_in_order(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    gate, canary = Gate(), Canary()
    await begin(town, mode)
    engine.answer_with = gate
    await town.say(ANN, "first", at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "second", at=T0 + 2)
    await town.post(meta.echo(ANN, "it is me", at=T0 + 3))
    gate.open()
    await town.quiet()
    await town.say(ANN, "thanks", at=T0 + 4)
    await town.post(meta.echo(ANN, f"bye {canary}", at=T0 + 5), meta.echo(ANN, kind="image", at=1))
    await moment(town)
    assert town.heard(ANN) == []
    engine.answer_with = echo
    await town.say(ANN, "anybody?", at=T0 + 5 + HOUR)
    assert await town.hears(ANN, 1) == ["anybody?"]
    said = [one for one in spoken(engine) if one[1] != "hello"]
    assert said == [
        ("contact", "first"),
        ("contact", "second"),
        ("engine", "it is me"),
        ("contact", "thanks"),
        ("engine", f"bye {canary}"),
    ]
    assert_kept_as(mode, town, canary)


@both_modes
async def test_silence_lasts_so_long_and_is_not_marked_read(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    town.changes = WHATSAPP
    await town.restart()
    await begin(town, mode)
    await moment(town)
    town.graph.reads.clear()
    await town.post(meta.echo(ANN, "mine", at=T0))
    asked = len(engine.asked)
    for late in (0, 1, HOUR - 1):
        await town.say(ANN, f"{late} s later", at=T0 + late)
    await town.post(meta.media(ANN, at=T0 + 10), meta.message(ANN, "reaction", {}, at=T0 + 11))
    # An answer to a command goes out, but does not mark as read what came before it.
    await town.say(ANN, "/status", at=T0 + 12)
    assert "record" in (await town.hears(ANN, 1))[0]
    await moment(town)
    assert len(town.heard(ANN)) == 1
    assert (len(engine.asked), town.graph.reads) == (asked, [])
    await town.say(BOB, "and I?", at=T0 + 13)
    await town.hears(BOB, 1)
    await town.say(ANN, "over", at=T0 + HOUR)
    assert (await town.hears(ANN, 2))[-1] == "over"
    assert [one[1] for one in spoken(engine)][-3:] == [
        "0 s later", "1 s later", f"{HOUR - 1} s later"
    ]  # fmt: skip
    await town.until(lambda: len(town.graph.reads) == 2)


async def test_with_no_minutes_the_silence_ends_at_once(town: Town, engine: FakeEngine) -> None:
    town.changes = {"channels": {"whatsapp": {"human_takeover_minutes": 0}}}
    await town.restart()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "before", at=T0)
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.echo(ANN, "mine", at=T0 + 1))
    await town.say(ANN, "older", at=T0)
    await town.say(ANN, "newer", at=T0 + 1)
    gate.open()
    assert await town.hears(ANN, 1) == ["newer"]
    await moment(town)
    assert town.heard(ANN) == ["newer"]
    assert [text for _, text in spoken(engine)] == ["before", "mine", "older"]


@both_modes
async def test_what_waits_to_be_sent_is_withdrawn_but_not_answers_to_commands(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    canary = Canary()

    async def at_length(_turn: Turn) -> Reply:
        return Reply(text=f"{canary} " + "long " * 2000)

    engine.answer_with = at_length
    town.graph.queue(town.graph.hang(accepts=True))
    await town.say(ANN, "tell me", at=T0 + 1)
    await town.graph.wait_for_calls(len(town.graph.calls) + 1)
    await town.post(meta.media(ANN, at=T0 + 2))
    await town.say(ANN, "/status", at=T0 + 2)
    await town.until(lambda: town.up.outbox.waiting >= 4)
    await town.post(meta.echo(ANN, "never mind the machine", at=T0 + 3))
    town.graph.release()
    heard = await town.hears(ANN, 2)
    await moment(town)
    assert len(town.heard(ANN)) == 2
    assert heard[0].startswith(canary.words)
    assert "onversation" in heard[1]
    assert_kept_as(mode, town, canary)


@both_modes
async def test_commands_are_obeyed_meanwhile(town: Town, mode: str) -> None:
    canary = Canary()
    await begin(town, mode)
    await town.post(meta.echo(ANN, "mine", at=T0 + 1))
    await town.say(ANN, f"/otr {canary}", at=T0 + 2)
    assert await town.hears(ANN, 1) == [SENTENCES["otr"]]
    await town.post(meta.echo(ANN, f"I say {canary}", at=T0 + 3))
    await town.say(ANN, f"{canary} again", at=T0 + 4)
    await town.say(ANN, "/otr off", at=T0 + 5)
    await town.say(ANN, "/ort", at=T0 + 6)
    await town.until(lambda: len(town.heard(ANN)) == 3)
    assert town.heard(ANN)[1] == SENTENCES["otr_off"]
    assert "/otr" in town.heard(ANN)[2]
    assert heard_singing(town, canary) == []


@both_modes
async def test_a_restart_in_the_middle(town: Town, engine: FakeEngine, mode: str) -> None:
    canary, gate = Canary(), Gate()
    await begin(town, mode)
    engine.answer_with = gate
    await town.say(ANN, f"running {canary}", at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    said = meta.echo(ANN, f"mine {canary}", at=T0 + 2)
    await town.post(said)
    await town.crash()
    engine.running_chats.clear()
    engine.answer_with = echo
    await town.start()
    await town.post(said)
    await town.say(ANN, "silent", at=T0 + 3)
    await moment(town)
    assert town.heard(ANN) == []
    await town.say(ANN, "over", at=T0 + 2 + HOUR)
    await town.hears(ANN, 1)
    kept = [text for _, text in spoken(engine) if text != "hello"]
    if mode == "on the record":
        assert kept == [f"running {canary}", f"mine {canary}", "silent"]
    else:
        assert kept == ["silent"]
    assert_kept_as(mode, town, canary)


async def test_an_echo_that_comes_twice_counts_once(town: Town, engine: FakeEngine) -> None:
    said = meta.echo(ANN, "mine", at=T0 + 1)
    await town.say(ANN, "hello", at=T0)
    await town.hears(ANN, 1)
    await town.post(said, said)
    await town.post(said)
    await town.say(ANN, "over", at=T0 + 1 + HOUR)
    await town.hears(ANN, 2)
    assert [text for _, text in spoken(engine)] == ["hello", "hello", "mine"]


async def test_an_echo_to_somebody_unknown_and_to_somebody_not_let_in(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = {"channels": {"whatsapp": {"allowed_numbers": [ANN]}}}
    await town.restart()
    canary = Canary()
    await town.post(meta.echo(BOB, canary.words, at=T0), meta.echo(ANN, "welcome", at=T0))
    await town.post(meta.echo(ANN, "nobody's", at=T0, phone_number_id="999"))
    await town.say(ANN, "thanks", at=T0 + 1)
    await moment(town)
    assert town.heard(ANN) == []
    await town.say(ANN, "over", at=T0 + HOUR)
    await town.hears(ANN, 1)
    assert len(engine.asked) == 1
    assert heard_singing(town, canary) == []
    assert BOB.encode() not in town.written()
    assert town.up.metrics.value("inbound", "echo_ignored") == 2


@both_modes
async def test_the_person_deletes_what_they_wrote(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    canary = Canary()
    await begin(town, mode)
    said = meta.echo(ANN, f"oops {canary}", at=T0 + 1)
    await town.post(said, meta.echo(ANN, "kept", at=T0 + 2))
    await town.post(meta.echo_revoke(ANN, said["echo"]["id"], at=T0 + 3))
    assert heard_singing(town, canary) == []
    # The other way round: told of it before it came; it silences all the same.
    late = meta.echo(ANN, f"late {canary}", at=T0 + 5)
    await town.post(meta.echo_revoke(ANN, late["echo"]["id"], at=T0 + 6))
    await town.post(late)
    await town.say(ANN, "silent", at=T0 + 4 + HOUR)
    await town.say(ANN, "over", at=T0 + 5 + HOUR)
    await town.hears(ANN, 1)
    assert heard_singing(town, canary) == []
    said_now = [text for _, text in spoken(engine) if text != "hello"]
    assert said_now == (["kept"] if mode == "on the record" else []) + ["silent"]


async def test_an_echo_that_comes_days_late_leaves_what_is_newer_alone(
    town: Town, engine: FakeEngine
) -> None:
    gate = Gate()
    await begin(town, "on the record")
    town.graph.queue(behaviours.error(131056))  # the answer has to wait
    await town.say(ANN, "waits to be sent", at=T0)
    await town.graph.wait_for_calls(2)
    engine.answer_with = gate
    await town.say(ANN, "running", at=T0)
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.echo(ANN, "yesterday's", at=T0 - 86400))
    gate.open()
    await town.say(ANN, "new", at=T0 + 1)
    await town.until(lambda: engine.asked[-1].text == "new")
    await town.until(lambda: town.up.outbox.waiting == 3)
    counts = await town.up.database.read(
        lambda c: c.execute("SELECT count(*) FROM parcels WHERE state = 13").fetchone()
    )
    assert counts == (0,)


async def test_a_late_echo_silences_what_was_written_after_it(
    town: Town, engine: FakeEngine
) -> None:
    """It overtook nothing: in the silence the contact had written, and the engine was asked."""
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "answered by the person", at=T0 + 5)
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.echo(ANN, "mine", at=T0))
    gate.open()
    await moment(town)
    assert town.heard(ANN) == []


async def test_an_echo_from_the_future_silences_from_now(town: Town) -> None:
    now = int(time.time())
    await town.post(meta.echo(ANN, "mine", at=now + 10**9))
    await town.say(ANN, "hello", at=now + HOUR + 60)
    await town.hears(ANN, 1)


async def test_a_late_otr_takes_the_persons_words_along(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await begin(town, "on the record")
    await town.post(meta.echo(ANN, f"about {canary}", at=T0 + 20))
    assert canary.core.encode() in town.written()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    await town.say(ANN, "back", at=T0 + 30 + HOUR)
    await town.until(lambda: town.heard(ANN)[-1:] == ["back"])
    assert heard_singing(town, canary) == []


@both_modes
async def test_an_echo_and_otr_in_one_request(town: Town, engine: FakeEngine, mode: str) -> None:
    canary = Canary()
    await begin(town, mode)
    await town.post(
        meta.echo(ANN, canary.words, at=T0 + 2),
        meta.text(ANN, f"first {canary}", at=T0 + 3),
        meta.text(ANN, "/otr", at=T0 + 1),
    )
    await town.hears(ANN, 1)
    await town.say(ANN, "over", at=T0 + 2 + HOUR)
    await town.hears(ANN, 2)
    assert [text for _, text in spoken(engine)] == [f"first {canary}"]
    assert heard_singing(town, canary) == []


async def test_a_takeover_in_the_same_commit_as_the_end_of_the_turn(
    town: Town, engine: FakeEngine
) -> None:
    """Whichever comes first: the answer is out, or it never goes; the words are kept once."""
    for place in range(6):
        who = f"491510000000{place}"
        gate = Gate()
        engine.answer_with = gate
        await town.say(who, "hello", at=T0)
        await town.until(lambda gate=gate: gate.waiting == 1)  # type: ignore[misc]
        posting = asyncio.ensure_future(town.post(meta.echo(who, "mine", at=T0 + 1)))
        await asyncio.sleep(0.001 * place)
        gate.open()
        await posting
        await town.quiet()
        engine.answer_with = echo
        await town.say(who, "over", at=T0 + 1 + HOUR)
        await town.until(lambda who=who: town.heard(who)[-1:] == ["over"])  # type: ignore[misc]
        said = [text for _, text in spoken(engine)]
        assert said in (["hello", "mine"], ["hello", "hello", "mine"])
        assert len(town.heard(who)) == len(said) - 1
    assert troubles(town) == []


@pytest.mark.parametrize("kind", ["image", "poll_creation"])
async def test_whatever_the_person_sends_silences(town: Town, kind: str) -> None:
    await town.post(meta.echo(ANN, kind=kind, at=T0))
    await town.say(ANN, "hello", at=T0 + 1)
    await moment(town)
    assert town.heard(ANN) == []


async def test_a_picture_of_the_persons_leaves_the_words_in_the_history(
    town: Town, engine: FakeEngine
) -> None:
    """The history is at hand by then, and has to be read anew."""
    gate = Gate()
    await begin(town, "on the record")
    engine.answer_with = gate
    await town.say(ANN, "running", at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.echo(ANN, kind="image", at=T0 + 2))
    gate.open()
    await town.say(ANN, "over", at=T0 + 2 + HOUR)
    await town.hears(ANN, 1)
    assert [text for _, text in spoken(engine)] == ["hello", "hello", "running"]


async def test_a_turn_of_the_process_before_that_is_taken_over_as_it_begins(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its words are being read in that moment; nothing breaks, and nothing goes out."""
    town.up.dispatcher.stop_claiming()
    await town.say(ANN, "hello", at=T0 + 1)
    await town.crash()
    reading, go_on = asyncio.Event(), asyncio.Event()
    read = DurableTranscript.read

    async def wait_and_read(self: DurableTranscript, *key: Any) -> Any:
        reading.set()
        await go_on.wait()
        return await read(self, *key)

    monkeypatch.setattr(DurableTranscript, "read", wait_and_read)
    await town.start()
    await reading.wait()
    await town.post(meta.echo(ANN, "mine", at=T0 + 2))
    go_on.set()
    await moment(town)
    assert (town.heard(ANN), engine.asked) == ([], [])
    assert troubles(town) == []


async def test_an_answer_that_may_have_arrived_is_not_sent_again_after_they_took_over(
    town: Town, engine: FakeEngine
) -> None:
    town.graph.queue(behaviours.cut_before_accepting())
    await town.say(ANN, "hello", at=T0)
    await town.graph.wait_for_calls(1)
    await town.post(meta.echo(ANN, "let me see", at=T0 + 1))
    await town.quiet()
    assert town.heard(ANN) == []
    assert len(town.graph.calls) == 1


@both_modes
async def test_an_answer_that_never_went_out_is_not_shown_as_said(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    town.graph.queue(town.graph.hang(accepts=True))
    await town.say(ANN, "one", at=T0 + 1)
    await town.graph.wait_for_calls(len(town.graph.calls) + 1)
    await town.say(ANN, "two", at=T0 + 2)
    await town.until(lambda: town.up.outbox.waiting == 2)
    await town.post(meta.echo(ANN, "I am here", at=T0 + 3))
    town.graph.release()
    await town.quiet()
    await town.say(ANN, "three", at=T0 + 4 + HOUR)
    await town.until(lambda: engine.asked[-1].text == "three")
    assert spoken(engine)[-4:] == [
        ("contact", "one"),
        ("engine", "one"),
        ("contact", "two"),
        ("engine", "I am here"),
    ]
