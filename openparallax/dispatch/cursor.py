"""The stream of envelopes: up to which number memory has it, from the door or from the table."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from openparallax.clock import Clock
from openparallax.dispatch.held import Held
from openparallax.dispatch.lanes import Lanes
from openparallax.dispatch.unread import Unread
from openparallax.errors import NotStored
from openparallax.model.envelope import Envelope, EnvelopeState, Move
from openparallax.storage import Database, envelopes

PAGE = 500
ROOM = 100_000
"""Envelopes in memory (about 200 bytes each); past this many the rest stays in the table."""
MOST_WAMIDS = 1_000
"""Ids of messages that came while the table is still read."""
RETRY_S = 1.0


class Cursor:
    """Brings envelopes to their lanes in the order of their numbers, and keeps the place.

    What the door queues goes to its lane at once. Only after a start, and once more waits than
    there is room for, the table is read, page by page, until nothing admitted is missing in memory.

    Attributes:
        is_behind: Something in the table is not in memory.
        is_gathering: It is read for the first time after a start. Turns begin when all is read that
            there is room for: what waits for a chat is answered together.
    """

    def __init__(
        self,
        database: Database,
        *,
        lanes: Lanes,
        held: Held,
        clock: Clock,
        on_read: Callable[[], None],
    ) -> None:
        """``on_read`` is called when lanes have got what was read, and turns may begin."""
        self._database = database
        self._lanes = lanes
        self._held = held
        self._clock = clock
        self._on_read = on_read
        self._unread = Unread()
        self._taken = 0  # the place: whatever has a greater number is unread, or was taken ahead
        self._told = 0  # the latest that the door has told of
        self._was_told_more = False  # since the reading of a page began
        self._wamids: dict[int, str] = {}
        self._reading: asyncio.Task[None] | None = None
        self._is_stopped = False
        self.is_behind = True
        self.is_gathering = False

    # -- what the door tells --------------------------------------------------------------------

    def start(self, first_new: int) -> None:
        """Begin with what an earlier process left: numbers below ``first_new``."""
        self._unread.begin(self._taken, first_new)
        self._told = max(self._told, first_new - 1)  # the door may have been quicker
        self._read_soon()

    def admitted(self, new: Sequence[Envelope]) -> None:
        """Take what the door has queued; in the order of numbers."""
        if new:
            self._told = new[-1].number
        if self.is_behind:
            self._was_told_more = True
            self._remember_wamids([one for one in new if not self._take_ahead(one)])
            return
        for envelope in new:
            self._taken = envelope.number
            self._lanes.add(envelope)
        if self._lanes.waiting > ROOM:
            self.is_behind = True
            self._unread.begin(self._taken, self._taken)

    def go_on(self, released: Sequence[Envelope]) -> None:
        """What was held is queued again: it goes to its lane, or does when its place is reached."""
        for envelope in released:
            self._held.went_on(envelope)
            if envelope.number <= self._taken or not self._unread.release(envelope):
                self._lanes.put_back(envelope)

    def moved(self, move: Move) -> None:
        """Envelopes of a chat belong to another session now."""
        self._unread.moved(move)

    def ended(self, chat: int, number: int) -> None:
        """An envelope is over: if it is unread, it is not to be taken."""
        if self.is_behind:
            self._unread.ended(number)
            self._held.ended(chat, number)

    def may_have_unread(self, chat: int) -> bool:
        """Whether something of a chat may be in the table that is not in memory."""
        return chat in self._unread

    def _take_ahead(self, envelope: Envelope) -> bool:
        """Take what is not its turn yet, if nothing older of its chat is unread too."""
        has_room = self._lanes.waiting < 2 * ROOM
        if not self._unread.lets_pass(envelope, has_room=has_room):
            return False
        self._lanes.add(envelope)
        return True

    # -- reading --------------------------------------------------------------------------------

    def read_on(self) -> None:
        """Read on in the table, if something is unread and there is room again."""
        if self.is_behind and self._lanes.waiting <= ROOM // 2:
            self._read_soon()

    def stop(self) -> None:
        """Read no more."""
        self._is_stopped = True
        if self._reading is not None:
            self._reading.cancel()

    def _read_soon(self) -> None:
        if not self._is_stopped and (self._reading is None or self._reading.done()):
            self._reading = asyncio.get_running_loop().create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """Read until nothing admitted is missing in memory, or there is no room."""
        self.is_gathering = not self._taken  # later on much waits in memory, and turns go on
        try:
            while self.is_behind and self._lanes.waiting <= ROOM:
                await self._read_page()
                self._on_read()
        finally:
            self._gathered()

    async def _read_page(self) -> None:
        self._was_told_more = False
        try:
            for envelope in await self._unread.survey(self._database):
                self._lanes.add(envelope)
            rows = await self._database.read(lambda c: envelopes.after(c, self._taken, PAGE))
            await self._take_page(rows)
        except NotStored:
            self._gathered()  # what is in memory need not wait for the disk
            await self._clock.sleep(RETRY_S)
            return
        if len(rows) < PAGE and not self._was_told_more:
            self.is_behind = False
            self._held.all_is_read()
            self._unread.end()
            self._wamids.clear()

    def _gathered(self) -> None:
        self.is_gathering = False
        self._on_read()

    async def _take_page(self, rows: Sequence[Envelope]) -> None:
        for row in rows:
            if row.number > self._told:
                # The table shows it a moment before the door tells of it, and it is left for that:
                # only then are its words at hand, and it would be taken twice.
                break
            envelope = self._unread.latest(row)
            if envelope is not None and self._held.is_open(envelope.window_until):
                await self._held.bring_back(envelope.chat)
                envelope = self._unread.latest(envelope)  # it may be over meanwhile
            self._taken = row.number
            if envelope is None:
                continue  # it was taken ahead, or is over
            if envelope.state is EnvelopeState.HELD and not self._held.is_open(
                envelope.window_until
            ):
                # As it was left: it waits for the person's next message, which may stand behind it.
                self._held.note(envelope.chat)
                self._held.note_unread(envelope.chat, [envelope.number])
                continue
            self._lanes.add(self._with_wamid(envelope))

    # -- ids ------------------------------------------------------------------------------------

    def _remember_wamids(self, new: Sequence[Envelope]) -> None:
        """What comes while the table is still read has an id, which the table does not tell.

        Without it a message that comes in the first moment would not be marked as read. Of a flood
        only the first are.
        """
        for envelope in new[: max(0, MOST_WAMIDS - len(self._wamids))]:
            self._wamids[envelope.number] = envelope.wamid

    def _with_wamid(self, row: Envelope) -> Envelope:
        wamid = self._wamids.pop(row.number, "")
        return replace(row, wamid=wamid) if wamid else row
