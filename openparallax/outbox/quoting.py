"""Which turn a message of ours belonged to, for those that were sent lately.

A person who quotes a message gives its id and no words; these lie where the turn is. No words here
either, so sessions off the record need no other treatment.
"""

from collections import OrderedDict

from openparallax.model.session import Session
from openparallax.model.text import SessionId

KEPT = 20_000
"""Messages remembered; one costs about a quarter of a kilobyte."""


class SentLately:
    """Remembers by the hash of its id where an accepted message stands; the oldest go first."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._sent: OrderedDict[int, tuple[int, SessionId, int]] = OrderedDict()

    def note(self, accepted: int, chat: int, session: Session, turn: int) -> None:
        """Graph took a message.

        Args:
            accepted: `model.wamids.id_hash` of its id.
            chat: To whom it went.
            session: Where its words lay when it was sent; a late ``/otr`` may have moved them.
            turn: With the session, where they are.
        """
        self._sent[accepted] = (chat, session.id, turn)
        if len(self._sent) > self._most:
            self._sent.popitem(last=False)

    def find(self, accepted: int, chat: int) -> tuple[SessionId, int] | None:
        """Session and turn of a message that went to this chat, None if it is not remembered."""
        found = self._sent.get(accepted)
        return found[1:] if found is not None and found[0] == chat else None
