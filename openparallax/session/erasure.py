"""Forgetting a person: driven from the end of their work to the last byte on disk.

`session.erasing` says in which order and why. Done is done: only when the words are in no file,
neither the database, its log nor a copy, is it said to be.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from openparallax.clock import Clock
from openparallax.errors import Refusal
from openparallax.logs import Logger
from openparallax.model.text import SessionId
from openparallax.session.erasing import Ended, begin
from openparallax.storage import (
    Connection,
    Database,
    copies,
    erasing,
    names,
    overview,
    parcels,
    scrubbing,
)
from openparallax.storage.scrubbing import KnownAs

TRUNCATE_TRIES = 3
"""Each waits for readers for two seconds."""
_PARCELS_A_LOOK = 20_000


@dataclass(frozen=True, slots=True)
class Live:
    """How the parts of a running house are told; each is called on the loop.

    Attributes:
        forget_chats: Drop what is remembered of chats.
        end_turn: Chat and number of a message that is over.
        end_presence: No presence is shown in a chat any more.
        reload: The outbox is to read a chat's lane anew.
        forget_off: Drop the words of a session off the record.
        forget_on: Have no words on the record at hand any more.
        renew: Sessions whose history has changed.
    """

    forget_chats: Callable[[], None]
    end_turn: Callable[[int, int], None]
    end_presence: Callable[[int], None]
    reload: Callable[[int], None]
    forget_off: Callable[[SessionId], None]
    forget_on: Callable[[], None]
    renew: Callable[[Collection[SessionId]], None]

    def ended(self, ended: Ended) -> None:
        """What a chat had to do is over and its words are forgotten; that is on disk."""
        for session in ended.off:
            self.forget_off(session)
        self.forget_on()
        for number in ended.turns:
            self.end_turn(ended.chat, number)
        self.end_presence(ended.chat)
        self.reload(ended.chat)


class Erasure:
    """Forgets people; one at a time.

    Attributes:
        one: Held by whoever works with the copies.
    """

    def __init__(self, database: Database, *, clock: Clock, log: Logger, live: Live | None) -> None:
        self._database = database
        self._clock = clock
        self._log = log
        self._live = live
        self.one = asyncio.Lock()

    async def forget(self, chats: Sequence[int], known_as: Sequence[KnownAs]) -> dict[str, int]:
        """Remove for good what was said in these chats, here and in the copies; may be repeated.

        What is said while this runs, and later, stays.

        Args:
            chats: Of one person; none if only copies know them.
            known_as: By what else than the aliases of those chats they may be known in a copy.

        Returns:
            How many ``chats``, finished ``turns``, unfinished ``waiting`` messages, unsent
            ``parcels`` and ``copies`` that were.

        Raises:
            Refusal: Not all of it is done; by 75 it may be tried again, and a daemon will.
            NotStored: The disk refused; the same.
        """
        async with self.one:
            ended = [await self._begin(chat) for chat in chats]
            known = [*known_as, *await self._names(chats)]
            turns, in_copies = await self._finish(known)
        counts = {
            "chats": len(chats),
            "turns": turns,
            "parcels": sum(one.parcels for one in ended),
            "waiting": sum(len(one.turns) for one in ended),
            "copies": in_copies,
        }
        self._log.info(
            "person_forgotten",
            messages=turns + counts["waiting"],
            parts=counts["parcels"],
            count=len(chats),
        )
        return counts

    async def resume(self) -> None:
        """Finish what was begun and interrupted, by a crash or by something in the way.

        Raises:
            Refusal: As `forget`.
            NotStored: The same.
        """
        async with self.one:
            await asyncio.to_thread(copies.tidy, self._database.path)
            chats = list(await self._database.read(erasing.marked))
            if chats:
                await self._finish(await self._names(chats))
                self._log.info("person_forgotten", count=len(chats), reason="interrupted before")

    async def _begin(self, chat: int) -> Ended:
        live, now = self._live, self._clock.now()

        def work(connection: Connection) -> Ended:
            if live is not None:
                # Also for what is admitted in this very group: it has another session by now.
                live.forget_chats()
            return begin(connection, chat, now)

        return await self._database.unit(work, None if live is None else live.ended)

    async def _names(self, chats: Sequence[int]) -> list[KnownAs]:
        def work(connection: Connection) -> list[KnownAs]:
            everyone = overview.same_person(connection, chats)
            return [
                KnownAs(line.account, scrubbing.current(alias))
                for line in overview.chats(connection, everyone)
                for alias, _ in overview.aliases_of(connection, line.chat)
            ]

        return list(dict.fromkeys(await self._database.read(work)))

    async def _finish(self, known_as: Sequence[KnownAs]) -> tuple[int, int]:
        """Scrub what is marked; how many finished turns and how many copies that were."""
        marked = await self._database.read(erasing.marked)
        sessions = [session for some in marked.values() for session in some]
        await self._scrub(sessions)
        turns = 0
        for session in sessions:
            while dropped := await self._database.unit(
                partial(erasing.drop_history, session=session)
            ):
                turns += dropped
        await self._database.aside(names.put_in_place)
        await self._close_to_statuses(list(marked))
        found = 0
        await asyncio.to_thread(copies.tidy, self._database.path)
        for copy in await asyncio.to_thread(copies.all_of, self._database.path):
            found += bool(await asyncio.to_thread(scrubbing.forget_in, copy, known_as))
        await self._truncate()
        await self._database.unit(lambda c: erasing.unmark(c, sessions))
        return turns, found

    async def _scrub(self, sessions: Collection[int]) -> None:
        last = await self._database.read(erasing.last_row) if sessions else 0
        for above in range(0, last, erasing.SCAN):
            rows = await self._database.read(
                partial(erasing.rows_of, sessions=sessions, above=above)
            )
            for step in erasing.in_steps(rows):
                await self._database.unit(partial(erasing.scrub, rows=step))

    async def _close_to_statuses(self, chats: Sequence[int]) -> None:
        above: int | None = 0 if chats else None
        while above is not None:
            numbers, above = await self._database.read(
                partial(parcels.sent_to, chats=chats, above=above, most=_PARCELS_A_LOOK)
            )
            for place in range(0, len(numbers), erasing.STEP):
                some = numbers[place : place + erasing.STEP]
                await self._database.unit(partial(parcels.close_to_statuses, numbers=some))

    async def _truncate(self) -> None:
        for _ in range(TRUNCATE_TRIES):
            if await self._database.truncate_log():
                return
        raise Refusal(
            "the words are scrubbed, but SQLite's log, which may still hold them, could not be "
            "cut: another program reads the database. Close that program, then try again.",
            exit_code=75,
        )
