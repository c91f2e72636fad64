"""Which parcel goes next: a lane for each chat with something to send, and the bound on sends."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from openparallax.clock import Clock
from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.outbox.account import AccountState
from openparallax.outbox.departures import Departures
from openparallax.outbox.lane import Deliver, Lane
from openparallax.outbox.lanes import Lanes
from openparallax.outbox.pacing import Pacing
from openparallax.outbox.places import Places
from openparallax.outbox.reading import RETRY_S, chats_with_work, is_settled, read_lane
from openparallax.outbox.tokens import new_token
from openparallax.storage import Database, parcels


class Outbox:
    """Sends parcels, in `places`, past the gates of `departures`; see the sign on the door."""

    def __init__(
        self,
        *,
        database: Database,
        deliver: Deliver,
        pacing: Callable[[str], Pacing],
        clock: Clock,
        log: Logger,
        most_in_flight: int,
        serves: Callable[[str], bool] = lambda _account: True,
    ) -> None:
        self._database = database
        self._deliver = deliver
        self._clock = clock
        self._log = log
        self.places = Places(most_in_flight)
        self._lanes = Lanes(clock)
        self._holding: set[int] = set()
        self.departures = Departures(
            self._lanes,
            pacing=pacing,
            serves=serves,
            rest=self._rest,
            go_on=self._pump,
            clock=clock,
            log=log,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading: asyncio.Task[None] | None = None
        self._is_loaded = False
        self._is_stopping = False

    # -- what comes in --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin with what an earlier process left; not before the listener is up."""
        self.look_again()

    def look_again(self) -> None:
        """Read all that is to be sent from the table.

        To be called when the wall clock was set back, too: what a window held that only seemed
        closed goes on; and when a number is served that was not before. May be repeated; lanes keep
        their order, their rest and their waits.
        """
        self._lanes.look_at_all()
        self._pump()
        if self._loading is None or self._loading.done():
            self._loading = asyncio.get_running_loop().create_task(self._load())

    def reserve(self, account: str, chat: int) -> str | None:
        """Take the right to send the chat's next parcel at once, if nothing stands before it.

        Returns:
            The token of the attempt, to be written with the parcel in one transaction; give it back
            with `unreserve` if that fails, else hand the parcel to `take`.
        """
        if (
            not self._is_loaded
            or self._is_stopping
            or not self.places
            or self._lanes.is_waiting(account)
            or chat in self._lanes
            or chat in self._holding
        ):
            return None
        gate = self.departures.gate(account)
        if not gate.is_open(chat):
            return None
        lane = self._lanes.open(chat)
        lane.is_reserved = lane.is_busy = True
        self.places.take(lane)
        gate.pacing.take(chat)
        return new_token()

    def unreserve(self, chat: int) -> None:
        """Give a reservation back."""
        lane = self._lanes.get(chat)
        if lane is not None and lane.is_reserved:
            lane.is_reserved = False
            self.places.leave(lane)
            self._lanes.leave(lane)
            self._pump()

    def take(self, posted: Sequence[Parcel]) -> None:
        """Send these parcels, new or released ones of one or several chats, in order."""
        for parcel in posted:
            lane = self._lane(parcel.chat)
            if parcel.state is ParcelState.SENDING and lane.is_reserved:
                self._take_claimed(lane, parcel)
                continue
            if (
                parcel.state is not ParcelState.WAITING
                or parcel.chat in self._holding
                or (lane.parcels and parcel.number <= lane.parcels[-1].number)
            ):
                lane.is_cold = True  # the table knows what stands before it
            else:
                lane.parcels.append(parcel)
            self._lanes.make_ready(lane)
        self._pump()

    def _take_claimed(self, lane: Lane, parcel: Parcel) -> None:
        lane.is_reserved = False
        if self._is_stopping:
            # Not sent and never will be by this process: the next one need not wonder about it.
            give_up = parcels.wait(parcel.number, ParcelState.SENDING, 0.0)
            self._database.unit(lambda c: parcels.change(c, give_up))
            self.places.leave(lane)
            return
        lane.is_claimed = True
        lane.parcels.appendleft(parcel)
        self._spawn(self._step(lane))

    def reload(self, chat: int) -> None:
        """Something changed in the table: read the chat's lane anew before its next send.

        A send under way whose parcel is settled by now is not waited for any longer.
        """
        lane = self._lane(chat)
        lane.is_cold = True
        lane.wake()
        if lane.task is not None and lane.parcels:
            self._spawn(self._cut_if_settled(lane, lane.task))
        self._lanes.make_ready(lane)
        self._pump()

    def has_work(self, chat: int) -> bool:
        """Whether something of a chat is to be sent; before all is loaded it may be of any."""
        return not self._is_loaded or chat in self._lanes

    @property
    def waiting(self) -> int:
        """How many parcels wait in memory, those being sent included."""
        return self._lanes.waiting

    @property
    def in_flight(self) -> int:
        """How much is under way: sends, and what is done for them."""
        return len(self._tasks)

    def account(self, account: str) -> AccountState:
        """The state of one of our numbers."""
        return self.departures.gate(account).state

    # -- what there is to send ------------------------------------------------------------------

    def _lane(self, chat: int) -> Lane:
        # Before all is loaded there may be older parcels of the chat in the table.
        return self._lanes.get(chat) or self._lanes.open(chat, is_cold=not self._is_loaded)

    async def _load(self) -> None:
        async for chat in chats_with_work(self._database, self._clock):
            self.reload(chat)
        self._is_loaded = True

    async def _warm(self, lane: Lane) -> None:
        """Read the lane from the table; nothing of the chat is being sent meanwhile."""
        lane.is_cold = False
        before = {parcel.number for parcel in lane.parcels}
        found, is_held = await read_lane(self._database, lane.chat, self._clock.now())
        (self._holding.add if is_held else self._holding.discard)(lane.chat)
        lane.replace(found, before)
        if is_held and len(lane.parcels) > len(found):
            # What came while it was read keeps the window open: what was held goes before it.
            lane.is_cold = True

    # -- sending --------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Begin as many steps as may begin now."""
        while self.places and not self._is_stopping and (departs := self.departures.next()):
            lane, begun = departs
            lane.is_busy = True
            self.places.take(lane)
            self._spawn(self._step(lane, begun))

    def _rest(self, lane: Lane, seconds: float) -> None:
        lane.is_busy = True

        def rested() -> None:
            lane.timer = None
            self._lanes.leave(lane)
            self._pump()

        lane.timer = self._clock.call_later(seconds, rested)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _step(self, lane: Lane, begun: Parcel | None = None) -> None:
        """Load a cold lane, or deliver its first parcel; then see how the lane goes on.

        Args:
            lane: Busy by now.
            begun: The parcel for which the gate was passed.
        """
        rest_s = 0.0
        try:
            if lane.parcels and (lane.is_claimed or not lane.is_cold):
                rest_s = await self._deliver_first(lane)
            else:
                if begun is not None:  # turned cold in the moment between
                    self.departures.end(begun, has_sent=False)
                if lane.is_cold:
                    await self._warm(lane)
        except asyncio.CancelledError:
            if not lane.is_cut:
                raise
        except NotStored:
            # Nothing was sent: a claim could not be written, or words could not be read.
            rest_s = RETRY_S
            lane.is_cold = True
        except Exception as surprise:  # noqa: BLE001 - one chat's trouble must not end the others'
            self._log.error("delivery_broke", chat=lane.chat, exc_info=surprise)
            rest_s = RETRY_S
            lane.is_cold = True
            lane.is_claimed = False
        finally:
            lane.is_cut = False
            self.places.leave(lane)
            if rest_s and not self._is_stopping:
                self._rest(lane, rest_s)
            else:
                self._lanes.leave(lane)
            self._pump()

    async def _deliver_first(self, lane: Lane) -> float:
        """Deliver the lane's first parcel; for how long the lane is to rest."""
        parcel = lane.parcels[0]
        account = self.account(parcel.account)
        lane.task = asyncio.current_task()

        def answered() -> None:
            self.places.leave(lane)
            self._pump()

        has_sent = True  # as far as can be known where this is cut or breaks
        try:
            follows = await self._deliver(parcel, account, answered)
            has_sent = follows.has_sent
        except NotStored:
            has_sent = lane.is_claimed  # will be sent; otherwise it passes the gate again
            raise
        finally:
            lane.task = None
            self.departures.end(parcel, has_sent=has_sent)
        lane.is_claimed = False
        lane.follow(parcel, follows)
        # A lane that turned cold meanwhile is read at once: perhaps there is nothing to wait for.
        return 0.0 if lane.is_cold else follows.rest_s

    async def _cut_if_settled(self, lane: Lane, task: asyncio.Task[None]) -> None:
        """End a delivery whose parcel was settled by a status: its answer says nothing new."""
        parcel = lane.parcels[0]
        is_over = await is_settled(self._database, parcel)
        if is_over and lane.task is task and lane.parcels and lane.parcels[0] is parcel:
            lane.is_cut = True
            lane.is_claimed = False
            task.cancel()

    async def stop(self, seconds: float) -> None:
        """Begin no further send; give those under way ``seconds``, then leave them.

        A send that is left is ambiguous: the next process waits for its status.
        """
        self._is_stopping = True
        if self._loading is not None:
            self._loading.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        if left := set(self._tasks):
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=2)
