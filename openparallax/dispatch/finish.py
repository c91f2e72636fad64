"""The end of a turn: one transaction with what was said, its parcels, and that it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openparallax.clock import Clock
from openparallax.errors import NotStored, Stale
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.entry import ENGINE_PART, Entry, Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Session
from openparallax.model.text import Text
from openparallax.rendering.split import split
from openparallax.session.notices import Notices
from openparallax.storage import Connection, Database, envelopes, parcels
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts

FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a turn came to: the engine's words, or a notice, or silence on purpose."""

    text: str = ""
    notice: str = ""
    is_silence: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """How dispatch reaches the outbox: by callables that the app hands in.

    Attributes:
        reserve: A token if the chat's next parcel may be sent at once, else None.
        unreserve: Give an unused reservation back.
        take: Send these parcels, which are on disk.
    """

    reserve: Callable[[str, int], str | None]
    unreserve: Callable[[int], None]
    take: Callable[[Sequence[Parcel]], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whom a turn answers, until when that is allowed, and when it began."""

    chat: ChatRow
    window_until: int
    started: float


class Finisher:
    """Ends turns; see `finish`."""

    def __init__(
        self,
        *,
        database: Database,
        transcripts: Transcripts,
        notices: Notices,
        parcel_numbers: Numbers,
        post: Post,
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._notices = notices
        self._parcels = parcel_numbers
        self._post = post
        self._clock = clock
        self._log = log
        self._metrics = metrics

    async def finish(
        self, answer: Answer, group: Sequence[Envelope], said: Said, asked: Sequence[Entry]
    ) -> None:
        """Write what was said, its parcels, and that the envelopes are done: all or nothing."""
        wait_s = FIRST_RETRY_S
        session = group[0].session
        while True:
            try:
                count = await self._write(answer, group, session, said, asked)
                break
            except Stale:
                group, session = await self._look_again(group)
                if not group:
                    return
            except NotStored:
                await self._clock.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_RETRY_S)
        self._metrics.count("turns", said.notice or "answered")
        self._log.info(
            "turn_done",
            chat=answer.chat.id,
            turn=group[0].number,
            messages=len(group),
            parts=count,
            ms=round((self._clock.monotonic() - answer.started) * 1000),
            result=said.notice or ("silent" if said.is_silence else "answered"),
        )

    async def _look_again(self, group: Sequence[Envelope]) -> tuple[Sequence[Envelope], Session]:
        """Somebody moved or ended these envelopes meanwhile; off the record wins."""
        now = await self._database.read(
            lambda c: envelopes.by_numbers(c, [one.number for one in group])
        )
        sessions = [one.session for one in now] or [group[0].session]
        return now, max(sessions, key=lambda session: session.mode)

    async def _write(
        self,
        answer: Answer,
        group: Sequence[Envelope],
        session: Session,
        said: Said,
        asked: Sequence[Entry],
    ) -> int:
        chat = answer.chat
        transcript = self._transcripts[session.mode]
        entries, parts = self._entries(group[-1].number, session, said)
        token = self._post.reserve(chat.account, chat.id) if parts else None
        # Each into its own session: a late /otr may have taken some of them only.
        closing = [
            write
            for one in group
            if one.errand is Errand.TURN
            for write in self._transcripts[one.session.mode].close_turn(one.session, [one.number])
        ]
        now = self._clock.now()

        def work(connection: Connection) -> list[Parcel]:
            for write in (
                *envelopes.done(group),  # first: a turn that was ended already is stale
                *transcript.keep(*entries),
                *closing,
            ):
                execute(connection, write)
            posted = []
            for place, part in enumerate(parts):
                is_claimed = token is not None and place == 0
                parcel = Parcel(
                    number=self._parcels.take(connection),
                    chat=chat.id,
                    account=chat.account,
                    to=chat.address,
                    session=session,
                    turn=group[-1].number,
                    part=part,
                    notice=said.notice,
                    state=ParcelState.SENDING if is_claimed else ParcelState.WAITING,
                    attempts=1 if is_claimed else 0,
                    token=token or "" if is_claimed else "",
                    window_until=answer.window_until,
                )
                execute(connection, parcels.post(parcel, now))
                posted.append(parcel)
            return posted

        def then(posted: list[Parcel]) -> None:
            transcript.hold(*entries)
            engine = [entry for entry in entries if entry.role is Role.ENGINE]
            transcript.follow(session, [*asked, *engine])
            self._post.take(posted)

        try:
            await self._database.unit(work, then)
        except (NotStored, Stale):
            # Not on cancellation: then the unit may yet happen, and the parcel goes out.
            if token is not None:
                self._post.unreserve(chat.id)
            raise
        return len(parts)

    def _entries(self, turn: int, session: Session, said: Said) -> tuple[list[Entry], list[int]]:
        """What is kept, and under which part numbers what is sent lies."""
        now = int(self._clock.now())
        if said.is_silence:
            return [], []
        if said.notice:
            words = said.text or self._notices.say(said.notice)
            return [
                Entry(session, turn, part, Role.NOTICE, Text(one), now)
                for part, one in enumerate(split(words), start=1)
            ], list(range(1, len(split(words)) + 1))
        text = _storable(said.text)
        engine = Entry(session, turn, ENGINE_PART, Role.ENGINE, Text(text), now)
        parts = split(text)
        if parts == [text]:
            # Sent as it was written: one entry is enough.
            return [engine], [ENGINE_PART]
        return [
            engine,
            *(
                Entry(session, turn, part, Role.PART, Text(one), now)
                for part, one in enumerate(parts, start=1)
            ),
        ], list(range(1, len(parts) + 1))


def _storable(text: str) -> str:
    """``text`` with U+FFFD for lone surrogates, which neither disk nor wire can take."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
