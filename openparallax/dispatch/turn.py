"""One turn: from the words that wait to what is said about them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from openparallax.clock import Clock
from openparallax.dispatch.answering import Answering
from openparallax.dispatch.asking import Asking
from openparallax.dispatch.calling_off import CallingOff, Running, calm
from openparallax.dispatch.claiming import Claiming
from openparallax.dispatch.finish import NOTHING_SPENT, Answer, Finisher, Said, Spent
from openparallax.dispatch.lane import DEATHS, Taken
from openparallax.dispatch.obeying import Obeying
from openparallax.dispatch.presence import Presence
from openparallax.dispatch.steps import Steps
from openparallax.errors import NotStored, Stale
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.entry import CONTACT_PART, Entry, Role
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.session import Mode
from openparallax.pipeline import EngineError
from openparallax.storage import Connection, Database, chats, envelopes, usage
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.window import WINDOW_MARGIN_S
from openparallax.trail import Step
from openparallax.transcript import Transcripts

LOST_AFTER_S = 5.0
"""How long after a start Meta may bring words again that went with the process before."""


class TurnTaker:
    """Answers envelopes; see `take`."""

    def __init__(
        self,
        *,
        database: Database,
        transcripts: Transcripts,
        answerers: Mapping[Mode, Answering],
        obeying: Obeying,
        finisher: Finisher,
        asking: Asking,
        presence: Presence,
        serves: Callable[[str], bool],
        is_doubtful: Callable[[str, int], bool],
        lets_in: Callable[[ChatRow, Envelope], Awaitable[bool]],
        find_chat: Callable[[int], Awaitable[ChatRow]],
        is_stopping: Callable[[], bool],
        forget_chats: Callable[[], None],
        clock: Clock,
        log: Logger,
        metrics: Metrics,
        steps: Steps,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._answerers = answerers
        self._obeying = obeying
        self._finisher = finisher
        self._asking = asking
        self._presence = presence
        self._serves, self._is_doubtful, self._lets_in = serves, is_doubtful, lets_in
        self._find_chat = find_chat
        self._is_stopping = is_stopping
        self._forget_chats = forget_chats
        self._clock = clock
        self._log, self._metrics = log, metrics
        self._steps = steps
        self._started = clock.monotonic()
        self._claiming = Claiming(database)
        self._calling_off = CallingOff(clock=clock, log=log, metrics=metrics)
        self.interrupt = self._calling_off.interrupt

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
        running = self._calling_off.begin(group[0].chat)
        try:
            return await self._take(
                running,
                group,
                deaths=deaths,
                is_cold=is_cold,
                waiting=waiting,
                window_until=window_until,
            )
        except asyncio.CancelledError:
            if not running.is_called_off:
                raise
            calm()
            self._metrics.count("turns", "overtaken")
            self._steps.note(Step.OVERTAKEN, group)
            return Taken.DONE, len(group)
        except NotStored:
            self._steps.note(Step.PUT_OFF, group, "disk")
            raise
        except Exception:
            self._steps.note(Step.PUT_OFF, group, "broke")
            raise
        finally:
            self._calling_off.end(group[0].chat)

    async def _take(
        self,
        running: Running,
        group: Sequence[Envelope],
        *,
        deaths: int,
        is_cold: bool,
        waiting: int,
        window_until: int,
    ) -> tuple[Taken, int]:
        started = self._clock.monotonic()
        if self._clock.now() >= window_until - WINDOW_MARGIN_S:
            running.task = None
            return await self._hold(group)
        chat = await self._find_chat(group[0].chat)
        if not self._serves(chat.account):
            self._steps.note(Step.PUT_OFF, group, "not_served")
            return Taken.ASIDE, len(group)  # a number that the configuration has no more
        answer, head = Answer(chat, window_until, started), group[0]
        if self._is_doubtful(chat.account, head.number) and not await self._lets_in(chat, head):
            running.task = None
            said = Said(is_silence=True, why="not_allowed")
            await self._finisher.finish(answer, group, said, await self._read(group))
            return Taken.DONE, len(group)
        if head.errand is not Errand.TURN:
            self._presence.begin(chat, head, is_typing=False)
            running.task = None
            await self._finisher.finish(
                answer, group, await self._obeying.answer(head, waiting), []
            )
            return Taken.DONE, 1
        texts = await self._read(group)
        if not texts:
            running.task = None
            return await self._lose(answer, group, is_cold=is_cold)
        group = group[: len(texts)]
        if deaths >= DEATHS:
            said = Said(notice="killed")
        else:
            try:
                claim = await self._claiming.claim(group, deaths, is_cold=is_cold)
            except Stale:
                return Taken.LATER, 0  # ended or moved in that very moment
            self._presence.begin(chat, group[-1], is_typing=True)
            try:
                said = await self._ask(running, chat, group, texts)
                claim.is_over = True
            except asyncio.CancelledError:
                self._claiming.take_back(group)
                raise
            finally:
                self._presence.end(chat.id)
        running.task = None
        await self._finisher.finish(answer, group, said, texts)
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

    async def _ask(
        self, running: Running, chat: ChatRow, group: Sequence[Envelope], texts: list[Entry]
    ) -> Said:
        head = group[0]
        turn = await self._asking.turn_for(chat, group, texts)
        by = self._answerers[head.session.mode]
        asked_at = self._steps.asked(chat, group, by.engine)
        try:
            reply = await self._calling_off.ask(by, turn)
            spent = Spent(reply.model, usage.counts_in(reply.usage), by.engine)
            self._steps.answered(group, spent, asked_at)
            if reply.text is None:
                return Said(is_silence=True, spent=spent)
            if isinstance(reply.text, str) and reply.text.strip():
                return Said(text=reply.text, spent=spent, render=by.render)
            reason = "empty"
        except asyncio.CancelledError:
            if running.is_called_off or self._is_stopping():
                raise
            spent = NOTHING_SPENT
            calm()  # the engine's own doing: not ours to be ended by
            reason = "CancelledError"
        except EngineError as error:
            self._failed(running, group, error, error.notice, asked_at)
            spent = Spent(error.model, usage.counts_in(error.usage), by.engine)
            return Said(notice=error.notice, spent=spent)
        except (KeyboardInterrupt, GeneratorExit):
            raise  # the process ends
        except BaseException as error:  # noqa: BLE001 - whatever it is, the person is told
            # Also what is no Exception: libraries written in Rust raise such a one when they panic.
            self._failed(running, group, error, "engine_failed", asked_at)
            return Said(notice="engine_failed")
        self._metrics.count("engine_failures", "other")
        self._log.warning("engine_failed", turn=head.number, chat=head.chat, reason=reason)
        self._steps.failed(group, reason, asked_at)
        return Said(notice="engine_failed", spent=spent)

    def _failed(
        self,
        running: Running,
        group: Sequence[Envelope],
        error: BaseException,
        notice: str,
        asked_at: float,
    ) -> None:
        if running.is_called_off:
            return  # that is how it ended the turn
        self._metrics.count("engine_failures", "raised")
        head = group[0]
        self._log.warning("engine_failed", turn=head.number, chat=head.chat, exc_info=error)
        self._steps.failed(group, notice, asked_at)

    # -- what is not answered now -------------------------------------------------------------

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
        self._steps.note(Step.HELD, group)
        self._log.info("turn_held", chat=group[0].chat, turn=group[0].number, messages=len(group))
        return Taken.HELD, len(group)

    async def _lose(
        self, answer: Answer, group: Sequence[Envelope], *, is_cold: bool
    ) -> tuple[Taken, int]:
        """Words that are not there: moved by a late ``/otr``, or gone with the process before.

        After a crash between commit and 200 Meta brings them again, at once; so they are given a
        moment before they count as lost.
        """
        if is_cold and self._clock.monotonic() - self._started < LOST_AFTER_S:
            return Taken.LATER, 0
        transcript = self._transcripts[group[0].session.mode]
        gone = 1
        while gone < len(group) and not await transcript.read(
            group[gone].session, group[gone].number, CONTACT_PART
        ):
            gone += 1
        group = group[:gone]
        now = await self._database.read(
            lambda c: envelopes.by_numbers(c, [one.number for one in group])
        )
        if [one.session for one in now] != [one.session for one in group]:
            return Taken.LATER, 0
        self._metrics.count("turns", "lost")
        self._steps.lost(group)
        self._log.warning("turn_lost", chat=answer.chat.id, turn=group[0].number, messages=gone)
        await self._finisher.finish(answer, group, Said(notice="lost"), [])
        return Taken.DONE, len(group)
