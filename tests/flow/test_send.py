"""What the operator sends by hand, from the control call to what the person got."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from openparallax.errors import Refusal
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.behaviours import error, ok
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.records import begin, both_modes
from tests.flow.sending import TurnedTown
from tests.town import ANN, BOB, Town

SECOND = "2234567890123456"
DAY_S = 86400


async def send(town: Town, text: str, to: str = ANN, **more: Any) -> dict[str, Any]:
    asked = {"to": to, "account": None, "text": text, "wait": 60, **more}
    return await town.up.posting.send(asked)


async def test_it_arrives_and_the_engine_sees_it_later(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    answer = await send(town, "*Anna* here, _by hand_", to="+49 (0)1511 2345678")
    assert answer == {
        "chat": 1,
        "parcels": [answer["parcels"][0]],
        "state": "accepted",
        "code": None,
        "hint": "",
    }
    assert town.heard(ANN) == ["hello", "*Anna* here, _by hand_"]
    await town.say(ANN, "who?")
    await town.hears(ANN, 3)
    history = [(spoken.role, spoken.text) for spoken in engine.asked[-1].history]
    assert history == [
        ("contact", "hello"),
        ("engine", "hello"),
        ("engine", "*Anna* here, _by hand_"),
    ]
    assert "operator_sent" in town.log.getvalue()
    assert "by hand" not in town.log.getvalue()


async def test_it_is_still_in_the_history_after_a_restart(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    await send(town, "by hand")
    await town.restart()
    await town.say(ANN, "again")
    await town.hears(ANN, 3)
    assert [spoken.text for spoken in engine.asked[-1].history] == ["hello", "hello", "by hand"]


async def test_a_long_text_goes_in_parts(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    text = "word " * 2000 + "end"
    answer = await send(town, text)
    assert (answer["state"], len(answer["parcels"])) == ("accepted", 3)
    assert " ".join(town.heard(ANN)[1:]).split() == text.split()
    await town.say(ANN, "more")
    await town.hears(ANN, 5)
    assert engine.asked[-1].history[-1].text == text


async def test_metas_code_and_what_to_do(town: Town) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    town.graph.queue(error(131026))
    answer = await send(town, "by hand")
    assert (answer["state"], answer["code"]) == ("failed", 131026)
    assert "not on WhatsApp" in answer["hint"]


async def test_it_comes_behind_what_waits_and_before_a_turn_that_runs(
    town: Town, engine: FakeEngine
) -> None:
    hung = town.graph.hang(accepts=True)
    town.graph.queue(hung)
    await town.say(ANN, "one")
    await town.graph.wait_for_calls(1)
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "two")
    await town.until(lambda: gate.waiting == 1)
    sending = asyncio.create_task(send(town, "by hand"))
    await town.until(lambda: town.up.outbox.waiting == 2)
    assert len(town.graph.calls) == 1
    town.graph.release()
    assert (await sending)["state"] == "accepted"
    gate.open()
    assert await town.hears(ANN, 3) == ["one", "by hand", "two"]


async def test_nobody_is_written_to_who_did_not_write(town: Town) -> None:
    with pytest.raises(Refusal, match="nobody with that number or id has written") as refused:
        await send(town, "hello")
    assert refused.value.exit_code == 1
    await town.say(ANN, "hello")
    with pytest.raises(Refusal, match="nobody with that number") as refused:
        await send(town, "hello", to=BOB)
    assert BOB not in str(refused.value)


async def test_nor_after_a_day_of_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        await town.say(ANN, "hello", at=int(town.clock.now()))
        await town.hears(ANN, 1)
        town.turned.jump(DAY_S - 600)
        await town.settle()
        assert (await send(town, "in time", wait=0))["state"] == "waiting"
        await town.hears(ANN, 2)
        town.turned.jump(600)
        with pytest.raises(Refusal, match=r"24-hour window closed at 20\d\d-.* UTC: .*templates"):
            await send(town, "too late")
        assert len(town.graph.calls) == 2


async def test_graph_knows_better_that_the_window_is_closed(town: Town) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    town.graph.queue(error(131047))
    answer = await send(town, "by hand")
    assert (answer["state"], answer["code"]) == ("waiting", 131047)
    assert "kept until they write" in answer["hint"]
    await town.say(ANN, "back")
    assert set(await town.hears(ANN, 3)) == {"hello", "by hand", "back"}


async def test_a_paused_number_says_so_and_the_message_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        await town.say(ANN, "hello", at=int(town.clock.now()))
        await town.hears(ANN, 1)
        town.graph.queue(error(190, 401))
        sending = asyncio.create_task(send(town, "by hand", wait=3))
        await town.turn_until(sending.done)
        answer = sending.result()
        assert (answer["state"], answer["code"]) == ("waiting", 190)
        assert "sending is paused" in answer["hint"]
        assert "System User token" in answer["hint"]
        await town.turn_until(lambda: town.heard(ANN) == ["hello", "by hand"])


async def test_an_outcome_that_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        await town.say(ANN, "hello", at=int(town.clock.now()))
        await town.hears(ANN, 1)
        town.graph.queue(error(131000))
        sending = asyncio.create_task(send(town, "by hand", wait=3))
        await town.turn_until(sending.done)
        assert sending.result()["state"] == "waiting"
        assert "do not send again" in sending.result()["hint"]


async def test_whoever_waits_does_not_hold_up_the_end(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.app.house.SEND_GRACE_S", 60)
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    town.graph.queue(town.graph.hang(accepts=True))
    sending = asyncio.create_task(send(town, "by hand", wait=600))
    await town.graph.wait_for_calls(2)
    stopping = asyncio.create_task(town.stop())
    async with asyncio.timeout(20):
        assert (await sending)["state"] == "waiting"
    town.graph.release()
    await stopping


async def test_off_the_record_it_is_in_memory_only(town: Town, engine: FakeEngine) -> None:
    canary, by_hand = Canary(), Canary()
    now = int(time.time())
    await town.say(ANN, "/otr", at=now - 10)
    await town.say(ANN, canary.words, at=now - 9)
    await town.hears(ANN, 2)
    assert (await send(town, by_hand.words))["state"] == "accepted"
    assert town.heard(ANN) == [SENTENCES["otr"], canary.words, by_hand.words]
    await town.say(ANN, "and?", at=now)
    await town.hears(ANN, 4)
    assert [spoken.text for spoken in engine.asked[-1].history][-1] == by_hand.words
    await town.quiet()
    assert heard_singing(town, canary, by_hand) == []
    town.up.door.is_draining = True
    with pytest.raises(Refusal, match="stopping") as refused:
        await send(town, by_hand.words)
    assert refused.value.exit_code == 69
    await town.restart()
    # Whether the window is open the file cannot know: Graph says.
    town.graph.queue(error(131047))
    answer = await send(town, by_hand.words)
    assert (answer["state"], answer["code"]) == ("waiting", 131047)
    assert heard_singing(town, by_hand) == []


async def test_an_otr_from_before_takes_it_off_the_record(town: Town) -> None:
    by_hand = Canary()
    now = int(time.time())
    await town.say(ANN, "hello", at=now - 20)
    await town.hears(ANN, 1)
    await send(town, by_hand.words)
    await town.quiet()
    assert heard_singing(town, by_hand) != []
    await town.say(ANN, "/otr", at=now - 10)
    await town.quiet()
    assert heard_singing(town, by_hand) == []


async def test_who_is_forgotten_leaves_nothing_of_it(town: Town) -> None:
    by_hand = Canary()
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    await send(town, f"{by_hand} " * 300)
    await town.quiet()
    assert heard_singing(town, by_hand) != []
    await town.up.operator.forget({"who": ANN})
    assert heard_singing(town, by_hand) == []


async def test_a_disk_that_fails_sends_nothing(town: Town) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    await town.quiet()
    town.up.database._writer._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(Refusal, match="nothing was sent: the database refused") as refused:
        await send(town, "by hand")
    assert refused.value.exit_code == 69  # 75 would say that it is kept
    town.up.database._writer._connection.execute("PRAGMA query_only = OFF")
    assert (await send(town, "again"))["state"] == "accepted"
    assert town.heard(ANN) == ["hello", "again"]


async def test_several_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"channels": {"whatsapp": {"accounts": [{"phone_number_id": SECOND}]}}}
    async with Town(tmp_path, monkeypatch, changes=changes) as town:
        await town.say(ANN, "hello")
        await town.hears(ANN, 1)
        with pytest.raises(Refusal, match=f"--account .*{meta.PHONE_NUMBER_ID} and {SECOND}") as no:
            await send(town, "by hand")
        assert no.value.exit_code == 2
        with pytest.raises(Refusal, match="is not configured"):
            await send(town, "by hand", account="999")
        with pytest.raises(Refusal, match=f"nobody .* has written to {SECOND}"):
            await send(town, "by hand", account=SECOND)
        assert (await send(town, "by hand", account=meta.PHONE_NUMBER_ID))["state"] == "accepted"


# -- what never went out is not shown as said --------------------------------------------------


def said(engine: FakeEngine) -> list[str]:
    """The history that the engine was shown last."""
    return [one.text for one in engine.asked[-1].history]


@both_modes
async def test_what_meta_refuses_for_good(town: Town, engine: FakeEngine, mode: str) -> None:
    await begin(town, mode)
    await town.say(ANN, "hi")
    await town.hears(ANN, 1)
    await town.quiet()
    town.graph.queue(error(131026))
    assert (await send(town, "refused"))["state"] == "failed"
    assert (await send(town, "undelivered"))["state"] == "accepted"
    assert (await send(town, "arrives"))["state"] == "accepted"
    call = town.graph.accepted[-2]
    await town.post(meta.status(call.wamid, "failed", callback=call.callback, code=131026))
    await town.say(ANN, "and?")
    await town.until(lambda: "and?" in town.heard(ANN))
    assert said(engine)[-1] == "arrives"
    assert not {"refused", "undelivered"} & set(said(engine))


@both_modes
async def test_what_failed_and_was_delivered_all_the_same(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    await town.say(ANN, "hi")
    await town.hears(ANN, 1)
    await town.quiet()
    assert (await send(town, "by hand"))["state"] == "accepted"
    calls = town.graph.accepted[-2:]
    for call in calls:
        await town.post(meta.status(call.wamid, "failed", callback=call.callback, code=131026))
    await town.say(ANN, "and?")
    await town.until(lambda: "and?" in town.heard(ANN))
    assert "engine" not in [one.role for one in engine.asked[-1].history if one.text != "hello"]
    for call in calls:
        await town.post(meta.status(call.wamid, "delivered", callback=call.callback))
    await town.say(ANN, "now?")
    await town.until(lambda: "now?" in town.heard(ANN))
    spoken = [(one.role, one.text) for one in engine.asked[-1].history if one.text != "hello"]
    assert spoken == [
        ("contact", "hi"),
        ("engine", "hi"),
        ("engine", "by hand"),
        ("contact", "and?"),
        ("engine", "and?"),
    ]


async def test_of_several_parts_one_that_went_out_is_enough(town: Town, engine: FakeEngine) -> None:
    await begin(town, "on the record")
    town.graph.queue(ok(), error(131026))
    half, whole = "word " * 900, "text " * 900
    assert (await send(town, half + "end"))["state"] == "failed"
    town.graph.queue(error(131026), error(131026))
    assert (await send(town, whole + "end"))["state"] == "failed"
    await town.say(ANN, "and?")
    await town.hears(ANN, 2)
    assert said(engine)[-1] == half + "end"


@both_modes
async def test_what_a_takeover_withdraws(town: Town, engine: FakeEngine, mode: str) -> None:
    town.changes = {"channels": {"whatsapp": {"human_takeover_minutes": 0}}}
    await town.restart()
    await begin(town, mode)
    await town.say(ANN, "hi")
    await town.hears(ANN, 1)
    await town.quiet()
    town.graph.queue(error(131047))
    assert (await send(town, "by hand"))["state"] == "waiting"
    await town.post(meta.echo(ANN, "by phone"))
    await town.say(ANN, "and?", at=int(time.time()) + 2)
    await town.until(lambda: "and?" in town.heard(ANN))
    assert "by hand" not in [*said(engine), *town.heard(ANN)]
    assert said(engine)[-1] == "by phone"


async def test_an_otr_from_before_takes_what_was_refused_too(town: Town) -> None:
    by_hand = Canary()
    now = int(time.time())
    await town.say(ANN, "hello", at=now - 20)
    await town.hears(ANN, 1)
    town.graph.queue(error(131026))
    await send(town, by_hand.words)
    await town.say(ANN, "/otr", at=now - 10)
    await town.quiet()
    assert heard_singing(town, by_hand) == []


# -- in order, and all of it -------------------------------------------------------------------


@both_modes
async def test_all_that_was_said_to_be_kept_goes_out_in_the_end(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    """The engine's reply is as old as they are, and gives way: it is not shown as said."""
    await begin(town, mode)
    town.graph.plan = lambda _call: error(131047)
    before = len(town.graph.calls)
    await town.say(ANN, "hi")
    await town.until(lambda: len(town.graph.calls) > before)
    for text in ("one", "two"):
        assert "kept until they write" in (await send(town, text))["hint"]
    await town.quiet()
    assert len(town.graph.calls) <= before + 4  # and is not asked again and again
    town.graph.plan = None
    await town.say(ANN, "back", at=int(time.time()) + 2)
    assert await town.hears(ANN, 3) == ["one", "two", "back"]
    assert said(engine)[-3:] == ["hi", "one", "two"]
    assert said(engine).count("hi") == 1


async def test_what_waits_in_a_chat_that_was_merged_goes_first(town: Town) -> None:
    """Also where the person wrote in that chat only, their window is open."""
    who = "DE.10010010010010010010"
    now = int(time.time())
    await town.post(meta.text(None, "by id", user_id=who, at=now - DAY_S - 9))
    await town.quiet()
    town.graph.queue(town.graph.hang(accepts=True))
    await town.say(ANN, "by number", at=now - 8)
    await town.graph.wait_for_calls(1)
    await town.post(meta.preference(ANN, user_id=who, at=now - 7))
    with pytest.raises(Refusal, match="under another id, is still on its way") as refused:
        await send(town, "too early", to=who, wait=0)
    assert refused.value.exit_code == 69
    sending = asyncio.create_task(send(town, "by hand", to=who))
    town.graph.release()
    assert (await sending)["state"] == "accepted"
    assert town.heard(ANN) == ["by number", "by hand"]


async def test_a_number_of_ours_is_not_written_to(town: Town) -> None:
    await town.say(ANN, "hello")
    with pytest.raises(Refusal, match="a number of ours"):
        await send(town, "hello", to=meta.DISPLAY_PHONE_NUMBER)
