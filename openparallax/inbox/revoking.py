"""Second thoughts: a message was deleted by who wrote it, so its words go here too."""

from collections import OrderedDict
from itertools import chain

from openparallax.inbox.admission import Admission
from openparallax.storage import Connection, chats, envelopes, sessions
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.transcript import Transcripts

REMEMBERED = 10_000


class Revoked:
    """Messages that were deleted before they came, since requests overtake each other.

    Not forgotten with a unit that did not happen: whoever told of it, the message is deleted.
    """

    def __init__(self) -> None:
        self._hashes: OrderedDict[int, None] = OrderedDict()

    def note(self, hashed: int) -> None:
        self._hashes[hashed] = None
        if len(self._hashes) > REMEMBERED:
            self._hashes.popitem(last=False)

    def has(self, hashed: int) -> bool:
        return hashed in self._hashes


def revoke(
    connection: Connection,
    chat: ChatRow,
    hashed: int,
    sent_at: int,
    transcripts: Transcripts,
    admission: Admission,
) -> bool:
    """Scrub the words of a message and cancel the turn that waits for them.

    What answered it stays. The log must be truncated after the commit.

    Args:
        connection: Inside the unit.
        chat: Whose message it was.
        hashed: Stands for Meta's id of it.
        sent_at: When it was deleted, by Meta's timestamp; unix seconds.
        transcripts: The room of each mode.
        admission: Where the outcome is noted.

    Returns:
        False if the chat has no such message.
    """
    for one in (chat.id, *chats.losers_of(connection, chat.id)):
        waiting = envelopes.words_by_hash(connection, one, hashed)
        if waiting is not None:
            envelopes.drop(connection, [waiting.number])
            admission.end(one, waiting.number)
            found = (waiting.session, waiting.number)
        else:
            theirs = sessions.recent(connection, one, sent_at)
            finished = (
                (session, turn)
                for session in theirs
                if (turn := transcripts[session.mode].turn_of(connection, session, hashed, sent_at))
                is not None
            )
            # What this very request has brought, or moved off the record, is not held yet.
            brought = (
                (entry.session, entry.turn)
                for entry in admission.entries
                if entry.hashed == hashed and entry.session in theirs
            )
            first = next(chain(finished, brought), None)
            if first is None:
                continue
            found = first
        session, turn = found
        for write in transcripts[session.mode].erase(turn):
            execute(connection, write)
        admission.erase(session, turn)
        admission.count("revoked")
        return True
    return False
