"""What is taken, what people see of it, and what Graph does instead when it is told to."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from openparallax.emulator import Behaviour, Message
from openparallax.emulator.calls import Call
from openparallax.emulator.webhooks.update import Update
from tests.emulator.graph.desk import Desk, desk
from tests.emulator.graph.saying import (
    ANN,
    CAROL,
    NOBODY,
    body_of,
    buttons,
    heard,
    rows,
    said,
    send,
    template,
    text,
    word,
)
from tests.fakes.clock import TurnedClock


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest_asyncio.fixture
async def bot(clock: TurnedClock) -> AsyncIterator[Desk]:
    """Somebody to whom everybody has just written."""
    async with desk(clock=clock) as bot:
        heard(bot.emulator)
        yield bot


def bubbles(bot: Desk, person: str = "ann") -> list[Message]:
    return list(bot.emulator.world.chat(bot.number.id, person).messages)


async def read(bot: Desk, wamid: str, **more: Any) -> tuple[int, Any]:
    whole = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid, **more}
    answer = await send(bot, {name: value for name, value in whole.items() if value is not None})
    return answer.status, answer.body


# what is taken


async def test_a_text_is_seen_and_answered_as_meta_answers(bot: Desk) -> None:
    question = bot.emulator.say("ann", "hello?")
    whole = text("hello", biz_opaque_callback_data="t0ken", context={"message_id": question.wamid})
    answer = await send(bot, whole)
    wamid = answer.body["messages"][0]["id"]
    assert answer.body == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": ANN, "wa_id": ANN[1:]}],
        "messages": [{"id": wamid}],
    }
    assert ANN[1:].encode() in base64.b64decode(wamid.removeprefix("wamid."))
    bubble = bubbles(bot)[-1]
    assert (bubble.wamid, bubble.words, bubble.is_ours) == (wamid, "hello", True)
    assert (bubble.quoted, bubble.callback, bubble.status) == (question.wamid, "t0ken", "accepted")
    (call,) = bot.emulator.sending.accepted
    assert list(bot.emulator.sending.calls) == [call]
    assert (call.to, call.body, call.callback) == (ANN[1:], "hello", "t0ken")
    assert (call.wamid, call.person, call.token) == (wamid, "ann", "EAAtoken")
    assert (call.phone_number_id, call.request) == (bot.number.id, whole)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", {"link": "https://example.com/a.png", "caption": "look"}),
        ("document", {"link": "http://example.com/a", "filename": "a.pdf"}),
        ("audio", {"link": "https://example.com/a.ogg", "voice": True}),
        ("sticker", {"link": "https://example.com/a.webp"}),
        ("location", {"latitude": "-33.4", "longitude": 151, "name": "here"}),
        ("interactive", buttons(3)),
        ("interactive", rows(4, 6)),
        ("interactive", buttons(header={"type": "text", "text": "h"}, footer={"text": "f"})),
    ],
)
async def test_each_kind_is_taken(bot: Desk, kind: str, content: dict[str, Any]) -> None:
    assert (await send(bot, said(kind, content))).status == 200
    assert (bubbles(bot)[-1].kind, bubbles(bot)[-1].content) == (kind, content)


async def test_cards_are_taken_as_a_list(bot: Desk) -> None:
    cards = [{"name": {"formatted_name": "Bob", "first_name": "Bob"}, "phones": [{"phone": "1"}]}]
    assert (await send(bot, said("contacts", cards))).status == 200
    assert bubbles(bot)[-1].content == {"contacts": cards}


async def test_a_file_that_was_uploaded_is_taken_by_its_number_alone(bot: Desk) -> None:
    medium = bot.emulator.media.keep(bot.number.id, "image/png", b"png", lasts_s=60)
    other = bot.emulator.media.keep("9", "image/png", b"png", lasts_s=60)
    assert (await send(bot, said("image", {"id": medium.id}))).status == 200
    assert (await send(bot, said("image", {"id": other.id}))).refusal == (400, 100, None)
    bot.emulator.clock.move(61)
    assert (await send(bot, said("image", {"id": medium.id}))).refusal == (400, 100, None)


async def test_only_templates_need_no_window_and_say_how_they_stand(bot: Desk) -> None:
    bot.emulator.world.chats.clear()
    assert (await send(bot, text())).error["code"] == 131047
    answer = await send(bot, template())
    assert answer.body["messages"][0]["message_status"] == "accepted"
    more = body_of(word("Ann"), word("Monday"))
    assert (await send(bot, template("appointment_reminder", more=more))).status == 200
    named = {
        "components": [
            {"type": "header", "parameters": [word("7", parameter_name="order_id")]},
            {"type": "body", "parameters": [word("Ann", parameter_name="first_name")]},
        ]
    }
    assert (await send(bot, template("order_update", more=named))).status == 200


# to whom


@pytest.mark.parametrize(
    ("to", "person"),
    [
        ("+49 155 5000-0001", "ann"),
        ("4915550000001", "ann"),
        ("+1 (555) 000-0002", "bob"),
        ("555 000 0002", "bob"),  # the business's own country code
        (15550000002, "bob"),
        ("+55 51 99876-5432", "davi"),
        ("+555198765432", "davi"),
    ],
)
async def test_a_number_may_be_written_as_people_write_it(
    bot: Desk, to: str | int, person: str
) -> None:
    answer = await send(bot, text(to=to))
    wa_id = bot.emulator.world.people[person].wa_id
    assert answer.body["contacts"] == [{"input": str(to), "wa_id": wa_id}]
    assert [bubble.words for bubble in bubbles(bot, person)] == ["hello"]


@pytest.mark.parametrize("to", ["", "abc", "+", "1" * 21, True, [], {"a": 1}, "49-1x5", "٤٩١٥"])
async def test_what_is_no_number_is_refused(bot: Desk, to: Any) -> None:
    assert (await send(bot, text(to=to))).refusal == (400, 131009, None)


async def test_a_business_scoped_id_is_answered_by_one_and_a_number_wins(bot: Desk) -> None:
    answer = await send(bot, text(to=None, recipient=CAROL))
    assert answer.body["contacts"] == [{"input": CAROL, "user_id": CAROL}]
    assert [bubble.has_username for bubble in bubbles(bot, "carol")] == [True]
    assert bot.emulator.sending.calls[-1].to == CAROL
    both = await send(bot, text(recipient=CAROL))
    assert both.body["contacts"] == [{"input": ANN, "wa_id": ANN[1:]}]
    wrong = await send(bot, text(to=None, recipient=ANN))
    assert wrong.refusal == (400, 131009, None)


async def test_somebody_without_whatsapp_is_found_out_later(bot: Desk, clock: TurnedClock) -> None:
    for _ in range(2):
        answer = await send(bot, text(to=NOBODY))
        assert answer.body["contacts"] == [{"input": NOBODY, "wa_id": NOBODY[1:]}]
    await clock.turn(1)
    found = bubbles(bot, NOBODY[1:])
    assert [bubble.status for bubble in found] == ["failed", "failed"]


async def test_a_list_of_a_test_number_knows_one_spelling(bot: Desk) -> None:
    bot.number.allow_list = {"555198765432", "15550000002"}
    assert (await send(bot, text(to="+555198765432"))).status == 200
    assert (await send(bot, text(to="+5551998765432"))).refusal == (400, 131030, None)
    assert (await send(bot, text(to=None, recipient="US.1000000000000002"))).status == 200
    assert (await send(bot, text(to="(555) 000-0002"))).status == 200
    bot.emulator.rules.allow_list = False
    assert (await send(bot, text(to="+5551998765432"))).status == 200


# rates


async def test_a_pair_has_one_more_every_six_seconds(bot: Desk, clock: TurnedClock) -> None:
    bot.emulator.rules.throughput = False
    assert [(await send(bot, text())).status for _ in range(46)] == [200] * 45 + [400]
    await clock.turn(5)
    assert (await send(bot, text())).error["code"] == 131056
    await clock.turn(1)
    assert (await send(bot, text())).status == 200
    assert (await send(bot, text())).error["code"] == 131056
    bot.emulator.rules.pair_rate = False
    assert (await send(bot, text())).status == 200


async def test_a_number_that_is_on_a_phone_too_has_a_throughput_of_twenty(bot: Desk) -> None:
    bot.number.is_on_biz_app = True
    answers = [await send(bot, text()) for _ in range(21)]
    assert [answer.status for answer in answers] == [200] * 20 + [429]


async def test_the_throughput_says_when_to_come_again(bot: Desk, clock: TurnedClock) -> None:
    bot.number.messages_per_second = 2
    answers = [await send(bot, text()) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert "estimated_time_to_regain_access" in answers[-1].headers["X-Business-Use-Case-Usage"]
    await clock.turn(0.5)
    assert [(await send(bot, text())).status for _ in range(2)] == [200, 429]


def prices(told: list[Update]) -> list[tuple[str, str, bool]]:
    """Type, category and whether the conversation is named, of each status with a price."""
    statuses = [one for update in told for one in update.value.get("statuses", ())]
    return [
        (one["pricing"]["type"], one["pricing"]["category"], "conversation" in one)
        for one in statuses
        if "pricing" in one
    ]


async def test_who_comes_by_an_advertisement_and_is_answered_soon_costs_nothing(
    bot: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Update] = []
    monkeypatch.setattr(bot.emulator.delivery, "post", told.append)

    async def answer_after(days: float) -> None:
        bot.emulator.clock.move(days * 86_400)
        bot.emulator.say("ann", "hello?")
        assert (await send(bot, text())).status == 200
        bot.emulator.clock.move(1)

    await answer_after(20)  # by then free-form messages are charged
    bot.emulator.say("ann", "I saw it", referral={"source_type": "ad"})
    await answer_after(0.9)
    await answer_after(2.9)
    await answer_after(0.1)
    bot.emulator.say("ann", "again", referral={"source_type": "ad"})
    await answer_after(1)
    dear, free = ("regular", "service", False), ("free_entry_point", "referral_conversion", True)
    assert prices(told) == [dear, free, free, dear, dear]


# reactions, ticks, typing


async def test_a_reaction_hangs_on_its_message_and_is_taken_back(bot: Desk) -> None:
    question = bot.emulator.say("ann", "hello?")
    for emoji, shown in (("👍", {"business": "👍"}), ("🎉", {"business": "🎉"}), ("", {})):
        content = {"message_id": question.wamid, "emoji": emoji}
        assert (await send(bot, said("reaction", content))).status == 200
        assert question.reactions == shown
    assert bubbles(bot) == [question]


async def test_reading_marks_what_came_before_too(bot: Desk) -> None:
    first, second, third = (bot.emulator.say("ann", word) for word in "abc")
    assert await read(bot, second.wamid) == (200, {"success": True})
    assert [one.status for one in (first, second, third)] == ["read", "read", "waiting"]
    assert await read(bot, second.wamid) == (200, {"success": True})
    assert list(bot.emulator.sending.presence) == [(bot.number.id, second.wamid, False)] * 2
    assert bot.emulator.world.chat(bot.number.id, "ann").typing_until == 0


async def test_typing_ends_after_25_seconds_or_with_the_answer(
    bot: Desk, clock: TurnedClock
) -> None:
    question = bot.emulator.say("ann", "hello?")
    chat = bot.emulator.world.chat(bot.number.id, "ann")

    async def type_again() -> None:
        assert (await read(bot, question.wamid, typing_indicator={"type": "text"}))[0] == 200
        assert chat.typing_until == bot.emulator.clock.now() + 25

    await type_again()
    await clock.turn(20)
    await type_again()
    await clock.turn(24)
    assert chat.typing_until > 0
    await clock.turn(1)
    assert chat.typing_until == 0
    await type_again()
    await send(bot, text())
    assert chat.typing_until == 0


async def test_only_what_a_person_wrote_to_this_number_can_be_read(bot: Desk) -> None:
    ours = (await send(bot, text())).body["messages"][0]["id"]
    for wrong in (ours, "wamid.unknown", "1", None, 7):
        status, body = await read(bot, wrong)  # type: ignore[arg-type]
        assert (status, body["error"]["code"]) in ((400, 131009), (400, 100))
    question = bot.emulator.say("ann", "hello?")
    for wrong in (
        {"messaging_product": "telegram"},
        {"status": "delivered"},
        {"typing_indicator": {"type": "audio"}},
        {"to": ANN},
    ):
        status, body = await read(bot, question.wamid, **wrong)
        assert (status, body["error"]["code"]) == (400, 100)
    assert question.status == "waiting"
    assert len(bot.emulator.sending.reads) == 9
    assert len(bot.emulator.sending.presence) == 2


async def test_how_long_an_answer_took_is_on_the_bubble(bot: Desk) -> None:
    chat = bot.emulator.world.chat(bot.number.id, "ann")
    await send(bot, text())
    chat.heard_at = bot.emulator.clock.now()
    bot.emulator.clock.move(2.5)
    await send(bot, text())
    assert [bubble.answered_after_s for bubble in bubbles(bot)] == [None, 2.5]


# instead of what it should


async def test_a_plan_decides_after_the_rules(bot: Desk) -> None:
    asked: list[Call] = []
    told: list[Call] = []

    def plan(call: Call) -> Behaviour | None:
        asked.append(call)
        return None if call.body == "b" else Behaviour(accepts=False, status=418, answer=b"tea")

    bot.emulator.sending.plan = plan
    bot.emulator.sending.on_call = told.append
    refused = await send(bot, text("a"))
    assert (refused.status, refused.body) == (418, b"tea")
    assert (await send(bot, text("b"))).status == 200
    assert (await send(bot, text("x" * 5000))).status == 400
    assert [call.body for call in asked] == ["a", "b"]
    assert told == list(bot.emulator.sending.calls)
    assert len(told) == 3
    assert [call.body for call in bot.emulator.sending.accepted] == ["b"]
    assert [bubble.words for bubble in bubbles(bot)] == ["b"]


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (Behaviour(accepts=False), 500, 1),
        (Behaviour(status=202), 202, None),
        (Behaviour(status=503, answer=b"<html>"), 503, None),
        (Behaviour(status=302, answer=b"", location="/elsewhere"), 302, None),
    ],
)
async def test_a_behaviour_is_honoured_to_the_letter(
    bot: Desk, behaviour: Behaviour, status: int, code: int | None
) -> None:
    bot.emulator.sending.plan = lambda _: behaviour
    answer = await send(bot, text())
    assert answer.status == status
    assert answer.headers.get("Location") == behaviour.location
    if code is not None:
        assert answer.error["code"] == code
    elif behaviour.answer is not None:
        assert answer.body == behaviour.answer
    else:
        assert answer.body["messages"]
    assert len(bot.emulator.sending.accepted) == len(bubbles(bot)) == int(behaviour.accepts)


async def test_what_hangs_is_answered_when_it_is_released(bot: Desk) -> None:
    sending = bot.emulator.sending
    sending.plan = lambda call: Behaviour(accepts=call.body == "a", waits_for=sending.released)
    came = asyncio.Event()
    sending.on_call = lambda _: came.set()
    statuses = []
    for body in "ab":
        came.clear()
        task = asyncio.create_task(send(bot, text(body)))
        await came.wait()
        assert not task.done()
        sending.release()
        statuses.append((await task).status)
    assert statuses == [200, 500]
    assert [bubble.words for bubble in bubbles(bot)] == ["a"]


async def test_presence_has_a_plan_of_its_own(bot: Desk) -> None:
    sending = bot.emulator.sending
    sending.presence_plan = lambda _: Behaviour()
    assert (await read(bot, "wamid.unknown"))[0] == 200
    sending.presence_plan = lambda said: Behaviour(accepts=False, status=400, answer=b"{}")
    assert (await read(bot, "wamid.unknown"))[0] == 400
    assert len(sending.presence) == 2


async def test_faults_are_played_for_one_person_and_so_often(bot: Desk) -> None:
    faults = bot.emulator.faults
    faults.set("refuse", person="ann", value=131026, times=1)
    faults.set("error_after_accepting", person="ann", value=503, times=1)
    assert (await send(bot, text("to bob", to="+15550000002"))).status == 200
    assert (await send(bot, text("refused"))).refusal == (400, 131026, None)
    assert (await send(bot, text("lost"))).status == 503
    faults.set("cut_after_accepting", person="ann", times=1)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await send(bot, text("cut"))
    assert (await send(bot, text("well"))).status == 200
    assert [bubble.words for bubble in bubbles(bot)] == ["lost", "cut", "well"]
    assert [bubble.words for bubble in bubbles(bot, "bob")] == ["to bob"]
    exchanges = [one for one in bot.emulator.wire.exchanges if one.direction == "graph"]
    assert [(one.status, bool(one.note)) for one in exchanges] == [
        (200, False),
        (400, False),
        (503, True),
        (0, True),
        (200, False),
    ]


@pytest.mark.parametrize("how", ["cleared", "released", "late", "closed", "once and released"])
async def test_a_call_hangs_until_its_switch_is_off(
    bot: Desk, clock: TurnedClock, how: str
) -> None:
    sending, faults = bot.emulator.sending, bot.emulator.faults
    faults.set("hang", value=9 if how == "late" else "", times=1 if "once" in how else None)
    came = asyncio.Event()
    sending.on_call = lambda _: came.set()
    task = asyncio.create_task(send(bot, text()))
    await came.wait()
    faults.set("duplicate")
    await clock.turn(8)
    assert not task.done()
    if how == "cleared":
        faults.clear("hang")
    elif how == "late":
        await clock.turn(1)
    elif how == "closed":
        await bot.emulator.close()
    else:
        sending.release()
    assert (await task).status == 200
    assert [bubble.words for bubble in bubbles(bot)] == ["hello"]
