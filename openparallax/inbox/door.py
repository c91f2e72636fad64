"""The door: one message after the other, inside the unit of work of its request."""

from collections.abc import Collection, Sequence
from operator import attrgetter

from openparallax.chats.allowed import AllowList
from openparallax.chats.directory import Directory
from openparallax.chats.numbers import digits_of
from openparallax.clock import Clock
from openparallax.inbox.admission import Admission, Draining
from openparallax.inbox.moving import move_newer
from openparallax.logs import shorten
from openparallax.model.entry import CONTACT_PART, Entry, Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.messages import Inbound, Kind
from openparallax.model.parcel import Parcel
from openparallax.model.session import Mode
from openparallax.model.text import Text
from openparallax.session import placement
from openparallax.session.commands import Command, parse_command
from openparallax.session.notices import Notices
from openparallax.storage import Connection, chats, envelopes, parcels, seen, sessions
from openparallax.storage.chats import HELD_ENVELOPES, HELD_PARCELS, ChatRow
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts

WINDOW_S = 24 * 3600
"""How long a person's message allows free-form answers.

Source: Cloud API, customer service window.
"""
OLDEST_S = 8 * 86400
"""Meta repeats for seven days; a timestamp older than this says nothing about the window."""
SAME_NOTICE_S = 60
"""A person who sends ten pictures is told once that only text is read."""

_BY_TIME = attrgetter("sent_at")


class Door:
    """Admits messages to one of our numbers."""

    def __init__(
        self,
        *,
        account: str,
        allowed: Collection[str],
        directory: Directory,
        transcripts: Transcripts,
        notices: Notices,
        hash_key: bytes,
        turn_numbers: Numbers,
        parcel_numbers: Numbers,
        clock: Clock,
        refuses_otr: bool = False,
    ) -> None:
        self._account = account
        self._allowed = AllowList(allowed)
        self._directory = directory
        self._transcripts = transcripts
        self._notices = notices
        self._hash = seen.Hasher(hash_key, account)
        self._turns = turn_numbers
        self._parcels = parcel_numbers
        self._clock = clock
        self._refuses_otr = refuses_otr
        self._told: dict[int, float] = {}
        self.is_draining = False

    def drop(self) -> None:
        """A unit did not happen: forget what is only remembered."""
        self._directory.drop()
        self._turns.drop()
        self._parcels.drop()
        self._told.clear()

    def admit(self, connection: Connection, messages: Sequence[Inbound]) -> Admission:
        """Place and queue what was not seen before; part of the caller's unit of work.

        Messages are taken in the order of Meta's timestamps, equal ones as they stand.

        Raises:
            Draining: Words would be placed off the record while the daemon stops.
        """
        admission = Admission()
        if len(messages) > 1:
            messages = sorted(messages, key=_BY_TIME)
        for message in messages:
            self._admit(connection, message, admission)
        return admission

    def _admit(self, connection: Connection, message: Inbound, admission: Admission) -> None:
        sender = message.sender
        if message.phone_number_id != self._account:
            admission.count("foreign_number")
            return
        if sender.wa_id is not None and digits_of(message.display_phone_number) == sender.wa_id:
            admission.count("own_number")
            return
        if not self._allowed.lets_in(sender):
            admission.count("not_allowed")
            admission.refused.append(shorten(sender.wa_id or sender.user_id or ""))
            return
        if message.kind is Kind.SILENT:
            admission.count("silent")
            return
        now = self._clock.now()
        hashed = self._hash(message.wamid)
        is_new = seen.note(connection, hashed, message.sent_at, now)
        command = parse_command(message.text.words) if message.text is not None else None
        if not is_new:
            admission.count("duplicate")
            self._bring_again(connection, message, command, hashed, admission)
            return
        chat = self._chat(connection, message)
        window_until = int(_window_from(message.sent_at, now)) + WINDOW_S
        if chat.held:
            self._release(connection, chat, window_until, admission)
        if chat.latest is not None and chat.latest < message.sent_at:
            chat.latest = message.sent_at
        if command is not None:
            self._obey(connection, chat, message, command, hashed, window_until, admission)
        elif message.kind is Kind.TEXT and message.text is not None:
            self._queue_words(
                connection, chat, message, message.text, hashed, window_until, admission
            )
        else:
            self._tell_unreadable(connection, chat, message, hashed, window_until, admission)

    # -- words ----------------------------------------------------------------------------------

    def _queue_words(
        self,
        connection: Connection,
        chat: ChatRow,
        message: Inbound,
        text: Text,
        hashed: int,
        window_until: int,
        admission: Admission,
    ) -> None:
        session = placement.place(chat, message.sent_at)
        number = self._turns.take(connection)
        entry = Entry(session, number, CONTACT_PART, Role.CONTACT, text, message.sent_at)
        transcript = self._transcripts[session.mode]
        if self.is_draining and not transcript.outlives_the_process:
            raise Draining
        for write in transcript.keep(entry):
            execute(connection, write)
        envelope = Envelope(
            number, chat.id, session, Errand.TURN, message.sent_at, window_until, len(text)
        )
        envelopes.queue(connection, envelope, hashed)
        admission.envelopes.append(envelope)
        admission.entries.append(entry)
        admission.count("admitted")

    def _bring_again(
        self,
        connection: Connection,
        message: Inbound,
        command: Command | None,
        hashed: int,
        admission: Admission,
    ) -> None:
        """A repeat: where its words were off the record and went with a crash, take them again."""
        if message.text is None:
            return
        words = message.text if command is None else Text(command.rest)
        for envelope in envelopes.off_the_record_by_hash(connection, hashed):
            if envelope.errand is Errand.TURN:
                if self.is_draining:
                    raise Draining
                admission.entries.append(
                    Entry(
                        envelope.session,
                        envelope.number,
                        CONTACT_PART,
                        Role.CONTACT,
                        words,
                        message.sent_at,
                    )
                )

    # -- commands -------------------------------------------------------------------------------

    def _obey(
        self,
        connection: Connection,
        chat: ChatRow,
        message: Inbound,
        command: Command,
        hashed: int,
        window_until: int,
        admission: Admission,
    ) -> None:
        now = self._clock.now()
        admission.count("command")
        errand: Errand | None
        rest = command.rest
        if command.name == "/otr" and self._refuses_otr:
            errand, rest = Errand.OTR_REFUSED, ""
        elif command.name == "/otr":
            self._go_off(connection, chat, message, window_until, admission)
            errand = None
        elif command.name == "/new":
            errand = placement.start_fresh(connection, chat, message.sent_at, now)
        elif command.name == "/otr off":
            errand = placement.come_back(connection, chat, message.sent_at, now)
        else:
            errand = _ERRANDS[command.name]
        if errand is not None:
            envelope = Envelope(
                self._turns.take(connection),
                chat.id,
                chat.session,
                errand,
                message.sent_at,
                window_until,
                detail=command.nearest,
            )
            envelopes.queue(connection, envelope, hashed)
            admission.envelopes.append(envelope)
        if rest:
            self._queue_words(
                connection, chat, message, Text(rest), hashed, window_until, admission
            )

    def _go_off(
        self,
        connection: Connection,
        chat: ChatRow,
        message: Inbound,
        window_until: int,
        admission: Admission,
    ) -> None:
        """Open the session, bring into it what is newer, and confirm past a running turn."""
        placement.go_off(connection, chat, message.sent_at, self._clock.now())
        # Nothing newer than the newest was placed; not knowing the newest, look. Also where the
        # chat is off the record already: a later `/otr` may have overtaken this one.
        if chat.latest is None or chat.latest > message.sent_at:
            move = move_newer(connection, chat, message.sent_at, admission.entries)
            if move is not None:
                if self.is_draining:
                    raise Draining
                admission.take_along(move)
            chat.latest = message.sent_at
        turn = self._turns.take(connection)
        notice = Entry(
            chat.session, turn, 1, Role.NOTICE, Text(self._notices.say("otr")), message.sent_at
        )
        for write in self._transcripts[chat.session.mode].keep(notice):
            execute(connection, write)
        parcel = Parcel(
            number=self._parcels.take(connection),
            chat=chat.id,
            account=chat.account,
            to=chat.address,
            session=chat.session,
            turn=turn,
            part=1,
            notice="otr",
            window_until=window_until,
        )
        execute(connection, parcels.post(parcel, self._clock.now()))
        admission.entries.append(notice)
        admission.parcels.append(parcel)

    # -- the rest -------------------------------------------------------------------------------

    def _tell_unreadable(
        self,
        connection: Connection,
        chat: ChatRow,
        message: Inbound,
        hashed: int,
        window_until: int,
        admission: Admission,
    ) -> None:
        """Media and the like: one notice for each chat and minute, then silence."""
        now = self._clock.monotonic()
        told = self._told.get(chat.id)
        if told is not None and now - told < SAME_NOTICE_S:
            admission.count("unreadable_again")
            return
        if len(self._told) > 10_000:
            self._told.clear()
        self._told[chat.id] = now
        errand = Errand.RESEND if message.kind is Kind.RESEND else Errand.ONLY_TEXT
        envelope = Envelope(
            self._turns.take(connection),
            chat.id,
            placement.place(chat, message.sent_at),
            errand,
            message.sent_at,
            window_until,
        )
        envelopes.queue(connection, envelope, hashed)
        admission.envelopes.append(envelope)
        admission.count("unreadable")

    def _release(
        self, connection: Connection, chat: ChatRow, window_until: int, admission: Admission
    ) -> None:
        """The person wrote: what a closed window held goes on."""
        if chat.held & HELD_ENVELOPES:
            admission.released.extend(envelopes.release(connection, chat.id))
        if chat.held & HELD_PARCELS:
            admission.parcels.extend(parcels.release(connection, chat.id, window_until))
        chats.release(connection, chat.id)
        chat.held = 0

    def _chat(self, connection: Connection, message: Inbound) -> ChatRow:
        chat = self._directory.find(connection, self._account, message.sender)
        if chat is None:
            new = self._directory.add(connection, self._account, message.sender)
            sessions.open_session(connection, new, Mode.ON_THE_RECORD, message.sent_at)
            chat = self._directory.find(connection, self._account, message.sender)
            if chat is None:
                raise LookupError("a chat that was just made is not there")
            chat.latest = message.sent_at
        return chat


_ERRANDS = {
    "/help": Errand.HELP,
    "/status": Errand.STATUS,
    "": Errand.MISTYPED,
}


def _window_from(sent_at: int, now: float) -> float:
    """When the window opened: Meta's timestamp where it can be true, else now."""
    return sent_at if now - OLDEST_S < sent_at <= now else now
