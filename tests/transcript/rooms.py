"""Both rooms behind one handle, so that one suite can hold them to one contract."""

from collections.abc import Sequence
from pathlib import Path

from openparallax import logs
from openparallax.model.entry import CONTACT_PART, ENGINE_PART, Entry, Role
from openparallax.model.session import Mode, Session
from openparallax.model.text import Text
from openparallax.storage import Connection, Database, chats, sessions
from openparallax.storage.database import execute
from openparallax.transcript import Transcript
from openparallax.transcript.durable import DurableTranscript
from openparallax.transcript.volatile import VolatileTranscript

HISTORY = 8


class Room:
    """A transcript, used as the movers use it: keep, commit, hold, follow."""

    def __init__(self, transcript: Transcript, database: Database, mode: Mode) -> None:
        self.transcript = transcript
        self.database = database
        self.mode = mode
        self._chat = 0

    async def session(self) -> Session:
        """A fresh session of a chat of its own."""
        self._chat += 1
        chat = self._chat

        def work(connection: Connection) -> Session:
            account = chats.account_id(connection, "1")
            contact = chats.add_contact(connection, "")
            made = chats.add_chat(connection, account, contact, str(chat))
            return sessions.open_session(connection, made, self.mode, 0)

        return await self.database.unit(work)

    async def keep(self, *entries: Entry) -> None:
        def work(connection: Connection) -> None:
            for write in self.transcript.keep(*entries):
                execute(connection, write)

        await self.database.unit(work)
        self.transcript.hold(*entries)

    async def finish(
        self, session: Session, turns: Sequence[int], asked: Sequence[Entry], said: str | None
    ) -> None:
        """End a turn: what the engine said, if anything, and its place in the history."""
        engine = [] if said is None else [entry(session, turns[-1], Role.ENGINE, said)]

        def work(connection: Connection) -> None:
            for write in (
                *self.transcript.keep(*engine),
                *self.transcript.close_turn(session, turns),
            ):
                execute(connection, write)

        await self.database.unit(work)
        self.transcript.hold(*engine)
        self.transcript.follow(session, [*asked, *engine])

    async def turn(self, session: Session, number: int, asked: str, said: str | None) -> None:
        """One message and its answer."""
        words = entry(session, number, Role.CONTACT, asked)
        await self.keep(words)
        await self.finish(session, [number], [words], said)

    async def said(self, session: Session, before: int = 1 << 40) -> list[tuple[str, str]]:
        spoken = await self.transcript.history(session, before)
        return [(one.role, one.text) for one in spoken]


def entry(session: Session, turn: int, role: Role, words: str, part: int | None = None) -> Entry:
    place = {Role.CONTACT: CONTACT_PART, Role.ENGINE: ENGINE_PART}.get(role, 1)
    return Entry(session, turn, place if part is None else part, role, Text(words), 1000 + turn)


async def open_database(folder: Path) -> Database:
    database = Database(folder / "state" / "t.db", log=logs.configure(level="error"))
    await database.open()
    return database


def durable(database: Database, history: int = HISTORY) -> Room:
    transcript = DurableTranscript(database, history_entries=history)
    return Room(transcript, database, Mode.ON_THE_RECORD)


def volatile(database: Database, history: int = HISTORY) -> Room:
    transcript = VolatileTranscript(history_entries=history)
    return Room(transcript, database, Mode.OFF_THE_RECORD)
