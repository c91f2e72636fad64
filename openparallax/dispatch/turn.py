"""One turn: from the words that wait to the parcels that answer them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from openparallax.clock import Clock
from openparallax.dispatch.dispatcher import DEATHS, Taken
from openparallax.errors import NotStored, Stale
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.entry import CONTACT_PART, ENGINE_PART, Entry, Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.model.session import Mode, Session
from openparallax.model.text import Text
from openparallax.model.turn import Chat, Turn
from openparallax.pipeline import EngineError, Next
from openparallax.rendering.split import split
from openparallax.session.notices import Notices
from openparallax.storage import Connection, Database, Write, chats, envelopes, parcels
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts

WINDOW_MARGIN_S = 60
"""The last minute of a customer service window counts as closed: a send takes its time."""
LOST_AFTER_S = 5.0
"""How long after a start Meta may bring words again that went with the process before."""
MOST_RETRY_S = 5.0

_NOTICE_OF = {
    Errand.NEW: "new",
    Errand.NEW_AFTER_OTR: "new_after_otr",
    Errand.OTR_OFF: "otr_off",
    Errand.OTR_OFF_IDLE: "otr_off_idle",
    Errand.STILL_OFF: "still_off_the_record",
    Errand.ONLY_TEXT: "only_text",
    Errand.RESEND: "resend",
}


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
class _Answer:
    """Whom a turn answers, until when that is allowed, and when it began."""

    chat: ChatRow
    window_until: int
    started: float


@dataclass(slots=True)
class _Claim:
    """A claim on its way to the disk."""

    is_over: bool = False


class TurnTaker:
    """Answers envelopes; see `take`."""

    def __init__(
        self,
        *,
        database: Database,
        transcripts: Transcripts,
        pipelines: Mapping[Mode, Next],
        engine_names: Mapping[Mode, str],
        notices: Notices,
        parcel_numbers: Numbers,
        find_chat: Callable[[int], Awaitable[ChatRow]],
        forget_chats: Callable[[], None],
        post: Post,
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._pipelines = pipelines
        self._engine_names = engine_names
        self._notices = notices
        self._parcels = parcel_numbers
        self._find_chat = find_chat
        self._forget_chats = forget_chats
        self._post = post
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._started = clock.monotonic()

    async def take(
        self,
        group: Sequence[Envelope],
        *,
        deaths: int,
        is_cold: bool,
        waiting: int,
        window_until: int,
    ) -> tuple[Taken, int]:
        """Answer the first of ``group`` and as many behind it as belong together.

        Safe to repeat after any failure: what it does, it does in one transaction at the end. The
        engine may be asked twice for one turn.

        Args:
            group: Consecutive envelopes of one chat and session, at least one.
            deaths: How often the process died while this turn may have been running.
            is_cold: Admitted by an earlier process.
            waiting: How many messages of the chat wait behind the group.
            window_until: When the chat's customer service window closes, as far as is known.

        Returns:
            What became of how many of them, counted from the first.

        Raises:
            NotStored: The disk refused; nothing happened; to be repeated later.
        """
        started = self._clock.monotonic()
        if self._clock.now() >= window_until - WINDOW_MARGIN_S:
            return await self._hold(group)
        chat = await self._find_chat(group[0].chat)
        head = group[0]
        answer = _Answer(chat, window_until, started)
        if head.errand is not Errand.TURN:
            await self._finish(answer, group, self._obey(head, waiting), [])
            return Taken.DONE, 1
        texts = await self._read(group)
        if not texts:
            return await self._lose(answer, group[:1], is_cold=is_cold)
        group = group[: len(texts)]
        if deaths >= DEATHS:
            said = Said(notice="killed")
        else:
            claim = await self._claim(group, deaths, is_cold=is_cold)
            try:
                said = await self._ask(chat, group, texts)
                claim.is_over = True
            except asyncio.CancelledError:
                self._database.unit(_writing(envelopes.unclaim([one.number for one in group])))
                raise
        await self._finish(answer, group, said, texts)
        return Taken.DONE, len(group)

    async def _read(self, group: Sequence[Envelope]) -> list[Entry]:
        """What the contact said, up to the first message whose words are not there."""
        transcript = self._transcripts[group[0].session.mode]
        entries = []
        for one in group:
            text = await transcript.read(one.session, one.number, CONTACT_PART)
            if text is None:
                break
            entries.append(
                Entry(one.session, one.number, CONTACT_PART, Role.CONTACT, text, one.sent_at)
            )
        return entries

    # -- the engine -----------------------------------------------------------------------------

    async def _claim(self, group: Sequence[Envelope], deaths: int, *, is_cold: bool) -> _Claim:
        """Note that a turn runs.

        The first claim need not wait for the disk, since running and queued are the same after a
        crash; the claims after a death must, since they count the deaths.
        """
        writes = envelopes.claim([one.number for one in group], deaths + 1)

        def work(connection: Connection) -> None:
            # An engine that answered at once is faster than the claim, which says nothing then.
            if not claim.is_over:
                for write in writes:
                    execute(connection, write)

        claim = _Claim()
        claimed = self._database.unit(work)
        if is_cold:
            await claimed
        return claim

    async def _ask(self, chat: ChatRow, group: Sequence[Envelope], texts: list[Entry]) -> Said:
        head, last = group[0], group[-1]
        history = await self._transcripts[head.session.mode].history(head.session, head.number)
        turn = Turn(
            id=str(head.number),
            chat=Chat(id=str(chat.id), account=chat.account, name=chat.name),
            mode=head.session.mode,
            text="\n".join(entry.text.words for entry in texts),
            history=history,
            received_at=last.sent_at,
        )
        try:
            reply = await self._pipelines[head.session.mode](turn)
            if reply.text is None:
                return Said(is_silence=True)
            if reply.text.strip():
                return Said(text=reply.text)
            reason = "empty"
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            reason = "CancelledError"
        except EngineError as error:
            self._failed(head, error)
            return Said(notice=error.notice)
        except Exception as error:  # noqa: BLE001 - whatever an engine raises, the person is told
            self._failed(head, error)
            return Said(notice="engine_failed")
        self._metrics.count("engine_failures", "other")
        self._log.warning("engine_failed", turn=head.number, chat=head.chat, reason=reason)
        return Said(notice="engine_failed")

    def _failed(self, head: Envelope, error: Exception) -> None:
        self._metrics.count("engine_failures", "raised")
        self._log.warning("engine_failed", turn=head.number, chat=head.chat, exc_info=error)

    # -- what is not for the engine -------------------------------------------------------------

    def _obey(self, envelope: Envelope, waiting: int) -> Said:
        errand = envelope.errand
        if errand is Errand.HELP:
            return Said(self._notices.help(), "help")
        if errand is Errand.MISTYPED:
            return Said(self._notices.say("mistyped", nearest=envelope.detail), "mistyped")
        if errand is Errand.STATUS:
            mode = envelope.session.mode
            said = self._notices.say(
                "status",
                mode=mode.label.capitalize(),
                session=envelope.session.id,
                engine=self._engine_names[mode],
                waiting=self._notices.say("status_waiting", count=waiting)
                if waiting
                else self._notices.say("status_idle"),
            )
            return Said(said, "status")
        return Said(notice=_NOTICE_OF[errand])

    async def _hold(self, group: Sequence[Envelope]) -> tuple[Taken, int]:
        """The window has closed: the messages wait and join the person's next one."""

        def work(connection: Connection) -> None:
            for write in envelopes.hold(group):
                execute(connection, write)
            chats.hold(connection, group[0].chat, chats.HELD_ENVELOPES)
            # The door must see this at the chat's next message, from its cache too.
            self._forget_chats()

        try:
            await self._database.unit(work)
        except Stale:
            return Taken.LATER, 0
        self._metrics.count("turns", "held")
        self._log.info("turn_held", chat=group[0].chat, turn=group[0].number, messages=len(group))
        return Taken.HELD, len(group)

    async def _lose(
        self, answer: _Answer, group: Sequence[Envelope], *, is_cold: bool
    ) -> tuple[Taken, int]:
        """Words that are not there: moved by a late ``/otr``, or gone with the process before.

        After a crash between commit and 200 Meta brings them again, at once; so they are given a
        moment before they count as lost.
        """
        if is_cold and self._clock.monotonic() - self._started < LOST_AFTER_S:
            return Taken.LATER, 0
        now = await self._database.read(
            lambda c: envelopes.by_numbers(c, [one.number for one in group])
        )
        if [one.session for one in now] != [one.session for one in group]:
            return Taken.LATER, 0
        self._metrics.count("turns", "lost")
        self._log.warning("turn_lost", chat=answer.chat.id, turn=group[0].number)
        await self._finish(answer, group, Said(notice="lost"), [])
        return Taken.DONE, len(group)

    # -- the one transaction --------------------------------------------------------------------

    async def _finish(
        self, answer: _Answer, group: Sequence[Envelope], said: Said, asked: Sequence[Entry]
    ) -> None:
        """Write what was said, its parcels, and that the envelopes are done: all or nothing."""
        wait_s = 0.1
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
                wait_s = min(wait_s * 2, MOST_RETRY_S)
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
        answer: _Answer,
        group: Sequence[Envelope],
        session: Session,
        said: Said,
        asked: Sequence[Entry],
    ) -> int:
        chat = answer.chat
        transcript = self._transcripts[session.mode]
        entries, parts = self._entries(group[-1].number, session, said)
        token = self._post.reserve(chat.account, chat.id) if parts else None
        numbers = [one.number for one in group if one.errand is Errand.TURN]
        now = self._clock.now()

        def work(connection: Connection) -> list[Parcel]:
            for write in (
                *transcript.keep(*entries),
                *transcript.close_turn(session, numbers),
                *envelopes.done(group),
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
        engine = Entry(session, turn, ENGINE_PART, Role.ENGINE, Text(said.text), now)
        parts = split(said.text)
        if parts == [said.text]:
            # Sent as it was written: one entry is enough.
            return [engine], [ENGINE_PART]
        return [
            engine,
            *(
                Entry(session, turn, part, Role.PART, Text(one), now)
                for part, one in enumerate(parts, start=1)
            ),
        ], list(range(1, len(parts) + 1))


def _writing(writes: Sequence[Write]) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        for write in writes:
            execute(connection, write)

    return work
