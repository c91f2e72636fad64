"""One parcel's next step: claim, send, and what follows from the outcome."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Protocol

from openparallax.clock import Clock
from openparallax.errors import NotStored, Stale
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.outcomes import (
    Accepted,
    ErrorClass,
    NotSent,
    Outcome,
    Refused,
    Unanswered,
)
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.outbox.account import AccountState
from openparallax.outbox.outbox import Next, new_token
from openparallax.session.notices import Notices
from openparallax.storage import Connection, Database, chats, parcels
from openparallax.storage.database import execute
from openparallax.transcript import Transcripts

WINDOW_MARGIN_S = 60
MOST_REPEATS = 2
"""An ambiguous parcel is repeated at most so often."""
LONGEST_BACKOFF_S = 300.0
PAIR_RATE = 131056
WHOLE_NUMBER_RATES = frozenset({4, 80007, 80008, 130429})


class Send(Protocol):
    """Hands one text to Graph; see `graph.client`."""

    def __call__(
        self, *, phone_number_id: str, to: str, body: str, token: str
    ) -> Awaitable[Outcome]: ...


def callback_data(number: int, token: str) -> str:
    """What a send carries and its statuses bring back: says which attempt of which parcel."""
    return f"{number:x}.{token}"


def id_hash(wamid: str) -> int:
    """64 bits that stand for Meta's id of our message, which itself holds a phone number."""
    digest = blake2b(wamid.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class Delivery:
    """Takes a parcel one step further; see `step`."""

    def __init__(
        self,
        *,
        database: Database,
        transcripts: Transcripts,
        notices: Notices,
        send: Send,
        advise: Callable[[int | None], str],
        forget_chats: Callable[[], None],
        receipt_wait_s: float,
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._notices = notices
        self._send = send
        self._advise = advise
        self._forget_chats = forget_chats
        self._receipt_wait_s = receipt_wait_s
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._deadlines: dict[int, tuple[int, float]] = {}
        self._told: dict[int, int] = {}

    async def step(self, parcel: Parcel, account: AccountState) -> Next:
        """Send ``parcel``, or find out that it is to wait, or that it is over.

        A parcel that is ``SENDING`` has been claimed for this very step. May be repeated.

        Raises:
            NotStored: The disk refused; the lane is to be read anew.
        """
        if parcel.state is ParcelState.UNKNOWN:
            wait_s = self._receipt_due_s(parcel)
            if wait_s > 0:
                return Next(rest_s=wait_s, is_over=False)
            if parcel.ambiguous > MOST_REPEATS:
                return await self._give_up(parcel)
        elif parcel.not_before > (now := self._clock.now()):
            # Clamped: a clock that jumped must not delay anything beyond its back-off.
            return Next(
                rest_s=min(parcel.not_before - now, LONGEST_BACKOFF_S),
                is_over=False,
                parcel=replace(parcel, not_before=0.0),
            )
        try:
            if self._clock.now() >= parcel.window_until - WINDOW_MARGIN_S:
                return await self._hold(parcel)
            return await self._send_one(parcel, account)
        except Stale:
            # A status settled it, or it was moved or withdrawn: the table knows.
            return await self._look_again(parcel)

    # -- before the send ------------------------------------------------------------------------

    async def _send_one(self, parcel: Parcel, account: AccountState) -> Next:
        words = await self._words(parcel)
        if words is None:
            return await self._look_again(parcel)
        body, is_lost = words
        if is_lost and self._told.get(parcel.chat) == parcel.turn:
            await self._settle(parcel, ParcelState.LOST)
            return Next()
        if parcel.state is not ParcelState.SENDING:
            if parcel.state is ParcelState.UNKNOWN:
                self._metrics.count("parcels", "sent_again")
                self._log.warning("parcel_sent_again", parcel=parcel.number, chat=parcel.chat)
            token = new_token()
            await self._database.write(parcels.claim(parcel.number, parcel.state, token))
            parcel = replace(
                parcel,
                state=ParcelState.SENDING,
                token=token,
                attempts=parcel.attempts + 1,
            )
        if is_lost:
            self._note_told(parcel)
        outcome = await self._send(
            phone_number_id=parcel.account,
            to=parcel.to,
            body=body,
            token=callback_data(parcel.number, parcel.token),
        )
        return await self._follow(parcel, account, outcome)

    async def _words(self, parcel: Parcel) -> tuple[str, bool] | None:
        """What to send, and whether that is the notice in place of words that were lost.

        None if the parcel was moved to another session meanwhile.
        """
        transcript = self._transcripts[parcel.session.mode]
        text = await transcript.read(parcel.session, parcel.turn, parcel.part)
        if text is not None:
            return text.words, False
        found = await self._database.read(lambda c: parcels.by_number(c, parcel.number))
        if found is not None and found[0].session != parcel.session:
            return None
        return self._notices.say("lost"), True

    def _note_told(self, parcel: Parcel) -> None:
        """One notice is enough for all the lost parts of a turn."""
        if len(self._told) > 10_000:
            self._told.clear()
        self._told[parcel.chat] = parcel.turn
        self._metrics.count("parcels", "lost")
        self._log.warning("parcel_lost", parcel=parcel.number, chat=parcel.chat)

    def _receipt_due_s(self, parcel: Parcel) -> float:
        """Seconds left in which a status may say what became of the latest attempt.

        Only time in which this process, and so its listener, was up counts; each further attempt
        waits longer.
        """
        now = self._clock.monotonic()
        known = self._deadlines.get(parcel.number)
        if known is None or known[0] != parcel.attempts:
            if len(self._deadlines) > 10_000:
                self._deadlines = {n: d for n, d in self._deadlines.items() if d[1] > now}
            wait_s = self._receipt_wait_s * 2 ** max(0, parcel.ambiguous - 1)
            known = self._deadlines[parcel.number] = (parcel.attempts, now + wait_s)
        if known[1] <= now:
            del self._deadlines[parcel.number]
            return 0.0
        return known[1] - now

    # -- after the send -------------------------------------------------------------------------

    async def _follow(self, parcel: Parcel, account: AccountState, outcome: Outcome) -> Next:
        match outcome:
            case Accepted(wamid=wamid):
                account.resume()
                await self._settle(parcel, ParcelState.ACCEPTED, accepted=id_hash(wamid))
                return Next()
            case NotSent(reason=reason):
                self._metrics.count("sends", "not_sent")
                rest_s = min(2.0 ** min(parcel.attempts, 6), 60.0)
                self._log.warning(
                    "graph_unreachable", parcel=parcel.number, reason=reason, wait_s=rest_s
                )
                return await self._wait(parcel, rest_s)
            case Unanswered(reason=reason):
                return await self._wonder(parcel, reason)
            case Refused():
                return await self._refused(parcel, account, outcome)

    async def _refused(self, parcel: Parcel, account: AccountState, refused: Refused) -> Next:
        code = refused.code
        self._metrics.count("graph_errors", str(code))
        match refused.error_class:
            case ErrorClass.AMBIGUOUS:
                return await self._wonder(parcel, f"code {code}")
            case ErrorClass.SLOW:
                rest_s = min(4.0 ** min(parcel.attempts - 1, 5), LONGEST_BACKOFF_S)
                if code in WHOLE_NUMBER_RATES:
                    account.slow_down(rest_s)
                self._log.warning("parcel_deferred", parcel=parcel.number, code=code, wait_s=rest_s)
                return await self._wait(parcel, rest_s)
            case ErrorClass.ACCOUNT:
                account.pause(code, self._advise(code))
                return await self._wait(parcel, 0.0)
            case ErrorClass.WINDOW:
                return await self._hold(parcel)
            case ErrorClass.RECIPIENT | ErrorClass.OURS:
                self._log.error(
                    "parcel_failed",
                    parcel=parcel.number,
                    chat=parcel.chat,
                    code=code,
                    error_class=refused.error_class.value,
                    trace=refused.trace,
                )
                await self._settle(parcel, ParcelState.FAILED, code=code)
                return Next()

    async def _settle(
        self,
        parcel: Parcel,
        state: ParcelState,
        *,
        code: int | None = None,
        accepted: int | None = None,
    ) -> None:
        self._metrics.count("sends", state.name.lower())
        await self._database.write(
            parcels.settle(parcel.number, (parcel.state,), state, code=code, accepted=accepted)
        )

    async def _wait(self, parcel: Parcel, rest_s: float) -> Next:
        not_before = self._clock.now() + rest_s
        await self._database.write(parcels.wait(parcel.number, parcel.state, not_before))
        return Next(rest_s=rest_s, is_over=False, parcel=replace(parcel, state=ParcelState.WAITING))

    async def _wonder(self, parcel: Parcel, reason: str) -> Next:
        """Nobody knows whether Graph took it: wait for its status."""
        self._metrics.count("sends", "unanswered")
        self._log.warning("send_unanswered", parcel=parcel.number, chat=parcel.chat, reason=reason)
        await self._database.write(parcels.unknown(parcel.number))
        unknown = replace(parcel, state=ParcelState.UNKNOWN, ambiguous=parcel.ambiguous + 1)
        return Next(rest_s=self._receipt_due_s(unknown), is_over=False, parcel=unknown)

    async def _give_up(self, parcel: Parcel) -> Next:
        self._log.error("parcel_unconfirmed", parcel=parcel.number, chat=parcel.chat)
        await self._settle(parcel, ParcelState.UNCONFIRMED)
        return Next()

    async def _hold(self, parcel: Parcel) -> Next:
        """The window is closed: keep the newest reply until the person writes."""

        def work(connection: Connection) -> None:
            execute(connection, parcels.hold(parcel.number, parcel.state))
            execute(connection, parcels.withdraw_older(parcel.chat, parcel.turn))
            chats.hold(connection, parcel.chat, chats.HELD_PARCELS)
            # The door must see this at the chat's next message, from its cache too.
            self._forget_chats()

        await self._database.unit(work)
        self._metrics.count("parcels", "held")
        self._log.warning("parcel_held", parcel=parcel.number, chat=parcel.chat)
        return Next()

    async def _look_again(self, parcel: Parcel) -> Next:
        found = await self._database.read(lambda c: parcels.by_number(c, parcel.number))
        if found is None or found[0].state >= ParcelState.HELD:
            return Next()
        now = found[0]
        if now.state is ParcelState.SENDING:
            raise NotStored("the lane and the table disagree: read it anew")
        return Next(is_over=False, parcel=now, rest_s=0.05)
