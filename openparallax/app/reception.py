"""What comes in, led through the house: stored, then told to everybody whom it concerns."""

import asyncio
from collections.abc import Coroutine

from openparallax.app.parts import Parts
from openparallax.app.reporting import report, tell
from openparallax.graph.errors import what_to_do
from openparallax.inbox.admission import Admission, Draining
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.messages import Notification
from openparallax.outbox.receipts import Receipts
from openparallax.storage import Connection, Database, news
from openparallax.trail import Step

_NO_RECEIPTS = Receipts()

Accepted = tuple[Admission, Receipts]
"""What one request came to, of what people wrote and of what we had sent."""


class Reception:
    """Takes what the listener has read."""

    def __init__(self, parts: Parts, database: Database, *, metrics: Metrics, log: Logger) -> None:
        self._database = database
        self._metrics = metrics
        self._log = log
        self._door, self._desk = parts.door, parts.desk
        self._dispatcher, self._outbox = parts.dispatcher, parts.outbox
        self._durable, self._transcripts = parts.durable, parts.transcripts
        self._directory, self._presence = parts.directory, parts.presence
        self._housekeeping = parts.housekeeping
        self._trail = parts.trail
        database.on_trouble(lambda: parts.trail.note(Step.NOT_STORED, about="disk"))

    def accept(self, notification: Notification) -> "asyncio.Future[Accepted]":
        """Store what one request carried; the future is done when it is on disk.

        Raises:
            NotStored: Through the future: nothing of it is; Meta is to bring it again.
            Draining: The same.
        """

        def work(connection: Connection) -> Accepted:
            receipts = _NO_RECEIPTS
            if notification.statuses:
                receipts = self._desk.apply(connection, notification.statuses)
                if receipts.holds:
                    self._directory.drop()
            for item in notification.news:
                news.keep(connection, item)
            try:
                admission = self._door.admit(
                    connection,
                    notification.messages,
                    echoes=notification.echoes,
                    relinks=notification.relinks,
                    preferences=notification.preferences,
                    accounts=notification.accounts,
                )
            except Draining:
                self._trail.note(Step.NOT_STORED, about="draining")
                raise
            return admission, receipts

        def then(accepted: Accepted) -> None:
            self._accepted(accepted)
            for item in notification.news:
                tell(item, metrics=self._metrics, log=self._log)

        return self._database.unit(work, then if notification.news else self._accepted)

    def before_answering(self, accepted: Accepted) -> Coroutine[None, None, None] | None:
        """What is to be done before the 200 of an /otr, also after a commit that failed."""
        admission, _ = accepted
        if admission.has_scrubbed or (admission.parcels and self._housekeeping.must_truncate):
            return self._housekeeping.truncate()
        return None

    def _accepted(self, result: Accepted) -> None:
        """On disk: have the words at hand, then tell dispatch and outbox; in this order."""
        admission, receipts = result
        self._note_steps(admission, receipts)
        for session, turn in receipts.unsaid:
            self._transcripts[session.mode].note_unsaid(session, turn)
        for session, turn in receipts.said_again:
            self._transcripts[session.mode].note_said_again(session, turn)
        self._hold_words(admission)
        for chat, number in admission.ended:
            self._dispatcher.ended(chat, number)
        for chat in admission.handed_over:
            self._presence.end(chat)
        for loser, survivor in admission.merges:
            self._dispatcher.merged(loser, survivor)
        if admission.envelopes or admission.released:
            self._dispatcher.admitted(admission.envelopes, admission.released)
        if admission.parcels:
            self._outbox.take(admission.parcels)
        for chat in (*receipts.chats, *admission.reloads):
            self._outbox.reload(chat)
        for account, code in receipts.paused:
            self._outbox.account(account).pause(code, what_to_do(code))
        report(admission, receipts, metrics=self._metrics, log=self._log)

    def _note_steps(self, admission: Admission, receipts: Receipts) -> None:
        self._trail.extend(admission.steps)
        if not admission.confirmed and receipts is _NO_RECEIPTS:
            return
        for one in admission.confirmed:
            self._trail.note(
                Step.POSTED, one.chat, one.turn, one.turn, one.number,
                one.account, "", one.notice, amount=1,
            )  # fmt: skip
        self._trail.extend(receipts.steps)
        for account, code in receipts.paused:
            self._trail.note(Step.PAUSED, account=account, code=code)

    def _hold_words(self, admission: Admission) -> None:
        for move in admission.moves:
            self._durable.forget(move.left, move.turns)
            self._dispatcher.moved(move)
            self._outbox.reload(move.chat)
        for session, turn in admission.erased:
            self._transcripts[session.mode].drop(session, turn)
        for session, turn in admission.unsaid:
            self._transcripts[session.mode].note_unsaid(session, turn)
        for session in admission.renewed:
            self._transcripts[session.mode].renew(session)
        for entry in admission.entries:
            self._transcripts[entry.session.mode].hold(entry)
        for session, hashed in admission.missed:
            self._transcripts[session.mode].strike(session, hashed)
