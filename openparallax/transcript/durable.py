"""Words on the record: on disk, with the latest at hand.

Two small caches save reading what was just written: the words that wait for their turn or their
send (taken out by the first read), and the history of the sessions talked in lately. Both are
bounded by characters; neither is needed for correctness.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from openparallax.model.entry import Entry
from openparallax.model.session import Session
from openparallax.model.text import SessionId, Text
from openparallax.storage import Database, Write, transcripts
from openparallax.transcript import trimmed

AT_HAND_CHARACTERS = 4_000_000
HISTORY_CHARACTERS = 4_000_000
HISTORIES = 5_000


class DurableTranscript:
    """The room for sessions on the record."""

    outlives_the_process = True

    def __init__(self, database: Database, *, history_entries: int) -> None:
        self._database = database
        self._history_entries = history_entries
        self._at_hand: OrderedDict[tuple[int, int], Text] = OrderedDict()
        self._at_hand_characters = 0
        self._histories: OrderedDict[SessionId, list[Entry]] = OrderedDict()
        self._history_characters = 0
        self._forgotten = 0

    def keep(self, *entries: Entry) -> Sequence[Write]:
        return [transcripts.keep(entry) for entry in entries]

    def hold(self, *entries: Entry) -> None:
        for entry in entries:
            old = self._at_hand.pop((entry.turn, entry.part), None)
            self._at_hand[entry.turn, entry.part] = entry.text
            self._at_hand_characters += len(entry.text) - (len(old) if old else 0)
        while self._at_hand_characters > AT_HAND_CHARACTERS:
            _, text = self._at_hand.popitem(last=False)
            self._at_hand_characters -= len(text)

    def close_turn(self, session: Session, turns: Sequence[int]) -> Sequence[Write]:
        return transcripts.close_turn(session.id, turns)

    def follow(self, session: Session, spoken: Iterable[Entry]) -> None:
        history = self._histories.get(session.id)
        if history is None:
            return
        added = list(spoken)
        history.extend(added)
        self._history_characters += sum(len(entry.text) for entry in added)
        if len(history) > self._history_entries:
            kept = trimmed(history, self._history_entries)
            self._history_characters -= sum(
                len(entry.text) for entry in history[: len(history) - len(kept)]
            )
            self._histories[session.id] = kept
        self._mind_histories()

    async def read(self, session: Session, turn: int, part: int) -> Text | None:
        text = self._at_hand.pop((turn, part), None)
        if text is not None:
            self._at_hand_characters -= len(text)
            return text
        return await self._database.read(lambda c: transcripts.read(c, turn, part))

    async def history(self, session: Session, before: int) -> list[Entry]:
        history = self._histories.get(session.id)
        if history is None:
            forgotten = self._forgotten
            history = trimmed(
                await self._database.read(
                    lambda c: transcripts.history(c, session.id, before, self._history_entries)
                ),
                self._history_entries,
            )
            if forgotten != self._forgotten:
                # Words were scrubbed while this was read; what was read may hold them.
                return await self.history(session, before)
            self._histories[session.id] = history
            self._history_characters += sum(len(entry.text) for entry in history)
            self._mind_histories()
        else:
            self._histories.move_to_end(session.id)
        return [entry for entry in history if entry.turn < before]

    def forget(self, session: SessionId, turns: Iterable[int] = ()) -> None:
        """Have nothing of a session, or of some of its turns, at hand any more."""
        self._forgotten += 1
        gone = self._histories.pop(session, None)
        if gone is not None:
            self._history_characters -= sum(len(entry.text) for entry in gone)
        for turn in turns:
            for key in [key for key in self._at_hand if key[0] == turn]:
                self._at_hand_characters -= len(self._at_hand.pop(key))

    def _mind_histories(self) -> None:
        while len(self._histories) > 1 and (
            self._history_characters > HISTORY_CHARACTERS or len(self._histories) > HISTORIES
        ):
            _, history = self._histories.popitem(last=False)
            self._history_characters -= sum(len(entry.text) for entry in history)
