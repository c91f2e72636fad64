"""What waits on numbers that the configuration names no more, let go when it waited too long."""

from collections.abc import Callable, Collection

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

    async def expire(self) -> None:
        """Let go of what is past its time; words stay in the transcript as anybody's do.

        Raises:
            NotStored: The disk refused; to be tried again.
        """
        before = await self._database.read(self._past)
        if not any(before):
            return
        messages = parts = 0
        while True:
            found = await self._database.unit(self._let_go)
            messages, parts = messages + found[0], parts + found[1]
            if max(found) < STEP:
                break
        self._metrics.count("turns", "expired", messages)
        self._metrics.count("parcels", "expired", parts)
        self._log.warning(
            "left_over_expired",
            messages=messages,
            parts=parts,
            hint="it waited on a number that the configuration does not name any more",
        )

    def _past(self, connection: Connection) -> tuple[bool, bool]:
        found = leftovers.past_their_time(connection, self._served(), self._clock.now(), 1)
        return bool(found[0]), bool(found[1])

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
