"""The table of outcomes, row by row, on the record and off it: every message has exactly one.

Rows that have a file of their own:

| while a person has taken over | ``test_takeover.py`` |
| revoke of a message of this chat | ``test_revoke.py`` |
| ``/new`` to ``/status`` | ``test_off_the_record_sessions.py``, ``session/test_commands.py`` |
| from one of our own numbers, foreign ``phone_number_id`` | ``test_accounts.py`` too |
| off the record and lost by a restart | ``test_off_the_record_restart.py`` |
| window closed before it was answered | ``dispatch/test_window.py``, ``test_sending_held.py`` |
| recipient dead, our mistake | ``test_sending_statuses.py``, ``test_sending_addresses.py`` too |
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from openparallax.pipeline import EngineError
from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import behaviours, meta
from tests.fakes.engines import FakeEngine
from tests.flow.records import T0, assert_kept_as, begin, both_modes, logged, moment, troubles
from tests.town import ANN, BOB, Town

Outcome = tuple[meta.Item, str]
"""What came, and what is heard; "" is silence."""
ONLY_TEXT = SENTENCES["only_text"]
ANSWERED = {"text", "slash", "button reply", "list reply", "template reply"}


def limited(most: int, window_s: int = 60) -> dict[str, Any]:
    limit = {"window_seconds": window_s, "max_messages": most}
    return {"channels": {"whatsapp": {"rate_limit": limit}}}


def rows(at: int) -> dict[str, Outcome]:
    """Every row that is decided by the message alone."""

    def message(kind: str, content: object = None, **more: Any) -> meta.Item:
        return meta.message(ANN, kind, content, at=at, **more)

    def tapped(form: str, **content: Any) -> meta.Item:
        return message("interactive", {"type": form, form: content})

    def unsupported(code: int, what: str = "poll_creation") -> meta.Item:
        errors = [{"code": code, "title": "made up"}]
        return message("unsupported", {"type": what}, errors=errors)

    card = [{"name": {"formatted_name": "Canary"}, "phones": [{"phone": "+1 555"}]}]
    flow = {"name": "flow", "body": "Sent", "response_json": '{"a": 1}'}
    return {
        "text": (meta.text(ANN, "hello there", at=at), "hello there"),
        "slash": (meta.text(ANN, "/etc/hosts is broken", at=at), "/etc/hosts is broken"),
        "button reply": (tapped("button_reply", id="b", title="Yes"), "Yes"),
        "list reply": (tapped("list_reply", id="r", title="Tea", description="x"), "Tea"),
        "template reply": (message("button", {"payload": "p", "text": "Stop"}), "Stop"),
        "help": (meta.text(ANN, "/help", at=at), "What you can write"),
        "status": (meta.text(ANN, "/status", at=at), "he record. Conversation"),
        "mistyped": (meta.text(ANN, "/halp canary", at=at), "Did you mean /help?"),
        "image": (meta.media(ANN, caption="canary", at=at), ONLY_TEXT),
        "audio": (meta.media(ANN, "audio", at=at), ONLY_TEXT),
        "video": (meta.media(ANN, "video", at=at), ONLY_TEXT),
        "document": (meta.media(ANN, "document", at=at), ONLY_TEXT),
        "sticker": (meta.media(ANN, "sticker", at=at), ONLY_TEXT),
        "location": (message("location", {"latitude": 1, "longitude": 2}), ONLY_TEXT),
        "contacts": (message("contacts", card), ONLY_TEXT),
        "order": (message("order", {"catalog_id": "c", "text": "canary"}), ONLY_TEXT),
        "flow answer": (tapped("nfm_reply", **flow), ONLY_TEXT),
        "caption command": (meta.media(ANN, caption="/help", at=at), "What you can write"),
        "reaction": (message("reaction", {"message_id": "wamid.x", "emoji": "!"}), ""),
        "edit": (message("edit", {"original_message_id": "wamid.x", "message": {}}), ""),
        "group": (meta.text(ANN, "canary", at=at, group_id="g"), ""),
        "group picture": (meta.media(ANN, at=at, group_id="g"), ""),
        "welcome": (message("request_welcome"), ""),
        "tomorrow's": (message("hologram", {"body": "canary"}), ""),
        "a poll": (unsupported(131051), ""),
        "not available": (unsupported(131060, "media_placeholder"), SENTENCES["resend"]),
        "blank": (meta.text(ANN, " \n ", at=at), ""),
        "revoke of nothing": (meta.revoke(ANN, "wamid.x", at=at), ""),
    }


@both_modes
async def test_each_message_has_its_outcome(town: Town, engine: FakeEngine, mode: str) -> None:
    """One after the other in one house, each also a second time, which changes nothing."""
    await begin(town, mode)
    answered = 0
    for place, name in enumerate(rows(0), start=1):
        item, wanted = rows(T0 + place)[name]
        asked = len(engine.asked)
        for told in town.up.door._told.values():
            told.drop()  # as if a minute had passed
        await town.post(item, item)
        await town.post(item)
        await moment(town)
        heard = town.heard(ANN)[answered:]
        assert len(heard) == (1 if wanted else 0), (name, heard)
        assert all(wanted in said for said in heard), (name, heard)
        assert len(engine.asked) - asked == (name in ANSWERED), name
        answered += len(heard)
    prompts = " ".join(turn.text for turn in engine.asked)
    assert "canary" not in prompts
    if mode == "off the record":
        assert b"hello there" not in town.written()
    assert b"canary" not in town.written()
    assert troubles(town) == []
    assert await nothing_waits(town)


async def nothing_waits(town: Town) -> bool:
    def count(connection: Any) -> int:
        return int(connection.execute("SELECT count(*) FROM envelopes").fetchone()[0])

    return await town.up.database.read(count) == 0


@both_modes
async def test_one_notice_for_each_chat_and_minute(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    for _ in range(3):
        await town.post(meta.media(ANN), meta.media(ANN, "audio"), meta.media(BOB))
    for place in range(2):
        await town.post(rows(T0 + place)["not available"][0])
    await moment(town)
    assert (town.heard(ANN), town.heard(BOB)) == ([ONLY_TEXT, SENTENCES["resend"]], [ONLY_TEXT])
    assert town.up.metrics.value("inbound", "unreadable_again") == 8


# -- over the limit --------------------------------------------------------------------------------


@both_modes
async def test_over_the_limit_there_is_one_notice_and_nothing_is_kept(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    town.changes = limited(3)
    await town.restart()
    canary = Canary()
    await begin(town, mode)
    if mode == "on the record":
        await town.say(ANN, "0", at=T0 + 61)
        await moment(town)
    asked = len(engine.asked)
    for place in range(1 if mode == "on the record" else 0, 3):
        await town.say(ANN, f"{place}", at=T0 + 61 + place)
        await moment(town)
    for place in range(3, 8):
        await town.say(ANN, f"{canary} {place}", at=T0 + 61 + place)
    await town.say(ANN, "/status", at=T0 + 70)
    await town.post(meta.media(ANN, at=T0 + 70))
    await moment(town)
    heard = town.heard(ANN)
    assert heard[:3] == ["0", "1", "2"]
    assert heard[3] == SENTENCES["rate_limited"]
    assert "record. Conversation" in heard[4]
    assert heard[5:] == [ONLY_TEXT]
    assert len(engine.asked) - asked == (2 if mode == "on the record" else 3)
    assert town.up.metrics.value("inbound", "over_limit") == 5
    assert heard_singing(town, canary) == []
    assert canary.core not in str(town.up.volatile._sessions)
    await town.say(ANN, "later", at=T0 + 61 + 60)
    await town.until(lambda: town.heard(ANN)[-1:] == ["later"])
    assert canary.core not in str([one.text for one in engine.asked[-1].history])


async def test_a_backlog_after_an_outage_is_not_too_fast(town: Town) -> None:
    town.changes = limited(2)
    await town.restart()
    await town.post(*(meta.text(ANN, f"{n}", at=T0 - 50_000 + 31 * n) for n in range(100)))
    await town.until(lambda: "\n".join(town.heard(ANN)).count("\n") == 99)
    assert town.up.metrics.value("inbound", "over_limit") == 0


@both_modes
async def test_words_behind_a_command_count_and_the_command_does_not(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    town.changes = limited(1)
    await town.restart()
    canary = Canary()
    await begin(town, mode)
    await town.say(ANN, "one", at=T0 + 61)
    await town.say(ANN, f"/otr {canary}", at=T0 + 62)
    await town.say(ANN, "/help", at=T0 + 63)
    heard = await town.hears(ANN, 4)
    await moment(town)
    assert sorted(said[:10] for said in heard) == sorted(
        said[:10] for said in ("one", SENTENCES["otr"], SENTENCES["rate_limited"], "What you can")
    )
    assert heard_singing(town, canary) == []


# -- who is not answered ---------------------------------------------------------------------------


async def test_who_is_not_let_in_a_foreign_number_and_our_own(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = {"channels": {"whatsapp": {"allowed_numbers": [ANN]}}}
    await town.restart()
    canary = Canary()
    strangers = [
        meta.text(BOB, canary.words, name=canary.words),
        meta.media(BOB, caption=canary.words),
        meta.text(BOB, "/otr"),
        meta.revoke(BOB, "wamid.x"),
        meta.text(None, canary.words, user_id="US.13491208655302741918"),
    ]
    foreign = meta.text(ANN, canary.words, phone_number_id="999")
    own = meta.text(meta.DISPLAY_PHONE_NUMBER, canary.words)
    await town.post(*strangers, foreign, own, meta.text(ANN, "and I?"))
    assert await town.hears(ANN, 1) == ["and I?"]
    await moment(town)
    assert len(town.graph.calls) == len(engine.asked) == 1
    assert heard_singing(town, canary) == []
    for number in (BOB, "13491208655302741918", meta.DISPLAY_PHONE_NUMBER + '"'):
        assert number.encode() not in town.written()
    assert [line["contact"] for line in logged(town, "sender_not_allowed")] == [
        *["49…21"] * 4,
        "US…18",
    ]
    assert len(logged(town, "foreign_number_ignored")) == 1
    counted = [
        town.up.metrics.value("inbound", name)
        for name in ("not_allowed", "foreign_number", "own_number")
    ]
    assert counted == [5, 1, 1]


# -- what goes wrong -------------------------------------------------------------------------------


class Overloaded(EngineError):  # noqa: N818 - as engines name it
    """Refused."""


async def broken(_turn: Turn) -> Reply:
    raise RuntimeError


async def refused(_turn: Turn) -> Reply:
    raise Overloaded


async def empty(_turn: Turn) -> Reply:
    return Reply(text=" \n")


async def slow(_turn: Turn) -> Reply:
    await asyncio.sleep(30)
    return Reply(text="too late")


async def silent(_turn: Turn) -> Reply:
    return Reply(text=None)


@both_modes
@pytest.mark.parametrize(
    ("answer", "notice"),
    [
        (broken, "engine_failed"),
        (refused, "engine_failed"),
        (empty, "engine_failed"),
        (slow, "too_slow"),
        (silent, None),
    ],
)
async def test_an_engine_that_does_not_answer(
    town: Town,
    engine: FakeEngine,
    mode: str,
    answer: Callable[[Turn], Awaitable[Reply]],
    notice: str | None,
) -> None:
    """The person is told, or it is silent on purpose; the message stays in history."""
    town.changes = {"pipeline": [{"time_limit": {"seconds": 0.1}}]}
    await town.restart()
    canary, good = Canary(), engine.answer_with
    await begin(town, mode)
    engine.answer_with = answer
    await town.say(ANN, canary.words, at=T0 + 1)
    wanted = [] if notice is None else [SENTENCES[notice]]
    await town.hears(ANN, len(wanted))
    await moment(town)
    assert town.heard(ANN) == wanted
    engine.answer_with = good
    await town.say(ANN, "again", at=T0 + 2)
    await town.hears(ANN, len(wanted) + 1)
    assert canary.words in [one.text for one in engine.asked[-1].history]
    assert_kept_as(mode, town, canary)
    assert await nothing_waits(town)


@both_modes
@pytest.mark.parametrize("code", [131026, 100])
async def test_a_dead_recipient_and_our_own_mistake(town: Town, mode: str, code: int) -> None:
    await begin(town, mode)
    town.graph.plan = lambda _call: behaviours.error(code)
    await town.say(ANN, "hello?", at=T0 + 1)
    await town.until(lambda: bool(logged(town, "parcel_failed")))
    await moment(town)
    (line,) = logged(town, "parcel_failed")
    assert line["code"] == code
    assert town.up.metrics.value("sends", "failed") == 1
    assert await nothing_waits(town)
    town.graph.plan = None
    await town.say(ANN, "and now?", at=T0 + 2)
    assert (await town.hears(ANN, 1))[-1] == "and now?"


@both_modes
async def test_a_window_that_has_closed_joins_the_next_message(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    now = int(time.time())
    await begin(town, mode)
    await town.say(ANN, "long ago", at=now - 86400 + 30)
    await town.until(lambda: bool(logged(town, "turn_held")))
    await moment(town)
    assert town.heard(ANN) == []
    await town.say(ANN, "now", at=now)
    assert await town.hears(ANN, 1) == ["long ago\nnow"]


@both_modes
async def test_lost_words_are_told_of_once(
    town: Town, engine: FakeEngine, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.dispatch.turn.LOST_AFTER_S", 0.1)
    await begin(town, mode)
    town.up.dispatcher.stop_claiming()
    await town.say(ANN, "one", at=T0 + 1)
    await town.say(ANN, "two", at=T0 + 2)
    await town.restart()
    wanted = ["one\ntwo"] if mode == "on the record" else [SENTENCES["lost"]]
    await town.hears(ANN, 1)
    await moment(town)
    assert town.heard(ANN) == wanted
    assert await nothing_waits(town)
