"""Going off the record: the confirmation, and what is newer than the command leaves the disk."""

from openparallax.clock import Clock
from openparallax.inbox.admission import Admission, Draining
from openparallax.inbox.arrival import Arrival, window_until
from openparallax.model.entry import Entry, Role
from openparallax.model.envelope import Errand, Move
from openparallax.model.parcel import Parcel
from openparallax.model.text import Text
from openparallax.session import placement
from openparallax.session.notices import Notices
from openparallax.storage import Connection, chats, envelopes, open_parcels, parcels, transcripts
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.trail import Step
from openparallax.transcript import Transcripts

NEVER = 1 << 62


class Mover:
    """Takes chats off the record.

    Attributes:
        is_draining: The daemon stops; words off the record are left for the next process.
    """

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        notices: Notices,
        turn_numbers: Numbers,
        parcel_numbers: Numbers,
        clock: Clock,
    ) -> None:
        self._transcripts = transcripts
        self._notices = notices
        self._turns = turn_numbers
        self._parcels = parcel_numbers
        self._clock = clock
        self.is_draining = False

    def go_off(self, arrival: Arrival) -> int:
        """``/otr``: open the session, bring into it what is newer, and confirm past a running turn.

        Returns:
            The number of the turn that the confirmation is said in.

        Raises:
            Draining: Words would be moved into memory while the daemon stops.
        """
        chat, at = arrival.chat, arrival.message.sent_at
        placement.go_off(arrival.connection, chat, at, self._clock.now())
        # Nothing newer than the newest was placed; not knowing the newest, look. Also where the
        # chat is off the record already: a later `/otr` may have overtaken this one.
        if chat.latest is None or chat.latest > at:
            self._move(arrival.connection, chat, at, arrival.admission)
            for one in chats.losers_of(arrival.connection, chat.id):
                loser = chats.chat_by_id(arrival.connection, one)
                if loser is not None:
                    self._follow(arrival.connection, loser, at, arrival.admission)
            chat.latest = at
        return self._confirm(arrival.connection, chat, at, arrival.window_until, arrival.admission)

    def join(
        self,
        connection: Connection,
        chat: ChatRow,
        off_since: int | None,
        off_again: int,
        admission: Admission,
    ) -> None:
        """Chats have become ``chat``: what was off the record in one of them is so in all.

        Args:
            connection: Inside the unit.
            chat: The one that goes on; off the record if one of them is.
            off_since: Since when the person is off the record, if they are.
            off_again: When they said so last; what came back before that does not count.
            admission: Where it is noted.

        Raises:
            Draining: Words would be moved into memory while the daemon stops.
        """
        losers = [chats.chat_by_id(connection, one) for one in chats.losers_of(connection, chat.id)]
        everyone = [chat, *(loser for loser in losers if loser is not None)]
        before = [(one, chats.off_before(connection, one), one.left_off_at) for one in everyone]
        for one, since, until in before:
            for other in everyone:
                if since is not None and other is not one:
                    self._follow_before(connection, other, since, until, admission)
        if off_since is not None:
            for one in everyone:
                self._follow(connection, one, off_since, admission)
                placement.go_off(connection, one, off_again, self._clock.now())

    def _follow(
        self, connection: Connection, chat: ChatRow, since: int, admission: Admission
    ) -> None:
        """The person is off the record since then, in this chat too."""
        placement.go_off(connection, chat, since, self._clock.now())
        self._move(connection, chat, since, admission)

    def _follow_before(
        self, connection: Connection, chat: ChatRow, since: int, until: int, admission: Admission
    ) -> None:
        """The person was off the record from ``since`` to ``until``, in this chat too."""
        now = self._clock.now()
        open_one = chat.session
        placement.go_off(connection, chat, since, now)
        self._move(connection, chat, since, admission, until)
        if chat.session != open_one:
            placement.come_back(connection, chat, until, now)

    def begin_off(
        self, connection: Connection, chat: ChatRow, at: int, admission: Admission
    ) -> None:
        """A new chat that begins off the record, since nobody knows whether it may be on it."""
        now = self._clock.now()
        placement.go_off(connection, chat, at, now)
        self._confirm(connection, chat, at, window_until(at, now), admission)

    def _move(
        self,
        connection: Connection,
        chat: ChatRow,
        sent_at: int,
        admission: Admission,
        before: int = NEVER,
    ) -> None:
        move = _move_newer(connection, chat, sent_at, before, admission.entries)
        if move is not None:
            if self.is_draining:
                raise Draining
            admission.take_along(move)
            for turn in move.turns:
                admission.step(Step.MOVED, chat, turn)

    def _confirm(
        self,
        connection: Connection,
        chat: ChatRow,
        at: int,
        until: int,
        admission: Admission,
    ) -> int:
        turn = self._turns.take(connection)
        notice = Entry(chat.session, turn, 1, Role.NOTICE, Text(self._notices.say("otr")), at)
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
            window_until=until,
        )
        execute(connection, parcels.post(parcel, self._clock.now()))
        admission.entries.append(notice)
        admission.parcels.append(parcel)
        admission.confirmed.append(parcel)
        return turn


def _move_newer(
    connection: Connection, chat: ChatRow, sent_at: int, before: int, entries: list[Entry]
) -> Move | None:
    """Scrub from the disk what is newer than ``sent_at``, and move it to the open session.

    That is every turn from the first message on that is strictly newer, and strictly older than
    ``before``: what came behind it may have been answered with its words in the history, so the
    doubt falls towards off the record.
    Finished or not, of whichever session on the record. The log must be truncated after the commit.

    The open session of ``chat`` is the one off the record; the words are added to ``entries``, to
    be held in memory after the commit.

    Returns:
        What was moved, or None.
    """
    unfinished = envelopes.on_the_record(connection, chat.id)
    sessions = transcripts.recent_sessions(connection, chat.id, sent_at)
    newer = [
        one.number
        for one in unfinished
        if one.errand is Errand.TURN and sent_at < one.sent_at < before
    ]
    for session in sessions:
        found = transcripts.first_newer(connection, session, sent_at, before)
        if found is not None:
            newer.append(found)
    if not newer:
        return None
    first = min(newer)
    moved = [(one.session.id, one.number) for one in unfinished if one.number >= first]
    for session in sessions:
        moved += [(session, turn) for turn in transcripts.turns_from(connection, session, first)]
    for left, turn in moved:
        entries.extend(
            Entry(
                chat.session, turn, entry.part, entry.role, entry.text, entry.sent_at, entry.hashed
            )
            for entry in transcripts.words_of_turn(connection, turn)
        )
        transcripts.scrub_turn(connection, left, turn)
        envelopes.move(connection, turn, chat.session)
        open_parcels.move_turn(connection, chat.id, turn, chat.session)
    return Move(
        chat.id,
        turns=[turn for _, turn in moved],
        left=frozenset(left for left, _ in moved),
        session=chat.session,
    )
