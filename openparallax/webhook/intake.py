"""From a body that was let in to the status that Meta is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from openparallax.clock import Clock
from openparallax.errors import NotStored
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.messages import Notification
from openparallax.webhook.body import Unreadable, parse_body
from openparallax.webhook.complaints import Complaint
from openparallax.webhook.gate import Gate
from openparallax.webhook.payload import NOT_ITS_NUMBER, parse_notification

Accept = Callable[[Notification], Awaitable[Any]]
Follow = Callable[[Any], Awaitable[None] | None]


class Intake:
    """Parses bodies and has them stored.

    Args:
        accept: Stores a notification; Meta is answered 200 when that is done and 503 when it
            fails. Not called for a request with nothing to store. It runs to its end even if the
            client goes away.
        follow: Given what ``accept`` came to; what it returns is awaited before the 200.
        gate: Knows whom a signature speaks for.
        not_its_number: Told of what was signed for another number than it named.

    Attributes:
        last_at: When Meta was last let in, unix seconds; 0: never.
    """

    def __init__(
        self,
        accept: Accept,
        follow: Follow | None,
        *,
        gate: Gate,
        not_its_number: Complaint,
        log: Logger,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._accept = accept
        self._follow = follow
        self._gate = gate
        self._not_its_number = not_its_number
        self._failure = Complaint(log, clock, "webhook_not_accepted")
        self._metrics = metrics
        self._clock = clock
        self._following: set[asyncio.Future[None]] = set()  # the loop itself holds tasks weakly
        self.last_at = 0.0

    def take_signed(self, raw: bytes, signature: str | None, answer: Callable[[int], None]) -> bool:
        """Take a body if it is rightly signed; False, and nothing is done, where it is not."""
        accounts = self._gate.signer(raw, signature)
        if accounts is None:
            return False
        self.take(raw, accounts, answer)
        return True

    def take(
        self, raw: bytes, accounts: frozenset[str] | None, answer: Callable[[int], None]
    ) -> None:
        """Have what a body holds stored, then call ``answer`` with the status; once, on the loop.

        Args:
            raw: Let in by the gate.
            accounts: Whom it speaks for; None where signatures are not checked.
            answer: Called when it is on disk, or at once where there is nothing to store.
        """
        began, before = self._clock.monotonic(), self.last_at
        self.last_at = self._clock.now()

        def say(status: int) -> None:
            self._metrics.observe("webhook", "", self._clock.monotonic() - began)
            answer(status)

        try:
            notification = parse_notification(
                parse_body(raw), accounts=accounts, others=self._gate.others(accounts)
            )
        except Unreadable:
            # Meta would repeat what is signed for days, and it would not read better.
            self._metrics.count("webhook", "unreadable")
            say(400 if accounts is None else 200)
            return
        if notification.is_empty:
            if not notification.unsupported:
                self.last_at = before  # not Meta: the doctor asks so whether signatures are checked
            self._metrics.count("webhook", "ignored")
            self._note(notification)
            say(200)
            return
        stored = asyncio.ensure_future(self._accept(notification))
        stored.add_done_callback(partial(self._stored, notification, say, self._follow))

    def _stored(
        self,
        notification: Notification,
        say: Callable[[int], None],
        follow: Follow | None,
        stored: "asyncio.Future[Any]",
    ) -> None:
        try:
            result = stored.result()
            follows = None if follow is None else follow(result)
        except BaseException as error:  # noqa: BLE001 - also that it was cancelled: Meta waits
            self._failed(error)
            say(503)
            return
        if follows is not None:
            following = asyncio.ensure_future(follows)
            self._following.add(following)
            following.add_done_callback(self._following.discard)
            following.add_done_callback(partial(self._stored, notification, say, None))
            return
        self._metrics.count("webhook", "stored")
        self._note(notification)
        say(200)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, NotStored):
            self._metrics.count("webhook", "not_stored")
            return
        # Meta brings it again; the log has no words.
        self._metrics.count("webhook", "failed")
        self._failure.happened(exc_info=error)

    def _note(self, notification: Notification) -> None:
        for name, times in notification.unsupported.items():
            self._metrics.count("inbound_unsupported", name, by=times)
        if NOT_ITS_NUMBER in notification.unsupported:
            self._not_its_number.happened()
