"""All lanes: what of each chat waits in memory, and who of them wants a turn."""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import replace

from openparallax.clock import Clock
from openparallax.dispatch.lane import Lane
from openparallax.dispatch.ready import Ready
from openparallax.model.envelope import Envelope, Move


class Lanes:
    """Every lane by its chat; what of a chat changes finds its way to its lane here.

    Attributes:
        waiting: How many envelopes are in all lanes, those being answered included.
    """

    def __init__(self, clock: Clock) -> None:
        self._lanes: dict[int, Lane] = {}
        self._ready = Ready(clock)
        self.waiting = 0

    def __contains__(self, chat: int) -> bool:
        """Whether something of a chat waits or runs."""
        return chat in self._lanes

    # -- what comes to a lane -------------------------------------------------------------------

    def add(self, envelope: Envelope) -> None:
        """One that is newer than all that wait of its chat."""
        lane = self._lane_of(envelope.chat)
        lane.add(envelope)
        self.waiting += 1
        self.make_ready(lane)

    def put_back(self, envelope: Envelope) -> None:
        """One that may be older than those that wait: to its place; may be repeated."""
        lane = self._lane_of(envelope.chat)
        if any(waiting.number == envelope.number for waiting in lane.waiting):
            # The turn that held it is not over yet, and goes on with it then.
            lane.window_until = max(lane.window_until, envelope.window_until)
            return
        lane.add(envelope)
        lane.waiting = deque(sorted(lane.waiting, key=lambda one: one.number))
        self.waiting += 1
        self.make_ready(lane)

    def call(self, chat: int) -> None:
        """A chat wants a turn, though perhaps nothing of it waits here."""
        self.make_ready(self._lane_of(chat))

    def _lane_of(self, chat: int) -> Lane:
        lane = self._lanes.get(chat)
        if lane is None:
            lane = self._lanes[chat] = Lane(chat)
        return lane

    # -- whose turn it is -----------------------------------------------------------------------

    def make_ready(self, lane: Lane) -> None:
        """Have a lane wait for its turn, unless one of it runs, or it rests: it goes on by that."""
        if lane.is_ready:
            self._ready.look_again(lane)
        elif not lane.is_running:
            self._ready.add(lane)

    def take(self) -> Lane | None:
        """The lane that is next; None if none wants a turn."""
        return self._ready.take()

    def close(self, lane: Lane) -> None:
        """Nothing waits in it any more."""
        if self._lanes.get(lane.chat) is lane:
            del self._lanes[lane.chat]

    # -- what becomes of what waits -------------------------------------------------------------

    def moved(self, move: Move) -> None:
        """Envelopes of a chat belong to another session now."""
        lane = self._lanes.get(move.chat)
        if lane is None:
            return
        turns = set(move.turns)
        for place, envelope in enumerate(lane.waiting):
            if envelope.number in turns:
                lane.waiting[place] = replace(envelope, session=move.session)

    def ended(self, chat: int, number: int) -> bool:
        """An envelope is over; True if by that a running turn has nothing left to answer."""
        lane = self._lanes.get(chat)
        if lane is None:
            return False
        was_last = lane.answering == {number}
        lane.answering.discard(number)
        self._keep(lane, (one for one in lane.waiting if one.number != number))
        if not lane.waiting and not lane.is_running and not lane.is_ready:
            self.close(lane)
        return was_last

    def strike_off(self, lane: Lane, numbers: Collection[int]) -> None:
        """These do not wait in the lane any more; of a turn: the first ones."""
        struck = 0
        while lane.waiting and lane.waiting[0].number in numbers:
            lane.waiting.popleft()
            struck += 1
        self.waiting -= struck
        if struck != len(numbers):
            # One was over already, or an older one was put in front while the turn ran.
            self._keep(lane, (one for one in lane.waiting if one.number not in numbers))

    def correct(self, lane: Lane, known: Iterable[Envelope], found: Iterable[Envelope]) -> None:
        """Of what the lane had as ``known`` the table has what was ``found``, and as it is there.

        An id that the lane knows, and the table does not, stays.
        """
        now = {one.number: one for one in found}
        over = {one.number for one in known} - now.keys()
        self._keep(
            lane,
            [
                replace(now[one.number], wamid=one.wamid) if one.number in now else one
                for one in lane.waiting
                if one.number not in over
            ],
        )

    def _keep(self, lane: Lane, waiting: Iterable[Envelope]) -> None:
        self.waiting -= len(lane.waiting)
        lane.waiting = deque(waiting)
        self.waiting += len(lane.waiting)
