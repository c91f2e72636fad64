"""What people say: kept in the room of its session, queued for its turn, or left to a person."""

from openparallax.inbox.account import Account
from openparallax.inbox.admission import Admission, Draining
from openparallax.inbox.arrival import Arrival
from openparallax.inbox.limits import Verdict
from openparallax.model.entry import CONTACT_PART, DETAILS_PART, ENGINE_PART, Entry, Role
from openparallax.model.envelope import HAS_DETAILS, Envelope, Errand
from openparallax.model.messages import Echo, Inbound
from openparallax.model.session import Session
from openparallax.model.text import Text
from openparallax.model.wamids import id_hash
from openparallax.session import placement
from openparallax.session.commands import Command
from openparallax.storage import Connection, envelopes
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts
from openparallax.transcript.details import render_details


class Keeper:
    """Keeps words and queues envelopes.

    Attributes:
        is_draining: The daemon stops; words off the record are left for the next process.
    """

    def __init__(self, *, transcripts: Transcripts, turn_numbers: Numbers) -> None:
        self._transcripts = transcripts
        self._turns = turn_numbers
        self.is_draining = False

    def queue(self, arrival: Arrival, text: Text) -> None:
        """Words for the engine, unless the chat has said too much lately.

        Raises:
            Draining: They would be placed off the record while the daemon stops.
        """
        message, chat = arrival.message, arrival.chat
        verdict = arrival.account.limit.judge(chat.id, arrival.believed_at, arrival.hashed)
        if verdict is not Verdict.WITHIN:
            number = 0
            if verdict is Verdict.OVER:
                number = self.queue_notice(arrival, Errand.RATE_LIMITED)
            arrival.admission.decide(message, "over_limit", chat, number)
            return
        session = placement.place(chat, message.sent_at)
        number = self._keep(arrival, session, text)
        envelope = Envelope(
            number,
            chat.id,
            session,
            Errand.TURN,
            message.sent_at,
            arrival.window_until,
            len(text),
            HAS_DETAILS if message.details is not None else "",
            wamid=message.wamid,
        )
        envelopes.queue(arrival.connection, envelope, arrival.hashed)
        arrival.admission.envelopes.append(envelope)
        arrival.admission.decide(message, "admitted", chat, number)

    def leave_to_person(self, arrival: Arrival, text: Text | None = None) -> None:
        """Somebody of ours answers this chat: words are kept, and nothing is said.

        Raises:
            Draining: They would be placed off the record while the daemon stops.
        """
        text = arrival.message.text if text is None else text
        if text is None:
            arrival.admission.decide(arrival.message, "handed_over", arrival.chat)
            return
        session = placement.place(arrival.chat, arrival.message.sent_at)
        number = self._keep(arrival, session, text)
        arrival.admission.decide(arrival.message, "handed_over", arrival.chat, number)
        self._close(arrival.connection, session, number, arrival.admission)

    def queue_notice(
        self, arrival: Arrival, errand: Errand, session: Session | None = None, *, detail: str = ""
    ) -> int:
        """Something that the daemon itself is to say; the number of its envelope."""
        message = arrival.message
        envelope = Envelope(
            self._turns.take(arrival.connection),
            arrival.chat.id,
            session or placement.place(arrival.chat, message.sent_at),
            errand,
            message.sent_at,
            arrival.window_until,
            detail=detail,
            wamid=message.wamid,
        )
        envelopes.queue(arrival.connection, envelope, arrival.hashed)
        arrival.admission.envelopes.append(envelope)
        return envelope.number

    def bring_again(
        self,
        connection: Connection,
        account: Account,
        message: Inbound,
        command: Command | None,
        hashed: int,
        admission: Admission,
    ) -> None:
        """A repeat: where its words were off the record and went with a crash, take them again.

        Raises:
            Draining: The daemon stops, and they would go with it.
        """
        if message.text is None:
            return
        words = message.text if command is None else Text(command.rest)
        for envelope in envelopes.off_the_record_by_hash(connection, hashed):
            if envelope.errand is Errand.TURN:
                if self.is_draining:
                    raise Draining
                session, number = envelope.session, envelope.number
                admission.entries += _entries(session, number, words, message, account, hashed)

    def keep_echo(
        self,
        connection: Connection,
        chat: ChatRow,
        echo: Echo,
        account: Account,
        admission: Admission,
    ) -> None:
        """What somebody of ours wrote joins the transcript, as part of what later prompts show.

        Raises:
            Draining: It would be placed off the record while the daemon stops.
        """
        if echo.text is None:
            return
        if chat.latest is not None and chat.latest < echo.sent_at:
            chat.latest = echo.sent_at  # an /otr from before it has to look for it
        session = placement.place(chat, echo.sent_at)
        number = self._turns.take(connection)
        hashed = account.hash(echo.wamid)
        self._write(
            connection,
            Entry(session, number, ENGINE_PART, Role.PERSON, echo.text, echo.sent_at, hashed),
            admission,
        )
        self._close(connection, session, number, admission)

    def _keep(self, arrival: Arrival, session: Session, text: Text) -> int:
        """Words of the contact, and what came beside them, under a new number."""
        connection, message = arrival.connection, arrival.message
        number = self._turns.take(connection)
        for entry in _entries(session, number, text, message, arrival.account, arrival.hashed):
            self._write(connection, entry, arrival.admission)
        return number

    def _write(self, connection: Connection, entry: Entry, admission: Admission) -> None:
        transcript = self._transcripts[entry.session.mode]
        if self.is_draining and not transcript.outlives_the_process:
            raise Draining
        for write in transcript.keep(entry):
            execute(connection, write)
        admission.entries.append(entry)

    def _close(
        self, connection: Connection, session: Session, number: int, admission: Admission
    ) -> None:
        """No turn follows: it is part of the history at once."""
        for write in self._transcripts[session.mode].close_turn(session, [number]):
            execute(connection, write)
        admission.renewed.append(session)


def _entries(
    session: Session, number: int, words: Text, message: Inbound, account: Account, hashed: int
) -> list[Entry]:
    """What the transcript keeps of a message of a contact."""
    at, details = message.sent_at, message.details
    entries = [Entry(session, number, CONTACT_PART, Role.CONTACT, words, at, hashed)]
    if details is not None:
        said = render_details(details, account.hash(details.quoted), id_hash(details.quoted))
        entries.append(Entry(session, number, DETAILS_PART, Role.DETAILS, said, at))
    return entries
