"""The house: every part started and stopped in order, and what comes in led through it."""

import os
import socket
from collections.abc import Callable, Sequence

from openparallax.admin.control import Control
from openparallax.app.admin import build_admin
from openparallax.app.condition import Condition
from openparallax.app.exchange import Exchange
from openparallax.app.keyring import Keyring, Reread
from openparallax.app.parts import Parts, build
from openparallax.app.reception import Reception
from openparallax.app.reload import Reload
from openparallax.app.secrets import keys_of, verify_tokens_of
from openparallax.app.status import Status
from openparallax.app.tailing import Tailing
from openparallax.app.watchers import Watchers
from openparallax.app.why.asking import Why
from openparallax.clock import Clock
from openparallax.config import Settings, Tls
from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.storage import Connection, Database, chats, envelopes, meta
from openparallax.trail import Step
from openparallax.webhook.server import WebhookServer
from openparallax.webhook.tls import Certificates

SEND_GRACE_S = 5.0
"""How long sends under way are given when the daemon stops."""


class House:
    """A running daemon without a process of its own: what `daemon.run` runs, and tests too.

    Args:
        on_progress: Called now and then, from another thread, by a start that takes its time.
        reread: Reads the configuration again, for `reload`; None: there is no file to read.
        inherited: What Meta is listened for on, where the service manager holds it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        log: Logger,
        on_progress: Callable[[], None] = lambda: None,
        reread: Reread | None = None,
        inherited: Sequence[socket.socket] = (),
    ) -> None:
        self._inherited = inherited
        self._settings = settings
        self._clock = clock
        self._log = log
        self.metrics = Metrics()
        self.keyring = Keyring(settings, reread=reread, clock=clock, log=log, metrics=self.metrics)
        self.database = Database(settings.storage.path, log=log, on_progress=on_progress)
        self.condition = Condition(settings, self.database, metrics=self.metrics, clock=clock)

    @property
    def port(self) -> int:
        """The port that the webhook listener has."""
        return self.listener.port

    @property
    def settings(self) -> Settings:
        """What is in force; another after a reload."""
        return self._settings

    def _follow(self, settings: Settings) -> None:
        self._settings = settings

    # -- starting -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build and start every part; on failure what was started is stopped again.

        Raises:
            StartError: Says what is in the way.
            ConfigError: An engine or stage could not be made.
        """
        await self.database.open()
        self._settings = self.keyring.put_in(self._settings)
        try:
            parts = await build(
                self._settings,
                self.database,
                clock=self._clock,
                log=self._log,
                metrics=self.metrics,
            )
            self._introduce(parts)
            await self.admin.start()
            try:
                await self.listener.start()
            except BaseException:
                await self._close_admin()
                raise
        except BaseException:
            await self.database.close()
            raise
        await self.graph.open()
        try:
            await self.database.unit(meta.begin_life)
            merges = await self.database.unit(chats.unfinished_merges)
        except BaseException:
            await self.listener.close()
            await self.graph.close()
            await self._close_admin()
            await self.database.close()
            raise
        self.database.on_trouble(self.housekeeping.truncate_soon)
        self.database.on_trouble(lambda: self.metrics.count("storage_failures"))
        self.outbox.start()
        self.dispatcher.start(
            first_new=parts.first_new,
            after_death=not parts.was_clean,
            merges=merges,
        )
        self.housekeeping.start()
        self.watchers.start()
        self.keyring.start()
        self._announce()
        self.condition.state = "running"
        self._log.info(
            "started",
            host=self._settings.whatsapp.webhook_host,
            port=self.port,
            engine=self._settings.engine.type,
            path=str(self._settings.storage.path),
            **({"url": self.admin.url} if self.admin.url else {}),
        )
        for warning in self._settings.warnings:
            self._log.warning("setting_noted", hint=warning)

    def _introduce(self, parts: Parts) -> None:
        self.door, self.desk = parts.door, parts.desk
        self.dispatcher, self.outbox = parts.dispatcher, parts.outbox
        self.posting, self.operator = parts.posting, parts.operator
        self.durable, self.volatile = parts.durable, parts.volatile
        self.graph, self.housekeeping = parts.graph, parts.housekeeping
        self.presence = parts.presence
        whatsapp = self._settings.whatsapp
        reception = Reception(parts, self.database, metrics=self.metrics, log=self._log)
        certificates = _certificates(whatsapp.tls, self._clock, self._log)
        self.listener = WebhookServer(
            host=whatsapp.webhook_host,
            port=whatsapp.webhook_port,
            path=whatsapp.webhook_path,
            accept=reception.accept,
            follow=reception.before_answering,
            verify_tokens=verify_tokens_of(whatsapp),
            keys=keys_of(whatsapp),
            accounts=frozenset(one.phone_number_id for one in whatsapp.numbers),
            certificates=certificates,
            allow_unsigned=whatsapp.allow_unsigned_webhooks,
            inherited=self._inherited,
            log=self._log,
            metrics=self.metrics,
            clock=self._clock,
        )
        self.condition.introduce(parts, self.listener)
        self.watchers = Watchers(
            self._settings,
            self.condition,
            self.database,
            parts.trail,
            tokens=self.keyring.states,
            environment=os.environ,
            clock=self._clock,
            log=self._log,
            metrics=self.metrics,
        )
        self._exchange = Exchange(
            parts, self.listener, certificates, clock=self._clock, log=self._log
        )
        self.reload = Reload(
            self._exchange,
            parts.fitter,
            read=self.keyring.read_anew,
            state=lambda: self.condition.state,
            clock=self._clock,
            log=self._log,
            metrics=self.metrics,
        )
        self.keyring.introduce(self.reload, parts.trail)
        for follow in (self._follow, self.condition.follow, self.watchers.follow):
            self.reload.follow(follow)
        self.admin = build_admin(
            self._settings,
            self.condition,
            self._controls(),
            environment=os.environ,
            log=self._log,
        )

    def _controls(self) -> dict[str, Control]:
        """What the command line may ask."""
        status = Status(
            self._settings,
            self.database,
            self.condition,
            token_of=self.keyring.state_of,
            metrics=self.metrics,
            clock=self._clock,
        )
        self.reload.follow(status.follow)
        status.reloaded = self.reload.told
        return {
            **self.operator.controls(),
            **self.watchers.controls,
            "status": lambda asked: status.answer(asked, self.admin),
            **self._questions(),
            "send": self.posting.send,
            "reload": self.reload.control,
        }

    def _questions(self) -> dict[str, Control]:
        """What the trail answers."""
        trail, clock = self.condition.parts.trail, self._clock
        why = Why(
            self.database, settings=lambda: self._settings, condition=self.condition, clock=clock
        )
        return {"tail": Tailing(trail, self.database, clock=clock).tail, "why": why.answer}

    def _announce(self) -> None:
        try:
            self.database.announce(self.admin.socket)
        except OSError as error:
            self._log.warning("control_not_available", reason=error.strerror)

    async def _close_admin(self) -> None:
        await self.admin.close()
        await self.condition.stop()

    # -- stopping -------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Stop in order: finish turns, then close the door, then let sends end, then the file.

        While turns finish, webhooks are still acknowledged and stored; what they bring is for the
        next process. Words off the record would be lost with this one: Meta brings them again.
        """
        self.door.is_draining = True
        self.condition.state = "draining"
        await self.keyring.stop()
        self.condition.parts.trail.note(Step.DRAINING)
        self._log.info("draining", count=self.dispatcher.running)
        left = await self.dispatcher.drain(self._settings.conversation.drain_seconds)
        await self.listener.close()
        await self.presence.stop()
        await self.outbox.stop(SEND_GRACE_S)
        await self.watchers.stop()
        await self.housekeeping.stop()
        await self._exchange.stop()
        await self.graph.close()
        await self._close_admin()
        try:
            await self.database.unit(_end)
        except NotStored as error:
            # The next process will take this for a death: it asks an engine again, no more.
            self._log.warning("end_not_noted", error=str(error))
        await self.database.close()
        self._log.info("stopped", count=left, kept=self.dispatcher.waiting)


def _end(connection: Connection) -> None:
    """This process ends in order: what is unfinished did not end it."""
    envelopes.unclaim_running(connection)
    meta.end_life(connection)


def _certificates(tls: Tls | None, clock: Clock, log: Logger) -> Certificates | None:
    if tls is None:
        return None
    return Certificates(certificate=tls.certificate, key=tls.key, clock=clock, log=log)
