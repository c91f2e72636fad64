"""Faults that hold updates back for a while: batches, delays, one that overtakes another."""

from collections.abc import Callable

from openparallax.clock import Timer
from openparallax.emulator.clock import MovableClock
from openparallax.emulator.faults import Faults
from openparallax.emulator.webhooks.envelope import MOST_UPDATES
from openparallax.emulator.webhooks.lanes import Notification, lane_of
from openparallax.emulator.webhooks.update import Update

HELD_S = 2.0
"""How long a batch waits to be full, or an update to be overtaken."""


class Holding:
    """Hands each update on, alone or with others, at once or later.

    Args:
        way_of: Address and secret; only what has the same may travel in one request.
    """

    def __init__(
        self,
        clock: MovableClock,
        faults: Faults,
        way_of: Callable[[Update], object],
        put: Callable[[Notification], None],
    ) -> None:
        self._way_of = way_of
        self._clock = clock
        self._faults = faults
        self._put_on = put
        self._batches: dict[str | None, list[Update]] = {}
        self._overtaken: dict[str, Notification] = {}
        self._timers: dict[object, Timer] = {}

    @property
    def updates(self) -> int:
        """How many are held."""
        return sum(map(len, self._batches.values())) + len(self._overtaken)

    def put(self, update: Update) -> None:
        lane = lane_of(update)
        fault = self._faults.look("batch", update.person)
        of = fault.person if fault is not None else None
        self._let_go_before(lane, except_of=of, is_batching=fault is not None)
        if fault is not None:
            batch = self._batches.setdefault(of, [])
            batch.append(update)
            if len(batch) >= min(fault.code, MOST_UPDATES):
                self._end_batch(of)
            else:
                self._wait(("batch", of), lambda: self._end_batch(of))
            return
        notification = self._made([update])
        held = self._overtaken.pop(lane, None)
        if held is not None:
            self._put_on(notification)
            self._put_on(held)
            self._forget(("overtaken", lane))
        elif self._faults.take("reorder", update.person):
            _note(notification, "reorder")
            self._overtaken[lane] = notification
            self._wait(("overtaken", lane), lambda: self._let_be(lane))
        else:
            self._put_on(notification)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._batches.clear()
        self._overtaken.clear()

    def _made(self, updates: list[Update]) -> Notification:
        """A notification with the faults that are on for those whom it is about."""
        person = updates[0].person
        notification = Notification(
            updates=updates, since=self._clock.now(), due=self._clock.monotonic()
        )
        if self._faults.take("duplicate", person):
            notification.copies = 2
            _note(notification, "duplicate")
        delay = self._faults.take("delay", person)
        if delay is not None:
            notification.due += _seconds(delay.value)
            _note(notification, "delay")
        return notification

    def _let_go_before(self, lane: str, *, except_of: str | None, is_batching: bool) -> None:
        """What a batch holds of this lane goes first, unless the update joins that batch."""
        for of, batch in list(self._batches.items()):
            joins = is_batching and of == except_of
            if not joins and any(lane_of(update) == lane for update in batch):
                self._end_batch(of)

    def _end_batch(self, of: str | None) -> None:
        self._forget(("batch", of))
        fault = self._faults.look("batch", of)
        if fault is not None and fault.person == of:
            self._faults.take("batch", of)
        ways: dict[object, list[Update]] = {}
        for update in self._batches.pop(of, []):
            ways.setdefault(self._way_of(update), []).append(update)
        for updates in ways.values():
            notification = self._made(updates)
            notification.is_apart = fault is not None and fault.is_apart
            _note(notification, "batch")
            self._put_on(notification)

    def _let_be(self, lane: str) -> None:
        """Nothing overtook it."""
        self._forget(("overtaken", lane))
        held = self._overtaken.pop(lane, None)
        if held is not None:
            self._put_on(held)

    def _wait(self, whose: object, then: Callable[[], None]) -> None:
        if whose not in self._timers:
            self._timers[whose] = self._clock.call_later(HELD_S, then)

    def _forget(self, whose: object) -> None:
        timer = self._timers.pop(whose, None)
        if timer is not None:
            timer.cancel()


def _note(notification: Notification, fault: str) -> None:
    notification.note = ", ".join(filter(None, (notification.note, fault)))


def _seconds(value: str) -> float:
    """Of the switch; 5 where none were given."""
    try:
        seconds = float(value)
    except ValueError:
        return 5.0
    return min(max(seconds, 0.0), 86_400.0)
