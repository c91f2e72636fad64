"""The door: one thing after the other, inside the unit of work of its request."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter, itemgetter

from openparallax.chats.directory import Directory
from openparallax.clock import Clock
from openparallax.inbox.account import Account, Lists, OwnNumbers
from openparallax.inbox.admission import Admission
from openparallax.inbox.arrival import Arrival, window_until
from openparallax.inbox.limits import OnceAMinute
from openparallax.inbox.moving import Mover
from openparallax.inbox.people import People, addressed
from openparallax.inbox.releasing import release
from openparallax.inbox.revoking import Revoked
from openparallax.inbox.takeover import take_over
from openparallax.inbox.words import Keeper
from openparallax.logs import shorten
from openparallax.model.envelope import Errand
from openparallax.model.messages import Echo, Inbound, Kind, Preference, Relink
from openparallax.model.text import Text
from openparallax.session import placement
from openparallax.session.commands import Command, parse_command
from openparallax.session.notices import Notices
from openparallax.storage import Connection, seen
from openparallax.storage.meta import Numbers
from openparallax.storage.window import WINDOW_MARGIN_S
from openparallax.trail import Step
from openparallax.transcript import Transcripts

SAME_NOTICE_S = 60
"""A person who sends ten pictures is told once that only text is read."""

_BY_TIME = attrgetter("sent_at")
_ERRANDS = {
    "/help": Errand.HELP,
    "/status": Errand.STATUS,
    "": Errand.MISTYPED,
}


class Door:
    """Admits what people send to our numbers."""

    def __init__(
        self,
        *,
        accounts: Mapping[str, Account],
        directory: Directory,
        transcripts: Transcripts,
        notices: Notices,
        turn_numbers: Numbers,
        parcel_numbers: Numbers,
        clock: Clock,
        refuses_otr: bool = False,
    ) -> None:
        self._adopted = accounts, refuses_otr
        self.lists = Lists(accounts, turn_numbers.upcoming)
        self._directory = directory
        self._transcripts = transcripts
        self._turns = turn_numbers
        self._parcels = parcel_numbers
        self._clock = clock
        self._begin()
        self._told = {
            errand: OnceAMinute(window_s=SAME_NOTICE_S)
            for errand in (Errand.ONLY_TEXT, Errand.RESEND)
        }
        self._keeper = Keeper(transcripts=transcripts, turn_numbers=turn_numbers)
        self._mover = Mover(
            transcripts=transcripts,
            notices=notices,
            turn_numbers=turn_numbers,
            parcel_numbers=parcel_numbers,
            clock=clock,
        )
        self._people = People(directory=directory, mover=self._mover)
        self._revoked = Revoked(transcripts)

    @property
    def is_draining(self) -> bool:
        """Whether the daemon stops, so that words off the record are left for the next process."""
        return self._keeper.is_draining

    @is_draining.setter
    def is_draining(self, value: bool) -> None:
        self._keeper.is_draining = self._mover.is_draining = value

    def drop(self) -> None:
        """A unit did not happen: forget what is only remembered."""
        self._directory.drop()
        self._turns.drop()
        self._parcels.drop()
        self._own.drop()
        for told in self._told.values():
            told.drop()

    def adopt(self, accounts: Mapping[str, Account], *, refuses_otr: bool) -> None:
        """Serve these numbers, and so, from the next unit on; to be called on the loop."""
        self.lists.change(accounts)
        self._adopted = accounts, refuses_otr

    def _begin(self) -> None:
        self._in_force = self._accounts, self._refuses_otr = self._adopted
        self._own = OwnNumbers(self._accounts)
        self.lists.settle(self._accounts, self._turns.upcoming)

    def admit(
        self,
        connection: Connection,
        messages: Sequence[Inbound] = (),
        *,
        echoes: Sequence[Echo] = (),
        relinks: Sequence[Relink] = (),
        preferences: Sequence[Preference] = (),
        accounts: frozenset[str] | None = None,
    ) -> Admission:
        """Place and queue what was not seen before; part of the caller's unit of work.

        All is taken in the order of Meta's timestamps, equal ones as they stand.

        Args:
            connection: Inside the unit.
            messages: What contacts sent.
            echoes: What people of ours sent from the phone.
            relinks: Ids that changed; of equal timestamps they are first.
            preferences: Who wants no marketing.
            accounts: Whom a relink that names no number of ours is about; None: all.

        Raises:
            Draining: Words would be placed off the record while the daemon stops.
        """
        if self._adopted is not self._in_force:  # one request is judged by one state of things
            self._begin()
        admission = Admission(self._clock.now())
        if not (echoes or relinks or preferences):
            if len(messages) > 1:
                messages = sorted(messages, key=_BY_TIME)
            for message in messages:
                self._admit(connection, message, admission)
            return admission
        ours = frozenset(self._accounts) if accounts is None else accounts
        things: list[tuple[int, Callable[..., None]]] = [
            *((one.at, partial(self._relink, change=one)) for one in addressed(relinks, ours)),
            *((one.at, partial(self._prefer, wish=one)) for one in preferences),
            *((one.sent_at, partial(self._admit, message=one)) for one in messages),
            *((one.sent_at, partial(self._echo, echo=one)) for one in echoes),
        ]
        for _, take in sorted(things, key=itemgetter(0)):
            take(connection, admission=admission)
        return admission

    # -- messages -------------------------------------------------------------------------------

    def _admit(self, connection: Connection, message: Inbound, admission: Admission) -> None:
        account = self._let_in(connection, message, admission)
        if account is None:
            return
        if message.kind is Kind.REVOKE:
            self._revoke(connection, account, message, admission)
            return
        now = admission.at
        hashed = account.hash(message.wamid)
        is_new = seen.note(connection, hashed, message.sent_at, now)
        command = parse_command(message.text.words) if message.text is not None else None
        if not is_new:
            admission.count("duplicate")
            admission.came(Step.DUPLICATE, message)
            self._keeper.bring_again(connection, account, message, command, hashed, admission)
            return
        if self._revoked.has(hashed):
            admission.decide(message, "revoked")
            return
        at = message.sent_at
        chat = self._people.chat_of(connection, account, message.sender, at, admission)
        arrival = Arrival(
            connection,
            account,
            message,
            chat,
            hashed,
            window_until(at, now),
            admission,
        )
        # One that came too late lets nothing go: it will be held itself.
        if chat.held and arrival.window_until > now + WINDOW_MARGIN_S:
            release(arrival, self._transcripts)
        if chat.latest is not None and chat.latest < at:
            chat.latest = at
        if command is not None:
            self._obey(arrival, command)
        elif at < chat.taken_until:
            self._keeper.leave_to_person(arrival)
        elif message.kind is Kind.TEXT and message.text is not None:
            self._keeper.queue(arrival, message.text)
        else:
            self._tell_unreadable(arrival)

    def _let_in(
        self, connection: Connection, message: Inbound, admission: Admission
    ) -> Account | None:
        """The number of ours that it was sent to; None where it gets no answer whatever it says."""
        account = self._accounts.get(message.phone_number_id)
        if account is None:
            admission.decide(message, "foreign_number")
            return None
        sender, display = message.sender, message.display_phone_number
        if self._own.has(connection, account, display, sender.wa_id or ""):
            admission.decide(message, "own_number")
            return None
        if not account.allowed.lets_in(sender):
            admission.decide(message, "not_allowed")
            admission.refused.append(shorten(sender.wa_id or sender.user_id or ""))
            return None
        if message.kind is Kind.SILENT:
            admission.decide(message, "silent")
            return None
        return account

    def _obey(self, arrival: Arrival, command: Command) -> None:
        connection, chat, message = arrival.connection, arrival.chat, arrival.message
        now = self._clock.now()
        errand: Errand | None
        rest, number = command.rest, 0
        if command.name == "/otr" and self._refuses_otr:
            errand, rest = Errand.OTR_REFUSED, ""
        elif command.name == "/otr":
            number = self._mover.go_off(arrival)
            errand = None
        elif command.name == "/new":
            errand = placement.start_fresh(connection, chat, message.sent_at, now)
        elif command.name == "/otr off":
            errand = placement.come_back(connection, chat, message.sent_at, now)
        else:
            errand = _ERRANDS[command.name]
        if errand is not None:
            number = self._keeper.queue_notice(
                arrival, errand, chat.session, detail=command.nearest
            )
        arrival.admission.obey(message, chat, number, command.name or "mistyped")
        if not rest:
            arrival.admission.note(message, "command")
            return
        if message.sent_at < chat.taken_until:
            self._keeper.leave_to_person(arrival, Text(rest))
        else:
            self._keeper.queue(arrival, Text(rest))

    def _tell_unreadable(self, arrival: Arrival) -> None:
        """Media and the like: one notice of a kind for each chat and minute, then silence."""
        is_resend = arrival.message.kind is Kind.RESEND
        errand = Errand.RESEND if is_resend else Errand.ONLY_TEXT
        if not self._told[errand].is_due(arrival.chat.id, self._clock.monotonic()):
            arrival.admission.decide(arrival.message, "unreadable_again", arrival.chat)
            return
        number = self._keeper.queue_notice(arrival, errand)
        arrival.admission.decide(arrival.message, "unreadable", arrival.chat, number)

    # -- people ---------------------------------------------------------------------------------

    def _relink(self, connection: Connection, change: Relink, admission: Admission) -> None:
        account = self._accounts.get(change.phone_number_id or "")
        if account is not None:
            self._people.relink(connection, account, change, admission)

    def _prefer(self, connection: Connection, wish: Preference, admission: Admission) -> None:
        account = self._accounts.get(wish.phone_number_id)
        if account is not None and account.allowed.lets_in(wish.sender):
            self._people.prefer(connection, account, wish, admission)

    # -- people of ours, and second thoughts -----------------------------------------------------

    def _echo(self, connection: Connection, echo: Echo, admission: Admission) -> None:
        account = self._accounts.get(echo.phone_number_id)
        if account is None or not account.allowed.lets_in(echo.to):
            admission.count("echo_ignored")
            return
        chat = self._people.chat_of(connection, account, echo.to, echo.sent_at, admission)
        if echo.original:
            hashed = account.hash(echo.original)
            self._revoked.revoke(connection, chat, hashed, echo.sent_at, admission)
            return
        hashed, now = account.hash(echo.wamid), self._clock.now()
        if not seen.note(connection, hashed, echo.sent_at, now):
            admission.count("duplicate")
            return
        take_over(connection, chat, echo, account, self._transcripts, admission, now=now)
        if self._revoked.has(hashed):
            admission.count("revoked")
        else:
            self._keeper.keep_echo(connection, chat, echo, account, admission)

    def _revoke(
        self, connection: Connection, account: Account, message: Inbound, admission: Admission
    ) -> None:
        at = message.sent_at
        chat = self._people.chat_of(connection, account, message.sender, at, admission)
        self._revoked.revoke(connection, chat, account.hash(message.original), at, admission)
        admission.note(message, "revoke")
