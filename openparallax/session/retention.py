"""When words off the record are forgotten: after idling, and never while one is still needed."""

from collections.abc import Callable, Mapping, Sequence

from openparallax.clock import Clock
from openparallax.model.text import SessionId
from openparallax.storage import Connection, Database, envelopes, sessions

LONGEST_S = 24 * 3600
"""Words are forgotten after so long even if something is still open."""


class Forgetting:
    """Forgets idle sessions; the mode stays, since no clock puts anybody on the record.

    A session that was ended is forgotten as soon as nothing of it is open.

    Attributes:
        idle_s: After how long; each sweep goes by it.
    """

    def __init__(
        self,
        *,
        held: Callable[[], Mapping[SessionId, float]],
        forget: Callable[[SessionId], None],
        database: Database,
        idle_s: float,
        clock: Clock,
    ) -> None:
        self._held = held
        self._forget = forget
        self._database = database
        self.idle_s = idle_s
        self._clock = clock
        self._marks: dict[SessionId, tuple[float, float]] = {}

    async def sweep(self) -> int:
        """Forget what is due; return how many sessions that were. To be called every minute.

        Raises:
            NotStored: The file could not be read now; nothing was forgotten.
        """
        now = self._clock.monotonic()
        held = self._held()
        self._marks = {session: m for session, m in self._marks.items() if session in held}
        for session, mark in held.items():
            known = self._marks.get(session)
            if known is None or known[0] != mark:
                self._marks[session] = (mark, now)
        idle = {session: now - since for session, (_, since) in self._marks.items()}
        ended, busy = await self._look(list(idle))
        due = [
            session
            for session, idle_s in idle.items()
            if idle_s >= LONGEST_S
            or ((idle_s >= self.idle_s or session in ended) and session not in busy)
        ]
        # Looking took a moment: what has been added to meanwhile is not idle.
        after = self._held()
        due = [session for session in due if after.get(session) == self._marks[session][0]]
        for session in due:
            self._forget(session)
            # Marks begin anew with what is said next; an old one would make it look idle.
            del self._marks[session]
        return len(due)

    async def _look(self, candidates: Sequence[SessionId]) -> tuple[set[SessionId], set[SessionId]]:
        def work(connection: Connection) -> tuple[set[SessionId], set[SessionId]]:
            ended: set[SessionId] = set()
            busy: set[SessionId] = set()
            for session in candidates:
                found = sessions.chat_and_state(connection, session)
                if found is None or found[1] == sessions.ENDED:
                    ended.add(session)
                if found is not None and envelopes.session_has_work(connection, session, found[0]):
                    busy.add(session)
            return ended, busy

        return await self._database.read(work) if candidates else (set(), set())
