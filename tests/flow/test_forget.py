"""A person is forgotten: their words are in no byte of the state folder, and in no later prompt."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openparallax import logs
from openparallax.app.operator import Operator
from openparallax.clock import SystemClock
from openparallax.errors import Refusal
from openparallax.plugin import Reply, Turn
from openparallax.session import erasure
from openparallax.storage import Connection, Database, copies
from tests.canary import Canary, heard_singing, singing_in
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate, echo
from tests.flow.records import T0, awake, begin, both_modes, logged, moment, troubles
from tests.flow.test_accounts import FIRST, SECOND, SECRET, changes_for
from tests.storage.notes import files_no_longer_than
from tests.town import ANN, BOB, Town

ID = "DE.10010010010010010010"
WHO = "+49 1511 2345678"


async def forget(town: Town, who: str = WHO, **more: Any) -> dict[str, int]:
    return await town.up.operator.forget({"who": who, **more})


async def rows(town: Town, query: str) -> list[tuple[Any, ...]]:
    def work(connection: Connection) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    return await town.up.database.read(work)


def shown_to(engine: FakeEngine, since: int) -> str:
    """All that engines were shown since then."""
    return "\n".join(
        f"{turn.text} {turn.chat.name} {[one.text for one in turn.history]} "
        f"{[one.quoted for one in turn.messages]}"
        for turn in engine.asked[since:]
    )


async def assert_forgotten(town: Town, engine: FakeEngine, *canaries: Canary) -> None:
    """In no file, in no prompt, and not after a kill."""
    assert heard_singing(town, *canaries) == []
    since, heard = len(engine.asked), len(town.heard(ANN))
    engine.answer_with = echo
    await town.say(ANN, "who am I?", at=T0 + 200, name="Somebody")
    await town.until(lambda: "who am I?" in town.heard(ANN)[heard:])
    await town.quiet()
    await town.crash()
    assert heard_singing(town, *canaries) == []
    await town.start()
    await town.say(ANN, "and now?", at=T0 + 201)
    await town.until(lambda: "and now?" in town.heard(ANN)[heard:])
    for canary in canaries:
        assert canary.core not in shown_to(engine, since)
    assert troubles(town) == []


@both_modes
async def test_what_was_answered(town: Town, engine: FakeEngine, mode: str) -> None:
    canary, other = Canary(), Canary()
    await begin(town, mode)
    await town.post(
        meta.text(ANN, f"{canary} " * 300, at=T0 + 1, name=str(canary)),
        meta.text(BOB, other.words, at=T0 + 1),
    )
    await town.hears(ANN, 1)
    await town.hears(BOB, 1)
    await town.quiet()
    found = await forget(town)
    is_on = mode == "on the record"
    assert found == {
        "chats": 1, "turns": 2 if is_on else 0, "parcels": 0, "waiting": 0, "copies": 0
    }  # fmt: skip
    assert logged(town, "person_forgotten")
    # Whoever is off the record stays so.
    await town.say(ANN, "still here", at=T0 + 100)
    await town.until(lambda: "still here" in town.heard(ANN))
    assert engine.asked[-1].mode.label == mode
    # And nothing is written into the sessions of before.
    assert await rows(
        town,
        "SELECT count(*) FROM session_turns s JOIN chats c ON c.id = 1 WHERE s.session < c.session"
        " AND s.session IN (SELECT id FROM sessions WHERE chat = 1)",
    ) == [(0,)]
    await assert_forgotten(town, engine, canary)
    assert other.core.encode() in town.written()
    # Again, by another spelling: nothing is left but what was said since.
    assert (await forget(town, "\u202a+49 (0)1511 23-45678\u202c"))["chats"] == 1
    assert (await forget(town))["turns"] == 0


@both_modes
async def test_while_a_turn_runs_and_others_wait(town: Town, engine: FakeEngine, mode: str) -> None:
    canary, gate = Canary(), Gate()
    await begin(town, mode)
    engine.answer_with = gate
    await town.say(ANN, f"running {canary}", at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.text(ANN, f"waiting {canary}", at=T0 + 2), meta.media(ANN, "image"))
    found = await forget(town)
    assert (found["waiting"], found["parcels"]) == (3, 0)
    assert heard_singing(town, canary) == []
    assert not town.up.durable._at_hand
    assert not town.up.durable._histories
    # What is said after that stays, and is answered; the engine works for nobody meanwhile.
    engine.answer_with = echo
    await town.say(ANN, "after", at=T0 + 3)
    assert await town.hears(ANN, 1) == ["after"]
    await town.quiet()
    assert engine.running == 0
    assert logged(town, "engine_failed") == []
    assert town.up.metrics.value("turns", "overtaken") == 1
    assert await rows(town, "SELECT count(*) FROM envelopes") == [(0,)]
    await assert_forgotten(town, engine, canary)


async def test_an_engine_is_let_go_once_nothing_is_left_to_answer(
    town: Town, engine: FakeEngine
) -> None:
    """Also where messages were revoked: of two the other one is answered yet."""
    first, second = Gate(), Gate()
    await begin(town, "on the record")
    engine.answer_with = first
    await town.say(ANN, "before", at=T0 + 1)
    await town.until(lambda: first.waiting == 1)
    items = [meta.text(ANN, words, at=T0 + 2) for words in ("one", "two")]
    await town.post(*items)
    engine.answer_with = second
    first.open()
    await town.until(lambda: second.waiting == 1)
    assert len(engine.asked[-1].messages) == 2
    await town.post(meta.revoke(ANN, items[0]["message"]["id"], at=T0 + 3))
    await asyncio.sleep(0.02)
    assert engine.running == 1
    await town.post(meta.revoke(ANN, items[1]["message"]["id"], at=T0 + 3))
    await town.until(lambda: engine.running == 0)
    engine.answer_with = echo
    await town.say(ANN, "after", at=T0 + 4)
    assert await town.hears(ANN, 2) == ["before", "after"]
    assert town.up.metrics.value("turns", "overtaken") == 1
    assert logged(town, "engine_failed") == troubles(town) == []


@both_modes
async def test_while_the_answer_is_being_sent(town: Town, engine: FakeEngine, mode: str) -> None:
    """Nobody knows whether it went out: it is not sent again, whatever Meta says later."""
    canary = Canary()
    town.changes = {"channels": {"whatsapp": {"graph_timeout_seconds": 60}}}
    await town.restart()
    await begin(town, mode)

    async def answer(turn: Turn) -> Reply:
        return Reply(text=f"{turn.text}\n" + "\n\n".join(f"{canary} " * 60 for _ in range(5)))

    engine.answer_with = answer
    town.graph.queue(town.graph.hang())
    calls = len(town.graph.calls)
    await town.say(ANN, canary.words, at=T0 + 1)
    await town.graph.wait_for_calls(calls + 1)
    found = await forget(town)
    assert found["parcels"] >= 2
    assert await rows(town, "SELECT count(*) FROM parcels WHERE state < 10") == [(0,)]
    await town.until(lambda: not town.up.outbox.in_flight)
    town.graph.release()
    await moment(town)
    assert len(town.graph.calls) == calls + 1
    call = town.graph.calls[-1]
    await town.post(meta.status(call.wamid, "sent", callback=call.callback))
    await town.post(meta.status(call.wamid, "failed", callback=call.callback, code=131016))
    await moment(town)
    assert len(town.graph.calls) == calls + 1
    await assert_forgotten(town, engine, canary)


async def test_what_a_closed_window_holds(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await awake(town)
    await town.say(ANN, canary.words, at=T0 - 2 * 86400)
    await town.until(lambda: bool(logged(town, "turn_held")))
    await town.quiet()
    # And a part that waits: Meta said that the window is closed.
    await town.up.database.unit(lambda c: c.execute(HELD_PARCEL))
    found = await forget(town)
    assert (found["waiting"], found["parcels"]) == (1, 1)
    await assert_forgotten(town, engine, canary)
    assert canary.words not in town.heard(ANN)


HELD_PARCEL = """
INSERT INTO parcels (number, chat, session, mode, turn, part, state, window_until, created_at)
VALUES (5000, 1, 1, 0, 1, 1, 3, 0, 0)
"""


async def test_an_accepted_answer_that_fails_later_is_not_sent_again(
    town: Town, engine: FakeEngine
) -> None:
    """Not even as the notice that it was lost."""
    canary = Canary()
    await begin(town, "on the record")
    await town.say(ANN, canary.words, at=T0 + 1)
    await town.hears(ANN, 1)
    await town.quiet()
    call, calls = town.graph.calls[-1], len(town.graph.calls)
    await forget(town)
    await town.post(meta.status(call.wamid, "failed", callback=call.callback, code=131016))
    await moment(town)
    assert await rows(town, "SELECT count(*) FROM parcels WHERE state < 10") == [(0,)]
    assert len(town.graph.calls) == calls
    await assert_forgotten(town, engine, canary)


async def test_in_every_session_and_after_a_merge(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await begin(town, "on the record")
    for at, words in enumerate((f"one {canary}", "/new", f"two {canary}", "/otr", "/otr off")):
        await town.say(ANN, words, at=T0 + 1 + at)
        await town.quiet()
    await town.post(meta.text(None, f"by id {canary}", user_id=ID, at=T0 + 10))
    await town.until(lambda: bool(town.heard(ID)))
    await town.say(ANN, f"both {canary}", user_id=ID, at=T0 + 11)
    await town.say(ANN, "/otr", user_id=ID, at=T0 + 12)
    await town.quiet()
    assert await rows(town, "SELECT count(*) FROM merges") == [(1,)]
    found = await forget(town, ID)
    assert found["chats"] == 2
    assert heard_singing(town, canary) == []
    # Off the record, and back: not to the session before.
    await town.say(ANN, "/otr off", user_id=ID, at=T0 + 20)
    await town.say(ANN, "where are we?", user_id=ID, at=T0 + 21)
    await town.until(lambda: "where are we?" in town.heard(ANN))
    assert engine.asked[-1].history == ()
    assert engine.asked[-1].mode.label == "on the record"


async def test_with_one_of_our_numbers_or_with_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    canaries = {FIRST: Canary(), SECOND: Canary()}
    changes = changes_for(tmp_path)
    async with Town(tmp_path, monkeypatch, engine=engine, changes=changes) as town:
        town.graph.tokens = {FIRST: "token", SECOND: "another"}
        for account, secret in ((FIRST, meta.SECRET), (SECOND, SECRET)):
            words = canaries[account].words
            raw = meta.body(meta.text(ANN, words, phone_number_id=account, at=T0))
            assert await meta.post(town.session, town.url, raw, secret=secret) == 200
        await town.hears(ANN, 2)
        await town.quiet()
        with pytest.raises(Refusal, match="nobody is known"):
            await forget(town, account="999")
        assert (await forget(town, account=SECOND))["chats"] == 1
        assert heard_singing(town, canaries[SECOND]) == []
        assert heard_singing(town, canaries[FIRST])
        assert (await forget(town))["chats"] == 2
        assert heard_singing(town, *canaries.values()) == []


async def test_somebody_reads_the_file(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not said to be done; a later sweep finishes it."""
    monkeypatch.setattr(erasure, "TRUNCATE_TRIES", 1)
    monkeypatch.setattr("openparallax.storage.writer.PATIENCE_MS", 50)
    canary = Canary()
    await begin(town, "on the record")
    await town.say(ANN, canary.words, at=T0 + 1)
    await town.hears(ANN, 1)
    await town.quiet()
    with closing(sqlite3.connect(town.up.database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM transcript").fetchone()
        with pytest.raises(Refusal, match="could not be cut") as raised:
            await forget(town)
        assert raised.value.exit_code == 75
        assert await rows(town, "SELECT count(*) FROM forgotten") == [(1,)]
    await town.up.housekeeping._remove()
    assert await rows(town, "SELECT count(*) FROM forgotten") == [(0,)]
    await assert_forgotten(town, engine, canary)


@pytest.mark.parametrize("step", ["_scrub", "_close_to_statuses", "_truncate"])
async def test_killed_in_the_middle(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The next process finishes it."""
    canary = Canary()
    await begin(town, "on the record")
    await town.say(ANN, canary.words, at=T0 + 1)
    await town.hears(ANN, 1)
    await town.quiet()

    hanging = []

    async def hang(*_: object) -> None:
        hanging.append(1)
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(erasure.Erasure, step, hang)
        forgetting = asyncio.ensure_future(forget(town))
        await town.until(lambda: bool(hanging))
        await town.crash()
        forgetting.cancel()
        await asyncio.wait([forgetting])
    assert forgotten(town)
    await town.start()
    await town.until(lambda: not forgotten(town))
    await assert_forgotten(town, engine, canary)


def forgotten(town: Town) -> list[Any]:
    with closing(sqlite3.connect(town.state / "openparallax.db")) as look:
        return look.execute("SELECT * FROM forgotten").fetchall()


async def test_a_full_disk(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await begin(town, "on the record")
    await town.say(ANN, canary.words * 20, at=T0 + 1)
    await town.hears(ANN, 1)
    await town.quiet()
    with files_no_longer_than(1000), pytest.raises(Refusal, match="try again") as raised:
        await forget(town)
    assert raised.value.exit_code == 75
    assert (await forget(town))["chats"] == 1
    assert heard_singing(town, canary) == []


async def test_in_the_copies_and_without_a_daemon(town: Town, engine: FakeEngine) -> None:
    canary, other = Canary(), Canary()
    await begin(town, "on the record")
    await town.post(
        meta.text(ANN, canary.words, at=T0 + 1, user_id=ID, name=str(canary)),
        meta.text(BOB, other.words, at=T0 + 1),
    )
    await town.quiet()
    await town.stop()
    path = town.state / "openparallax.db"
    copy = copies.of_schema(path, 2)
    with closing(sqlite3.connect(path)) as source:
        copies.make(source, path, copy)
    assert [one for one in singing_in(town.state, canary) if one.startswith(copy.name)]
    before = copy.stat().st_mtime_ns
    database = Database(path, log=logs.configure(level="error"))
    await database.open()
    operator = Operator(database, clock=SystemClock(), log=logs.configure(level="error"))
    found = await operator.forget({"who": ID})
    assert (found["chats"], found["copies"]) == (1, 1)
    assert singing_in(town.state, canary) == []
    assert [one for one in singing_in(town.state, other) if one.startswith(copy.name)]
    assert abs(copy.stat().st_mtime_ns - before) < 1000
    # Known to a copy only.
    with closing(sqlite3.connect(copy, isolation_level=None)) as there:
        there.execute("INSERT INTO aliases SELECT account, 'u:XX.1', contact, 0 FROM chats LIMIT 1")
    assert await operator.forget({"who": "XX.1"}) == {
        "chats": 0, "turns": 0, "parcels": 0, "waiting": 0, "copies": 1
    }  # fmt: skip
    with pytest.raises(Refusal, match="nobody is known by that"):
        await operator.forget({"who": "XX.2"})
    copy.write_bytes(b"no database")
    with pytest.raises(Refusal, match="Delete it, then try again"):
        await operator.forget({"who": ID})
    await database.close()
    await town.start()
    await assert_forgotten(town, engine, canary)


async def test_a_message_in_the_same_commit(town: Town, engine: FakeEngine) -> None:
    """Before it or after it: never half."""
    canary = Canary()
    await begin(town, "on the record")
    for place in range(6):
        posting = asyncio.ensure_future(town.say(ANN, canary.words, at=T0 + 1 + place))
        await asyncio.sleep(0.0005 * place)
        await forget(town)
        await posting
        await town.quiet()
    await forget(town)
    await assert_forgotten(town, engine, canary)
