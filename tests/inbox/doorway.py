"""A door on a real file, without sockets: what is said goes in, where it was placed comes out."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from openparallax import logs
from openparallax.chats.directory import Directory
from openparallax.inbox.account import Account
from openparallax.inbox.admission import Admission
from openparallax.inbox.door import Door
from openparallax.inbox.limits import RateLimit
from openparallax.model.entry import CONTACT_PART, ENGINE_PART, Entry, Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.messages import Echo, Inbound, Kind, Relink, Sender
from openparallax.model.session import Mode, Session
from openparallax.model.text import Text
from openparallax.session.notices import Notices
from openparallax.storage import Connection, Database, envelopes
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts
from openparallax.transcript.durable import DurableTranscript
from openparallax.transcript.volatile import VolatileTranscript
from tests.fakes.clock import TurnedClock

ACCOUNT = "1234567890123456"
_serial = itertools.count(1)


def message(words: str, at: int, *, sender: str = "4915112345678", wamid: str = "") -> Inbound:
    return Inbound(
        phone_number_id=ACCOUNT,
        display_phone_number="15550001111",
        wamid=wamid or f"wamid.{next(_serial)}",
        sender=Sender(wa_id=sender),
        sent_at=at,
        kind=Kind.TEXT,
        type="text",
        text=Text(words),
    )


class Doorway:
    """The door with what stands behind it, and the simplest of turns.

    ``async with Doorway(folder) as doorway``; `admit` is one request, `answer` ends every turn that
    waits with an answer that quotes all that the engine sees, `restart` is another process.
    """

    def __init__(
        self, folder: Path, clock: TurnedClock | None = None, *, most: int | None = None
    ) -> None:
        self.most = most
        self.file = folder / "state" / "t.db"
        self.clock = clock or TurnedClock()

    async def __aenter__(self) -> Self:
        self.database = Database(self.file, log=logs.configure(level="error"))
        await self.database.open()
        await self.restart()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.database.close()

    async def restart(self) -> None:
        """Another process: caches and memory are gone, the file is not."""
        self.volatile = VolatileTranscript(history_entries=100)
        self.durable = DurableTranscript(self.database, history_entries=100)
        self.transcripts: Transcripts = {
            Mode.ON_THE_RECORD: self.durable,
            Mode.OFF_THE_RECORD: self.volatile,
        }
        self.limit = RateLimit(window_s=60, most=self.most)
        account = Account(
            ACCOUNT, allowed=(), limit=self.limit, takeover_s=3600, hash_key=b"k" * 32
        )
        self.door = Door(
            accounts={ACCOUNT: account},
            directory=Directory(),
            transcripts=self.transcripts,
            notices=Notices(),
            turn_numbers=Numbers("turn"),
            parcel_numbers=Numbers("parcel"),
            clock=self.clock,
        )
        self.database.on_failure(self.door.drop)

    async def admit(
        self,
        *messages: Inbound,
        echoes: Sequence[Echo] = (),
        relinks: Sequence[Relink] = (),
    ) -> Admission:
        admission = await self.database.unit(
            lambda connection: self.door.admit(
                connection, messages, echoes=echoes, relinks=relinks
            ),
            self._hold,
        )
        if admission.has_scrubbed:
            assert await self.database.truncate_log()
        return admission

    def _hold(self, admission: Admission) -> None:
        for move in admission.moves:
            self.durable.forget(move.left, move.turns)
        for session, turn in admission.erased:
            self.transcripts[session.mode].drop(session, turn)
        for session, turn in admission.unsaid:
            self.transcripts[session.mode].note_unsaid(session, turn)
        for session in admission.renewed:
            self.transcripts[session.mode].renew(session)
        for entry in admission.entries:
            self.transcripts[entry.session.mode].hold(entry)
        for session, hashed in admission.missed:
            self.transcripts[session.mode].strike(session, hashed)

    async def waiting(self) -> list[Envelope]:
        return await self.database.read(lambda c: envelopes.after(c, 0, 10_000))

    async def answer(self, count: int = 10_000) -> list[tuple[Session, str]]:
        """End the first turns that wait, one by one; the session and the prompt of each."""
        prompts = []
        for envelope in (await self.waiting())[:count]:
            session = envelope.session
            transcript = self.transcripts[session.mode]
            entries: list[Entry] = []
            if envelope.errand is Errand.TURN:
                text = await transcript.read(session, envelope.number, CONTACT_PART)
                if text is not None:
                    history = await transcript.history(session, envelope.number)
                    prompt = "\n".join([*(spoken.text for spoken in history), text.words])
                    prompts.append((session, prompt))
                    said = Text(f"you said: {prompt}"[-5000:])
                    entries = [
                        Entry(session, envelope.number, ENGINE_PART, Role.ENGINE, said, 0),
                    ]
            await self.database.unit(self._ending(envelope, entries))
            transcript.hold(*entries)
        return prompts

    def _ending(self, envelope: Envelope, entries: list[Entry]) -> Callable[[Connection], None]:
        transcript = self.transcripts[envelope.session.mode]

        def work(connection: Connection) -> None:
            turns = [envelope.number] if entries else []
            for write in (
                *transcript.keep(*entries),
                *transcript.close_turn(envelope.session, turns),
                *envelopes.done([envelope]),
            ):
                execute(connection, write)

        return work

    def written(self) -> bytes:
        return b"\0".join(
            file.read_bytes() for file in sorted(self.file.parent.iterdir()) if file.is_file()
        )
