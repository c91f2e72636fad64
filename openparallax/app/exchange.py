"""The one step in which what is new takes the place of what was, while everything runs.

Nothing is stopped for it. What was begun with the old ends with the old: a turn with the engine
that it was asked of, a send with the token that it went out with. Only then is the old closed.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable

from openparallax.app.differences import differences
from openparallax.app.fittings import Fittings
from openparallax.app.parts import Parts
from openparallax.app.plugins import close_all
from openparallax.app.secrets import keys_of, verify_tokens_of
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.dispatch.answering import Answering
from openparallax.graph.client import GraphClient
from openparallax.logs import Logger, set_level
from openparallax.webhook.server import WebhookServer
from openparallax.webhook.tls import Certificates

LONGEST_TURN_S = 900.0
"""After so long an engine is closed although a turn still runs in it: nobody waits for that one."""
SETTLING_S = 30.0
"""The same of a way to Graph, behind what ``graph_timeout_seconds`` leaves to a send."""

Follow = Callable[[Settings], None]
"""Told of what is in force now, on the loop and inside the step that swaps; quick, never raises."""


class Exchange:
    """Puts `Fittings` into force; see `take`.

    Attributes:
        fittings: What is in force.
    """

    def __init__(
        self,
        parts: Parts,
        listener: WebhookServer,
        certificates: Certificates | None,
        *,
        clock: Clock,
        log: Logger,
    ) -> None:
        self.fittings: Fittings = parts.fittings
        self._parts = parts
        self._listener = listener
        self._certificates = certificates
        self._clock = clock
        self._log = log
        self._followers: list[Follow] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: set[Answering] = set()
        """Those that answer no further turn, and in which one may run that began with them."""
        self._left: dict[int, object] = {}
        """Engines and stages that are not closed yet, by their identity."""

    @property
    def is_public(self) -> bool:
        """Others than this machine can reach the listener."""
        return self._listener.is_public

    def follow(self, follower: Follow) -> None:
        """Have ``follower`` told of what is in force after each step."""
        self._followers.append(follower)

    def take(self, new: Fittings) -> None:
        """Put ``new`` into force, all of it before anything else happens on the loop."""
        old, self.fittings = self.fittings, new
        changed = differences(old.settings, new.settings)
        left = self._parts.graph.exchange(new.clients)
        self._listen(new.settings)
        self._parts.door.adopt(new.accounts, refuses_otr=bool(new.plugged.keepers))
        self._answer(old, new)
        self._pace(new.settings, is_changed=any(key.startswith("outbox.") for key in changed))
        self._keep(new.settings, changed)
        set_level(self._log, new.settings.log.level)
        for follower in self._followers:
            follower(new.settings)
        exchanged = {one for one in new.clients if new.clients[one] is not old.clients.get(one)}
        self._parts.outbox.departures.try_soon(exchanged)
        if left:
            longest_s = max(one.graph_timeout_seconds for one in old.settings.whatsapp.numbers)
            self._begin(self._retire_clients(left, longest_s + SETTLING_S))
        if new.clients.keys() - old.clients.keys():
            self._serve_again()

    def _listen(self, settings: Settings) -> None:
        whatsapp = settings.whatsapp
        self._listener.go_by(
            verify_tokens_of(whatsapp),
            keys_of(whatsapp),
            frozenset(one.phone_number_id for one in whatsapp.numbers),
            allow_unsigned=whatsapp.allow_unsigned_webhooks,
        )
        if self._certificates is not None and whatsapp.tls is not None:
            self._certificates.follow(whatsapp.tls.certificate, whatsapp.tls.key)

    def _answer(self, old: Fittings, new: Fittings) -> None:
        if new.plugged is old.plugged:
            return
        self._parts.answerers.update(new.plugged.answerers)
        gone = old.plugged.made_beside(new.plugged)
        self._left |= {id(one): one for one in gone}
        # A turn of long ago may run in what is gone only now: an engine stays, its stages change.
        self._answering.update(old.plugged.answerers.values())
        self._begin(self._retire(tuple(self._answering), gone))

    def _pace(self, settings: Settings, *, is_changed: bool) -> None:
        parts, conversation, outbox = self._parts, settings.conversation, settings.outbox
        parts.paces.limits = outbox
        parts.delivery.wait_for_receipts(outbox.receipt_wait_seconds)
        if is_changed:
            parts.outbox.places.change(outbox.max_in_flight)
            parts.outbox.departures.change_pace(parts.paces.change)
        parts.dispatcher.change(
            most_turns=conversation.max_concurrent_turns,
            coalesces=conversation.coalesce == "queued",
        )

    def _keep(self, settings: Settings, changed: Collection[str]) -> None:
        parts = self._parts
        numbers = settings.whatsapp.numbers
        parts.posting.serve(tuple(one.phone_number_id for one in numbers))
        parts.presence.show_from_now({one.phone_number_id: one.presence for one in numbers})
        parts.notices.adopt(settings.notices)
        parts.forgetting.idle_s = settings.off_the_record.idle_minutes * 60
        if "conversation.history_messages" in changed:
            parts.durable.show(settings.conversation.history_messages)
            parts.volatile.history_entries = settings.conversation.history_messages
        if "storage.retention_days" in changed:
            parts.retention.keep_for(settings.storage.retention_days)

    # -- what goes on behind it ------------------------------------------------------------------

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _retire(self, answerers: Iterable[Answering], gone: Collection[object]) -> None:
        """Close what answered before, once no turn is in it."""
        try:
            async with asyncio.timeout(LONGEST_TURN_S):
                for one in answerers:
                    await one.ended()
                    self._answering.discard(one)
        except TimeoutError:
            self._answering.difference_update(answerers)
            self._log.warning("engine_closed_early", seconds=LONGEST_TURN_S)
        await self._close(gone)

    async def _close(self, gone: Collection[object]) -> None:
        left = [self._left.pop(id(one)) for one in gone if id(one) in self._left]
        await close_all(left, self._log)

    async def _retire_clients(self, clients: Collection[GraphClient], longest_s: float) -> None:
        try:
            async with asyncio.timeout(longest_s):
                await asyncio.gather(*(one.retire() for one in clients))
        except TimeoutError:
            pass
        finally:
            for one in clients:
                await one.close()

    def _serve_again(self) -> None:
        """Numbers are served that were not before: take up what waited for them."""
        self._parts.outbox.look_again()
        self._parts.dispatcher.serve_again()

    async def stop(self) -> None:
        """Close all engines and stages, those in use too; to be called when no turn runs.

        What goes on behind an exchange ends with it.
        """
        for task in set(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        in_use = {id(one): one for one in self.fittings.plugged.closables}
        await close_all((self._left | in_use).values(), self._log)
        self._left.clear()
