"""What changed, told to everybody who watches: pages, scenarios, tests."""

import asyncio
from collections.abc import Callable
from typing import Any

Change = dict[str, Any]
"""``{"kind": …, …}``; the kinds stand in `World`, `Emulator` and `DaemonSide`."""

MOST_WAITING = 2_000


class Watcher:
    """One who watches, and how far they are."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[Change | None] = asyncio.Queue(MOST_WAITING)

    async def next(self) -> Change | None:
        """The next change; None: too much was missed or all is over, so begin anew."""
        return await self.changes.get()


class Feed:
    """Hands each change to each watcher, in order; a watcher who does not read is let go."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._calls: list[Callable[[Change], None]] = []

    @property
    def is_watched(self) -> bool:
        """Whether there is anybody to look for."""
        return bool(self._watchers)

    def watch(self) -> Watcher:
        watcher = Watcher()
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def call(self, call: Callable[[Change], None]) -> None:
        """Call ``call`` with each change, at once; it must neither wait nor raise."""
        self._calls.append(call)

    def tell(self, kind: str, **what: Any) -> None:
        change: Change = {"kind": kind, **what}
        for call in self._calls:
            call(change)
        for watcher in list(self._watchers):
            try:
                watcher.changes.put_nowait(change)
            except asyncio.QueueFull:
                self._let_go(watcher)

    def close(self) -> None:
        for watcher in list(self._watchers):
            self._let_go(watcher)

    def _let_go(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        while not watcher.changes.empty():
            watcher.changes.get_nowait()
        watcher.changes.put_nowait(None)
