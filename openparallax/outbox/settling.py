"""What follows from the outcome of a send, and writing it down.

The outcome is known in this process and nowhere else. So it is written again and again until the
disk takes it: forgetting it would make a message ambiguous that is not.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from openparallax.clock import Clock
from openparallax.errors import NotStored
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
from openparallax.model.wamids import id_hash
from openparallax.outbox.account import AccountState
from openparallax.outbox.lane import Next
from openparallax.outbox.quoting import SentLately
from openparallax.outbox.spelling import Refusal, refuse
from openparallax.outbox.waits import Waits
from openparallax.storage import Connection, Database, Write, chats, held_parcels, parcels
from openparallax.trail import Step, Trail
from openparallax.transcript import Transcripts

T = TypeVar("T")
PAIR_RATE = 131056
"""The only rate of one chat; all others are rates of the whole number."""
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 5.0
_SENT = Step.SENT  # Python 3.11 looks up each member of an enum in a call of its own
_READ_ANEW = Next(is_over=False, has_sent=True, must_read=True)


class Settling:
    """Turns outcomes into rows, logs and what the lane does next."""

    def __init__(
        self,
        *,
        database: Database,
        transcripts: Transcripts,
        waits: Waits,
        advise: Callable[[int | None], str],
        forget_chats: Callable[[], None],
        clock: Clock,
        log: Logger,
        metrics: Metrics,
        trail: Trail,
        sent_lately: SentLately | None = None,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._waits = waits
        self._advise = advise
        self._forget_chats = forget_chats
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._trail = trail
        self._sent_lately = SentLately() if sent_lately is None else sent_lately

    async def follow(
        self, parcel: Parcel, account: AccountState, outcome: Outcome, took_s: float
    ) -> Next:
        """Record what became of the send of ``parcel``, which is ``SENDING``, after ``took_s``.

        Returns when it is on disk, or when the table knows better: a status may have come first.
        """
        match outcome:
            case Accepted(wamid=wamid):
                if account.accepted(parcel.number):
                    self._trail.note(Step.RESUMED, account=parcel.account)
                self._trail.add((
                    self._clock.now(), _SENT, parcel.chat, parcel.turn, 0, parcel.number,
                    parcel.account, "", parcel.notice, None, took_s, parcel.attempts,
                ))  # fmt: skip
                return await self._accept(parcel, id_hash(wamid))
            case NotSent(reason=reason):
                self._metrics.count("sends", "not_sent")
                rest_s = self._waits.unreachable_s(parcel)
                self._log.warning(
                    "graph_unreachable", parcel=parcel.number, reason=reason, wait_s=rest_s
                )
                self._note(Step.DEFERRED, parcel, about="unreachable", seconds=rest_s)
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
            case ErrorClass.SLOW if code == PAIR_RATE:
                rest_s = self._waits.pair_rate_s(parcel)
                self._log.warning("parcel_deferred", parcel=parcel.number, code=code, wait_s=rest_s)
                self._note(Step.DEFERRED, parcel, code, seconds=rest_s)
                return await self._wait(parcel, rest_s)
            case ErrorClass.SLOW:
                rest_s = account.slow_down(code)
                self._note(Step.DEFERRED, parcel, code, seconds=rest_s)
                return await self._wait(parcel, 0.0)
            case ErrorClass.ACCOUNT:
                account.pause(code, self._advise(code), parcel.number)
                self._trail.note(Step.PAUSED, account=parcel.account, code=code)
                self._note(Step.DEFERRED, parcel, code)
                return await self._wait(parcel, 0.0)
            case ErrorClass.WINDOW:
                if not await self._store(lambda c: self.hold(c, parcel, code=code)):
                    return _READ_ANEW
                return replace(self.held(parcel, code), has_sent=True)
            case ErrorClass.RECIPIENT | ErrorClass.OURS:
                return await self._fail(parcel, refused)

    # -- its end --------------------------------------------------------------------------------

    async def _accept(self, parcel: Parcel, accepted: int) -> Next:
        settle = parcels.settle(
            parcel.number, ParcelState.SENDING, ParcelState.ACCEPTED, accepted=accepted
        )

        def work(connection: Connection) -> tuple[bool, bool]:
            if parcels.change(connection, settle):
                return True, False
            return False, parcels.note_twice(connection, parcel.number, accepted)

        is_settled, is_twice = await self._store(work)
        self._sent_lately.note(accepted, parcel.chat, parcel.session, parcel.turn)
        self._metrics.count("sends", "accepted")
        if is_twice:
            self._metrics.count("statuses", "sent_twice")
        if not is_settled:
            return _READ_ANEW
        self._waits.forget(parcel)
        return Next(has_sent=True)

    async def _fail(self, parcel: Parcel, refused: Refused) -> Next:
        """The recipient cannot get it, or not under this spelling of the number."""
        code = refused.code
        refusal = await self._store(lambda c: self._refuse(c, parcel, code))
        if refusal.is_stale:
            return _READ_ANEW
        if refusal.unsaid is not None:
            self._transcripts[refusal.unsaid.mode].note_unsaid(refusal.unsaid, parcel.turn)
        if refusal.goes_again:
            self._note(Step.DEFERRED, parcel, code, about="other_spelling")
            self._metrics.count("parcels", "other_spelling")
            self._log.warning(
                "other_spelling_tried", parcel=parcel.number, chat=parcel.chat, code=code
            )
            waiting = replace(parcel, state=ParcelState.WAITING, not_before=0.0)
            return Next(is_over=False, parcel=waiting, has_sent=True)
        self._metrics.count("sends", "failed")
        self._log.error(
            "parcel_failed",
            parcel=parcel.number,
            chat=parcel.chat,
            code=code,
            error_class=refused.error_class.value,
            trace=refused.trace,
            hint=self._advise(code),
        )
        self._note(Step.FAILED, parcel, code)
        self._waits.forget(parcel)
        return Next(has_sent=True)

    def _refuse(self, connection: Connection, parcel: Parcel, code: int | None) -> Refusal:
        refusal = refuse(connection, parcel, code, sent_to=parcel.to, transcripts=self._transcripts)
        if refusal.has_moved:
            self._forget_chats()
        return refusal

    async def settle(self, parcel: Parcel, state: ParcelState, *, code: int | None = None) -> Next:
        """The parcel is over, with this outcome."""
        self._metrics.count("sends", state.name.lower())
        if not await self._change(parcels.settle(parcel.number, parcel.state, state, code=code)):
            return _READ_ANEW
        self._waits.forget(parcel)
        return Next(has_sent=parcel.state is ParcelState.SENDING)

    async def give_up(self, parcel: Parcel) -> Next:
        """Sent as often as is allowed, and never answered for."""
        self._log.error("parcel_unconfirmed", parcel=parcel.number, chat=parcel.chat)
        self._note(Step.UNCONFIRMED, parcel)
        return await self.settle(parcel, ParcelState.UNCONFIRMED)

    # -- or not yet -----------------------------------------------------------------------------

    async def _wait(self, parcel: Parcel, rest_s: float) -> Next:
        """Refused before processing, or never sent."""
        not_before = self._clock.now() + rest_s if rest_s else 0.0
        if not await self._change(parcels.wait(parcel.number, parcel.state, not_before)):
            return _READ_ANEW
        waiting = replace(parcel, state=ParcelState.WAITING, not_before=not_before)
        return Next(rest_s=rest_s, is_over=False, parcel=waiting, has_sent=True)

    async def _wonder(self, parcel: Parcel, reason: str) -> Next:
        """Nobody knows whether Graph took it: wait for its status."""
        self._metrics.count("sends", "unanswered")
        self._log.warning("send_unanswered", parcel=parcel.number, chat=parcel.chat, reason=reason)
        self._note(Step.IN_DOUBT, parcel)
        if not await self._change(parcels.unknown(parcel.number)):
            return _READ_ANEW
        unknown = replace(parcel, state=ParcelState.UNKNOWN, ambiguous=parcel.ambiguous + 1)
        return Next(
            rest_s=self._waits.left_s(unknown), is_over=False, parcel=unknown, has_sent=True
        )

    def hold(self, connection: Connection, parcel: Parcel, *, code: int | None = None) -> bool:
        """Part of a unit: the window is closed, so keep the parcel until the person writes.

        Returns:
            False if the parcel was in another state; nothing was changed.
        """
        if not held_parcels.hold(connection, parcel, code=code):
            return False
        chats.hold(connection, parcel.chat, chats.HELD_PARCELS)
        # The door must see this at the chat's next message, from its cache too.
        self._forget_chats()
        return True

    def held(self, parcel: Parcel, code: int | None = None) -> Next:
        """Say that the parcel is held; what else of the chat is, the table knows."""
        self._metrics.count("parcels", "held")
        self._log.warning("parcel_held", parcel=parcel.number, chat=parcel.chat)
        self._note(Step.HELD, parcel, code)
        self._waits.forget(parcel)
        return Next(is_over=False, must_read=True)

    # -- the trail ------------------------------------------------------------------------------

    def _note(
        self,
        step: Step,
        parcel: Parcel,
        code: int | None = None,
        *,
        about: str = "",
        seconds: float | None = None,
    ) -> None:
        self._trail.note(
            step, parcel.chat, parcel.turn, 0, parcel.number,
            parcel.account, "", about or parcel.notice, code, seconds,
        )  # fmt: skip

    # -- the disk -------------------------------------------------------------------------------

    async def _change(self, write: Write) -> bool:
        return await self._store(lambda c: parcels.change(c, write))

    async def _store(self, work: Callable[[Connection], T]) -> T:
        """Run a unit, again and again until it is on disk, or this is cancelled."""
        wait_s = FIRST_RETRY_S
        while True:
            try:
                return await self._database.unit(work)
            except NotStored:
                await self._clock.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_RETRY_S)
