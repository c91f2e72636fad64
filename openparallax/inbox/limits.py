"""How much one chat may say, and how often it is told the same: in memory, by Meta's timestamps."""

from bisect import insort
from collections import OrderedDict
from enum import Enum

CHATS = 10_000
"""Chats remembered; those that wrote longest ago are forgotten first."""


class Verdict(Enum):
    """What a limit says of a message."""

    WITHIN = "within"
    OVER = "over"
    """Over it, and the person has not been told so in this window."""
    OVER_AGAIN = "over again"


_Message = tuple[int, int]
"""When it was sent, and the hash of its id."""


class _Counted:
    __slots__ = ("told", "within")

    def __init__(self) -> None:
        self.within: list[_Message] = []
        self.told: _Message | None = None


class RateLimit:
    """At most so many messages of a chat in any window.

    Measured by when Meta says that they were sent: after an outage the messages of days come
    at once, and nobody has written too fast by that. What is over it does not count against it.

    A message that is judged again, since its unit did not happen, counts once. So nothing has to be
    forgotten then: whoever can make a unit fail would have everybody begin anew.

    Args:
        window_s: Seconds.
        most: Messages in any such time; None: no limit.
    """

    def __init__(self, *, window_s: float, most: int | None) -> None:
        self._window_s = window_s
        self._most = most
        self._chats: OrderedDict[int, _Counted] = OrderedDict()

    def followed_by(self, after: "RateLimit") -> None:
        """What was counted here counts in ``after`` too, and what is counted there here."""
        after._chats = self._chats  # noqa: SLF001 - of its own kind

    def judge(self, chat: int, sent_at: int, hashed: int) -> Verdict:
        """Count a message of ``chat``, unless it is over the limit; may be repeated.

        Args:
            chat: Who wrote it.
            sent_at: When, unix seconds.
            hashed: Stands for Meta's id of it.
        """
        if self._most is None:
            return Verdict.WITHIN
        counted = self._chats.get(chat)
        if counted is None:
            counted = self._chats[chat] = _Counted()
            if len(self._chats) > CHATS:
                self._chats.popitem(last=False)
        else:
            self._chats.move_to_end(chat)
        within = counted.within
        newest = max(sent_at, within[-1][0] if within else sent_at)
        gone = 0
        while gone < len(within) and within[gone][0] <= newest - self._window_s:
            gone += 1
        del within[:gone]
        # A late one counts with those that were sent near it, and not with the latest.
        near = [other for at, other in within if at < sent_at + self._window_s]
        if hashed in near:
            return Verdict.WITHIN
        if len(near) < self._most:
            insort(within, (sent_at, hashed))
            return Verdict.WITHIN
        told = counted.told
        if told is None or told[1] == hashed or abs(sent_at - told[0]) >= self._window_s:
            counted.told = sent_at, hashed
            return Verdict.OVER
        return Verdict.OVER_AGAIN


class OnceAMinute:
    """Whether a chat is to be told something that it may have been told a moment ago."""

    def __init__(self, *, window_s: float) -> None:
        self._window_s = window_s
        self._told: OrderedDict[int, float] = OrderedDict()

    def drop(self) -> None:
        """Forget what was said: the unit that said it did not happen."""
        self._told.clear()

    def is_due(self, chat: int, now: float) -> bool:
        """True once in a window; ``now`` by the monotonic clock."""
        told = self._told.get(chat)
        if told is not None and now - told < self._window_s:
            return False
        self._told[chat] = now
        self._told.move_to_end(chat)
        if len(self._told) > CHATS:
            self._told.popitem(last=False)
        return True
