"""Who is answered next: the stream of envelopes, the lanes, and the bound on turns."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from openparallax.clock import Clock
from openparallax.dispatch.aside import Aside
from openparallax.dispatch.lane import DEATHS, Lane, Taken, TakeTurn
from openparallax.dispatch.merges import Merges
from openparallax.dispatch.ready import Ready
from openparallax.dispatch.unread import Unread
from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.model.envelope import Envelope, EnvelopeState, Move
from openparallax.storage import Database, envelopes
from openparallax.storage.window import WINDOW_MARGIN_S

PAGE = 500
ROOM = 100_000
"""Envelopes in memory (about 200 bytes each); past this many the rest stays in the table."""
MOST_WAMIDS = 1_000
"""Ids of messages that came while the table is still read."""
RETRY_S = 1.0
BEHIND_S = 0.2
"""How often a chat looks whether the one that it was merged with has finished."""
MOST_SURPRISES = 3
"""A turn that broke so often ends with the apology."""
SUSPECT_DEATHS = 2
"""A turn found running after so many deaths runs while no other suspect does."""


class Dispatcher:
    """Starts turns; see the sign on the room's door."""

    def __init__(
        self,
        *,
        database: Database,
        take_turn: TakeTurn,
        interrupt: Callable[[int], None],
        clock: Clock,
        log: Logger,
        most_turns: int,
        coalesces: bool,
        is_sending: Callable[[int], bool],
    ) -> None:
        self._database = database
        self._take_turn = take_turn
        self._interrupt = interrupt
        self._clock = clock
        self._log = log
        self._most_turns = self._free = most_turns
        self._coalesces = coalesces
        self._is_sending = is_sending
        self._merges = Merges()
        self._lanes: dict[int, Lane] = {}
        self._ready = Ready(clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._taken = 0
        self._is_behind = True
        self._is_gathering = False
        self._unread = Unread()
        self._aside = Aside(database)
        self._missed = False
        self._is_stopping = False
        self._catching_up: asyncio.Task[None] | None = None
        self._one_suspect = asyncio.Lock()
        self._held: dict[int, list[int]] = {}
        self._holding: set[int] = set()  # chats of which something may be held
        self._first_new = 0
        self._told = 0
        self._after_death = False
        self._wamids: dict[int, str] = {}

    # -- what comes in --------------------------------------------------------------------------

    def start(
        self, *, first_new: int, after_death: bool, merges: Sequence[tuple[int, int]] = ()
    ) -> None:
        """Begin with what an earlier process left.

        Args:
            first_new: Envelopes below this number were admitted by an earlier process.
            after_death: That process did not stop cleanly: what is unfinished may have been
                running, and counts as having run once even if its claim never reached the disk.
            merges: Chats that turned out to be one, loser and survivor.
        """
        for loser, survivor in merges:
            self._merges.note(loser, survivor)
        self._first_new = first_new
        self._unread.begin(self._taken, first_new)
        self._after_death = after_death
        self._told = max(self._told, first_new - 1)  # the door may have been quicker
        self._catch_up_soon()

    def admitted(self, new: Sequence[Envelope], released: Sequence[Envelope]) -> None:
        """Take what the door has queued; called after each commit, in the order of numbers."""
        self._go_on(released)
        if new:
            self._told = new[-1].number
        if self._is_behind:
            self._missed = True
            self._remember_wamids([one for one in new if not self._take_ahead(one)])
        else:
            for envelope in new:
                self._take(envelope)
            if self._waiting > ROOM:
                self._is_behind = True
                self._unread.begin(self._taken, self._taken)
        self._pump()

    def change(self, *, most_turns: int, coalesces: bool) -> None:
        """So from now on; where more turns run than may, none begins until enough have ended."""
        self._free += most_turns - self._most_turns
        self._most_turns = most_turns
        self._coalesces = coalesces
        self._pump()

    def serve_again(self) -> None:
        """Numbers are served that were not before: what was put aside goes on."""
        for chat in self._aside.call():
            lane = self._lanes.get(chat)
            if lane is None:
                lane = self._lanes[chat] = Lane(chat)
            self._make_ready(lane)
        self._pump()

    async def look_again(self) -> None:
        """The wall clock was set back: what was held while a window only seemed closed goes on.

        Raises:
            NotStored: The file could not be read or written now; may be repeated.
        """
        open_at = self._clock.now() + WINDOW_MARGIN_S
        for chat in await self._database.read(lambda c: envelopes.chats_held_open(c, open_at)):
            released = await self._database.unit(partial(envelopes.release, chat=chat))
            self._go_on(released)
        self._pump()

    def moved(self, move: Move) -> None:
        """Envelopes of a chat belong to another session now."""
        self._unread.moved(move)
        self._aside.changed(move.chat)
        lane = self._lanes.get(move.chat)
        if lane is None:
            return
        turns = set(move.turns)
        for place, envelope in enumerate(lane.waiting):
            if envelope.number in turns:
                lane.waiting[place] = replace(envelope, session=move.session)

    def merged(self, loser: int, survivor: int) -> None:
        """Two chats are one person's: what the loser has to do is done first."""
        self._merges.note(loser, survivor)

    def ended(self, chat: int, number: int) -> None:
        """An envelope is over without a turn of its own.

        A turn that runs finds out at its end; one that has nothing left to answer ends at once.
        """
        if self._is_behind:
            self._unread.ended(number)
            self._hold_no_more(chat, number)
        self._aside.changed(chat)
        lane = self._lanes.get(chat)
        if lane is None:
            return
        if number in lane.answering:
            lane.answering.discard(number)
            if not lane.answering:
                self._interrupt(chat)
        before = len(lane.waiting)
        lane.waiting = deque(one for one in lane.waiting if one.number != number)
        self._waiting -= before - len(lane.waiting)
        if not lane.waiting and not lane.is_running and not lane.is_ready:
            del self._lanes[chat]

    @property
    def is_stopping(self) -> bool:
        """Whether turns may be cancelled, since the daemon stops."""
        return self._is_stopping

    @property
    def waiting(self) -> int:
        """How many messages wait in memory."""
        return self._waiting

    @property
    def running(self) -> int:
        """How many turns run."""
        return len(self._tasks)

    def _take(self, envelope: Envelope) -> None:
        self._taken = envelope.number
        self._add(envelope)

    def _take_ahead(self, envelope: Envelope) -> bool:
        """Take what the cursor has not reached, if nothing older of its chat is unread too."""
        if not self._unread.lets_pass(envelope, has_room=self._waiting < 2 * ROOM):
            return False
        self._add(envelope)
        return True

    def _add(self, envelope: Envelope) -> None:
        lane = self._lanes.get(envelope.chat)
        if lane is None:
            lane = self._lanes[envelope.chat] = Lane(envelope.chat)
        lane.add(envelope)
        self._waiting += 1
        self._make_ready(lane)

    def _go_on(self, released: Sequence[Envelope]) -> None:
        """What was held is queued again."""
        for envelope in released:
            self._holding.discard(envelope.chat)
            self._hold_no_more(envelope.chat, envelope.number)
            if envelope.number <= self._taken or not self._unread.release(envelope):
                self._put_back(envelope)

    def _put_back(self, envelope: Envelope) -> None:
        """An older envelope than those that wait: to its place in the lane."""
        lane = self._lanes.get(envelope.chat)
        if lane is None:
            lane = self._lanes[envelope.chat] = Lane(envelope.chat)
        if any(waiting.number == envelope.number for waiting in lane.waiting):
            # The turn that held it is not over yet, and goes on with it then.
            lane.window_until = max(lane.window_until, envelope.window_until)
            return
        lane.add(envelope)
        lane.waiting = deque(sorted(lane.waiting, key=lambda one: one.number))
        self._waiting += 1
        self._make_ready(lane)

    def _make_ready(self, lane: Lane) -> None:
        if lane.is_ready:
            self._ready.look_again(lane)
        elif not lane.is_running:
            self._ready.add(lane)

    # -- the cursor -----------------------------------------------------------------------------

    def _catch_up_soon(self) -> None:
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.get_running_loop().create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """Read on in the table until nothing admitted is missing in memory, or there is no room.

        What the table shows a moment before `admitted` tells of it is left for that: only then are
        its words at hand, and it would be taken twice. After a start turns begin when all is read
        that there is room for: what waits for a chat is answered together.
        """
        try:
            await self._read_on()
        finally:
            self._gathered()

    async def _read_on(self) -> None:
        self._is_gathering = not self._taken  # later on much waits in memory, and turns go on
        while not self._is_stopping:
            self._missed = False
            try:
                for envelope in await self._unread.survey(self._database):
                    self._add(envelope)
                rows = await self._database.read(lambda c: envelopes.after(c, self._taken, PAGE))
                await self._take_page(rows)
            except NotStored:
                self._gathered()
                await self._clock.sleep(RETRY_S)
                continue
            if len(rows) < PAGE and not self._missed:
                self._is_behind = False
                self._held.clear()
                self._wamids.clear()
                self._unread.end()
                return
            if self._waiting > ROOM:
                return
            if not self._is_gathering:
                self._pump()

    def _gathered(self) -> None:
        self._is_gathering = False
        self._pump()

    async def _take_page(self, rows: Sequence[Envelope]) -> None:
        for row in rows:
            if row.number > self._told:
                break
            envelope = self._unread.latest(row)
            if envelope is None:
                self._taken = row.number  # it was taken ahead, or is over
                continue
            has_window = self._has_window(envelope.window_until)
            if self._held and has_window:
                await self._bring_back(envelope.chat)
            if envelope.state is EnvelopeState.HELD and not has_window:
                # As it was left: it waits for the person's next message, which may stand behind it.
                self._taken = envelope.number
                self._held.setdefault(envelope.chat, []).append(envelope.number)
                self._holding.add(envelope.chat)
                continue
            self._take(self._with_wamid(envelope))

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

    # -- turns ----------------------------------------------------------------------------------

    def _pump(self) -> None:
        while self._free > 0 and self._ready and not (self._is_stopping or self._is_gathering):
            lane = self._ready.take()
            if lane is None:
                return
            if not lane.waiting and not self._aside.is_called(lane.chat):
                del self._lanes[lane.chat]  # what waited in it ended otherwise
                continue
            lane.is_running = True
            if self._merges.holds_back(lane.chat, self._has_work):
                self._clock.call_later(BEHIND_S, partial(self._rested, lane))
                continue
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._run(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, lane: Lane) -> None:
        rest_s = RETRY_S  # whatever it is that ends it: the engine may be paid each time
        try:
            rest_s = await self._one_turn(lane)
        except NotStored:
            pass
        except Exception as surprise:  # noqa: BLE001 - one chat's trouble must not end the others'
            self._log.error("turn_broke", chat=lane.chat, exc_info=surprise)
            lane.surprises += 1
        finally:
            self._free += 1
            if rest_s and not self._is_stopping:
                self._clock.call_later(rest_s, lambda: self._rested(lane))
            else:
                self._rested(lane)

    def _has_work(self, chat: int) -> bool:
        return chat in self._lanes or chat in self._unread or self._is_sending(chat)

    def _rested(self, lane: Lane) -> None:
        lane.is_running = False
        lane.answering.clear()
        if lane.waiting or self._aside.is_called(lane.chat):
            self._make_ready(lane)
        elif self._lanes.get(lane.chat) is lane:
            del self._lanes[lane.chat]
        if self._is_behind and self._waiting <= ROOM // 2:
            self._catch_up_soon()
        self._pump()

    async def _one_turn(self, lane: Lane) -> float:
        """Run one turn; return for how long the lane is to rest."""
        await self._let_go_before(lane)
        if not lane.waiting:
            return 0.0
        group = lane.group(coalesces=self._coalesces)
        head = group[0]
        is_cold = head.number < self._first_new
        deaths = max(head.attempts, 1 if self._after_death else 0) if is_cold else 0
        if lane.surprises >= MOST_SURPRISES:
            deaths = DEATHS  # the engine is not asked for ever: it is paid each time
        waiting = len(lane.waiting) - len(group)
        lane.answering = {envelope.number for envelope in group}
        async with self._one_suspect if deaths >= SUSPECT_DEATHS else nullcontext():
            if not lane.answering:
                return 0.0  # all of it was over before its turn came
            taken, count = await self._take_turn(
                group,
                deaths=deaths,
                is_cold=is_cold,
                waiting=waiting,
                window_until=lane.window_until,
            )
        lane.surprises = 0
        finished = {envelope.number for envelope in group[:count]}
        if taken is Taken.LATER:
            await self._read_again(lane, group)
            return RETRY_S
        if taken is Taken.ASIDE:
            # With all that waits behind it, which goes to the same number.
            finished = {envelope.number for envelope in lane.waiting}
            self._aside.put(lane.chat, finished)
        if taken is Taken.HELD:
            self._holding.add(lane.chat)
        if taken is Taken.HELD and self._has_window(lane.window_until):
            return 0.0  # the person wrote in that very moment: they go on with what was written
        self._strike_off(lane, finished)
        if taken is Taken.HELD and self._is_behind:
            # The next message may be on disk already, and not yet at hand.
            self._held.setdefault(lane.chat, []).extend(finished)
        return 0.0

    def _strike_off(self, lane: Lane, finished: set[int]) -> None:
        before = len(lane.waiting)
        while lane.waiting and lane.waiting[0].number in finished:
            lane.waiting.popleft()
        if len(lane.waiting) + len(finished) != before:
            # An older envelope was put in front while the turn ran.
            lane.waiting = deque(one for one in lane.waiting if one.number not in finished)
        self._waiting -= before - len(lane.waiting)

    async def _let_go_before(self, lane: Lane) -> None:
        """What is held of a chat whose window is open goes on first.

        So it is where the clock was set back, or the person wrote in that very moment. And what was
        put aside, where its number is served again.
        """
        if lane.chat in self._aside:
            for envelope in await self._aside.take_back(lane.chat):
                self._put_back(envelope)
        if lane.chat in self._holding and self._has_window(lane.window_until):
            released = await self._database.unit(partial(envelopes.release, chat=lane.chat))
            self._holding.discard(lane.chat)
            self._go_on(released)

    async def _read_again(self, lane: Lane, group: Sequence[Envelope]) -> None:
        """What the lane knows of these may be old: the table says how they are."""
        numbers = [one.number for one in group]
        now = {
            one.number: one
            for one in await self._database.read(lambda c: envelopes.by_numbers(c, numbers))
        }
        before = len(lane.waiting)
        lane.waiting = deque(
            now.get(one.number, one)
            for one in lane.waiting
            if one.number in now or one.number not in numbers
        )
        self._waiting -= before - len(lane.waiting)

    def _has_window(self, until: float) -> bool:
        return self._clock.now() < until - WINDOW_MARGIN_S

    async def _bring_back(self, chat: int) -> None:
        """The next message of a chat was on disk, but not at hand, when older ones were held."""
        while numbers := self._held.get(chat):
            looked_for = tuple(numbers)
            found = await self._database.read(partial(envelopes.by_numbers, numbers=looked_for))
            # Meanwhile a turn may have held another, and of these some may have gone on or ended.
            for envelope in found:
                if envelope.number in self._held.get(chat, ()):
                    self._put_back(envelope)
            for number in looked_for:
                self._hold_no_more(chat, number)

    def _hold_no_more(self, chat: int, number: int) -> None:
        numbers = self._held.get(chat)
        if numbers and number in numbers:
            numbers.remove(number)
            if not numbers:
                del self._held[chat]

    # -- the end --------------------------------------------------------------------------------

    def stop_claiming(self) -> None:
        """Start no further turn."""
        self._is_stopping = True

    async def drain(self, seconds: float) -> int:
        """Let running turns finish for ``seconds``, then cancel them; return how many that were."""
        self.stop_claiming()
        if self._catching_up is not None:
            self._catching_up.cancel()
        over = asyncio.Event()
        timer = self._clock.call_later(seconds, over.set)
        waiter = asyncio.get_running_loop().create_task(over.wait())
        while self._tasks and not over.is_set():
            await asyncio.wait({*self._tasks, waiter}, return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()
        waiter.cancel()
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            # A turn that does not heed its cancellation is left behind; the process ends anyway.
            await asyncio.wait(left, timeout=2)
        return len(left)
