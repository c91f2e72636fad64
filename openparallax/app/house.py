"""The house: every part built, introduced to the others, started and stopped in order."""

import asyncio
from functools import partial

from openparallax.app.housekeeping import Housekeeping
from openparallax.app.plugins import load_engine, load_stages
from openparallax.chats.directory import Directory
from openparallax.clock import Clock
from openparallax.config import EngineChoice, Settings
from openparallax.dispatch.dispatcher import Dispatcher
from openparallax.dispatch.turn import Post, TurnTaker
from openparallax.graph.client import GraphClient
from openparallax.graph.errors import classify, what_to_do
from openparallax.inbox.admission import Admission
from openparallax.inbox.door import Door
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.messages import Notification
from openparallax.model.session import Mode
from openparallax.outbox.delivery import Delivery
from openparallax.outbox.outbox import Outbox
from openparallax.outbox.pacing import Pacing
from openparallax.outbox.receipts import ReceiptDesk, Receipts
from openparallax.pipeline import Engine, compose
from openparallax.plugin import Tools
from openparallax.session.notices import Notices
from openparallax.session.retention import Forgetting
from openparallax.storage import Connection, Database, chats, meta
from openparallax.storage.chats import ChatRow
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts
from openparallax.transcript.durable import DurableTranscript
from openparallax.transcript.volatile import VolatileTranscript
from openparallax.webhook.server import WebhookServer

SEND_GRACE_S = 5.0
"""How long sends under way are given when the daemon stops."""
_NO_RECEIPTS = Receipts()


class House:
    """A running daemon without a process of its own: what `daemon.run` runs, and tests too."""

    def __init__(self, settings: Settings, *, clock: Clock, log: Logger) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self.metrics = Metrics()
        self.database = Database(settings.storage.path, log=log)
        self._engines: list[Engine] = []

    @property
    def port(self) -> int:
        """The port that the webhook listener has."""
        return self.listener.port

    # -- starting -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build and start every part; on failure what was started is stopped again.

        Raises:
            StartError: Says what is in the way.
            ConfigError: An engine or stage could not be made.
        """
        await self.database.open()
        try:
            await self._build()
            await self.graph.open()
            await self.listener.start()
        except BaseException:
            await self.database.close()
            raise
        self.outbox.start()
        self.dispatcher.start(first_new=self._first_new, after_death=not self._was_clean)
        self.housekeeping.start()
        self._log.info(
            "started",
            host=self._settings.whatsapp.webhook_host,
            port=self.port,
            engine=self._settings.engine.type,
            path=str(self._settings.storage.path),
        )
        for warning in self._settings.warnings:
            self._log.warning("setting_noted", hint=warning)

    async def _build(self) -> None:
        settings, clock, log = self._settings, self._clock, self._log
        turn_numbers, parcel_numbers = Numbers("turn"), Numbers("parcel")

        def begin(connection: Connection) -> tuple[bytes, bool, int]:
            was_clean = meta.begin_life(connection)
            return meta.file_key(connection), was_clean, turn_numbers.take(connection)

        hash_key, self._was_clean, self._first_new = await self.database.unit(begin)
        whatsapp, conversation = settings.whatsapp, settings.conversation
        self.volatile = VolatileTranscript(history_entries=conversation.history_messages)
        self.durable = DurableTranscript(
            self.database, history_entries=conversation.history_messages
        )
        transcripts: Transcripts = {
            Mode.ON_THE_RECORD: self.durable,
            Mode.OFF_THE_RECORD: self.volatile,
        }
        self._transcripts = transcripts
        notices = Notices(settings.notices)
        self._directory = Directory()
        self.door = Door(
            account=whatsapp.phone_number_id,
            allowed=whatsapp.allowed_numbers,
            directory=self._directory,
            transcripts=transcripts,
            notices=notices,
            hash_key=hash_key,
            turn_numbers=turn_numbers,
            parcel_numbers=parcel_numbers,
            clock=clock,
        )
        self.database.on_failure(self.door.drop)
        self.graph = GraphClient(
            base_url=whatsapp.graph_api_url,
            version=whatsapp.graph_api_version,
            access_token=whatsapp.access_token.get_secret_value(),
            timeout_s=whatsapp.graph_timeout_seconds,
            max_in_flight=settings.outbox.max_in_flight,
            log=log,
            metrics=self.metrics,
        )
        delivery = Delivery(
            database=self.database,
            transcripts=transcripts,
            notices=notices,
            send=self.graph.send_text,
            advise=what_to_do,
            forget_chats=self._directory.drop,
            receipt_wait_s=settings.outbox.receipt_wait_seconds,
            clock=clock,
            log=log,
            metrics=self.metrics,
        )
        self.outbox = Outbox(
            database=self.database,
            deliver=delivery.step,
            pacing=self._pacing,
            clock=clock,
            log=log,
            most_in_flight=settings.outbox.max_in_flight,
        )
        self._desk = ReceiptDesk(classify=classify, clock=clock)
        off = settings.off_the_record
        engine = self._engine(settings.engine)
        engine_off = engine if off.engine is None else self._engine(off.engine)
        stages = load_stages(settings.pipeline, self._tools())
        stages_off = stages if off.pipeline is None else load_stages(off.pipeline, self._tools())
        taker = TurnTaker(
            database=self.database,
            transcripts=transcripts,
            pipelines={
                Mode.ON_THE_RECORD: compose(stages, engine),
                Mode.OFF_THE_RECORD: compose(stages_off, engine_off),
            },
            engine_names={
                Mode.ON_THE_RECORD: settings.engine.type,
                Mode.OFF_THE_RECORD: (off.engine or settings.engine).type,
            },
            notices=notices,
            parcel_numbers=parcel_numbers,
            find_chat=self._find_chat,
            forget_chats=self._directory.drop,
            post=Post(self.outbox.reserve, self.outbox.unreserve, self.outbox.take),
            clock=clock,
            log=log,
            metrics=self.metrics,
        )
        self.dispatcher = Dispatcher(
            database=self.database,
            take_turn=taker.take,
            clock=clock,
            log=log,
            most_turns=conversation.max_concurrent_turns,
            coalesces=conversation.coalesce == "queued",
        )
        self.housekeeping = Housekeeping(
            database=self.database,
            forgetting=Forgetting(
                held=self.volatile.sessions,
                forget=self.volatile.forget,
                database=self.database,
                idle_s=off.idle_minutes * 60,
                clock=clock,
            ),
            clock=clock,
            log=log,
        )
        self.listener = WebhookServer(
            host=whatsapp.webhook_host,
            port=whatsapp.webhook_port,
            path=whatsapp.webhook_path,
            accept=self.accept,
            verify_tokens=[whatsapp.verify_token.get_secret_value()],
            app_secrets=[secret.get_secret_value() for secret in whatsapp.app_secret],
            allow_unsigned=whatsapp.allow_unsigned_webhooks,
            log=log,
            metrics=self.metrics,
            clock=clock,
        )

    def _tools(self) -> Tools:
        return Tools(clock=self._clock, log=self._log)

    def _engine(self, choice: EngineChoice) -> Engine:
        engine = load_engine(choice, self._tools())
        self._engines.append(engine)
        return engine

    def _pacing(self, account: str) -> Pacing:
        del account  # one number for now, and one set of limits
        limits = self._settings.outbox
        return Pacing(
            self._clock,
            per_second=limits.messages_per_second,
            pair_burst=limits.pair_burst,
            pair_interval_s=limits.pair_interval_seconds,
        )

    async def _find_chat(self, chat: int) -> ChatRow:
        cached = self._directory.cached(chat)
        if cached is not None:
            return cached
        found = await self.database.read(partial(_chat_by_id, chat=chat))
        if found is None:
            raise LookupError("an envelope of a chat that is not there")
        return found

    # -- what comes in --------------------------------------------------------------------------

    async def accept(self, notification: Notification) -> None:
        """Store what one request carried; it is on disk when this returns.

        Raises:
            NotStored: Nothing of it is; Meta is to bring it again.
            Draining: The same.
        """

        def work(connection: Connection) -> tuple[Admission, Receipts]:
            receipts = _NO_RECEIPTS
            if notification.statuses:
                receipts = self._desk.apply(connection, notification.statuses)
                if receipts.holds:
                    self._directory.drop()
            return self.door.admit(connection, notification.messages), receipts

        admission, _ = await self.database.unit(work, self._accepted)
        if admission.moves:
            self.housekeeping.truncate_soon()
            await self.housekeeping.truncate()

    def _accepted(self, result: tuple[Admission, Receipts]) -> None:
        """On disk: have the words at hand, then tell dispatch and outbox; in this order."""
        admission, receipts = result
        for move in admission.moves:
            self.durable.forget(move.left.id, move.turns)
            self.dispatcher.moved(move)
            self.outbox.reload(move.chat)
        for entry in admission.entries:
            self._transcripts[entry.session.mode].hold(entry)
        if admission.envelopes or admission.released:
            self.dispatcher.admitted(admission.envelopes, admission.released)
        if admission.parcels:
            self.outbox.take(admission.parcels)
        for chat in receipts.chats:
            self.outbox.reload(chat)
        for account, code in receipts.paused:
            self.outbox.account(account).pause(code, what_to_do(code))
        for what, count in admission.counts.items():
            self.metrics.count("inbound", what, count)
        for what, count in receipts.counts.items():
            self.metrics.count("statuses", what, count)
        for number in admission.refused:
            self._log.info("sender_not_allowed", contact=number)
        if "foreign_number" in admission.counts:
            self._log.warning(
                "foreign_number_ignored",
                count=admission.counts["foreign_number"],
                hint="a webhook named another phone_number_id than the configuration",
            )

    # -- stopping -------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Stop in order: finish turns, then close the door, then let sends end, then the file.

        While turns finish, webhooks are still acknowledged and stored; what they bring is for the
        next process. Words off the record would be lost with this one: Meta brings them again.
        """
        self.door.is_draining = True
        self._log.info("draining", count=self.dispatcher.running)
        left = await self.dispatcher.drain(self._settings.conversation.drain_seconds)
        await self.listener.close()
        await self.outbox.stop(SEND_GRACE_S)
        await self.housekeeping.stop()
        for engine in self._engines:
            try:
                async with asyncio.timeout(2):
                    await engine.close()
            except Exception as error:  # noqa: BLE001 - a plugin's trouble must not stop the stop
                self._log.warning("engine_not_closed", exc_info=error)
        await self.graph.close()
        await self.database.unit(meta.end_life)
        await self.database.close()
        self._log.info("stopped", count=left, kept=self.dispatcher.waiting)


def _chat_by_id(connection: Connection, *, chat: int) -> ChatRow | None:
    return chats.chat_by_id(connection, chat)
