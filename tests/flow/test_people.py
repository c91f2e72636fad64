"""People whose ids change, from signed POST to what Graph received: it is they, or it is not."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.behaviours import error, ok
from tests.fakes.engines import FakeEngine, Gate
from tests.fakes.meta import Item
from tests.town import ANN, Town

T0 = int(time.time()) - 600
NEW = "4915155555555"
DAY_S = 86400
ID, NEW_ID, BOB_ID = "DE.10010010010010010010", "DE.20020020020020020020", "DE.3003003003003"


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    async with Town(tmp_path, monkeypatch) as town:
        yield town


async def without_number(town: Town, words: str, **details: Any) -> None:
    """Somebody with a username says something."""
    await town.post(meta.text(None, words, **details))


def prompts(engine: FakeEngine) -> list[tuple[str, str]]:
    """Mode and all words of each turn."""
    return [
        (turn.mode.label, "\n".join([*(spoken.text for spoken in turn.history), turn.text]))
        for turn in engine.asked
    ]


def changed(how: str, at: int) -> Item:
    """Ann has another number and id now, told in one of the ways that Meta has."""
    if how == "system":
        return meta.system(ANN, user_id=ID, wa_id=NEW, new_user_id=NEW_ID, at=at)
    if how == "system without ids":
        return meta.system(ANN, wa_id=NEW, at=at)
    return meta.user_id_update(ID, NEW_ID, wa_id=NEW, at=at)


async def test_a_username_is_adopted(town: Town) -> None:
    await town.say(ANN, "one", user_id=ID, at=T0)
    assert await town.hears(ANN, 1) == ["one"]
    await without_number(town, "two", user_id=ID, at=T0 + 1)
    assert await town.hears(ID, 1) == ["two"]
    assert town.graph.calls[-1].request["recipient"] == ID
    assert prompts(town.engine)[-1] == ("on the record", "one\none\ntwo")
    await without_number(town, "/otr", user_id=ID, at=T0 + 2)
    canary = Canary()
    await town.say(ANN, canary.words, user_id=ID, at=T0 + 3)
    assert (await town.hears(ANN, 2))[-1] == canary.words
    await without_number(town, "four", user_id=ID, at=T0 + 4)
    await town.until(lambda: "four" in town.heard(ID))
    assert prompts(town.engine)[-1] == ("off the record", f"{canary}\n{canary}\nfour")
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_only_those_on_the_list_by_their_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, Any] = {"channels": {"whatsapp": {"allowed_numbers": [ID]}}}
    async with Town(tmp_path, monkeypatch, changes=changes) as town:
        await without_number(town, "stranger", user_id=NEW_ID, name=ID)
        await town.say(ANN, "stranger", name=ID)
        await town.post(meta.user_id_update(BOB_ID, NEW_ID, at=T0))
        await without_number(town, "hello", user_id=ID)
        assert await town.hears(ID, 1) == ["hello"]
        await town.quiet()
        assert [turn.text for turn in town.engine.asked] == ["hello"]
        (aliases,) = await town.up.database.read(
            lambda c: c.execute("SELECT count(*) FROM aliases").fetchone()
        )
        assert aliases == 1


@pytest.mark.parametrize("how", ["system", "system without ids", "user_id_update"])
async def test_a_number_changes_off_the_record(town: Town, how: str) -> None:
    ids = {} if how == "system without ids" else {"user_id": ID}
    new_ids = {} if how == "system without ids" else {"user_id": NEW_ID}
    canary = Canary()
    await town.say(ANN, "/otr", at=T0, **ids)
    await town.hears(ANN, 1)  # else it might go to the new number
    await town.post(changed(how, T0 + 10))
    await town.say(NEW, canary.words, at=T0 + 20, **new_ids)
    assert await town.hears(NEW, 1) == [canary.words]
    # Told again, and something of before comes late: nothing is taken back.
    await town.post(changed(how, T0 + 10))
    await town.say(ANN, "late", at=T0 + 5, **ids)
    assert await town.hears(NEW, 2) == [canary.words, "late"]
    await town.quiet()
    assert prompts(town.engine)[-1] == ("off the record", f"{canary}\n{canary}\nlate")
    assert heard_singing(town, canary) == []
    # The old number is somebody else's, who is on the record.
    await town.say(ANN, "good day", at=T0 + 30)
    await town.until(lambda: "good day" in town.heard(ANN))
    assert prompts(town.engine)[-1] == ("on the record", "good day")


@pytest.mark.parametrize("how", ["system", "system without ids", "user_id_update"])
async def test_words_under_the_new_ids_come_before_the_change(town: Town, how: str) -> None:
    ids = {} if how == "system without ids" else {"user_id": ID}
    new_ids = {} if how == "system without ids" else {"user_id": NEW_ID}
    answered, running = Canary(), Canary()
    await town.say(ANN, "/otr", at=T0, **ids)
    await town.hears(ANN, 1)
    await town.say(NEW, answered.words, at=T0 + 20, **new_ids)
    await town.hears(NEW, 1)
    gate = Gate()
    town.engine.answer_with = gate
    await town.say(NEW, running.words, at=T0 + 21, **new_ids)
    await town.until(lambda: gate.waiting == 1)
    assert heard_singing(town, answered, running)
    await town.post(changed(how, T0 + 10))
    assert heard_singing(town, answered, running) == []
    gate.open()
    assert (await town.hears(NEW, 2))[-1] == running.words
    asked = len(town.engine.asked)
    await town.say(NEW, "and now", at=T0 + 30, **new_ids)
    await town.until(lambda: "and now" in town.heard(NEW))
    await town.quiet()
    assert heard_singing(town, answered, running) == []
    for mode, prompt in prompts(town.engine)[asked:]:
        assert mode == "off the record"
        assert "and now" in prompt
    await town.restart()
    assert heard_singing(town, answered, running) == []


async def test_a_recycled_number(town: Town) -> None:
    gate = Gate()
    town.engine.answer_with = gate
    await town.say(ANN, "/otr", user_id=ID, at=T0)
    await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))
    await town.say(ANN, "my secret", user_id=ID, at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "good day", user_id=BOB_ID, at=T0 + 100)
    await town.until(lambda: gate.waiting == 2)
    gate.open()
    # Ann's answer goes to her id; whoever has the number now is told that they are off the record.
    assert await town.hears(ID, 1) == ["my secret"]
    assert await town.hears(ANN, 3) == [SENTENCES["otr"], SENTENCES["otr"], "good day"]
    assert prompts(town.engine) == [
        ("off the record", "my secret"),
        ("off the record", "good day"),
    ]
    await town.quiet()
    assert heard_singing(town) == []
    await town.say(ANN, "/otr off", user_id=BOB_ID, at=T0 + 101)
    await town.say(ANN, "again", user_id=BOB_ID, at=T0 + 102)
    await town.until(lambda: "again" in town.heard(ANN))
    assert prompts(town.engine)[-1] == ("on the record", "again")


async def test_whoever_has_no_id_is_not_answered_at_another_ones_number(town: Town) -> None:
    """Their number became somebody's of whom it is known that they had another one before."""
    gate = Gate()
    town.engine.answer_with = gate
    await town.say(NEW, "long ago", at=T0 - 2 * DAY_S)
    await town.say(NEW, "of the one before", at=T0)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "hello", user_id=ID, at=T0)
    await town.until(lambda: gate.waiting == 2)
    await town.post(meta.system(ANN, user_id=ID, wa_id=NEW, new_user_id=NEW_ID, at=T0 + 1))
    gate.open()
    assert await town.hears(NEW, 1) == ["hello"]
    await town.quiet()
    assert [call.body for call in town.graph.calls] == ["hello"]


async def test_what_a_window_held_in_one_chat_is_released_in_the_other(town: Town) -> None:
    await town.say(ANN, "long ago", at=T0 - 2 * DAY_S)
    await without_number(town, "hello", user_id=ID, at=T0)
    assert await town.hears(ID, 1) == ["hello"]
    gate = Gate()
    town.engine.answer_with = gate
    await town.say(ANN, "both", user_id=ID, at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    gate.open()
    assert await town.hears(ANN, 2) == ["long ago", "both"]
    await town.quiet()
    assert len(town.graph.calls) == 3


async def test_two_chats_are_one_while_both_have_a_turn_running(town: Town) -> None:
    gates = {"number": Gate(), "id": Gate()}

    async def answer(turn: Turn) -> Reply:
        return await gates[turn.text.split()[-1]](turn)

    town.engine.answer_with = answer
    await town.say(ANN, "from the number", at=T0)
    await without_number(town, "from the id", user_id=ID, at=T0 + 1)
    await town.until(lambda: town.engine.running == 2)
    await town.say(ANN, "more of the number", at=T0 + 2)
    # Now it is known; and it waits behind both.
    await town.say(ANN, "both of the id", user_id=ID, at=T0 + 3)
    gates["id"].open()
    await town.until(lambda: "from the id" in town.heard(ANN))
    assert town.engine.running == 1
    gates["number"].open()
    assert await town.hears(ANN, 4) == [
        "from the id",
        "from the number",
        "more of the number",
        "both of the id",
    ]
    await town.quiet()
    assert len(town.graph.calls) == 4
    assert [text for _, text in prompts(town.engine)] == [
        "from the number",
        "from the id",
        "from the number\nfrom the number\nmore of the number",
        "from the id\nfrom the id\nboth of the id",
    ]


async def test_what_was_held_in_one_chat_goes_before_the_other(town: Town) -> None:
    """Also when it is released long after they were found to be one."""
    gates = {"one": Gate(), "long ago": Gate()}

    async def answer(turn: Turn) -> Reply:
        return await gates[turn.text](turn) if turn.text in gates else Reply(text=turn.text)

    town.engine.answer_with = answer
    await without_number(town, "long ago", user_id=NEW_ID, at=T0 - 2 * DAY_S)
    await without_number(town, "one", user_id=ID, at=T0)
    await town.until(lambda: gates["one"].waiting == 1)
    await without_number(town, "two", user_id=ID, at=T0 + 1)
    await town.post(meta.user_id_update(ID, NEW_ID, at=T0 + 2))
    gates["one"].open()
    assert await town.hears(NEW_ID, 2) == ["one", "two"]
    await without_number(town, "three", user_id=NEW_ID, at=T0 + 3)
    await town.until(lambda: gates["long ago"].waiting == 1)
    assert town.engine.running == 1
    gates["long ago"].open()
    assert await town.hears(NEW_ID, 4) == ["one", "two", "long ago", "three"]


@pytest.mark.parametrize("how", ["crash", "restart"])
async def test_two_chats_are_one_and_the_house_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The loser's answers come first, then the survivor's, in the next process too."""
    changes: dict[str, Any] = {"conversation": {"drain_seconds": 0}}
    async with Town(tmp_path, monkeypatch, changes=changes) as town:
        gate, again = Gate(), Gate()
        town.engine.answer_with = gate
        await town.say(ANN, "loser", at=T0)
        await without_number(town, "survivor", user_id=ID, at=T0 + 1)
        await town.until(lambda: gate.waiting == 2)
        await town.say(ANN, "both", user_id=ID, at=T0 + 2)
        await (town.crash() if how == "crash" else town.stop())
        town.engine.answer_with = again
        await town.start()
        await town.until(lambda: again.waiting == 1)
        again.open()
        assert await town.hears(ANN, 3) == ["loser", "survivor", "both"]
        await town.quiet()
        assert again.waiting == 3
        assert len(town.graph.calls) == 3


async def test_the_spellings_of_a_line_are_one_chat(town: Town) -> None:
    for one, other in (
        ("5511987654321", "551187654321"),
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
    ):
        await town.say(one, "one", at=T0)
        await town.hears(one, 1)
        await town.say(other, "two", at=T0 + 1)
        assert await town.hears(other, 1) == ["two"]
        assert prompts(town.engine)[-1] == ("on the record", "one\none\ntwo")


@pytest.mark.parametrize("code", [131026, 131030])
async def test_the_spelling_that_works_is_remembered(town: Town, code: int) -> None:
    given, other = "5531987654321", "553187654321"
    town.graph.plan = lambda call: error(code) if call.to == given else ok()
    await town.say(given, "one", user_id=ID, at=T0)
    assert await town.hears(other, 1) == ["one"]
    await town.restart()
    await town.say(given, "two", user_id=ID, at=T0 + 1)
    assert await town.hears(other, 2) == ["one", "two"]
    await town.say(given, "three", at=T0 + 2)
    assert await town.hears(other, 3) == ["one", "two", "three"]
    assert [call.to for call in town.graph.calls] == [given, other, other, other]
