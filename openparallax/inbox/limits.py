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


class _Counted:
    __slots__ = ("told_at", "within")

    def __init__(self) -> None:
        self.within: list[int] = []
        self.told_at: int | None = None


class RateLimit:
    """At most so many messages of a chat in any window.

    Measured by when Meta says that they were sent: after an outage the messages of days come
    at once, and nobody has written too fast by that. What is over it does not count against it.

    Args:
        window_s: Seconds.
        most: Messages in any such time; None: no limit.
    """

    def __init__(self, *, window_s: float, most: int | None) -> None:
        self._window_s = window_s
        self._most = most
        self._chats: OrderedDict[int, _Counted] = OrderedDict()

    def drop(self) -> None:
        """Forget what was counted: the unit that counted it did not happen."""
        self._chats.clear()

    def judge(self, chat: int, sent_at: int) -> Verdict:
        """Count a message of ``chat``, unless it is over the limit."""
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
        newest = max(sent_at, within[-1] if within else sent_at)
        gone = 0
        while gone < len(within) and within[gone] <= newest - self._window_s:
            gone += 1
        del within[:gone]
        # A late one counts with those that were sent near it, and not with the latest.
        if sum(at < sent_at + self._window_s for at in within) < self._most:
            insort(within, sent_at)
            return Verdict.WITHIN
        told_at, counted.told_at = counted.told_at, sent_at
        if told_at is None or abs(sent_at - told_at) >= self._window_s:
            return Verdict.OVER
        counted.told_at = told_at
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
