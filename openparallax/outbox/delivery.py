"""One parcel's next step up to its send: is it time, is the window open, what are the words."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from openparallax.clock import Clock
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.outcomes import ErrorClass, Outcome, Refused
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.outbox.account import AccountState
from openparallax.outbox.lane import Next
from openparallax.outbox.quoting import SentLately
from openparallax.outbox.settling import Settling
from openparallax.outbox.spelling import UNDELIVERABLE
from openparallax.outbox.tokens import callback_data, new_token
from openparallax.outbox.waits import Waits
from openparallax.rendering.split import split
from openparallax.session.notices import ANSWERS_TO_COMMANDS, Notices
from openparallax.storage import Connection, Database, chats, held_parcels, parcels
from openparallax.storage.window import WINDOW_MARGIN_S
from openparallax.trail import Step, Trail
from openparallax.transcript import Transcripts

MOST_REPEATS = 2
"""An ambiguous parcel is repeated at most so often."""
_FILLED_IN = frozenset({"", "mistyped", "status"})
"""What cannot be said again by its name alone."""


class Send(Protocol):
    """Hands one text to Graph; see `graph.client`."""

    def __call__(
        self, *, phone_number_id: str, to: str, body: str, token: str
    ) -> Awaitable[Outcome]: ...


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
        trail: Trail,
        sent_lately: SentLately | None = None,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._notices = notices
        self._send = send
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._trail = trail
        self._waits = Waits(clock, receipt_wait_s=receipt_wait_s)
        self._settling = Settling(
            database=database,
            transcripts=transcripts,
            waits=self._waits,
            advise=advise,
            forget_chats=forget_chats,
            clock=clock,
            log=log,
            metrics=metrics,
            trail=trail,
            sent_lately=sent_lately,
        )
        self._told: dict[int, tuple[int, int]] = {}

    def wait_for_receipts(self, seconds: float) -> None:
        """How long a status is waited for, in waits that begin from now on."""
        self._waits.receipt_wait_s = seconds

    async def step(
        self, parcel: Parcel, account: AccountState, answered: Callable[[], None]
    ) -> Next:
        """Send ``parcel``, or find out that it is to wait, or that it is over.

        A parcel that is ``SENDING`` has been claimed for this very step. May be repeated after
        `NotStored` or where the parcel is still open; once a send has begun, its outcome is
        recorded before this returns, however long the disk takes; ``answered`` is called before.

        Raises:
            NotStored: The disk refused; nothing was sent; the lane is to be read anew.
        """
        wait_s = self._waits.left_s(parcel)
        if wait_s > 0:
            return Next(rest_s=wait_s, is_over=False)
        if parcel.state is ParcelState.UNKNOWN and parcel.ambiguous > MOST_REPEATS:
            return await self._settling.give_up(parcel)
        if not self._is_open(parcel.window_until):
            window_until = await self._database.unit(lambda c: self._mind_window(c, parcel))
            if not self._is_open(window_until):
                return self._settling.held(parcel)
            parcel = replace(parcel, window_until=window_until)
        said = await self._words(parcel)
        if said is None:
            return Next(is_over=False, must_read=True)
        body, is_lost = said
        if is_lost and self._was_told(parcel):
            return await self._settling.settle(parcel, ParcelState.LOST)
        if parcel.state is not ParcelState.SENDING:
            claimed = await self._claim(parcel)
            if claimed is None:
                return Next(is_over=False, must_read=True)
            parcel = claimed
        if is_lost:
            self._note_told(parcel)
        outcome, took_s = await self._hand_over(parcel, body)
        answered()
        return await self._settling.follow(parcel, account, outcome, took_s)

    async def _hand_over(self, parcel: Parcel, body: str) -> tuple[Outcome, float]:
        """What Graph said, and after how many seconds."""
        if not parcel.to:
            # Whoever it is for has left their number to somebody else and has no id: nowhere.
            return Refused(UNDELIVERABLE, ErrorClass.RECIPIENT), 0.0
        began = self._clock.monotonic()
        outcome = await self._send(
            phone_number_id=parcel.account,
            to=parcel.to,
            body=body,
            token=callback_data(parcel.number, parcel.token),
        )
        took_s = self._clock.monotonic() - began
        self._metrics.observe("send", "", took_s)
        return outcome, took_s

    async def _claim(self, parcel: Parcel) -> Parcel | None:
        """Write down that a send begins; None if the parcel is not what the lane thinks it is.

        Where it goes is asked in the same unit: while it waited, its number may have become another
        person's.
        """
        token = new_token()
        claim = parcels.claim(parcel.number, parcel.state, token)
        leaves = parcels.settle(parcel.number, parcel.state, ParcelState.WITHDRAWN)
        # What was not tried yet when they took over was withdrawn then.
        may_be_taken = parcel.attempts > 0 and parcel.notice not in ANSWERS_TO_COMMANDS

        def work(connection: Connection) -> tuple[str | None, bool]:
            if may_be_taken and chats.taken_until(connection, parcel.chat) > self._clock.now():
                # A person of ours answers by now, so it is not sent once more.
                return None, parcels.change(connection, leaves)
            is_claimed = parcels.change(connection, claim)
            return (chats.address_of(connection, parcel.chat) if is_claimed else None), False

        address, is_withdrawn = await self._database.unit(work)
        if is_withdrawn:
            self._trail.note(Step.WITHDRAWN, parcel.chat, parcel.turn, 0, parcel.number)
        if address is None:
            return None
        if parcel.state is ParcelState.UNKNOWN:
            self._metrics.count("parcels", "sent_again")
            self._log.warning("parcel_sent_again", parcel=parcel.number, chat=parcel.chat)
            self._trail.note(Step.SENT_AGAIN, parcel.chat, parcel.turn, 0, parcel.number)
        return replace(
            parcel,
            to=address,
            state=ParcelState.SENDING,
            token=token,
            attempts=parcel.attempts + 1,
        )

    # -- the window -----------------------------------------------------------------------------

    def _is_open(self, window_until: int) -> bool:
        return self._clock.now() < window_until - WINDOW_MARGIN_S

    def _mind_window(self, connection: Connection, parcel: Parcel) -> int:
        """Until when the window is open after all; else hold the parcel."""
        window_until = held_parcels.latest_window(connection, parcel)
        if not self._is_open(window_until):
            self._settling.hold(connection, parcel)
        return window_until

    # -- the words ------------------------------------------------------------------------------

    async def _words(self, parcel: Parcel) -> tuple[str, bool] | None:
        """What to send, and whether that is the notice in place of words that were lost.

        None if the parcel is another than the lane thinks.
        """
        session = parcel.session
        text = await self._transcripts[session.mode].read(session, parcel.turn, parcel.part)
        if text is None:
            # Perhaps it was moved to another session. Asked as a unit, since this comes behind
            # whatever was to be done after the commits before, such as having the words at hand.
            known = await self._database.unit(lambda c: parcels.by_number(c, parcel.number))
            if known is None or known.parcel.state is not parcel.state:
                return None
            session = known.parcel.session
            text = await self._transcripts[session.mode].read(session, parcel.turn, parcel.part)
        if text is not None:
            return text.words, False
        again = self._say_again(parcel)
        return (self._notices.say("lost"), True) if again is None else (again, False)

    def _say_again(self, parcel: Parcel) -> str | None:
        """A sentence of the daemon's own is not lost: it can be said again by its name."""
        if parcel.notice in _FILLED_IN:
            return None
        words = (
            self._notices.help() if parcel.notice == "help" else self._notices.say(parcel.notice)
        )
        parts = split(words)
        return parts[parcel.part - 1] if parcel.part <= len(parts) else None

    def _was_told(self, parcel: Parcel) -> bool:
        """One notice is enough for all the lost parts of a turn."""
        told = self._told.get(parcel.chat)
        return told is not None and told[0] == parcel.turn and told[1] != parcel.number

    def _note_told(self, parcel: Parcel) -> None:
        if len(self._told) > 10_000:
            self._told.clear()
        self._told[parcel.chat] = (parcel.turn, parcel.number)
        self._metrics.count("parcels", "lost")
        self._log.warning("parcel_lost", parcel=parcel.number, chat=parcel.chat)
        self._trail.note(Step.LOST, parcel.chat, parcel.turn, 0, parcel.number)
