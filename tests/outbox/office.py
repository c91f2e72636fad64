"""An outbox over a real file, between a Graph in memory and a clock that is turned."""

import asyncio
import io
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from openparallax import logs
from openparallax.errors import NotStored, Stale
from openparallax.graph.errors import classify, what_to_do
from openparallax.metrics import Metrics
from openparallax.model.entry import Entry, Role
from openparallax.model.messages import DeliveryStatus, StatusUpdate
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId, Text
from openparallax.outbox.delivery import Delivery
from openparallax.outbox.outbox import Outbox
from openparallax.outbox.pacing import Pacing
from openparallax.outbox.quoting import SentLately
from openparallax.outbox.receipts import ReceiptDesk, Receipts
from openparallax.outbox.tokens import callback_data
from openparallax.session.notices import Notices
from openparallax.storage import Connection, Database, chats, held_parcels, open_parcels, parcels
from openparallax.storage.database import execute
from openparallax.trail import Trail
from openparallax.transcript import Transcripts
from openparallax.transcript.volatile import VolatileTranscript
from tests.fakes.clock import TurnedClock
from tests.outbox.graph import ACCOUNT, Graph, Sent

WINDOW_S = 24 * 3600
SLOTS = 3


class Disk:
    """Stands before the database; refuses the next ``refuses`` units."""

    def __init__(self, database: Database) -> None:
        self.refuses = 0
        self._unit = database.unit
        self._database = database
        database.unit = self.unit  # type: ignore[method-assign]

    def unit(self, work: Callable[..., Any], then: Callable[..., Any] | None = None) -> Any:
        if self.refuses:
            self.refuses -= 1

            def refuse(_connection: Connection) -> None:
                raise NotStored("full")

            return self._unit(refuse)
        return self._unit(work, then)


def _begun(file: Path) -> set[tuple[int, str]]:
    """The sends that a dead process had begun: number and callback data."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT number, tokens FROM parcels WHERE state = 1").fetchall()
    return {(number, callback_data(number, tokens[:32])) for number, tokens in rows}


PATIENCE_WITH_DISK = 1500
"""Looks, a millisecond and more apart, before the disk counts as held up."""


class Office:
    """What a house has of an outbox: posts parcels, hands statuses on, dies and comes back."""

    def __init__(
        self,
        file: Path,
        *,
        people: int = 2,
        accounts: Sequence[str] = (ACCOUNT,),
        addresses: Sequence[str] = (),
        **limits: Any,
    ) -> None:
        self._file = file
        self.clock = TurnedClock()
        self.graph = Graph(self.clock)
        self.metrics = Metrics()
        self.written = io.StringIO()
        self.log = logs.configure(level="debug", render="json", stream=self.written)
        self.transcript = VolatileTranscript(history_entries=10)
        self._limits: dict[str, Any] = {
            "per_second": None,
            "pair_burst": None,
            "pair_interval_s": 6,
            **limits,
        }
        self._addresses = [*addresses, *(f"4915{n:08}" for n in range(len(addresses), people))]
        self._accounts = accounts
        self.not_served: set[str] = set()
        self.sent_lately = SentLately()
        self.trail = Trail(self.clock.now)
        self._number = 0
        self._turn = 0
        self.chats: list[int] = []

    async def open(self) -> None:
        self.database = Database(self._file, log=self.log)
        await self.database.open()
        if not self.chats:
            self.chats = await self.database.unit(self._settle_in)
        self.disk = Disk(self.database)
        rooms: Transcripts = dict.fromkeys(Mode, self.transcript)
        self.desk = ReceiptDesk(transcripts=rooms, classify=classify, clock=self.clock)
        self.delivery = Delivery(
            database=self.database,
            transcripts=rooms,
            notices=Notices(),
            send=self.graph.send,
            advise=what_to_do,
            forget_chats=lambda: None,
            receipt_wait_s=10,
            clock=self.clock,
            log=self.log,
            metrics=self.metrics,
            trail=self.trail,
            sent_lately=self.sent_lately,
        )
        self.outbox = Outbox(
            database=self.database,
            deliver=self.delivery.step,
            pacing=lambda _account: Pacing(self.clock, **self._limits),
            clock=self.clock,
            log=self.log,
            most_in_flight=SLOTS,
            serves=lambda account: account not in self.not_served,
        )
        self.outbox.start()

    def _settle_in(self, connection: Connection) -> list[int]:
        return [
            chats.add_chat(
                connection,
                chats.account_id(connection, self.account_of(place)),
                chats.add_contact(connection, ""),
                address,
            )
            for place, address in enumerate(self._addresses)
        ]

    def account_of(self, place: int) -> str:
        """Which of our numbers a person writes to; they take turns."""
        return self._accounts[place % len(self._accounts)]

    async def close(self) -> None:
        await self.outbox.stop(0)
        await self.database.close()

    async def die(self) -> None:
        """Leave everything as it is, write nothing any more, and come back on the same file."""
        self.database._writer.is_closing = True
        self.outbox._is_stopping = True
        tasks = {*self.outbox._tasks, *([self.outbox._loading] if self.outbox._loading else [])}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.database._writer.is_closing = False
        await self.database.close()
        # What Graph answered and nobody wrote down, nobody knows any more.
        begun = _begun(self._file)
        for call in self.graph.calls:
            if (call.number, call.token) in begun:
                call.outcome = None
        await self.open()

    # -- what a house does ----------------------------------------------------------------------

    async def post(
        self, place: int, count: int = 1, *, claims: bool = True, notice: str = ""
    ) -> None:
        """Post a turn's answer of ``count`` parts, as dispatch does."""
        chat, account = self.chats[place], self.account_of(place)
        outbox = self.outbox
        self._turn += 1
        turn = self._turn
        token = outbox.reserve(account, chat) if claims else None

        def work(connection: Connection) -> list[Parcel]:
            posted = []
            (address,) = connection.execute(
                "SELECT address FROM chats WHERE id = ?", (chat,)
            ).fetchone()
            for part in range(1, count + 1):
                self._number += 1
                is_claimed = token is not None and part == 1
                parcel = Parcel(
                    number=self._number,
                    chat=chat,
                    account=account,
                    to=address,
                    session=Session(SessionId(chat), Mode.ON_THE_RECORD),
                    turn=turn,
                    part=part,
                    notice=notice,
                    state=ParcelState.SENDING if is_claimed else ParcelState.WAITING,
                    attempts=1 if is_claimed else 0,
                    token=token or "" if is_claimed else "",
                    window_until=int(self.clock.now()) + WINDOW_S,
                )
                execute(connection, parcels.post(parcel, self.clock.now()))
                posted.append(parcel)
            return posted

        def then(posted: list[Parcel]) -> None:
            for parcel in posted:
                words = Text(f"part {parcel.number}")
                self.transcript.hold(Entry(parcel.session, turn, parcel.part, Role.PART, words, 0))
            outbox.take(posted)

        try:
            await self.database.unit(work, then)
        except (NotStored, Stale):
            if token is not None:
                outbox.unreserve(chat)

    async def write(self, place: int) -> None:
        """The person writes: what was held is let go."""
        chat = self.chats[place]
        window_until = int(self.clock.now()) + WINDOW_S
        await self.database.unit(
            lambda c: held_parcels.release(c, chat, window_until), self.outbox.take
        )

    async def tell(self, call: Sent, status: DeliveryStatus, code: int | None = None) -> Receipts:
        """A status comes, as through the house."""
        update = StatusUpdate(call.account, call.wamid, status, call.token, code)

        def then(receipts: Receipts) -> None:
            for chat in receipts.chats:
                self.outbox.reload(chat)
            for account, told in receipts.paused:
                self.outbox.account(account).pause(told, what_to_do(told))
            for what, count in receipts.counts.items():
                self.metrics.count("statuses", what, count)
            call.told.append(status)

        return await self.database.unit(lambda c: self.desk.apply(c, [update]), then)

    async def move(self, place: int, address: str) -> None:
        """The person is answered elsewhere from now on; nobody tells the outbox."""
        chat = self.chats[place]
        await self.database.unit(lambda c: parcels.respell(c, chat, address, 0))

    async def row(self, place: int) -> tuple[str, int]:
        """A chat's address, and which spelling of it that is."""
        sql = "SELECT address, alternate FROM chats WHERE id = ?"
        found: tuple[str, int] = await self.database.read(
            lambda c: c.execute(sql, (self.chats[place],)).fetchone()
        )
        return found

    async def withdraw(self, place: int, *, keeps: Sequence[str] = ()) -> int:
        """A person of ours takes over."""
        chat = self.chats[place]
        return await self.database.unit(
            lambda c: len(open_parcels.withdraw(c, chat, keeps=keeps)),
            lambda _: self.outbox.reload(chat),
        )

    # -- what a test sees -----------------------------------------------------------------------

    async def settle(self) -> None:
        """Let come to an end what needs no time of the clock.

        What waits for a disk that is held up never does: then it is enough that nothing moves for a
        while, which is longer than a slow disk takes.
        """
        calm = still = 0
        before = -1
        works = True
        while calm < 3 and still < (PATIENCE_WITH_DISK if works else 30):
            await asyncio.sleep(0.001)
            tasks, loading = self.outbox._tasks, self.outbox._loading
            is_loading = loading is not None and not loading.done()
            asleep = len(self.clock.sleepers & tasks)
            # A thread that reads may be as slow as one that writes.
            works = (
                self.database._writer._busy
                or is_loading
                or len(tasks) > self.graph.hanging + asleep
            )
            calm = 0 if works or asleep else calm + 1
            still = still + 1 if self.database._writer._commits == before else 0
            before = self.database._writer._commits

    async def until_idle(self) -> None:
        """Wait, without time of the clock passing, until the outbox is as if nothing had been."""
        async with asyncio.timeout(20):
            while not self.is_idle:
                await self.settle()

    async def turn(self, seconds: float, step: float = 1.0) -> None:
        while seconds > 0:
            await self.clock.turn(min(step, seconds))
            seconds -= step
            await self.settle()

    async def parcels(self) -> dict[int, Parcel]:
        def work(connection: Connection) -> list[Parcel]:
            numbers = connection.execute("SELECT number FROM parcels").fetchall()
            known = [parcels.by_number(connection, number) for (number,) in numbers]
            return [one.parcel for one in known if one is not None]

        return {parcel.number: parcel for parcel in await self.database.read(work)}

    @property
    def is_idle(self) -> bool:
        outbox = self.outbox
        return outbox._lanes.is_empty and not outbox._tasks and outbox.places._free == SLOTS
