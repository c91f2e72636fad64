"""From bytes to rows: nothing that Meta signs may be refused for ever, or be taken twice."""

import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from openparallax.chats.directory import Directory
from openparallax.graph.errors import classify
from openparallax.inbox.account import Account
from openparallax.inbox.door import Door
from openparallax.inbox.limits import RateLimit
from openparallax.model.messages import Notification
from openparallax.model.session import Mode
from openparallax.outbox.receipts import ReceiptDesk
from openparallax.session.notices import Notices
from openparallax.storage import news
from openparallax.storage.database import Database
from openparallax.storage.file import DatabaseFile
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts
from openparallax.transcript.durable import DurableTranscript
from openparallax.transcript.volatile import VolatileTranscript
from tests.fakes.clock import TurnedClock
from tests.fuzz import seeds
from tests.fuzz.json_mutation import mutate_lines
from tests.fuzz.target import Target
from tests.fuzz.webhooks import read

_MOST_REQUESTS = 12


class _Doorway:
    """A door on a real file, of which every try leaves nothing."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="openparallax-fuzz-"))
        file = DatabaseFile(self._folder / "t.db")
        self._connection = file.open()
        self._connection.execute("PRAGMA synchronous = OFF")
        self._file = file
        self._clock = TurnedClock(seeds.AT + 60)
        self._volatile = VolatileTranscript(history_entries=100)

    def close(self) -> None:
        self._file.close(self._connection)
        shutil.rmtree(self._folder, ignore_errors=True)

    def fresh(self) -> tuple[Door, ReceiptDesk]:
        """As at the start of a process, on an empty file."""
        self._volatile = VolatileTranscript(history_entries=100)
        # The database is only asked in reads of its own, which the door never makes.
        durable = DurableTranscript(Database(self._file.path, log=_NoLog()), history_entries=100)
        transcripts: Transcripts = {
            Mode.ON_THE_RECORD: durable,
            Mode.OFF_THE_RECORD: self._volatile,
        }
        account = Account(
            seeds.ACCOUNT,
            allowed=(),
            limit=RateLimit(window_s=60, most=None),
            takeover_s=3600,
            hash_key=b"k" * 32,
        )
        door = Door(
            accounts={seeds.ACCOUNT: account},
            directory=Directory(),
            transcripts=transcripts,
            notices=Notices(),
            turn_numbers=Numbers("turn"),
            parcel_numbers=Numbers("parcel"),
            clock=self._clock,
        )
        desk = ReceiptDesk(transcripts=transcripts, classify=classify, clock=self._clock)
        return door, desk

    def admit_all(self, notifications: list[Notification]) -> None:
        door, desk = self.fresh()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            tables = _tables(self)
            for one in notifications:
                if one.relinks:  # told again, it may be noted again that a number was left
                    tables = [name for name in tables if name not in _PEOPLE]
                self._admit(door, desk, one)
                before = self._rows(tables), self._held()
                self._admit(door, desk, one)
                assert (self._rows(tables), self._held()) == before, "admitted twice is not once"
            self._assert_promises()
        finally:
            self._connection.execute("ROLLBACK")

    def _admit(self, door: Door, desk: ReceiptDesk, one: Notification) -> None:
        """As `House.accept` does; what it raises would be 503 for as long as Meta repeats."""
        desk.apply(self._connection, one.statuses)
        for item in one.news:
            news.keep(self._connection, item)
        admission = door.admit(
            self._connection,
            one.messages,
            echoes=one.echoes,
            relinks=one.relinks,
            preferences=one.preferences,
            accounts=one.accounts,
        )
        for session, turn in admission.erased:
            if session.mode is Mode.OFF_THE_RECORD:
                self._volatile.drop(session, turn)
        for entry in admission.entries:
            if entry.session.mode is Mode.OFF_THE_RECORD:
                self._volatile.hold(entry)
        for session, hashed in admission.missed:
            if session.mode is Mode.OFF_THE_RECORD:
                self._volatile.strike(session, hashed)

    def _rows(self, tables: Sequence[str]) -> dict[str, list[Any]]:
        return {
            table: self._connection.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608
            for table in tables
        }

    def tables(self) -> list[str]:
        """Those whose rows say what was admitted; counters may go on."""
        found = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return sorted(name for (name,) in found if name not in _COUNTERS and "sqlite" not in name)

    def _held(self) -> int:
        return sum(
            len(held.entries)
            for held in self._volatile._sessions.values()  # memory's own rows
        )

    def _assert_promises(self) -> None:
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        assert not broken, f"a commit would fail: {broken[:3]}"
        kept = self._connection.execute(_WORDS_OFF_THE_RECORD, (Mode.OFF_THE_RECORD.value,))
        assert kept.fetchone()[0] == 0, "words off the record on disk"


class _NoLog:
    def debug(self, event: str, **keys: Any) -> None: ...
    def info(self, event: str, **keys: Any) -> None: ...
    def warning(self, event: str, **keys: Any) -> None: ...
    def error(self, event: str, **keys: Any) -> None: ...


_COUNTERS = frozenset({"meta"})
_PEOPLE = frozenset({"aliases", "chats", "contacts", "sessions", "merges"})
_WORDS_OFF_THE_RECORD = (
    "SELECT count(*) FROM transcript JOIN sessions ON sessions.id = transcript.session"
    " WHERE sessions.mode = ?"
)


@cache
def _doorway() -> _Doorway:
    return _Doorway()


@cache
def _tables(doorway: _Doorway) -> list[str]:
    return doorway.tables()


def try_door(data: bytes) -> None:
    """Requests, one a line: each is admitted, and admitted again it changes nothing."""
    lines = data.split(b"\n")[:_MOST_REQUESTS]
    _doorway().admit_all([found for found in map(read, lines) if found is not None])


def _close() -> None:
    _doorway().close()
    _doorway.cache_clear()
    _tables.cache_clear()


DOOR = Target("door", try_door, seeds.requests, seeds.WORDS, mutate_lines, 65_536, _close)
