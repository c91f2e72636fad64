"""Chats that turned out to be one person's: whose work is done first."""

from collections.abc import Callable


class Merges:
    """Which chats wait for which; there are few, and each is forgotten once it is over."""

    def __init__(self) -> None:
        self._losers: dict[int, set[int]] = {}

    def note(self, loser: int, survivor: int) -> None:
        """``survivor`` goes on once ``loser`` has nothing to do any more.

        It may have been the loser of another merge. As in the table, nobody waits for it since
        then: chats that wait for one another in a ring would never go on.
        """
        for losers in self._losers.values():
            losers.discard(survivor)
        self._losers.setdefault(survivor, set()).add(loser)

    def holds_back(self, chat: int, has_work: Callable[[int], bool]) -> bool:
        """Whether ``chat`` has to wait for another one, or for one that that one waits for."""
        losers = self._losers.get(chat)
        if not losers:
            return False
        for loser in list(losers):
            if not has_work(loser) and not self.holds_back(loser, has_work):
                losers.discard(loser)
        if not losers:
            del self._losers[chat]
        return bool(losers)
