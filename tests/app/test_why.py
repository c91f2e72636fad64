"""Each row of the table of outcomes, led through a real house: what ``why`` says of it.

Asked as the command asks, over the socket; once more without a daemon, of the file alone. Whatever
was said is nowhere in the answer.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from openparallax.app.why import asking
from openparallax.cli import control, offline
from openparallax.cli import why as command
from openparallax.dispatch import turn
from openparallax.errors import Refusal
from openparallax.model.parcel import ParcelState
from openparallax.pipeline import EngineError
from openparallax.plugin import Reply, Turn
from tests.canary import Canary
from tests.fakes import behaviours, meta
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.records import T0, begin, both_modes, moment
from tests.town import ANN, BOB, Town

CANARY = Canary()
STRANGER = "4930555000111"
DAY = 86_400


async def ask(town: Town, who: str = ANN, **more: Any) -> Any:
    """What the command would get, and print; nothing of it is a word of anybody's."""
    asked = {**command._meant(who), **more}
    socket = town.up.admin.socket
    assert socket is not None
    found = await asyncio.to_thread(control.ask, socket, "why", asked)
    return shown(found)


def shown(found: Any) -> Any:
    printed = "\n".join(command._lines(found))
    assert CANARY.found_in((printed + json.dumps(found)).encode()) == []
    return found


async def last(town: Town, who: str = ANN) -> dict[str, Any]:
    """The latest message of somebody: its outcome is what it is about."""
    message = (await ask(town, who))["messages"][-1]
    assert message["why"]
    return dict(message)


def steps(message: dict[str, Any]) -> list[str]:
    return [one["step"] for one in message["steps"]]


def limited(**more: Any) -> dict[str, Any]:
    return {"channels": {"whatsapp": more}}


# -- what is decided by the message ----------------------------------------------------------------


@both_modes
async def test_what_is_decided_at_the_door(town: Town, engine: FakeEngine, mode: str) -> None:
    await begin(town, mode)
    rows = {
        "answered": meta.text(ANN, CANARY.words, at=T0 + 1),
        "told": meta.text(ANN, "/help", at=T0 + 2),
        "told ": meta.text(ANN, f"/halp {CANARY}", at=T0 + 3),
        "unreadable": meta.media(ANN, caption=CANARY.words, at=T0 + 4),
        "unreadable_again": meta.media(ANN, caption=CANARY.words, at=T0 + 5),
        "silent": meta.message(ANN, "reaction", {"message_id": "w", "emoji": "!"}, at=T0 + 6),
    }
    for outcome, item in rows.items():
        await town.post(item)
        await moment(town)
        message = await last(town)
        assert message["outcome"] == outcome.strip(), message
        assert message["steps"], message
    await town.post(rows["answered"])
    assert (await last(town))["outcome"] == "silent"  # a repeat is no message
    found = await ask(town, most=200)
    assert found["allowed"]
    assert [one["mode"] for one in found["chats"]] == [mode]


async def test_the_whole_way_of_an_answer(town: Town, engine: FakeEngine) -> None:
    town.graph.report_to(town.url, meta.SECRET, lambda _: ("sent", "delivered", "read"))
    await town.say(ANN, CANARY.words)
    await town.until(lambda: [n.step for n in town.up.condition.parts.trail.notes()][-1] == "read")
    message = await last(town)
    assert steps(message) == ["queued", "asked", "answered", "posted", "sent", "delivered", "read"]
    assert message["why"] == "It was answered, and they have read it."
    number, parcel = message["turn"], message["parts"][0]["parcel"]
    for spelling in (str(number), f"turn={number}", f'"turn": {number},', f"parcel={parcel}"):
        assert (await ask(town, spelling))["messages"] == [message]
    assert (await ask(town, "chat=1"))["messages"] == [message]
    await town.restart()
    assert (await last(town))["why"] == "It was answered, and they have read it."
    found = await ask(town, f"turn={number}")
    assert found["messages"][0]["steps"] == []
    assert "what they wrote since never arrived here" in found["remarks"][-1]


async def test_not_let_in(town: Town, engine: FakeEngine) -> None:
    town.changes = limited(allowed_numbers=[f"+{ANN}"])
    await town.restart()
    nobody = await ask(town, f"+{BOB}")
    assert (nobody["is_known"], nobody["allowed"]) == (False, False)
    assert "not on allowed_numbers" in nobody["remarks"][0]
    assert "No webhook at all has come" in nobody["remarks"][-1]
    assert "what they wrote since never arrived here. " in nobody["remarks"][-1]
    await town.say(BOB, "let me in")
    message = await last(town, "+49 (0)151 876-54321")
    assert message["outcome"] == "not_allowed"
    assert "allowed_numbers" in message["to_do"]
    # Of who was not let in no more is kept than the log has: so it may be this one's, too.
    alike = await ask(town, STRANGER.replace("111", "221"))
    assert alike["messages"] == [message]
    assert [one for one in alike["remarks"] if "by 49…21 alone, as in the log: it may be" in one]
    await town.post(meta.text(ANN, "hi", phone_number_id="999999999999999"))
    assert (await last(town))["outcome"] == "foreign_number"
    town.changes = limited(allowed_numbers=[])
    await town.restart()
    assert (await ask(town, BOB))["allowed"] is True
    await town.say(ANN, "hello")
    stranger = await ask(town, STRANGER)
    assert not stranger["is_known"]
    assert "it never arrived here" in stranger["remarks"][-1]
    assert not [one for one in stranger["remarks"] if "alone, as in the log" in one]
    # Nor is it known whether they had written before the restart.
    assert "If they wrote within the last " in stranger["remarks"][-1]
    assert "Who was not let in or over the limit before that" in stranger["remarks"][-1]


@pytest.mark.parametrize(
    "who", ["Ann", "49\u202600", "*", "1 OR 1=1; DROP TABLE chats", "turn=99999999999999999999"]
)
async def test_what_is_no_address_is_not_taken_for_somebody(
    town: Town, engine: FakeEngine, who: str
) -> None:
    with pytest.raises(Refusal, match="neither a number with its country code") as refused:
        await ask(town, who)
    assert refused.value.exit_code == 2


async def test_one_of_our_own_numbers(town: Town, engine: FakeEngine) -> None:
    await town.say(meta.DISPLAY_PHONE_NUMBER.lstrip("+"), "hello, it is I")
    message = await last(town, meta.DISPLAY_PHONE_NUMBER)
    assert message["outcome"] == "own_number"


@both_modes
async def test_over_the_limit(town: Town, engine: FakeEngine, mode: str) -> None:
    town.changes = limited(rate_limit={"window_seconds": 3600, "max_messages": 2})
    await town.restart()
    await begin(town, mode)
    await town.say(ANN, "one", at=T0 + 1)
    await town.say(ANN, "two", at=T0 + 2)
    if mode == "off the record":
        await town.say(ANN, "three", at=T0 + 3)
    await moment(town)
    assert (await last(town))["outcome"] == "over_limit"
    assert "were told so" in (await last(town))["why"]
    await town.say(ANN, "four", at=T0 + 4)
    assert steps(await last(town)) == ["over_limit"]


# -- people ----------------------------------------------------------------------------------------


@both_modes
async def test_left_to_a_person_and_revoked(town: Town, engine: FakeEngine, mode: str) -> None:
    gate = Gate()
    await begin(town, mode)
    engine.answer_with = gate
    running = meta.text(ANN, "running", at=T0 + 1)
    await town.post(running)
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.revoke(ANN, str(running["message"]["id"]), at=T0 + 2))
    await moment(town)
    assert (await last(town))["outcome"] == "revoked"
    await town.say(ANN, "asked", at=T0 + 3)
    await town.until(lambda: gate.waiting == 2)
    await town.post(meta.echo(ANN, "I am here", at=T0 + 4))
    await town.say(ANN, "thanks", at=T0 + 5)
    await moment(town)
    for message in (await ask(town))["messages"][-2:]:
        assert message["outcome"] == "handed_over"
        assert "until 20" in message["why"]
    if mode == "on the record":
        await town.restart()
        assert (await last(town))["outcome"] == "handed_over"


async def test_by_hand(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    await town.up.posting.send({"to": ANN, "text": "we are closed", "wait": 5})
    for _ in range(2):
        message = await last(town)
        assert (message["is_ours"], message["outcome"]) == (True, "answered")
        assert message["why"].startswith("It was sent by hand")
        await town.restart()


# -- the engine ------------------------------------------------------------------------------------


async def _silence(_turn: Turn) -> Reply:
    return Reply(text=None)


async def _empty(_turn: Turn) -> Reply:
    return Reply(text=" ")


async def _breaks(_turn: Turn) -> Reply:
    raise ValueError("made up")


class _TooSlowError(EngineError):
    notice = "too_slow"


async def _too_slow(_turn: Turn) -> Reply:
    raise _TooSlowError


@both_modes
async def test_what_the_engine_did(town: Town, engine: FakeEngine, mode: str) -> None:
    await begin(town, mode)
    moods = {
        "silent_on_purpose": _silence,
        "engine_failed": _empty,
        "engine_failed ": _breaks,
        "too_slow": _too_slow,
    }
    for place, (outcome, mood) in enumerate(moods.items(), start=1):
        engine.answer_with = mood
        await town.say(ANN, "x", at=T0 + place)
        await moment(town)
        assert (await last(town))["outcome"] == outcome.strip()
    assert "engine_failed" in steps(await last(town))
    gate = engine.answer_with = Gate()
    await town.say(ANN, "slow", at=T0 + 10)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "behind", at=T0 + 11)
    slow, behind = (await ask(town))["messages"][-2:]
    assert (slow["outcome"], behind["outcome"]) == ("engine", "waiting")
    assert "has not answered yet" in slow["why"]
    gate.open()
    await moment(town)
    assert [one["outcome"] for one in (await ask(town))["messages"][-2:]] == ["answered"] * 2


async def test_answered_together(town: Town, engine: FakeEngine) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "first")
    await town.until(lambda: gate.waiting == 1)
    for words in ("second", "third"):
        await town.say(ANN, words)
    gate.open()
    await town.hears(ANN, 2)
    await town.quiet()
    for one in (await ask(town))["messages"][-2:]:
        assert steps(one) == ["queued", "asked", "answered", "posted", "sent"]
    for _ in range(2):
        second, third = (await ask(town))["messages"][-2:]
        assert second["why"].startswith(f"It was answered, together with turn {third['turn']}")
        assert second["parts"] == third["parts"]
        await town.restart()


async def test_off_the_record_and_lost(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "LOST_AFTER_S", 0.1)
    gate = engine.answer_with = Gate()
    await town.say(ANN, "/otr", at=T0 - 60)
    await town.hears(ANN, 1)
    await town.say(ANN, "secret", at=T0 - 50)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    await town.start()
    await town.hears(ANN, 2)
    await town.quiet()
    told = (await ask(town))["messages"]
    [message] = [one for one in told if one["outcome"] == "lost"]
    assert "lost" in steps(message)
    assert abs(message["at"] - (T0 - 50)) < 1  # when it came, and not when it was missed


# -- the window and Graph --------------------------------------------------------------------------


async def test_the_window_closed(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "of yesterday", at=T0 - DAY)
    await moment(town)
    message = await last(town)
    assert (message["outcome"], steps(message)) == ("held", ["queued", "held"])
    town.graph.queue(behaviours.error(131047))
    await town.say(BOB, "hello")
    await moment(town)
    assert (await last(town, BOB))["outcome"] == "held"
    await town.restart()
    assert [(await last(town, who))["outcome"] for who in (ANN, BOB)] == ["held"] * 2
    await town.say(ANN, "today")
    await town.hears(ANN, 1)
    await moment(town)
    assert "released" in steps((await ask(town))["messages"][0])


@pytest.mark.parametrize(
    ("mood", "outcome", "says"),
    [
        (behaviours.error(131026), "failed", "code 131026"),
        (behaviours.error(100), "failed", "code 100"),
        (behaviours.error(190, 401), "paused", "code 190"),
        (behaviours.error(130429), "deferred", "code 130429"),
        (behaviours.error(131056), "deferred", "code 131056"),
        (behaviours.http_500_before_accepting(), "in_doubt", "nobody knows"),
    ],
)
async def test_graph_did_not_take_it(
    town: Town, engine: FakeEngine, mood: behaviours.Behaviour, outcome: str, says: str
) -> None:
    town.changes = {"outbox": {"receipt_wait_seconds": 60}}
    await town.restart()
    town.graph.queue(mood)
    await town.say(ANN, "hello")
    await town.graph.wait_for_calls(1)
    await moment_or_two(town, outcome)
    message = await last(town)
    assert message["outcome"] == outcome, message
    assert says in message["why"]
    assert message["to_do"]
    if outcome == "paused":
        assert any("paused" in one for one in (await ask(town))["daemon"]["trouble"])


async def moment_or_two(town: Town, outcome: str) -> None:
    """What waits is never quiet."""
    word = "deferred" if outcome == "paused" else outcome
    trail = town.up.condition.parts.trail
    await town.until(lambda: any(note.step == word for note in trail.notes()))
    await asyncio.sleep(0.05)


async def test_meta_could_not_deliver_it(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "hello")
    await town.graph.wait_for(1)
    await town.quiet()
    message = await last(town)
    assert "has not said yet that it reached" in message["why"]
    call = town.graph.calls[0]
    await town.post(meta.status(call.wamid, "failed", callback=call.callback, code=131026))
    await moment(town)
    assert (await last(town))["outcome"] == "failed"


# -- nobody runs -----------------------------------------------------------------------------------


async def test_of_the_file_alone(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "hello")
    await town.until(lambda: gate.waiting == 1)
    await town.say(BOB, "/otr")
    await town.hears(BOB, 1)
    await town.until(lambda: town.up.outbox.waiting == 0)
    await town.crash()
    database, config = town.state / "openparallax.db", town.folder / "config.yaml"

    async def of(who: str, path: Path | None = None) -> Any:
        asked = command._meant(who)
        return shown(await asyncio.to_thread(offline.why, path or config, database, asked))

    found = await of(ANN)
    assert found["messages"][-1]["outcome"] == "waiting"
    assert "daemon is not running" in found["messages"][-1]["why"]
    assert (found["allowed"], found["daemon"]["is_running"]) == (None, False)
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "token")
    monkeypatch.setenv("WHATSAPP_APP_SECRET", meta.SECRET)
    assert (await of(ANN))["allowed"] is True
    off = await of(BOB)
    assert off["messages"][-1]["parts"][0]["notice"] == "otr"
    nobody = await of(STRANGER)
    assert not nobody["is_known"]
    assert "only the file was asked" in nobody["remarks"][-1]
    gate.open()
    await town.start()
    await town.hears(ANN, 1)


def test_every_state_of_a_parcel_has_its_sentence() -> None:
    assert asking.FIRST < asking.MOST
    from openparallax.app.why import sent  # noqa: PLC0415 - of this test alone

    assert set(sent._WORST) == set(ParcelState)
