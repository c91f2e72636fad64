"""From a signed POST to what the person reads."""

import asyncio

from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town


async def test_what_is_said_is_answered(town: Town) -> None:
    await town.say(ANN, "hello")
    assert await town.hears(ANN, 1) == ["hello"]
    (call,) = town.graph.accepted
    assert call.request["to"] == f"+{ANN}"
    assert call.callback


async def test_a_batch_of_several_people_and_entries_is_answered_whole(town: Town) -> None:
    items = [meta.text(str(4915100000000 + n % 10), f"word {n}", at=1000 + n) for n in range(60)]
    await town.meta.deliver(*items, spread=True)
    for n in range(10):
        person = str(4915100000000 + n)
        wanted = [f"word {n + 10 * k}" for k in range(6)]

        def is_answered(person: str = person, wanted: list[str] = wanted) -> bool:
            return "\n".join(town.heard(person)).split("\n") == wanted

        await town.until(is_answered)


async def test_a_repeat_is_answered_once_also_after_a_restart(
    town: Town, engine: FakeEngine
) -> None:
    once = meta.text(ANN, "once")
    await town.post(once, once)
    await town.post(once)
    await town.hears(ANN, 1)
    await town.restart()
    await town.post(once)
    await town.say(ANN, "twice")
    assert await town.hears(ANN, 2) == ["once", "twice"]
    assert len(engine.asked) == 2


async def test_what_waits_is_answered_together_and_in_order(town: Town, engine: FakeEngine) -> None:
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "first")
    await town.until(lambda: gate.waiting == 1)
    for word in ("second", "third", "fourth"):
        await town.say(ANN, word)
    gate.open()
    assert await town.hears(ANN, 2) == ["first", "second\nthird\nfourth"]


async def test_commands_and_sessions_are_borders_of_what_is_answered_together(
    town: Town, engine: FakeEngine
) -> None:
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "a")
    await town.until(lambda: gate.waiting == 1)
    for word in ("b", "c", "/new d", "e", "/help", "f"):
        await town.say(ANN, word)
    gate.open()
    heard = await town.hears(ANN, 6)
    assert heard[:2] == ["a", "b\nc"]
    assert heard[2] == SENTENCES["new"]
    assert heard[3] == "d\ne"
    assert heard[4].startswith("What you can write")
    assert heard[5] == "f"


async def test_with_coalesce_none_each_message_has_its_own_answer(town: Town) -> None:
    town.changes = {"conversation": {"coalesce": "none"}}
    await town.restart()
    await town.post(*(meta.text(ANN, f"{n}") for n in range(5)))
    assert await town.hears(ANN, 5) == ["0", "1", "2", "3", "4"]


async def test_many_chats_run_at_once_and_no_more_than_the_bound(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = {"conversation": {"max_concurrent_turns": 7}}
    await town.restart()
    gate = Gate()
    engine.answer_with = gate
    people = [str(4915100000000 + n) for n in range(30)]
    await town.post(*(meta.text(person, "hi") for person in people))
    await town.until(lambda: gate.waiting == 7)
    await asyncio.sleep(0.05)
    assert gate.waiting == 7
    gate.open()
    for person in people:
        await town.hears(person, 1)
    assert engine.most_running == 7


async def test_one_chatty_person_does_not_hold_up_the_others(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = {"conversation": {"max_concurrent_turns": 1, "coalesce": "none"}}
    await town.restart()
    await town.post(*(meta.text(ANN, f"{n}") for n in range(50)), meta.text(BOB, "me too"))
    await town.hears(BOB, 1)
    asked = [turn.text for turn in engine.asked]
    assert asked.index("me too") <= 2


async def test_history_is_what_was_said_and_written_and_new_begins_afresh(
    town: Town, engine: FakeEngine
) -> None:
    for count, word in enumerate(("one", "two", "/help", "/new", "three", "four"), start=1):
        await town.say(ANN, word)
        await town.hears(ANN, count)
        await town.quiet()
    spoken = [[(s.role, s.text) for s in turn.history] for turn in engine.asked]
    assert spoken == [
        [],
        [("contact", "one"), ("engine", "one")],
        [],
        [("contact", "three"), ("engine", "three")],
    ]


async def test_sessions_and_history_survive_a_restart(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "one")
    await town.hears(ANN, 1)
    await town.restart()
    await town.say(ANN, "two")
    await town.hears(ANN, 2)
    assert [s.text for s in engine.asked[-1].history] == ["one", "one"]


async def test_nothing_of_one_chat_is_in_anothers_history(town: Town, engine: FakeEngine) -> None:
    for n in range(5):
        for person in (ANN, BOB):
            await town.say(person, f"{person} {n}")
    await town.quiet()
    for turn in engine.asked:
        person = turn.text.split()[0]
        assert all(spoken.text.startswith(person) for spoken in turn.history)


async def test_a_mistyped_command_is_not_kept_and_no_engine_sees_it(
    town: Town, engine: FakeEngine
) -> None:
    await town.say(ANN, "/ort confidential")
    assert "/otr" in (await town.hears(ANN, 1))[0]
    assert engine.asked == []
    assert b"confidential" not in town.written()


async def test_other_text_that_begins_with_a_slash_is_text(town: Town) -> None:
    await town.say(ANN, "/etc/hosts is broken")
    assert await town.hears(ANN, 1) == ["/etc/hosts is broken"]


async def test_status_says_session_mode_and_what_is_waiting(town: Town, engine: FakeEngine) -> None:
    await town.say(ANN, "/status")
    said = (await town.hears(ANN, 1))[0]
    assert "On the record" in said
    assert "echo" in said
    assert engine.asked == []


async def test_media_are_answered_with_one_notice_a_minute(town: Town, engine: FakeEngine) -> None:
    await town.post(*(meta.media(ANN) for _ in range(5)))
    await town.post(meta.media(ANN, "audio"), meta.media(BOB))
    assert await town.hears(ANN, 1) == [SENTENCES["only_text"]]
    assert await town.hears(BOB, 1) == [SENTENCES["only_text"]]
    await town.quiet()
    assert len(town.heard(ANN)) == 1
    assert engine.asked == []


async def test_a_command_as_a_caption_counts(town: Town) -> None:
    await town.post(meta.media(ANN, caption="/otr"))
    assert await town.hears(ANN, 1) == [SENTENCES["otr"]]


async def test_a_stranger_is_met_with_silence_and_one_line_without_words(town: Town) -> None:
    town.changes = {"channels": {"whatsapp": {"allowed_numbers": ["+49 (151) 1234-5678"]}}}
    await town.restart()
    await town.say(BOB, "let me in, please")
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    await town.quiet()
    assert town.heard(BOB) == []
    written = town.written()
    assert b"let me in" not in written
    assert BOB.encode() not in written
    assert town.log.getvalue().count("sender_not_allowed") == 1


async def test_a_foreign_number_and_our_own_are_acknowledged_and_not_answered(
    town: Town, engine: FakeEngine
) -> None:
    foreign = meta.text(ANN, "wrong house", phone_number_id="999")
    own = meta.text(meta.DISPLAY_PHONE_NUMBER, "myself")
    assert await town.post_once(foreign, own, meta.text(ANN, "right")) == 200
    assert await town.hears(ANN, 1) == ["right"]
    assert len(engine.asked) == 1
    assert b"wrong house" not in town.written()


async def test_a_long_answer_is_sent_in_parts_that_lose_nothing(
    town: Town, engine: FakeEngine
) -> None:
    await town.post(*(meta.text(ANN, f"{n} " + "word " * 700, at=1000 + n) for n in range(4)))
    await town.until(lambda: sum(body.count("word") for body in town.heard(ANN)) == 2800)
    assert all(len(body) <= 4096 for body in town.heard(ANN))
