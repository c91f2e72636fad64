"""What is due to be forgotten, without a house round it; the story is in tests/flow."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax import logs
from openparallax.errors import NotStored
from openparallax.model.entry import Entry, Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.session import Mode, Session
from openparallax.model.text import Text
from openparallax.session.retention import LONGEST_S, Forgetting
from openparallax.storage import Connection, Database, chats, envelopes, sessions
from openparallax.transcript.volatile import VolatileTranscript
from tests.fakes.clock import TurnedClock

IDLE_S = 600.0


class Memory:
    def __init__(self, database: Database) -> None:
        self.clock = TurnedClock()
        self.database = database
        self.room = VolatileTranscript(history_entries=8)
        self.turn = 0
        self.forgetting = Forgetting(
            held=self.room.sessions,
            forget=self.room.forget,
            database=database,
            idle_s=IDLE_S,
            clock=self.clock,
        )

    async def session(self) -> Session:
        self.turn += 1
        turn = self.turn

        def work(connection: Connection) -> Session:
            account = chats.account_id(connection, "1")
            contact = chats.add_contact(connection, "")
            chat = chats.add_chat(connection, account, contact, str(turn))
            return sessions.open_session(connection, chat, Mode.OFF_THE_RECORD, 0)

        return await self.database.unit(work)

    def hold(self, session: Session) -> None:
        self.turn += 1
        self.room.hold(Entry(session, self.turn, 0, Role.CONTACT, Text("words"), 0))

    async def queue(self, session: Session) -> None:
        """Something of the session is open."""
        self.turn += 1
        found = await self.database.read(lambda c: sessions.chat_and_state(c, session.id))
        assert found is not None
        envelope = Envelope(self.turn, found[0], session, Errand.TURN, 0)
        await self.database.unit(lambda c: envelopes.queue(c, envelope, 1))

    async def after(self, seconds: float) -> int:
        await self.clock.turn(seconds)
        return await self.forgetting.sweep()


@pytest_asyncio.fixture
async def memory(tmp_path: Path) -> AsyncIterator[Memory]:
    database = Database(tmp_path / "state" / "t.db", log=logs.configure(level="error"))
    await database.open()
    yield Memory(database)
    await database.close()


async def test_an_idle_session_is_forgotten_once(memory: Memory) -> None:
    session = await memory.session()
    memory.hold(session)
    assert [await memory.after(s) for s in (60, IDLE_S - 61, 60, 60, 60)] == [0, 0, 0, 1, 0]
    assert memory.room.sessions() == {}


async def test_each_session_has_its_own_time(memory: Memory) -> None:
    one, other = await memory.session(), await memory.session()
    memory.hold(one)
    memory.hold(other)
    assert await memory.after(60) == 0
    assert await memory.after(300) == 0
    memory.hold(other)
    assert await memory.after(60) == 0
    assert await memory.after(IDLE_S - 360) == 1
    assert set(memory.room.sessions()) == {other.id}


async def test_an_ended_one_goes_at_the_next_sweep_unless_it_is_needed(memory: Memory) -> None:
    done, busy = await memory.session(), await memory.session()
    for session in (done, busy):
        memory.hold(session)
        await memory.database.unit(lambda c, s=session: sessions.end(c, s.id))  # type: ignore[misc]
    await memory.queue(busy)
    assert await memory.after(60) == 1
    assert set(memory.room.sessions()) == {busy.id}


async def test_a_needed_one_goes_after_a_day(memory: Memory) -> None:
    session = await memory.session()
    memory.hold(session)
    await memory.queue(session)
    assert await memory.after(60) == 0
    assert await memory.after(LONGEST_S - 1) == 0
    assert await memory.after(1) == 1


async def test_nothing_is_forgotten_while_the_file_cannot_be_read(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await memory.session()
    memory.hold(session)
    await memory.after(60)

    async def refuse(_work: object) -> None:
        raise NotStored

    with monkeypatch.context() as patch:
        patch.setattr(memory.database, "read", refuse)
        with pytest.raises(NotStored):
            await memory.after(IDLE_S)
    assert set(memory.room.sessions()) == {session.id}
    assert await memory.after(0) == 1


async def test_what_is_added_to_while_it_is_looked_at_stays(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await memory.session()
    memory.hold(session)
    await memory.after(60)
    has_work = envelopes.session_has_work

    def meanwhile(*args: object) -> bool:
        memory.hold(session)
        return has_work(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(envelopes, "session_has_work", meanwhile)
        assert await memory.after(IDLE_S) == 0
    assert await memory.after(60) == 0
    assert await memory.after(IDLE_S) == 1
