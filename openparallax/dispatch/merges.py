"""Chats that turned out to be one person's: whose work is done first."""

from collections.abc import Callable


class Merges:
    """Which chats wait for which; there are few, and each is forgotten once it is over."""

    def __init__(self) -> None:
        self._losers: dict[int, set[int]] = {}

    def note(self, loser: int, survivor: int) -> None:
        """``survivor`` goes on once ``loser`` has nothing to do any more."""
        self._losers.setdefault(survivor, set()).add(loser)
        self._losers.get(loser, set()).discard(survivor)  # it may have been the other way round

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
