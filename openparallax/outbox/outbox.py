"""Which parcel goes next: a lane for each chat with something to send, and the bound on sends."""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from openparallax.clock import Clock, Timer
from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.outbox.account import AccountState
from openparallax.outbox.pacing import Pacing
from openparallax.storage import Database, parcels

PAGE = 500
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a step of delivery.

    Attributes:
        rest_s: The chat's lane rests for so long; 0 to go on.
        is_over: The parcel has left the lane.
        parcel: As it is now, if it stays.
    """

    rest_s: float = 0.0
    is_over: bool = True
    parcel: Parcel | None = None


Deliver = Callable[[Parcel, AccountState], Awaitable[Next]]


class _Lane:
    __slots__ = ("chat", "is_busy", "is_cold", "is_ready", "is_reserved", "parcels", "timer")

    def __init__(self, chat: int) -> None:
        self.chat = chat
        self.parcels: deque[Parcel] = deque()
        self.is_busy = False
        self.is_ready = False
        self.is_reserved = False
        self.is_cold = False
        self.timer: Timer | None = None


class Outbox:
    """Sends parcels; see the sign on the room's door."""

    def __init__(
        self,
        *,
        database: Database,
        deliver: Deliver,
        pacing: Callable[[str], Pacing],
        clock: Clock,
        log: Logger,
        most_in_flight: int,
    ) -> None:
        self._database = database
        self._deliver = deliver
        self._make_pacing = pacing
        self._clock = clock
        self._log = log
        self._free = most_in_flight
        self._lanes: dict[int, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._accounts: dict[str, tuple[AccountState, Pacing]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pump_timer: Timer | None = None
        self._loading: asyncio.Task[None] | None = None
        self._is_loaded = False
        self._is_stopping = False

    # -- what comes in --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin with what an earlier process left; not before the listener is up."""
        self._loading = asyncio.get_running_loop().create_task(self._load())

    def reserve(self, account: str, chat: int) -> str | None:
        """Take the right to send the chat's next parcel at once, if nothing stands before it.

        Returns:
            The token of the attempt, to be written with the parcel in one transaction; give it back
            with `unreserve` if that fails, else hand the parcel to `take`.
        """
        if not self._is_loaded or self._is_stopping or not self._free or chat in self._lanes:
            return None
        state, pacing = self._account(account)
        if state.is_paused or state.wait_s() or pacing.number_wait_s() or pacing.chat_wait_s(chat):
            return None
        lane = self._lanes[chat] = _Lane(chat)
        lane.is_reserved = lane.is_busy = True
        self._free -= 1
        pacing.take(chat)
        return new_token()

    def unreserve(self, chat: int) -> None:
        """Give a reservation back."""
        lane = self._lanes.get(chat)
        if lane is not None and lane.is_reserved:
            lane.is_reserved = False
            self._free += 1
            self._leave(lane)

    def take(self, posted: Sequence[Parcel]) -> None:
        """Send these parcels, new ones of one or several chats, in order."""
        for parcel in posted:
            lane = self._lane(parcel.chat)
            if parcel.state is ParcelState.SENDING:
                lane.is_reserved = False
                lane.parcels.appendleft(parcel)
                self._spawn(lane)
                continue
            if lane.parcels and parcel.number <= lane.parcels[-1].number:
                lane.is_cold = True  # older than what waits, or known: the table knows the order
            else:
                lane.parcels.append(parcel)
            self._make_ready(lane)
        self._pump()

    def reload(self, chat: int) -> None:
        """Something changed in the table: read the chat's lane anew before its next send."""
        lane = self._lane(chat)
        lane.is_cold = True
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
            lane.is_busy = False
        self._make_ready(lane)
        self._pump()

    @property
    def waiting(self) -> int:
        """How many parcels wait in memory, those being sent included."""
        return sum(len(lane.parcels) for lane in self._lanes.values())

    @property
    def in_flight(self) -> int:
        """How many steps of delivery are under way."""
        return len(self._tasks)

    def account(self, account: str) -> AccountState:
        """The state of one of our numbers."""
        return self._account(account)[0]

    # -- lanes ----------------------------------------------------------------------------------

    def _account(self, account: str) -> tuple[AccountState, Pacing]:
        found = self._accounts.get(account)
        if found is None:
            found = AccountState(account, self._clock, self._log), self._make_pacing(account)
            self._accounts[account] = found
        return found

    def _lane(self, chat: int) -> _Lane:
        lane = self._lanes.get(chat)
        if lane is None:
            lane = self._lanes[chat] = _Lane(chat)
            # Before all is loaded there may be older parcels of the chat in the table.
            lane.is_cold = not self._is_loaded
        return lane

    def _make_ready(self, lane: _Lane) -> None:
        if not (lane.is_busy or lane.is_ready):
            lane.is_ready = True
            self._ready.append(lane)

    def _leave(self, lane: _Lane) -> None:
        """A lane's step is over: go on with what waits in it, or let it go."""
        lane.is_busy = False
        if lane.parcels or lane.is_cold:
            self._make_ready(lane)
        elif self._lanes.get(lane.chat) is lane:
            del self._lanes[lane.chat]

    async def _load(self) -> None:
        above = 0
        while not self._is_stopping:
            try:
                found = await self._database.read(
                    partial(parcels.chats_with_work, above=above, most=PAGE)
                )
            except NotStored:
                await self._clock.sleep(RETRY_S)
                continue
            for chat in found:
                self.reload(chat)
            if len(found) < PAGE:
                self._is_loaded = True
                return
            above = found[-1]

    # -- sending --------------------------------------------------------------------------------

    def _pump(self) -> None:
        while self._free and self._ready and not self._is_stopping:
            lane = self._ready[0]
            if (
                not lane.is_cold
                and lane.parcels
                and lane.parcels[0].state is not ParcelState.UNKNOWN
            ):
                state, pacing = self._account(lane.parcels[0].account)
                wait_s = max(state.wait_s(), pacing.number_wait_s())
                if wait_s:
                    # One number for now; with several, each needs a line of its own here.
                    self._pump_later(wait_s)
                    return
                if chat_wait_s := pacing.chat_wait_s(lane.chat):
                    self._ready.popleft()
                    lane.is_ready = False
                    self._rest(lane, chat_wait_s)
                    continue
                state.begin()
                pacing.take(lane.chat)
            self._ready.popleft()
            lane.is_ready = False
            lane.is_busy = True
            self._free -= 1
            self._spawn(lane)

    def _pump_later(self, wait_s: float) -> None:
        if self._pump_timer is None and wait_s != float("inf"):

            def pump() -> None:
                self._pump_timer = None
                self._pump()

            self._pump_timer = self._clock.call_later(wait_s, pump)

    def _rest(self, lane: _Lane, seconds: float) -> None:
        lane.is_busy = True

        def rested() -> None:
            lane.timer = None
            self._leave(lane)
            self._pump()

        lane.timer = self._clock.call_later(seconds, rested)

    def _spawn(self, lane: _Lane) -> None:
        task = asyncio.get_running_loop().create_task(self._step(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _step(self, lane: _Lane) -> None:
        """Load a cold lane, or deliver its first parcel; then see how the lane goes on."""
        rest_s = 0.0
        try:
            if lane.is_cold and not self._is_claimed(lane):
                await self._warm(lane)
            elif lane.parcels:
                parcel = lane.parcels[0]
                state, _ = self._account(parcel.account)
                try:
                    follows = await self._deliver(parcel, state)
                finally:
                    state.ended()
                rest_s = follows.rest_s
                if lane.parcels and lane.parcels[0] is parcel:
                    if follows.is_over:
                        lane.parcels.popleft()
                    elif follows.parcel is not None:
                        lane.parcels[0] = follows.parcel
        except NotStored:
            rest_s = RETRY_S
            lane.is_cold = True
        except Exception as surprise:  # noqa: BLE001 - one chat's trouble must not end the others'
            self._log.error("delivery_broke", chat=lane.chat, exc_info=surprise)
            rest_s = RETRY_S
            lane.is_cold = True
        finally:
            self._free += 1
            if rest_s and not self._is_stopping:
                self._rest(lane, rest_s)
            else:
                self._leave(lane)
            self._pump()

    def _is_claimed(self, lane: _Lane) -> bool:
        """Whether the first parcel was claimed for this very step, in the turn's transaction."""
        return bool(lane.parcels) and lane.parcels[0].state is ParcelState.SENDING

    async def _warm(self, lane: _Lane) -> None:
        """Read the lane from the table; nothing of the chat is being sent meanwhile."""
        lane.is_cold = False
        found = await self._database.read(lambda c: parcels.open_of_chat(c, lane.chat))
        for place, parcel in enumerate(found):
            if parcel.state is ParcelState.SENDING:
                # Begun and never heard of again: by an earlier process, or before a failure here.
                await self._database.write(parcels.unknown(parcel.number))
                found[place] = replace(
                    parcel, state=ParcelState.UNKNOWN, ambiguous=parcel.ambiguous + 1
                )
        known = {parcel.number for parcel in found}
        newest = max(known, default=0)
        came = [one for one in lane.parcels if one.number > newest and one.number not in known]
        lane.parcels = deque(one for one in found if one.state is not ParcelState.HELD)
        lane.parcels.extend(came)

    async def stop(self, seconds: float) -> None:
        """Begin no further send; give those under way ``seconds``, then leave them.

        A send that is left is ambiguous: the next process waits for its status.
        """
        self._is_stopping = True
        if self._loading is not None:
            self._loading.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in set(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=2)


def new_token() -> str:
    """A random 128-bit token, hex."""
    return secrets.token_hex(16)
