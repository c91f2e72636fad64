"""Who is answered next: lanes that want a turn, and the bound on how many run."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from openparallax.clock import Clock
from openparallax.dispatch.advancing import Advancing
from openparallax.dispatch.aside import Aside
from openparallax.dispatch.cursor import Cursor
from openparallax.dispatch.held import Held
from openparallax.dispatch.lane import Lane, TakeTurn
from openparallax.dispatch.lanes import Lanes
from openparallax.dispatch.merges import Merges
from openparallax.logs import Logger
from openparallax.model.envelope import Envelope, Move
from openparallax.storage import Database

BEHIND_S = 0.2
"""How often a chat looks whether the one that it was merged with has finished."""


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
        self._interrupt = interrupt
        self._clock = clock
        self._most_turns = self._free = most_turns
        self._is_sending = is_sending
        self._merges = Merges()
        self._lanes = Lanes(clock)
        self._held = Held(database, lanes=self._lanes, clock=clock)
        self._aside = Aside(database)
        self._cursor = Cursor(
            database, lanes=self._lanes, held=self._held, clock=clock, on_read=self._pump
        )
        self._advancing = Advancing(
            database,
            lanes=self._lanes,
            cursor=self._cursor,
            held=self._held,
            aside=self._aside,
            take_turn=take_turn,
            coalesces=coalesces,
            log=log,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

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
        self._advancing.start(first_new=first_new, after_death=after_death)
        self._cursor.start(first_new)

    def admitted(self, new: Sequence[Envelope], released: Sequence[Envelope]) -> None:
        """Take what the door has queued; called after each commit, in the order of numbers."""
        self._cursor.go_on(released)
        self._cursor.admitted(new)
        self._pump()

    def change(self, *, most_turns: int, coalesces: bool) -> None:
        """So from now on; where more turns run than may, none begins until enough have ended."""
        self._free += most_turns - self._most_turns
        self._most_turns = most_turns
        self._advancing.coalesces = coalesces
        self._pump()

    def serve_again(self) -> None:
        """Numbers are served that were not before: what was put aside goes on."""
        for chat in self._aside.call():
            self._lanes.call(chat)
        self._pump()

    async def look_again(self) -> None:
        """The wall clock was set back: what was held while a window only seemed closed goes on.

        Raises:
            NotStored: The file could not be read or written now; may be repeated.
        """
        for chat in await self._held.chats_held_open():
            self._cursor.go_on(await self._held.release(chat))
            self._pump()

    def moved(self, move: Move) -> None:
        """Envelopes of a chat belong to another session now."""
        self._cursor.moved(move)
        self._aside.moved(move.chat)
        self._lanes.moved(move)

    def merged(self, loser: int, survivor: int) -> None:
        """Two chats are one person's: what the loser has to do is done first."""
        self._merges.note(loser, survivor)

    def ended(self, chat: int, number: int) -> None:
        """An envelope is over without a turn of its own.

        A turn that runs finds out at its end; one that has nothing left to answer ends at once.
        """
        self._cursor.ended(chat, number)
        self._aside.ended(chat, number)
        if self._lanes.ended(chat, number):
            self._interrupt(chat)

    @property
    def is_stopping(self) -> bool:
        """Whether turns may be cancelled, since the daemon stops."""
        return self._is_stopping

    @property
    def waiting(self) -> int:
        """How many messages wait in memory."""
        return self._lanes.waiting

    @property
    def running(self) -> int:
        """How many turns run."""
        return len(self._tasks)

    # -- turns ----------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Start turns, as long as some may run and somebody wants one."""
        while self._free > 0 and not (self._is_stopping or self._cursor.is_gathering):
            lane = self._lanes.take()
            if lane is None:
                return
            if not self._wants_turn(lane):
                self._lanes.close(lane)  # what waited in it ended otherwise
                continue
            lane.is_running = True
            if self._merges.holds_back(lane.chat, self._has_work):
                self._clock.call_later(BEHIND_S, partial(self._rested, lane))
                continue
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._run(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _wants_turn(self, lane: Lane) -> bool:
        return bool(lane.waiting) or self._aside.is_called(lane.chat)

    def _has_work(self, chat: int) -> bool:
        return chat in self._lanes or self._cursor.may_have_unread(chat) or self._is_sending(chat)

    async def _run(self, lane: Lane) -> None:
        try:
            await self._advancing.advance(lane)
        finally:
            self._free += 1
            if lane.rest_s and not self._is_stopping:
                self._clock.call_later(lane.rest_s, partial(self._rested, lane))
            else:
                self._rested(lane)

    def _rested(self, lane: Lane) -> None:
        """A lane's turn is over, and so is its rest: it wants another one, or is let go."""
        lane.is_running = False
        lane.answering.clear()
        if self._wants_turn(lane):
            self._lanes.make_ready(lane)
        else:
            self._lanes.close(lane)
        self._cursor.read_on()
        self._pump()

    # -- the end --------------------------------------------------------------------------------

    def stop_claiming(self) -> None:
        """Start no further turn."""
        self._is_stopping = True
        self._cursor.stop()

    async def drain(self, seconds: float) -> int:
        """Let running turns finish for ``seconds``, then cancel them; return how many that were."""
        self.stop_claiming()
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
