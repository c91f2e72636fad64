"""All lanes, and the lines in which those stand that want a step: one for each of our numbers.

A number that may not send now keeps its own line waiting and nobody else's. The lines that may have
a step take turns, one lane each; within a line it is first come, first served. Lanes that are to be
read from the table first stand in a line of their own: reading waits for no number.

After an outage thousands of answers want to go out at a number's pace. Who wrote just now does not
stand behind all of them: those who have waited stand in a second row of the line, and the two take
turns.
"""

from collections import OrderedDict, deque

from openparallax.clock import Clock, Timer
from openparallax.outbox.lane import Lane
from openparallax.storage.window import WINDOW_S

LATE_S = 120
"""Whose message is older than this when its answer wants to go out, has waited for an outage."""


class Line:
    """Lanes that want a step, in the order in which they began to.

    Attributes:
        account: Whose lanes they are; None for those that are to be read first.
        fresh: Those who wrote just now, in order; a lane can leave from the middle.
        late: Those who have waited, in order.
        takes_turns: It is among the lines that may have a step, as far as is known.
        timer: Lets it take turns again.
        due: When that will be, in monotonic time.
    """

    __slots__ = ("account", "due", "fresh", "is_late_next", "late", "takes_turns", "timer")

    def __init__(self, account: str | None) -> None:
        self.account = account
        self.fresh: OrderedDict[Lane, None] = OrderedDict()
        self.late: OrderedDict[Lane, None] = OrderedDict()
        self.is_late_next = False
        self.takes_turns = False
        self.timer: Timer | None = None
        self.due = 0.0

    def __bool__(self) -> bool:
        """Whether somebody stands in it."""
        return bool(self.fresh or self.late)

    @property
    def _next(self) -> OrderedDict[Lane, None]:
        is_late = self.late and (self.is_late_next or not self.fresh)
        return self.late if is_late else self.fresh

    @property
    def first(self) -> Lane:
        return next(iter(self._next))

    def add(self, lane: Lane, *, is_late: bool) -> None:
        (self.late if is_late else self.fresh)[lane] = None

    def remove(self, lane: Lane) -> None:
        del (self.late if lane in self.late else self.fresh)[lane]

    def take(self) -> Lane:
        """Take out the first one."""
        row = self._next
        lane, _ = row.popitem(last=False)
        self.is_late_next = row is self.fresh
        return lane


class Lanes:
    """Every lane by its chat; each change costs the same however many there are."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[int, Lane] = {}
        self._cold = Line(None)
        self._lines: dict[str, Line] = {}
        self._turns: deque[Line] = deque()

    def __contains__(self, chat: int) -> bool:
        return chat in self._lanes

    def get(self, chat: int) -> Lane | None:
        return self._lanes.get(chat)

    def open(self, chat: int, *, is_cold: bool = False) -> Lane:
        """A new lane for a chat that has none."""
        lane = self._lanes[chat] = Lane(chat)
        lane.is_cold = is_cold
        return lane

    def make_ready(self, lane: Lane) -> None:
        """Put a lane in its line, unless it is busy or stands there already.

        One that has turned cold meanwhile changes over to the line of those.
        """
        if lane.is_busy:
            return
        line = self._line_of(lane)
        if lane.line is not line:
            if lane.line is not None:
                lane.line.remove(lane)
            lane.line = line
            line.add(lane, is_late=line is not self._cold and self._has_waited(lane))
        self.join(line)

    def _line_of(self, lane: Lane) -> Line:
        if lane.is_cold or not lane.parcels:
            return self._cold
        account = lane.parcels[0].account
        line = self._lines.get(account)
        if line is None:
            line = self._lines[account] = Line(account)
        return line

    def _has_waited(self, lane: Lane) -> bool:
        return lane.parcels[0].window_until - WINDOW_S < self._clock.now() - LATE_S

    def is_waiting(self, account: str) -> bool:
        """Whether a lane of this number wants a step."""
        line = self._lines.get(account)
        return bool(line)

    def look_again(self, account: str) -> None:
        """Perhaps the number may send again: let its line take turns."""
        line = self._lines.get(account)
        if line is not None:
            self.join(line)

    def look_at_all(self) -> None:
        """Perhaps every number may send again."""
        for line in self._lines.values():
            self.join(line)

    def wake_all(self) -> None:
        """Perhaps no lane has to rest any longer: each looks for itself how long it has to."""
        for lane in list(self._lanes.values()):
            if lane.timer is not None:
                lane.wake()
                self.leave(lane)

    def join(self, line: Line) -> None:
        """Let a line take turns, unless nobody stands in it or it does already."""
        if line and not line.takes_turns:
            line.takes_turns = True
            self._turns.append(line)

    @property
    def next_line(self) -> Line | None:
        """The line whose turn it is; its first lane is next."""
        while self._turns:
            line = self._turns[0]
            if line:
                return line
            self.pass_over()
        return None

    def pass_over(self) -> None:
        """The line whose turn it is may have no step now: it takes none until it joins again."""
        self._turns.popleft().takes_turns = False

    def take(self) -> Lane:
        """Take the first lane out of the line whose turn it is; then it is the next line's."""
        line = self._turns.popleft()
        lane = line.take()
        lane.line = None
        if line:
            self._turns.append(line)
        else:
            line.takes_turns = False
        return lane

    def leave(self, lane: Lane) -> None:
        """A lane's step or rest is over: it goes on with what waits in it, or is let go."""
        lane.is_busy = False
        if lane.parcels or lane.is_cold:
            self.make_ready(lane)
        elif self._lanes.get(lane.chat) is lane:
            del self._lanes[lane.chat]

    @property
    def is_empty(self) -> bool:
        """Whether it is as if there had never been a lane."""
        return not (self._lanes or self._cold or any(self._lines.values()))

    @property
    def waiting(self) -> int:
        """How many parcels are in all lanes, those being sent included."""
        return sum(len(lane.parcels) for lane in self._lanes.values())
