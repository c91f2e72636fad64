"""Order: what is about one person is told one after the other, what is about several at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from openparallax.emulator.webhooks.update import Update


@dataclass(slots=True, kw_only=True, eq=False)
class Notification:
    """One request to be made until it is taken.

    Attributes:
        since: Unix seconds of the emulator's clock.
        due: Monotonic seconds of that clock; not before.
        copies: How often it is still to be taken.
        failures: Tries that were in vain.
        was_taken: A copy of it was.
        is_apart: Each of its updates has an entry of its own.
        note: The faults that are played with it.
    """

    updates: Sequence[Update] = field(repr=False)
    since: float
    due: float
    copies: int = 1
    failures: int = 0
    was_taken: bool = False
    is_apart: bool = False
    note: str = ""


class Lanes:
    """Begins to carry a notification once all before it on its lanes are over.

    A lane holds what is told of one person in order. Messages and statuses have a lane each: Meta
    promises no order between them, and a bot may wait for a status while it handles a message.
    """

    def __init__(self, carry: Callable[[Notification], Awaitable[None]]) -> None:
        self._carry = carry
        self._lanes: dict[str, deque[Notification]] = {}
        self._tasks: dict[Notification, asyncio.Task[None]] = {}
        self._is_open = False
        self.on_end: Callable[[], None] = lambda: None
        self.updates = 0
        """How many updates are on their way."""

    def open(self) -> None:
        self._is_open = True
        for lane in list(self._lanes.values()):
            self._begin(lane[0])

    async def close(self) -> None:
        """Stop; what was not taken is forgotten."""
        self._is_open = False
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
        self.updates = 0

    def put(self, notification: Notification) -> None:
        self.updates += len(notification.updates)
        for name in lanes_of(notification.updates):
            self._lanes.setdefault(name, deque()).append(notification)
        self._begin(notification)

    def _begin(self, notification: Notification) -> None:
        """Begin if it is the first on each of its lanes and not under way."""
        names = lanes_of(notification.updates)
        is_first = all(self._lanes[name][0] is notification for name in names)
        if self._is_open and is_first and notification not in self._tasks:
            task = asyncio.create_task(self._carry_and_leave(notification))
            self._tasks[notification] = task

    async def _carry_and_leave(self, notification: Notification) -> None:
        try:
            await self._carry(notification)
        finally:
            del self._tasks[notification]
        self.updates -= len(notification.updates)
        for name in lanes_of(notification.updates):
            lane = self._lanes[name]
            lane.popleft()
            if lane:
                self._begin(lane[0])
            else:
                del self._lanes[name]
        self.on_end()


def lane_of(update: Update) -> str:
    return f"{'statuses' if update.is_status else 'rest'} {update.person or ''}"


def lanes_of(updates: Sequence[Update]) -> set[str]:
    return {lane_of(update) for update in updates}
