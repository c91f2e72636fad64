"""What the operator is told, of a running house and of a file that nobody has open."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from openparallax import logs
from openparallax.app import operator
from openparallax.app.operator import Operator
from openparallax.clock import SystemClock
from openparallax.errors import Refusal
from openparallax.model.session import Mode
from openparallax.plugin import Reply, Turn
from openparallax.session import erasure
from openparallax.storage import Connection, Database, aliases, chats, copies, restoring, sessions
from tests.canary import Canary, heard_singing, singing_in
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.records import T0, awake, begin, troubles
from tests.town import ANN, BOB, Town

ID, PARENT = "DE.10010010010010010010", "DE.ENT.506"
CID, DAN, EVE = "4915100000003", "4915100000004", "4915100000005"


async def ask(town: Town, name: str, **asked: Any) -> dict[str, Any]:
    """By the name of its control, through JSON both ways."""
    control = town.up.operator.controls()[name]
    answer = await control(json.loads(json.dumps(asked)))
    assert isinstance(answer, dict)
    return dict(json.loads(json.dumps(answer)))


async def met(town: Town) -> None:
    """Ann on the record with two messages, Bob off it."""
    await awake(town)
    await town.say(ANN, "hello", at=T0, name="Ann", user_id=ID, parent_user_id=PARENT)
    await town.say(ANN, "again", at=T0 + 1, name="Ann", user_id=ID, parent_user_id=PARENT)
    await town.say(BOB, "/otr", at=T0 + 2)
    await town.hears(ANN, 1)
    await town.hears(BOB, 1)
    await town.quiet()


async def test_the_chats(town: Town, engine: FakeEngine) -> None:
    assert await ask(town, "sessions") == {"chats": [], "next": None}
    await met(town)
    found = await ask(town, "sessions", account=None, after=None, most=None)
    assert found["next"] is None
    ann, bob = found["chats"]
    last_at = ann.pop("last_at")
    assert last_at >= T0 + 1
    assert ann == {
        "chat": 1,
        "account": meta.PHONE_NUMBER_ID,
        "contact": f"+{ANN}",
        "name": "Ann",
        "mode": "on the record",
        "session": 1,
        "opened_at": T0,
        "messages": 2,
        "waiting": 0,
        "sending": 0,
        "taken_over_until": None,
    }
    assert (bob["mode"], bob["messages"], bob["last_at"]) == ("off the record", 0, None)
    gate = Gate()
    engine.answer_with = gate
    await town.say(BOB, "and this", at=T0 + 3)
    await town.post(meta.echo(ANN, "I answer", at=T0 + 4))
    await town.until(lambda: gate.waiting == 1)
    ann, bob = (await ask(town, "sessions"))["chats"]
    assert ann["taken_over_until"] == T0 + 4 + 3600
    assert bob["waiting"] == 1
    gate.open()


async def test_by_pages(town: Town) -> None:
    await met(town)
    pages, after = [], None
    while True:
        page = await ask(town, "sessions", most=1, after=after)
        pages.append([chat["chat"] for chat in page["chats"]])
        after = page["next"]
        if after is None:
            break
    assert pages == [[1], [2], []]
    assert (await ask(town, "sessions", account="999"))["chats"] == []
    assert len((await ask(town, "sessions", account=meta.PHONE_NUMBER_ID))["chats"]) == 2


@pytest.mark.parametrize(
    "who", [ANN, "+49 1511 2345678", "0049 (1511) 234-5678", f" {ID} ", PARENT, "+4915112345678"]
)
async def test_a_person_by_any_of_their_names(town: Town, who: str) -> None:
    await met(town)
    (chat,) = (await ask(town, "session", who=who))["chats"]
    assert chat["chat"] == 1
    assert {(one["id"], one["kind"]) for one in chat["aliases"]} == {
        (f"+{ANN}", "number"),
        (ID, "user id"),
        (PARENT, "parent id"),
    }
    assert "transcript" not in chat


async def test_a_person_with_their_words(town: Town, engine: FakeEngine) -> None:
    async def answer(turn: Turn) -> Reply:
        return Reply(text=f"**{turn.text}**", usage={"input": 3}, model="m-1")

    engine.answer_with = answer
    off = Canary()
    await begin(town, "on the record")
    for at, words in enumerate(("one", "/new", "two", "/otr", off.words, "/otr off", "three")):
        await town.say(ANN, words, at=T0 + 1 + at)
        await town.quiet()
    found = await ask(town, "session", chat=1, words=True)
    assert off.core not in json.dumps(found, ensure_ascii=False)
    (chat,) = found["chats"]
    assert [(one["role"], one["text"]) for one in chat["transcript"]] == [
        (role, text)
        for words in ("hello", "one", "two", "three")
        for role, text in (("contact", words), ("engine", f"**{words}**"))
    ]
    assert all(one["at"] >= T0 for one in chat["transcript"])
    assert chat["left_out"] is False
    assert chat["usage"] == [{"model": "m-1", "kind": "input", "tokens": 15}]
    assert [(one["mode"], one["state"], one["messages"]) for one in chat["sessions"]] == [
        ("off the record", "ended", 0),
        ("on the record", "open", 2),
        ("on the record", "ended", 2),
    ]


async def test_not_more_words_than_can_be_carried(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator, "MOST_ENTRIES", 6)
    monkeypatch.setattr(operator, "_TURNS_A_READ", 2)
    await begin(town, "on the record")
    for at in range(4):
        await town.say(ANN, f"number {at}", at=T0 + 1 + at)
        await town.quiet()
    (chat,) = (await ask(town, "session", chat=1, words=True))["chats"]
    assert [one["text"] for one in chat["transcript"]] == [
        "number 2", "number 2", "number 3", "number 3"
    ]  # fmt: skip
    assert chat["left_out"] is True


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("sessions", {"most": 0}),
        ("sessions", {"most": 1001}),
        ("sessions", {"after": "3"}),
        ("sessions", {"after": True}),
        ("sessions", {"account": 5}),
        ("sessions", {"account": ""}),
        ("session", {}),
        ("session", {"who": ANN, "chat": 1}),
        ("session", {"who": "x" * 300}),
        ("session", {"who": "\ud800"}),
        ("session", {"chat": 1 << 70}),
        ("session", {"chat": 1, "words": "yes"}),
        ("forget", {"who": ["a"]}),
        ("forget", {}),
    ],
)
async def test_wrong_arguments(town: Town, name: str, asked: Mapping[str, Any]) -> None:
    with pytest.raises(Refusal) as raised:
        await town.up.operator.controls()[name](asked)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", ["session", "forget"])
async def test_nobody(town: Town, name: str) -> None:
    await met(town)
    for said, asked in (
        ("nobody is known by that", {"who": "+1"}),
        ("nobody is known by that", {"who": "?"}),
        ("there is no such chat", {"chat": 77}),
        ("no such chat with that account", {"chat": 1, "account": "999"}),
    ):
        with pytest.raises(Refusal, match=said) as raised:
            await town.up.operator.controls()[name](asked)
        assert raised.value.exit_code == 1


async def test_whoever_left_a_number_is_found_by_it(town: Town) -> None:
    await met(town)
    await town.post(
        meta.system(ANN, user_id=ID, wa_id="4915100000000", new_user_id="DE.2", at=T0 + 5)
    )
    (chat,) = (await ask(town, "session", who=ANN))["chats"]
    assert chat["chat"] == 1
    left = [one for one in chat["aliases"] if one["id"] == f"+{ANN}"]
    assert [(one["kind"], one["until"]) for one in left] == [("number", T0 + 5)]


async def test_a_backup_of_a_running_house_is_restored_and_served(
    town: Town, engine: FakeEngine, tmp_path: Path
) -> None:
    """What waited then is answered then."""
    gate = Gate()
    await begin(town, "on the record")
    engine.answer_with = gate
    await town.say(ANN, "waits", at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    file = tmp_path / "backup"
    pieces = await town.up.operator.controls()["backup"]({})
    file.write_bytes(b"".join([piece async for piece in pieces]))
    gate.open()
    await town.hears(ANN, 1)
    await town.say(ANN, "since", at=T0 + 2)
    await town.hears(ANN, 2)
    await town.quiet()
    await town.stop()
    aside = restoring.restore(file, town.state / "openparallax.db").aside
    assert aside is not None
    town.graph.accepted.clear()
    await town.start()
    assert await town.hears(ANN, 1) == ["waits"]
    await town.say(ANN, "now", at=T0 + 3)
    assert (await town.hears(ANN, 2))[-1] == "now"
    assert [one.text for one in engine.asked[-1].history] == ["hello", "hello", "waits", "waits"]


async def test_what_a_restored_file_is_told(
    town: Town, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is on the record again, nothing is answered twice, forgetting comes to its end."""
    forgotten, off = Canary(), Canary()
    await met(town)  # Bob is off the record in the backup already
    for at, (who, words) in enumerate([(CID, "hello"), (DAN, f"hello {forgotten}")]):
        await town.say(who, words, at=T0 + 3 + at)
        await town.hears(who, 1)
    await town.quiet()
    pieces = await town.up.operator.backup()
    file = tmp_path / "backup"
    file.write_bytes(b"".join([piece async for piece in pieces]))
    await town.say(CID, "/otr", at=T0 + 10)
    await town.say(EVE, "/otr", at=T0 + 11)  # whom the backup does not know
    since = meta.text(ANN, "since", at=T0 + 12, name="Ann", user_id=ID)
    await town.post(since)
    for who, count in ((CID, 2), (EVE, 1), (ANN, 3)):
        await town.hears(who, count)
    await town.quiet()
    with monkeypatch.context() as patched:  # killed right after it has begun
        patched.setattr(erasure.Erasure, "_finish", None)
        with pytest.raises(TypeError):
            await ask(town, "forget", who=DAN)
    await town.crash()
    path = town.state / "openparallax.db"
    assert restoring.restore(file, path).was_told
    assert singing_in(town.state, forgotten) == []
    asked = len(engine.asked)
    town.graph.accepted.clear()
    await town.start()
    await town.post(since)
    await town.say(CID, off.words, at=T0 + 20)
    await town.say(BOB, off.words, at=T0 + 20)
    await town.say(EVE, "on", at=T0 + 20)
    for who in (CID, BOB, EVE):
        await town.hears(who, 1)
    await town.quiet()
    assert town.heard(ANN) == []
    modes = {turn.chat.id: turn.mode.label for turn in engine.asked[asked:]}
    assert sorted(modes.values()) == ["off the record", "off the record", "on the record"]
    assert heard_singing(town, off) == []
    # Back on it they return to where they were.
    await town.say(CID, "/otr off", at=T0 + 21)
    await town.say(CID, "again", at=T0 + 22)
    await town.until(lambda: "again" in town.heard(CID))
    assert [one.text for one in engine.asked[-1].history] == ["hello", "hello"]
    assert troubles(town) == []


async def test_names_that_somebody_had_before(tmp_path: Path) -> None:
    """SQLite moves rows that grow, and leaves what they were in the gaps of pages."""
    path, random = tmp_path / "x.db", Random(7)  # noqa: S311 - one that leaves some
    who, had = 31, list[str]()

    def name_of(contact: int) -> str:
        name = f"{contact - 1:02d}-{random.randbytes(random.randrange(3, 120)).hex()}"
        if contact == who:
            had.append(name)
        return name

    def work(connection: Connection) -> None:
        for contact in range(1, 61):
            assert chats.add_contact(connection, name_of(contact)) == contact
        for _ in range(150):
            contact = random.randrange(60) + 1
            chats.name_contact(connection, contact, name_of(contact))
        account = chats.account_id(connection, "100")
        aliases.add(connection, account, "u:XX.1", who, 0)
        chat = chats.add_chat(connection, account, who, "XX.1")
        sessions.open_session(connection, chat, Mode.ON_THE_RECORD, 0)

    database = Database(path, log=logs.configure(level="error"))
    await database.open()
    await database.unit(work)
    copy = copies.of_schema(path, 2)
    await database.read(lambda c: copies.make(c, path, copy))
    alone = Operator(database, clock=SystemClock(), log=logs.configure(level="error"))
    assert (await alone.forget({"who": "XX.1"}))["copies"] == 1
    await database.close()
    pieces = [name[at : at + 12].encode() for name in had for at in range(3, len(name) - 12)]
    for file in (path, copy):
        assert not [piece for piece in pieces if piece in file.read_bytes()]
        with closing(sqlite3.connect(file)) as look:
            assert look.execute(
                "SELECT count(*) FROM contacts WHERE trim(name) <> ''"
            ).fetchone() == (59,)


async def test_of_a_file_that_nobody_has_open(town: Town) -> None:
    await met(town)
    await town.stop()
    path = town.state / "openparallax.db"
    database = Database(path, log=logs.configure(level="error"))
    await database.open()
    alone = Operator(database, clock=SystemClock(), log=logs.configure(level="error"))
    assert len((await alone.sessions({}))["chats"]) == 2
    assert b"".join([piece async for piece in await alone.backup()])[:15] == b"SQLite format 3"
    assert (await alone.forget({"chat": 2}))["chats"] == 1
    await database.close()
    with closing(sqlite3.connect(path)) as look:
        # Off the record stays off it.
        assert look.execute(
            "SELECT mode FROM sessions WHERE state = 0 ORDER BY chat"
        ).fetchall() == [(0,), (1,)]
