"""What waits on numbers that the configuration names no more, let go when it waited too long."""

from collections.abc import Callable, Collection
from functools import partial

from openparallax.clock import Clock
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.storage import Connection, Database, envelopes, leftovers
from openparallax.storage.database import execute
from openparallax.transcript import Transcripts

STEP = 200
"""Messages, and parts, that are let go in one unit."""


class Leftovers:
    """Waits for the number to come back, and not for ever; see `expire`.

    Args:
        served: Phone number ids that are served now.
    """

    def __init__(
        self,
        database: Database,
        *,
        transcripts: Transcripts,
        served: Callable[[], Collection[str]],
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._served = served
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._counted_at = clock.monotonic()

    async def expire(self) -> None:
        """Let go of what is past its time; words stay in the transcript as anybody's do.

        Raises:
            NotStored: The disk refused; to be tried again.
        """
        now = self._clock.monotonic()
        seconds, self._counted_at = now - self._counted_at, now  # lost where the disk refuses
        if not await self._database.read(self._is_there_any):
            return
        await self._database.unit(partial(leftovers.count, served=self._served(), seconds=seconds))
        messages = parts = 0
        while True:
            found = await self._database.unit(self._let_go)
            messages, parts = messages + found[0], parts + found[1]
            if max(found) < STEP:
                break
        if not messages and not parts:
            return
        self._metrics.count("turns", "expired", messages)
        self._metrics.count("parcels", "expired", parts)
        self._log.warning(
            "left_over_expired",
            messages=messages,
            parts=parts,
            hint="it waited on a number that the configuration does not name any more",
        )

    def _is_there_any(self, connection: Connection) -> bool:
        is_counted = bool(leftovers.waited(connection))
        return is_counted or bool(leftovers.leftovers(connection, self._served()))

    def _let_go(self, connection: Connection) -> tuple[int, int]:
        now = self._clock.now()
        old, parts = leftovers.past_their_time(connection, self._served(), now, STEP)
        for one in old:
            transcript = self._transcripts[one.session.mode]
            for write in transcript.close_turn(one.session, [one.number]):
                execute(connection, write)
        envelopes.drop(connection, [one.number for one in old])
        leftovers.drop_parts(connection, parts)
        return len(old), len(parts)
