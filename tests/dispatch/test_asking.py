"""What comes beside the words (choice, quote, forwarding, advertisement), as engines see it."""

from typing import Any

import pytest

from openparallax.plugin import Message, Quoted
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.flow.records import T0, begin, both_modes, troubles
from tests.town import ANN, BOB, Town


def id_of(item: meta.Item) -> str:
    return str(item["message"]["id"])


async def asked(town: Town, engine: FakeEngine, item: meta.Item) -> Message:
    """Post ``item`` and wait for its answer; the message as the engine saw it."""
    before = len(engine.asked)
    await town.post(item)
    await town.until(lambda: len(engine.asked) > before)
    await town.quiet()
    (message,) = engine.asked[-1].messages
    return message


def quoting(wamid: str, words: str = "about that", **more: Any) -> meta.Item:
    return meta.text(ANN, words, context={"from": "15550001111", "id": wamid}, **more)


@both_modes
async def test_choices_forwarding_product_and_advertisement(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    message = await asked(town, engine, meta.button(ANN, "Yes, please", "choice-7", at=T0 + 1))
    assert (message.text, message.choice_id) == ("Yes, please", "choice-7")
    item = meta.message(ANN, "button", {"text": "Stop", "payload": "p-1"}, at=T0 + 2)
    message = await asked(town, engine, item)
    assert (message.text, message.choice_id) == ("Stop", "p-1")
    row = {"type": "list_reply", "list_reply": {"id": "row-3", "title": "Tea", "description": "x"}}
    message = await asked(town, engine, meta.message(ANN, "interactive", row, at=T0 + 3))
    assert (message.text, message.choice_id, message.sent_at) == ("Tea", "row-3", T0 + 3)
    message = await asked(
        town, engine, meta.text(ANN, "psst", context={"frequently_forwarded": True}, at=T0 + 4)
    )
    assert message == Message("psst", T0 + 4, is_forwarded=True, is_forwarded_often=True)
    product = {"catalog_id": "c1", "product_retailer_id": "sku-2"}
    item = meta.text(ANN, "how much?", context={"referred_product": product}, at=T0 + 5)
    assert (await asked(town, engine, item)).product == "c1/sku-2"
    referral = {"headline": "Sale", "ctwa_clid": "clid", "unheard_of": "x"}
    message = await asked(town, engine, meta.text(ANN, "hi", referral=referral, at=T0 + 6))
    assert dict(message.referral) == {"headline": "Sale", "ctwa_clid": "clid"}
    assert await asked(town, engine, meta.text(ANN, "plain", at=T0 + 7)) == Message("plain", T0 + 7)


@both_modes
async def test_a_quote_of_what_was_said_in_this_session(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    first = meta.text(ANN, "my own words", at=T0 + 1)
    await asked(town, engine, first)
    answer = town.graph.accepted[-1]
    message = await asked(town, engine, quoting(id_of(first), at=T0 + 2))
    assert message.quoted == Quoted("contact", "my own words")
    message = await asked(town, engine, quoting(answer.wamid, at=T0 + 3))
    assert message.quoted == Quoted("engine", "my own words")
    assert (await asked(town, engine, quoting("wamid.x", at=T0 + 4))).quoted == Quoted()
    # Somebody of ours wrote it, which is all one to the person.
    said = meta.echo(ANN, "from the phone", at=T0 + 5)
    await town.post(said)
    wamid = said["echo"]["id"]
    message = await asked(town, engine, quoting(wamid, at=T0 + 5 + 3600))
    assert message.quoted == Quoted("engine", "from the phone")


async def test_a_quote_after_a_restart(town: Town, engine: FakeEngine) -> None:
    first = meta.text(ANN, "my own words", at=T0 + 1)
    await asked(town, engine, first)
    answer = town.graph.accepted[-1]
    await town.restart()
    message = await asked(town, engine, quoting(id_of(first), at=T0 + 2))
    assert message.quoted == Quoted("contact", "my own words")
    # Where our own messages stand is remembered in memory only.
    assert (await asked(town, engine, quoting(answer.wamid, at=T0 + 3))).quoted == Quoted()


@pytest.mark.parametrize("border", ["/new", "/otr off", "/otr"])
async def test_words_of_another_session_stay_there(
    town: Town, engine: FakeEngine, border: str
) -> None:
    await begin(town, "off the record" if border == "/otr off" else "on the record")
    first = meta.text(ANN, "secret words", at=T0 + 1)
    await asked(town, engine, first)
    answer = town.graph.accepted[-1]
    await town.say(ANN, border, at=T0 + 2)
    await town.quiet()
    for wamid in (id_of(first), answer.wamid):
        message = await asked(town, engine, quoting(wamid, at=T0 + 3))
        assert message.quoted is not None
        assert message.quoted.text is None
    assert "secret words" not in [one.text for one in engine.asked[-1].history]


async def test_words_of_another_chat_stay_there(town: Town, engine: FakeEngine) -> None:
    first = meta.text(BOB, "bob's words", at=T0 + 1)
    await town.post(first)
    await town.hears(BOB, 1)
    await town.quiet()
    for wamid in (id_of(first), town.graph.accepted[-1].wamid):
        assert (await asked(town, engine, quoting(wamid, at=T0 + 2))).quoted == Quoted()


async def test_off_the_record_nothing_of_it_is_written_and_on_it_nothing_is_logged(
    town: Town, engine: FakeEngine
) -> None:
    canary = Canary()
    details = {
        "context": {"id": canary.words, "forwarded": True},
        "referral": {"body": canary.words, "source_url": f"https://{canary.core}"},
    }
    await begin(town, "off the record")
    message = await asked(town, engine, meta.text(ANN, "about", at=T0 + 1, **details))
    assert message.referral["body"] == canary.words
    await asked(town, engine, meta.button(ANN, "Yes", canary.words, at=T0 + 2))
    assert heard_singing(town, canary) == []
    await town.say(ANN, "/new", at=T0 + 3)
    await asked(town, engine, meta.text(ANN, "about", at=T0 + 4, **details))
    await town.quiet()
    assert canary.core not in town.log.getvalue()
    assert canary.core not in repr(engine.asked)
    assert canary.core.encode() in town.written()


async def test_a_late_otr_takes_it_along(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await begin(town, "on the record")
    await asked(town, engine, meta.button(ANN, "Yes", canary.words, at=T0 + 20))
    assert canary.core.encode() in town.written()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []


@both_modes
async def test_a_turn_of_several_has_each_of_them(
    town: Town, engine: FakeEngine, mode: str
) -> None:
    await begin(town, mode)
    await town.post(
        meta.text(ANN, "one", at=T0 + 1),
        meta.button(ANN, "two", "b-2", at=T0 + 1),
        meta.text(ANN, "three", at=T0 + 2, context={"forwarded": True}),
    )
    await town.hears(ANN, 1)
    turn = engine.asked[-1]
    assert turn.text == "one\ntwo\nthree"
    assert turn.messages == (
        Message("one", T0 + 1),
        Message("two", T0 + 1, choice_id="b-2"),
        Message("three", T0 + 2, is_forwarded=True),
    )
    assert turn.received_at == T0 + 2


async def test_words_and_what_is_beside_them_come_again_after_a_crash(
    town: Town, engine: FakeEngine
) -> None:
    """Off the record, on disk and not answered: Meta brings the request again, all of it."""
    await begin(town, "off the record")
    town.up.dispatcher.stop_claiming()
    item = meta.button(ANN, "Yes", "b-1", at=T0 + 1)
    await town.post(item)
    await town.crash()
    await town.start()
    await town.post(item)
    await town.hears(ANN, 1)
    assert engine.asked[-1].messages == (Message("Yes", T0 + 1, choice_id="b-1"),)
    assert troubles(town) == []
