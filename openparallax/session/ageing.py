"""What goes by its age: words after `storage.retention_days`, copies of the file after a week.

The transcript is read in the order in which it was written, once: a sweep begins where the last one
ended, so it costs the same however much lies before. Sessions with open work are left alone, and
come again with each later sweep. The display names of contacts stay: they are not said to us, and
come anew with each message.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from openparallax.clock import Clock
from openparallax.errors import Refusal
from openparallax.logs import Logger
from openparallax.model.text import SessionId
from openparallax.session.erasing import put_away
from openparallax.session.erasure import Erasure, Live
from openparallax.storage import Connection, Database, copies, erasing, scrubbing

EVERY_S = 3600.0
DAY_S = 86400


class Retention:
    """Removes what is past its time; to be called every minute.

    Args:
        days: After how many days words go; None: never.
        live: The parts of the house.
        erasure: Is given the chance to finish what was interrupted.
    """

    def __init__(
        self,
        database: Database,
        *,
        days: int | None,
        live: Live,
        erasure: Erasure,
        clock: Clock,
        log: Logger,
    ) -> None:
        self._database = database
        self._days = days
        self._live = live
        self._erasure = erasure
        self._clock = clock
        self._log = log
        self._next = clock.monotonic()
        self._one = asyncio.Lock()

    def keep_for(self, days: int | None) -> None:
        """Words go after so many days from now on; the next sweep looks for what is due by that."""
        self._days = days
        self._next = self._clock.monotonic()

    async def sweep(self) -> bool:
        """Do what is due, in small steps; True if words were scrubbed and the log is to be cut.

        Raises:
            NotStored: The disk refused; to be tried again.
        """
        async with self._one:
            return await self._sweep()

    async def _sweep(self) -> bool:
        try:
            await self._erasure.resume()
        except Refusal as refusal:
            self._log.warning("forgetting_put_off", error=str(refusal))
        now = self._clock.now()
        async with self._erasure.one:
            gone = await asyncio.to_thread(copies.remove_old, self._database.path, now)
        for copy in gone:
            self._log.info("copy_deleted", path=str(copy))
        if self._days is None or self._clock.monotonic() < self._next:
            return False
        days = self._days
        count = await self._remove(now - days * DAY_S, now)
        if self._days == days:  # else what is due by the new one is looked for at once
            self._next = self._clock.monotonic() + EVERY_S
        if count:
            self._log.info("retention_done", count=count)
        return bool(count)

    async def _remove(self, cutoff: float, now: float) -> int:
        busy = await self._database.read(erasing.busy)
        above, arrived = await self._database.read(erasing.where)
        count = await self._catch_up(busy, above)
        while True:
            found = await self._database.read(
                partial(erasing.due, above=above, arrived=arrived, cutoff=cutoff, now=now)
            )
            for step in erasing.in_steps(found.rows):
                count += await self._put_away(step, busy)
            if found.above > above:
                above, arrived = found.above, found.arrived
                await self._database.unit(partial(erasing.move_on, above=above, arrived=arrived))
            if found.is_all:
                break
        return count + await self._age_copies(cutoff, now)

    async def _catch_up(self, busy: set[int], last: int) -> int:
        """What was put off, and can be removed by now."""
        count = above = 0
        while True:
            late = await self._database.read(partial(erasing.overdue, above=above, last=last))
            if not late.turns:
                return count
            above = late.turns[-1][0]
            free = [row for row in late.rows if row.session not in busy]
            for step in erasing.in_steps(free):
                count += await self._put_away(step, busy)
            done = [turn for turn, session in late.turns if session not in busy]
            if done:
                await self._database.unit(partial(erasing.done_late, turns=done))

    async def _put_away(self, rows: Sequence[erasing.Row], busy: set[int]) -> int:
        sessions = {SessionId(row.session) for row in rows}

        def work(connection: Connection) -> int:
            return put_away(connection, rows, busy)

        return await self._database.unit(work, lambda _: self._live.renew(sessions))

    async def _age_copies(self, cutoff: float, now: float) -> int:
        count = 0
        for copy in await asyncio.to_thread(copies.all_of, self._database.path):
            try:
                async with self._erasure.one:
                    count += await asyncio.to_thread(scrubbing.age, copy, cutoff, now)
            except Refusal as refusal:
                self._log.warning("retention_put_off", path=str(copy), error=str(refusal))
        return count
