"""What is done on the side: forgetting what is past its time, and cutting the log."""

import asyncio
from collections.abc import Awaitable, Callable

from openparallax.clock import Clock
from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.session.retention import Forgetting
from openparallax.storage import Connection, Database, parcels, seen

EVERY_S = 60.0
STEP = 500
"""Rows deleted in one unit: small, so that nobody waits for it."""
TRUNCATE_EVERY_S = 1.0
SET_BACK_S = 60.0
"""Wall time that falls behind by more than this since the last look was set back."""


class Housekeeping:
    """Runs every minute; a failure is logged and tried again, never fatal.

    Attributes:
        must_truncate: The log may hold words that must not stay.
    """

    def __init__(
        self,
        *,
        database: Database,
        forgetting: Forgetting,
        look_again: Callable[[], Awaitable[None]],
        remove_old: Callable[[], Awaitable[bool]],
        expire: Callable[[], Awaitable[None]],
        clock: Clock,
        log: Logger,
    ) -> None:
        self._database = database
        self._forgetting = forgetting
        self._look_again = look_again
        self._remove_old = remove_old
        self._expire = expire
        self._clock = clock
        self._log = log
        self.must_truncate = False
        self._wall_ahead = clock.now() - clock.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._truncating: asyncio.Task[None] | None = None
        self._removing: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(self.sweep))
        # Words past their time may be many: the rest does not wait for that.
        self._removing = asyncio.get_running_loop().create_task(self._run(self._remove))

    async def stop(self) -> None:
        for task in (self._task, self._removing, self._truncating):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except NotStored as error:
                self._log.warning("housekeeping_put_off", error=str(error))
            except Exception as error:  # noqa: BLE001 - the daemon goes on, and somebody reads it
                self._log.error("housekeeping_failed", exc_info=error)
            await self._clock.sleep(EVERY_S)

    async def sweep(self) -> None:
        """Do once all that is due.

        Raises:
            NotStored: The disk refused; to be tried again.
        """
        wall_ahead = self._clock.now() - self._clock.monotonic()
        if wall_ahead < self._wall_ahead - SET_BACK_S:
            self._log.warning("clock_set_back", seconds=round(self._wall_ahead - wall_ahead))
            await self._look_again()
        self._wall_ahead = wall_ahead
        forgotten = await self._forgetting.sweep()
        if forgotten:
            self._log.info("forgot_off_the_record", count=forgotten)
        await self._expire()  # first: what is deleted below is not told
        while True:
            now = self._clock.now()

            def work(connection: Connection, now: float = now) -> int:
                return max(
                    seen.forget_old(connection, now, STEP),
                    parcels.forget_old(connection, now, STEP),
                )

            if await self._database.unit(work) < STEP:
                break

    async def _remove(self) -> None:
        if await self._remove_old():
            await self.truncate()

    def truncate_soon(self) -> None:
        """Words may be in the log that must not stay: cut it, again and again until it is cut."""
        self.must_truncate = True
        if self._truncating is None or self._truncating.done():
            self._truncating = asyncio.get_running_loop().create_task(self._truncate_later())

    async def truncate(self) -> None:
        """Cut the log now; where something is in the way, go on trying on the side."""
        self.must_truncate = True
        if not await self._try_to_truncate():
            self.truncate_soon()

    async def _try_to_truncate(self) -> bool:
        try:
            done = await self._database.truncate_log()
        except NotStored:
            return False
        if done:
            self.must_truncate = False
        return done

    async def _truncate_later(self) -> None:
        while self.must_truncate:
            if await self._try_to_truncate():
                self._log.info("log_truncated")
            else:
                await self._clock.sleep(TRUNCATE_EVERY_S)
