"""Second thoughts: a message was deleted by who wrote it, so its words go here too."""

from collections import OrderedDict

from openparallax.inbox.admission import Admission
from openparallax.model.session import Session
from openparallax.storage import Connection, chats, envelopes, sessions
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.trail import Step
from openparallax.transcript import Transcripts

REMEMBERED = 10_000


class Revoked:
    """Deletes messages, and remembers those that were deleted before they came.

    Requests overtake each other. Nothing is forgotten with a unit that did not happen: whoever told
    of it, the message is deleted.
    """

    def __init__(self, transcripts: Transcripts) -> None:
        self._transcripts = transcripts
        self._hashes: OrderedDict[int, None] = OrderedDict()

    def has(self, hashed: int) -> bool:
        """Whether a message that comes now was deleted already, as far as is remembered."""
        return hashed in self._hashes

    def revoke(
        self,
        connection: Connection,
        chat: ChatRow,
        hashed: int,
        sent_at: int,
        admission: Admission,
    ) -> None:
        """Scrub the words of a message and cancel the turn that waits for them.

        What answered it stays. The log must be truncated after the commit.

        Args:
            connection: Inside the unit.
            chat: Whose message it was; of another chat nothing is touched.
            hashed: Stands for Meta's id of it.
            sent_at: When it was deleted, by Meta's timestamp; unix seconds.
            admission: Where the outcome is noted.
        """
        for one in (chat.id, *chats.losers_of(connection, chat.id)):
            found = self._find(connection, one, hashed, sent_at, admission)
            if found is not None:
                session, turn = found
                for write in self._transcripts[session.mode].erase(turn):
                    execute(connection, write)
                admission.erase(session, turn)
                admission.count("revoked")
                admission.step(Step.REVOKED, chat, turn)
                return
        self._hashes[hashed] = None
        if len(self._hashes) > REMEMBERED:
            self._hashes.popitem(last=False)
        admission.count("revoke_of_nothing")

    def _find(
        self, connection: Connection, chat: int, hashed: int, sent_at: int, admission: Admission
    ) -> tuple[Session, int] | None:
        waiting = envelopes.words_by_hash(connection, chat, hashed)
        if waiting is not None:
            envelopes.drop(connection, [waiting.number])
            admission.end(chat, waiting.number)
            return waiting.session, waiting.number
        theirs = sessions.recent(connection, chat, sent_at)
        for session in theirs:
            transcript = self._transcripts[session.mode]
            turn = transcript.turn_of(connection, session, hashed, sent_at)
            if turn is not None:
                return session, turn
        # What this very request has brought, or moved off the record, is not held yet.
        for entry in admission.entries:
            if entry.hashed == hashed and entry.session in theirs:
                return entry.session, entry.turn
        # Neither is what came in the same commit.
        admission.missed.extend((session, hashed) for session in theirs)
        return None
