"""A lane's next turn: what goes first, what is answered together, and what stays in the lane."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

from openparallax.dispatch.aside import Aside
from openparallax.dispatch.cursor import Cursor
from openparallax.dispatch.held import Held
from openparallax.dispatch.lane import DEATHS, Lane, Taken, TakeTurn
from openparallax.dispatch.lanes import Lanes
from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.model.envelope import Envelope
from openparallax.storage import Database, envelopes

RETRY_S = 1.0
MOST_SURPRISES = 3
"""A turn that broke so often ends with the apology."""
SUSPECT_DEATHS = 2
"""A turn found running after so many deaths runs while no other suspect does."""


class Advancing:
    """Takes a lane a turn further; see `advance`.

    Attributes:
        coalesces: What waits for a chat when its turn starts is answered together.
    """

    def __init__(
        self,
        database: Database,
        *,
        lanes: Lanes,
        cursor: Cursor,
        held: Held,
        aside: Aside,
        take_turn: TakeTurn,
        coalesces: bool,
        log: Logger,
    ) -> None:
        self._database = database
        self._lanes = lanes
        self._cursor = cursor
        self._held = held
        self._aside = aside
        self._take_turn = take_turn
        self._log = log
        self._first_new = 0
        self._after_death = False
        self._one_suspect = asyncio.Lock()
        self.coalesces = coalesces

    def start(self, *, first_new: int, after_death: bool) -> None:
        """What an earlier process left has numbers below ``first_new``, and may have killed it."""
        self._first_new = first_new
        self._after_death = after_death

    async def advance(self, lane: Lane) -> None:
        """Run one turn of a lane, and set for how long the lane is to rest then."""
        lane.rest_s = RETRY_S  # whatever it is that ends it: the engine may be paid each time
        try:
            lane.rest_s = await self._advance(lane)
        except NotStored:
            pass
        except Exception as surprise:  # noqa: BLE001 - one chat's trouble must not end the others'
            self._log.error("turn_broke", chat=lane.chat, exc_info=surprise)
            lane.surprises += 1

    async def _advance(self, lane: Lane) -> float:
        await self._let_go_before(lane)
        if not lane.waiting:
            return 0.0
        group = lane.group(coalesces=self.coalesces)
        deaths = self._deaths(lane, group[0])
        waiting = len(lane.waiting) - len(group)
        lane.answering = {envelope.number for envelope in group}
        async with self._one_suspect if deaths >= SUSPECT_DEATHS else nullcontext():
            if not lane.answering:
                return 0.0  # all of it was over before its turn came
            taken, count = await self._take_turn(
                group,
                deaths=deaths,
                is_cold=group[0].number < self._first_new,
                waiting=waiting,
                window_until=lane.window_until,
            )
        lane.surprises = 0
        return await self._follow(lane, group, taken, count)

    async def _let_go_before(self, lane: Lane) -> None:
        """What is older than all that waits goes first, if it may go on by now.

        What was put aside, where its number is served again. And what is held, where the window is
        open: the clock was set back, or the person wrote in that very moment.
        """
        if lane.chat in self._aside:
            for envelope in await self._aside.take_back(lane.chat):
                self._lanes.put_back(envelope)
        if lane.chat in self._held and self._held.is_open(lane.window_until):
            self._cursor.go_on(await self._held.release(lane.chat))

    def _deaths(self, lane: Lane, head: Envelope) -> int:
        """How often the process died while this turn may have been running."""
        if lane.surprises >= MOST_SURPRISES:
            return DEATHS  # the engine is not asked for ever: it is paid each time
        if head.number >= self._first_new:
            return 0
        # What is unfinished may have been running, even if its claim never reached the disk.
        return max(head.attempts, 1 if self._after_death else 0)

    async def _follow(
        self, lane: Lane, group: Sequence[Envelope], taken: Taken, count: int
    ) -> float:
        """Take out of the lane what its turn is done with; return for how long it is to rest."""
        if taken is Taken.LATER:
            await self._read_again(lane, group)
            return RETRY_S
        numbers = {envelope.number for envelope in group[:count]}
        if taken is Taken.ASIDE:
            # With all that waits behind it, which goes to the same number.
            self._aside.put(lane.chat, lane.waiting)
            numbers = {envelope.number for envelope in lane.waiting}
        elif taken is Taken.HELD:
            self._held.note(lane.chat)
            if self._held.is_open(lane.window_until):
                return 0.0  # the person wrote in that very moment: they go on with what was written
            if self._cursor.is_behind:
                self._held.note_unread(lane.chat, numbers)
        self._lanes.strike_off(lane, numbers)
        return 0.0

    async def _read_again(self, lane: Lane, group: Sequence[Envelope]) -> None:
        """What the lane knows of these may be old: the table says how they are."""
        numbers = [one.number for one in group]
        found = await self._database.read(lambda c: envelopes.by_numbers(c, numbers))
        self._lanes.correct(lane, group, found)
