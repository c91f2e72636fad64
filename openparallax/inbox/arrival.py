"""A message on its way through the door."""

from dataclasses import dataclass

from openparallax.inbox.account import Account
from openparallax.inbox.admission import Admission
from openparallax.model.messages import Inbound
from openparallax.storage import Connection
from openparallax.storage.chats import ChatRow
from openparallax.storage.window import WINDOW_S

OLDEST_S = 8 * 86400
"""Meta repeats for seven days; a timestamp older than this says nothing about the window."""


@dataclass(slots=True)
class Arrival:
    """A new message of somebody who is let in.

    Attributes:
        connection: Inside the unit of its request.
        account: Our number that it was sent to.
        message: As it came.
        chat: Whose it is.
        hashed: Stands for Meta's id of it.
        window_until: When the customer service window that it opened closes; unix seconds.
        admission: Where its outcome is noted.
    """

    connection: Connection
    account: Account
    message: Inbound
    chat: ChatRow
    hashed: int
    window_until: int
    admission: Admission

    @property
    def believed_at(self) -> int:
        """When it was sent, by Meta's timestamp where that can be true, else now; unix seconds."""
        return self.window_until - WINDOW_S


def window_until(sent_at: int, now: float) -> int:
    """When the window closes: counted from Meta's timestamp where that can be true, else now."""
    return int(sent_at if now - OLDEST_S < sent_at <= now else now) + WINDOW_S
