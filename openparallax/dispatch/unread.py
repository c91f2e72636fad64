"""What stands in the table and is not in memory, as far as it matters to who comes now."""

from dataclasses import replace
from functools import partial

from openparallax.model.envelope import Envelope, Move
from openparallax.storage import Database, envelopes

MOST_EARLY = 10_000
"""What comes before the table was looked through, and may be taken afterwards."""
SURVEYED = 5_000
"""Rows that are looked at in one read."""


class Unread:
    """While the table holds more than memory: who may be answered before the cursor reaches them.

    Whoever has nothing older that is unread may: otherwise everybody who writes after an outage
    would wait until the whole of it is read.

    Attributes:
        is_known: Whether the table was looked through. Before that nobody may.
    """

    def __init__(self) -> None:
        self._chats: set[int] = set()
        self._ahead: set[int] = set()
        self._over: set[int] = set()
        self._released: dict[int, Envelope] = {}
        self._early: list[Envelope] = []
        self._above = self._until = 0
        self.is_known = False

    def begin(self, taken: int, until: int) -> None:
        """There is something unread.

        Args:
            taken: The cursor stands behind this number.
            until: What stands between that and this number is not known yet; of what comes
                after it, `lets_pass` is told.
        """
        self._above, self._until = taken, until
        # What came before this is older than what comes now, and stands before it.
        self.is_known = until <= taken + 1 and not self._early

    def end(self) -> None:
        """All is in memory."""
        self.is_known = True
        self._chats.clear()
        self._ahead.clear()
        self._over.clear()
        self._released.clear()

    def __contains__(self, chat: int) -> bool:
        """Whether something of a chat may be unread."""
        return chat in self._chats or not self.is_known

    def lets_pass(self, envelope: Envelope, *, has_room: bool) -> bool:
        """Whether what came now is to be taken at once; else it stays in the table."""
        if not self.is_known and has_room and len(self._early) < MOST_EARLY:
            self._early.append(envelope)
            return False
        if not (has_room and self.is_known) or envelope.chat in self._chats:
            self._chats.add(envelope.chat)
            return False
        self._ahead.add(envelope.number)
        return True

    def release(self, envelope: Envelope) -> bool:
        """What was held goes on when the cursor comes to it; perhaps its page is read just now.

        False if it was taken ahead, and so the cursor will pass over it.
        """
        if envelope.number in self._ahead:
            return False
        self._chats.add(envelope.chat)
        self._released[envelope.number] = envelope
        return True

    def latest(self, row: Envelope) -> Envelope | None:
        """What a row is by now; None if it was taken ahead, or is over."""
        if row.number in self._ahead or row.number in self._over:
            return None
        return self._released.pop(row.number, row)

    def ended(self, number: int) -> None:
        """An envelope is over, whether it is remembered here or its page is read just now."""
        self._over.add(number)

    def moved(self, move: Move) -> None:
        """Envelopes of a chat belong to another session now."""
        for number in move.turns:
            if number in self._released:
                self._released[number] = replace(self._released[number], session=move.session)
        self._early = [
            replace(one, session=move.session) if one.number in move.turns else one
            for one in self._early
        ]

    async def survey(self, database: Database) -> list[Envelope]:
        """Look through what an earlier process left unread, if that was not done yet.

        Returns:
            What came meanwhile and is to be taken now.

        Raises:
            NotStored: The file could not be read now; to be repeated.
        """
        while self._above < self._until - 1:
            found = await database.read(
                partial(envelopes.chats_after, number=self._above, most=SURVEYED)
            )
            self._chats.update(chat for number, chat in found if number < self._until)
            self._above = found[-1][0] if len(found) == SURVEYED else self._until
        self.is_known = True
        early = [one for one in self._early if one.number not in self._over]
        self._early = []
        return [one for one in early if self.lets_pass(one, has_room=True)]
