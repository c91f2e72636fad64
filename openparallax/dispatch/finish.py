"""The end of a turn: one transaction with what was said, its parcels, and that it is done."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from openparallax.clock import Clock
from openparallax.errors import NotStored, Stale
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.entry import ENGINE_PART, Entry, Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.noun import noun
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Session
from openparallax.model.text import Text
from openparallax.rendering.split import split
from openparallax.session.notices import Notices
from openparallax.storage import Connection, Database, Write, chats, envelopes, parcels, usage
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.trail import Step, Trail
from openparallax.transcript import Transcripts

FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 5.0
_POSTED = Step.POSTED  # Python 3.11 looks up each member of an enum in a call of its own
RENDERED_AT_ONCE = 2_000
"""Characters up to which an answer is rendered on the loop."""


@noun(frozen=True, slots=True)
class Spent:
    """Tokens by kind, as `usage.counts_in` reads them, and on which model of which engine."""

    model: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    engine: str = ""


NOTHING_SPENT = Spent()


@noun(frozen=True, slots=True)
class Said:
    """What a turn came to: the engine's words, or a notice, or silence on purpose.

    Attributes:
        why: A word for a silence that is not the engine's.
        render: From what that engine writes to WhatsApp's marks.
    """

    text: str = ""
    notice: str = ""
    is_silence: bool = False
    why: str = ""
    spent: Spent = NOTHING_SPENT
    render: Callable[[str], str] = str

    @property
    def result(self) -> str:
        """For figures and the log."""
        return self.notice or self.why or ("silent" if self.is_silence else "answered")


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


@noun(frozen=True, slots=True)
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
        trail: Trail,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._notices = notices
        self._parcels = parcel_numbers
        self._post = post
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._trail = trail

    async def finish(
        self, answer: Answer, group: Sequence[Envelope], said: Said, asked: Sequence[Entry]
    ) -> None:
        """Write what was said, its parcels, and that the envelopes are done: all or nothing.

        Again and again until the disk takes it: an engine is not asked twice for a disk's sake.
        """
        wait_s = FIRST_RETRY_S
        session, head, result = group[0].session, group[0].number, said.result
        parts, is_stale = await self._parts(said), False
        while True:
            try:
                if is_stale:
                    group, session = await self._look_again(group)
                    left = {one.number for one in group}
                    asked = [entry for entry in asked if entry.turn in left]
                    is_stale = False
                if not group:
                    self._metrics.count("turns", "overtaken")
                    self._trail.note(Step.OVERTAKEN, answer.chat.id, head)
                    self._count_tokens(said.spent)
                    await self._count_spent(answer.chat.id, said.spent)
                    return
                count = await self._write(answer, group, session, said, result, parts, asked)
                break
            except Stale:
                is_stale = True
            except NotStored:
                await self._clock.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_RETRY_S)
        seconds = self._clock.monotonic() - answer.started
        self._metrics.count("turns", "answered" if result == "silent" else result)
        self._metrics.observe("turn", result, seconds)
        self._count_tokens(said.spent)
        self._log.info(
            "turn_done",
            chat=answer.chat.id,
            turn=group[0].number,
            messages=len(group),
            parts=count,
            ms=round(seconds * 1000),
            result=result,
        )

    def _count_tokens(self, spent: Spent) -> None:
        for kind, tokens in spent.usage.items():
            self._metrics.count("tokens", f"{spent.engine} {kind}", tokens)

    def _spent(self, chat: int, spent: Spent) -> Sequence[Write]:
        if not spent.usage:
            return ()
        return usage.add(usage.day_of(self._clock.now()), chat, spent.model, spent.usage)

    async def _count_spent(self, chat: int, spent: Spent) -> None:
        """Tokens of an answer that nobody gets; a figure, for which nothing is held up."""
        with suppress(NotStored):
            await self._database.write(*self._spent(chat, spent))

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
        result: str,
        parts: Sequence[str],
        asked: Sequence[Entry],
    ) -> int:
        chat, transcript = answer.chat, self._transcripts[session.mode]
        entries, places = self._entries(group[-1].number, session, said, parts)
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
            for write in self._spent(chat.id, said.spent):
                execute(connection, write)
            # Asked in this very transaction: since the turn began they may have got another
            # number, and the old one may be somebody else's.
            to = chats.address_of(connection, chat.id) if parts else ""
            posted: list[Parcel] = []
            for part in places:
                is_claimed = token is not None and not posted
                parcel = Parcel(
                    number=self._parcels.take(connection),
                    chat=chat.id,
                    account=chat.account,
                    to=to,
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
            self._trail.add((
                self._clock.now(), _POSTED, chat.id, group[0].number, group[-1].number,
                posted[0].number if posted else 0, chat.account, "", result,
                None, self._clock.monotonic() - answer.started, len(posted),
            ))  # fmt: skip
            self._post.take(posted)

        try:
            await self._database.unit(work, then)
        except Exception:
            # Whatever it was. Not on cancellation: the unit may yet happen, and the parcel go out.
            if token is not None:
                self._post.unreserve(chat.id)
            raise
        return len(parts)

    async def _parts(self, said: Said) -> Sequence[str]:
        """What is sent: rendered as its engine needs it, and split.

        Long answers on a thread: a page takes some milliseconds, and a hostile one seconds.
        """
        if said.is_silence:
            return []
        if said.notice:
            return split(said.text or self._notices.say(said.notice))
        text, render = _storable(said.text), said.render

        def parts() -> Sequence[str]:
            rendered = render(text)
            return split(rendered if rendered.strip() else text)  # signs alone are shown as signs

        return parts() if len(text) <= RENDERED_AT_ONCE else await asyncio.to_thread(parts)

    def _entries(
        self, turn: int, session: Session, said: Said, parts: Sequence[str]
    ) -> tuple[list[Entry], list[int]]:
        """What is kept, and under which part numbers what is sent lies."""
        now = int(self._clock.now())
        role = Role.NOTICE if said.notice else Role.PART
        sent = [
            Entry(session, turn, place, role, Text(one), now)
            for place, one in enumerate(parts, start=1)
        ]
        if said.notice or said.is_silence:
            return sent, [entry.part for entry in sent]
        text = _storable(said.text)
        engine = Entry(session, turn, ENGINE_PART, Role.ENGINE, Text(text), now)
        if parts == [text]:
            # Sent as it was written: one entry is enough.
            return [engine], [ENGINE_PART]
        return [engine, *sent], [entry.part for entry in sent]


def _storable(text: str) -> str:
    """``text`` with U+FFFD for lone surrogates, which neither disk nor wire can take."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
