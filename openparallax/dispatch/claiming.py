"""The note in the table that a turn runs, by which a later process knows that it had begun."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from openparallax.model.envelope import Envelope
from openparallax.storage import Connection, Database, envelopes
from openparallax.storage.database import execute


@dataclass(slots=True)
class Claim:
    """A claim on its way to the disk.

    Attributes:
        is_over: It need not be written any more, since the engine has answered.
    """

    is_over: bool = False


class Claiming:
    """Writes claims and takes them back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, group: Sequence[Envelope], deaths: int, *, is_cold: bool) -> Claim:
        """Note that a turn runs.

        The first claim need not wait for the disk, since running and queued are the same after a
        crash; the claims after a death must, since they count the deaths.

        Raises:
            Stale: A cold one was ended or moved in that very moment.
            NotStored: A cold one could not be written.
        """

        def work(connection: Connection) -> None:
            # An engine that answered at once is faster than the claim, which says nothing then.
            if not claim.is_over:
                for write in envelopes.claim([one.number for one in group], deaths + 1):
                    execute(connection, write)

        claim = Claim()
        if is_cold:
            await self._database.unit(work)
        else:
            # One step of the loop later: an engine that answers in its first has done so by then.
            asyncio.get_running_loop().call_soon(self._database.unit, work)
        return claim

    def take_back(self, group: Sequence[Envelope]) -> None:
        """A stop ended the turn before its time; nobody waits for the disk."""

        def work(connection: Connection) -> None:
            for write in envelopes.unclaim([one.number for one in group]):
                execute(connection, write)

        self._database.unit(work)
