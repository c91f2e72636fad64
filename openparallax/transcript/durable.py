"""Words on the record: on disk, with the latest at hand.

Two small caches save reading what was just written: the words that wait for their turn or their
send (taken out by the first read), and the history of the sessions talked in lately. Both are
bounded by characters; neither is needed for correctness.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from openparallax.model.entry import Entry, Role
from openparallax.model.session import Session
from openparallax.model.text import SessionId, Text
from openparallax.model.turn import Spoken
from openparallax.storage import Connection, Database, Write, transcripts
from openparallax.transcript import as_spoken, trimmed

AT_HAND_CHARACTERS = 4_000_000
HISTORY_CHARACTERS = 4_000_000
HISTORIES = 5_000
QUOTED_TURNS = 1_000
"""How far back a quoted message is looked for, in messages of its session."""


@dataclass(slots=True)
class _History:
    """What was said in a session.

    Attributes:
        last: The last turn in it.
        characters: Of all that is in it.
    """

    last: int
    spoken: tuple[Spoken, ...]
    characters: int


class DurableTranscript:
    """The room for sessions on the record."""

    outlives_the_process = True

    def __init__(self, database: Database, *, history_entries: int) -> None:
        self._database = database
        self._history_entries = history_entries
        self._at_hand: OrderedDict[tuple[int, int], Text] = OrderedDict()
        self._at_hand_characters = 0
        self._histories: OrderedDict[SessionId, _History] = OrderedDict()
        self._history_characters = 0
        self._forgotten = 0

    def show(self, history_entries: int) -> None:
        """Show an engine so many earlier messages from now on."""
        self._history_entries = history_entries
        self._histories.clear()  # what was cut from them is in the table only
        self._history_characters = 0
        self._forgotten += 1

    def keep(self, *entries: Entry) -> Sequence[Write]:
        return [transcripts.keep(entry) for entry in entries]

    def hold(self, *entries: Entry) -> None:
        rendered: Collection[int] = ()
        if len(entries) > 1:
            rendered = {entry.turn for entry in entries if entry.role is Role.PART}
        for entry in entries:
            if entry.role is Role.PERSON or (entry.role is Role.ENGINE and entry.turn in rendered):
                continue  # nobody reads it soon, and it would push out what is waited for
            old = self._at_hand.pop((entry.turn, entry.part), None)
            self._at_hand[entry.turn, entry.part] = entry.text
            self._at_hand_characters += len(entry.text) - (len(old) if old else 0)
        while self._at_hand_characters > AT_HAND_CHARACTERS:
            _, text = self._at_hand.popitem(last=False)
            self._at_hand_characters -= len(text)

    def close_turn(self, session: Session, turns: Sequence[int]) -> Sequence[Write]:
        return transcripts.close_turn(session.id, turns)

    def follow(self, session: Session, spoken: Iterable[Entry]) -> None:
        known = self._histories.get(session.id)
        if known is None:
            return
        before = known.characters
        added = []
        for entry in spoken:
            added.append(as_spoken(entry))
            known.last = max(known.last, entry.turn)
            known.characters += len(entry.text)
        known.spoken = (*known.spoken, *added)
        if len(known.spoken) > self._history_entries:
            known.spoken = trimmed(known.spoken, self._history_entries)
            known.characters = _characters(known.spoken)
        self._history_characters += known.characters - before
        self._mind_histories()

    def renew(self, session: Session) -> None:
        self.forget([session.id], [])

    def erase(self, turn: int) -> Sequence[Write]:
        return [transcripts.erase(turn)]

    def unsay(self, turn: int) -> Sequence[Write]:
        return [transcripts.unsay(turn)]

    def note_unsaid(self, session: Session, turn: int) -> None:
        self.forget([session.id], [turn])

    def is_by_hand(self, connection: Connection, session: Session, turn: int) -> bool:
        del session  # on disk a turn's number is key enough
        return transcripts.is_by_hand(connection, turn)

    def say_again(self, turn: int) -> Sequence[Write]:
        return [transcripts.say_again(turn)]

    def note_said_again(self, session: Session, turn: int) -> None:
        self.forget([session.id], [turn])

    def drop(self, session: Session, turn: int) -> None:
        self.forget([session.id], [turn])

    def strike(self, session: Session, hashed: int) -> None:
        """Nothing: whatever was brought before stood in the table already."""
        del session, hashed

    def turn_of(
        self, connection: Connection, session: Session, hashed: int, before: int
    ) -> int | None:
        since = before - transcripts.REPEATED_FOR_S
        return transcripts.turn_of(connection, session.id, hashed, since)

    async def quoted(self, session: Session, hashed: int) -> Spoken | None:
        def work(connection: Connection) -> Entry | None:
            turn = transcripts.turn_of(connection, session.id, hashed, 0, most=QUOTED_TURNS)
            entries = [] if turn is None else transcripts.words_of_turn(connection, turn)
            return next((entry for entry in entries if entry.hashed == hashed), None)

        entry = await self._database.read(work)
        return None if entry is None else as_spoken(entry)

    async def read(self, session: Session, turn: int, part: int) -> Text | None:
        del session  # on disk a turn's number is key enough
        text = self._at_hand.pop((turn, part), None)
        if text is not None:
            self._at_hand_characters -= len(text)
            return text
        return await self._database.read(lambda c: transcripts.read(c, turn, part))

    async def history(self, session: Session, before: int) -> tuple[Spoken, ...]:
        known = self._histories.get(session.id)
        if known is not None and known.last < before:
            self._histories.move_to_end(session.id)
            return known.spoken
        forgotten = self._forgotten
        entries = await self._database.read(
            lambda c: transcripts.history(c, session.id, before, self._history_entries)
        )
        if forgotten != self._forgotten:
            # Words were scrubbed while this was read; what was read may hold them.
            return await self.history(session, before)
        history = trimmed([as_spoken(entry) for entry in entries], self._history_entries)
        if known is None:
            last = max((entry.turn for entry in entries), default=0)
            characters = _characters(history)
            self._histories[session.id] = _History(last, history, characters)
            self._history_characters += characters
            self._mind_histories()
        return history

    def forget(self, sessions: Iterable[SessionId], turns: Iterable[int]) -> None:
        """Have the history of these sessions and the words of these turns at hand no more."""
        self._forgotten += 1
        for session in sessions:
            gone = self._histories.pop(session, None)
            if gone is not None:
                self._history_characters -= gone.characters
        gone_turns = set(turns)
        for key in [key for key in self._at_hand if key[0] in gone_turns]:
            self._at_hand_characters -= len(self._at_hand.pop(key))

    def forget_all(self) -> None:
        """Have nothing at hand any more; all of it is on disk, as far as it is not scrubbed."""
        self._forgotten += 1
        self._at_hand.clear()
        self._at_hand_characters = 0
        self._histories.clear()
        self._history_characters = 0

    def _mind_histories(self) -> None:
        while len(self._histories) > 1 and (
            self._history_characters > HISTORY_CHARACTERS or len(self._histories) > HISTORIES
        ):
            _, oldest = self._histories.popitem(last=False)
            self._history_characters -= oldest.characters


def _characters(history: Iterable[Spoken]) -> int:
    return sum(len(spoken.text) for spoken in history)
