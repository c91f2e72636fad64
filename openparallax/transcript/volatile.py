"""Words off the record: in this process's memory and nowhere else.

The third of the four locks: this module imports nothing that could write, send or log, and a
contract in ``pyproject.toml`` keeps it so.

What is held is bounded, for each session and in all. Where a bound is passed the oldest words of
the session (or of the session longest unused) go first; if one of them still waited for an answer,
its turn finds it gone and the person is told.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence

from openparallax.model.entry import CAME_IN, CONTACT_PART, ENGINE_PART, Entry, Role
from openparallax.model.session import Session
from openparallax.model.text import SessionId, Text
from openparallax.model.turn import Spoken
from openparallax.transcript import as_spoken, trimmed

SESSION_CHARACTERS = 2_000_000
ALL_CHARACTERS = 50_000_000
_SPOKEN = (Role.CONTACT, Role.ENGINE, Role.PERSON)
_OURS = (Role.ENGINE, Role.PERSON)


class _Held:
    __slots__ = ("characters", "entries", "touched")

    def __init__(self) -> None:
        self.entries: dict[tuple[int, int], Entry] = {}
        self.characters = 0
        self.touched = 0.0


class VolatileTranscript:
    """The room for sessions off the record."""

    outlives_the_process = False

    def __init__(
        self,
        *,
        history_entries: int,
        session_characters: int = SESSION_CHARACTERS,
        all_characters: int = ALL_CHARACTERS,
    ) -> None:
        self.history_entries = history_entries
        self._session_characters = session_characters
        self._all_characters = all_characters
        self._sessions: OrderedDict[SessionId, _Held] = OrderedDict()
        self._characters = 0

    def keep(self, *entries: Entry) -> tuple[()]:
        """Nothing: no word of such a session is ever part of a transaction."""
        del entries
        return ()

    def hold(self, *entries: Entry) -> None:
        for entry in entries:
            held = self._sessions.setdefault(entry.session.id, _Held())
            self._sessions.move_to_end(entry.session.id)
            key = (entry.turn, entry.part)
            old = held.entries.get(key)
            grown = len(entry.text) - (len(old.text) if old else 0)
            held.entries[key] = entry
            held.characters += grown
            self._characters += grown
            held.touched += 1
            while held.characters > self._session_characters and len(held.entries) > 1:
                self._drop_oldest(held)
            while self._characters > self._all_characters and len(self._sessions) > 1:
                _, longest_unused = next(iter(self._sessions.items()))
                if not longest_unused.entries:
                    self._sessions.popitem(last=False)
                else:
                    self._drop_oldest(longest_unused)

    def _drop_oldest(self, held: _Held) -> None:
        entry = held.entries.pop(min(held.entries))
        held.characters -= len(entry.text)
        self._characters -= len(entry.text)

    def close_turn(self, session: Session, turns: Sequence[int]) -> tuple[()]:
        """Nothing: the history of such a session is in no index."""
        del session, turns
        return ()

    def follow(self, session: Session, spoken: Iterable[Entry]) -> None:
        """Nothing to note: what is held is the history."""
        del session, spoken

    def renew(self, session: Session) -> None:
        """Nothing is read from anywhere else."""
        del session

    def erase(self, turn: int) -> tuple[()]:
        """Nothing: no word of such a session is on disk."""
        del turn
        return ()

    def unsay(self, turn: int) -> tuple[()]:
        """Nothing: no word of such a session is on disk."""
        del turn
        return ()

    def note_unsaid(self, session: Session, turn: int) -> None:
        self._change_role(session, turn, _OURS, Role.UNSAID)

    def is_by_hand(self, connection: object, session: Session, turn: int) -> bool:
        del connection
        held = self._sessions.get(session.id)
        entry = None if held is None else held.entries.get((turn, ENGINE_PART))
        return entry is not None and entry.role is Role.PERSON

    def say_again(self, turn: int) -> tuple[()]:
        """Nothing: no word of such a session is on disk."""
        del turn
        return ()

    def note_said_again(self, session: Session, turn: int) -> None:
        held = self._sessions.get(session.id)
        is_answer = held is not None and (turn, CONTACT_PART) in held.entries
        role = Role.ENGINE if is_answer else Role.PERSON
        self._change_role(session, turn, (Role.UNSAID,), role)

    def _change_role(
        self, session: Session, turn: int, roles: Collection[Role], role: Role
    ) -> None:
        """Of what we wrote, should it have one of ``roles``."""
        held = self._sessions.get(session.id)
        entry = None if held is None else held.entries.get((turn, ENGINE_PART))
        is_ours = entry is not None and entry.role in roles and entry.hashed is None
        if held is not None and entry is not None and is_ours:
            held.entries[turn, ENGINE_PART] = Entry(
                session, turn, ENGINE_PART, role, entry.text, entry.sent_at
            )

    def drop(self, session: Session, turn: int) -> None:
        held = self._sessions.get(session.id)
        if held is None:
            return
        came_in = [
            key
            for key, entry in held.entries.items()
            if entry.turn == turn and entry.role in CAME_IN
        ]
        for key in came_in:
            gone = len(held.entries.pop(key).text)
            held.characters -= gone
            self._characters -= gone

    def strike(self, session: Session, hashed: int) -> None:
        entry = self._find(session, hashed)
        if entry is not None:
            self.drop(session, entry.turn)

    def turn_of(self, connection: object, session: Session, hashed: int, before: int) -> int | None:
        del connection, before
        entry = self._find(session, hashed)
        return None if entry is None else entry.turn

    async def quoted(self, session: Session, hashed: int) -> Spoken | None:
        entry = self._find(session, hashed)
        return None if entry is None else as_spoken(entry)

    def _find(self, session: Session, hashed: int) -> Entry | None:
        held = self._sessions.get(session.id)
        found = held.entries.values() if held is not None else ()
        return next((entry for entry in found if entry.hashed == hashed), None)

    async def read(self, session: Session, turn: int, part: int) -> Text | None:
        held = self._sessions.get(session.id)
        if held is None:
            return None
        entry = held.entries.get((turn, part))
        return None if entry is None else entry.text

    async def history(self, session: Session, before: int) -> tuple[Spoken, ...]:
        held = self._sessions.get(session.id)
        if held is None:
            return ()
        spoken = [
            as_spoken(entry)
            for _, entry in sorted(held.entries.items(), key=lambda item: (item[0][0], -item[0][1]))
            if entry.turn < before and entry.role in _SPOKEN
        ]
        return trimmed(spoken, self.history_entries)

    def sessions(self) -> dict[SessionId, float]:
        """Each session that has words here, and a mark that changes when it gets more."""
        return {session: held.touched for session, held in self._sessions.items()}

    def forget(self, session: SessionId) -> None:
        """Drop every word of a session; may be repeated."""
        held = self._sessions.pop(session, None)
        if held is not None:
            self._characters -= held.characters
