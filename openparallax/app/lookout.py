"""Looks for what a person has to be told: each kind of trouble, wrong or well or not known."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from openparallax.app.care import TokenState
from openparallax.app.condition import Condition, Tables, age
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.config.validity import ends_at
from openparallax.config.watching import Alerts
from openparallax.graph.errors import what_to_do
from openparallax.logs import shorten
from openparallax.metrics import Metrics
from openparallax.outbox.account import AccountState
from openparallax.trail import Step
from openparallax.watching.ledger import Kind

_DAY_S: Final = 86_400.0
_REFRESHED_S: Final = 15 * _DAY_S
"""So long before its end a token of sixty days should have been refreshed."""
_MEGABYTE: Final = 1_000_000
_REFUSED: Final = "otr_refused"
"""The notice where the engine was not asked, since it keeps content."""
CERTIFICATE_FOR_S: Final = 3600.0
"""How long what was read of the certificate is used again."""


class Lookout:
    """Knows what is wrong; see `look`.

    Args:
        tokens: How each access token is.
    """

    def __init__(
        self,
        settings: Settings,
        condition: Condition,
        *,
        tokens: Callable[[], Sequence[TokenState]],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self._condition = condition
        self._token_states = tokens
        self._metrics = metrics
        self._clock = clock
        self._failures: int | None = None
        self._mark: object = None
        self._certificate: float | None = None
        self._certificate_at = float("-inf")

    def count_failures(self) -> int | None:
        """How many turns in a row the engine did not answer; None: it was asked nothing yet."""
        trail = self._condition.parts.trail
        mark, self._mark = self._mark, trail.mark
        failures = 0
        for note in trail.since_mark(mark, Step.ANSWERED, Step.ENGINE_FAILED):
            if note.step is Step.ANSWERED:
                self._failures = failures
                break
            failures += note.about != _REFUSED
        else:
            if failures:
                self._failures = (self._failures or 0) + failures
        return self._failures

    async def look(self) -> dict[Kind, str]:
        """What is wrong, in sentences; "" for what is well. What is not known now is left out."""
        refusals, tables = await self._condition.disk()
        await self.read_certificate()
        found: dict[Kind, str | None] = {
            Kind.STORAGE: "\n".join(refusals),
            Kind.ACCOUNT_PAUSED: self._paused(),
            Kind.BACKLOG: self._backlog(tables),
            Kind.DISK: self._disk(tables),
            Kind.ENGINE: self._engine(),
            Kind.SILENCE: self._silence(),
            Kind.TOKEN: self._tokens(),
            Kind.CERTIFICATE: self._certificates(),
        }
        return {kind: says for kind, says in found.items() if says is not None}

    async def read_certificate(self) -> None:
        """See when the listener's certificate ends; costs nothing when it was seen lately."""
        tls = self.settings.whatsapp.tls
        if tls is None:
            self._certificate, self._certificate_at = None, float("-inf")
        elif self._clock.monotonic() - self._certificate_at >= CERTIFICATE_FOR_S:
            self._certificate_at = self._clock.monotonic()
            self._certificate = await asyncio.to_thread(ends_at, tls.certificate)

    def expiries(self) -> tuple[Mapping[str, float], float | None]:
        """When tokens end, by phone number id, and the certificate, as far as is known."""
        ends = {
            account: float(state.expires_at)
            for state in self._token_states()
            if state.expires_at is not None
            for account in state.accounts
        }
        return ends, self._certificate

    # -- numbers and queues ---------------------------------------------------------------------

    def _paused(self) -> str | None:
        """Until something was sent nobody knows whether a number may."""
        paused = [state for state in self._condition.accounts() if state.is_paused]
        if not paused and not self._metrics.value("graph_send", "accepted"):
            return None
        return "\n".join(map(_why, paused))

    def _backlog(self, tables: Tables | None) -> str | None:
        if tables is None:
            return None
        waiting, limits = tables.waiting, self.settings.alerts
        # What waits on a number that is paused waits for that reason, which is told by itself.
        is_paused = any(state.is_paused for state in self._condition.accounts())
        parts = 0 if is_paused else waiting.parts
        part_s = 0.0 if is_paused else age(waiting.oldest_part, self._clock.now()) or 0.0
        message_s = self._condition.standing_s(waiting)
        return "\n".join(
            (
                *_held_up("messages wait to be answered", waiting.messages, message_s, limits),
                *_held_up("parts of answers wait to be sent", parts, part_s, limits),
            )
        )

    def _disk(self, tables: Tables | None) -> str | None:
        least = self.settings.alerts.disk_free_megabytes
        if tables is None or tables.free_bytes < 0:
            return None
        free = tables.free_bytes / _MEGABYTE
        if least is None or free >= least:
            return ""
        return (
            f"The disk of {self.settings.storage.path} has {free:.0f} MB left. When it is full, no"
            " message can be stored, and Meta brings them again for up to seven days. Make room."
        )

    # -- what comes and what answers --------------------------------------------------------------

    def _engine(self) -> str | None:
        most, failures = self.settings.alerts.engine_failures, self.count_failures()
        if failures is None:
            return None
        if most is None or failures < most:
            return ""
        return (
            f"The last {failures} turns got no answer from the engine; people were told so. See"
            " engine_failed in the log: its key, its credit, its model, the network."
        )

    def _silence(self) -> str | None:
        hours = self.settings.alerts.silence_hours
        if hours is None:
            return ""
        now, last_at = self._clock.now(), self._condition.listener.last_at
        quiet_s = now - (last_at or self._condition.started_at)
        if quiet_s < hours * 3600:
            return "" if last_at else None
        since = "" if last_at else "since the daemon was started, "
        return (
            f"Nothing came from Meta {since}for {quiet_s / 3600:.0f} hours: no message, and no"
            " status of one. See whether the public address still leads here, whether its"
            " certificate is good and the app still subscribed: openparallax doctor."
        )

    # -- what ends ------------------------------------------------------------------------------

    def _tokens(self) -> str | None:
        states = self._token_states()
        known = [one for one in states if one.expires_at is not None or one.is_valid is not None]
        return "\n".join(filter(None, map(self._token, known))) if known else None

    def _token(self, state: TokenState) -> str:
        """What is wrong with a token; "" where nothing is."""
        days, now = self.settings.alerts.token_days, self._clock.now()
        whose = f"The access token of number {', '.join(map(shorten, state.accounts))}"
        trouble = f": {state.trouble}" if state.trouble else ""
        if state.is_valid is False:
            return f"{whose} is good no more{trouble}. Make a new one."
        if days is None or not state.expires_at:
            return ""
        left_s = state.expires_at - now
        # Some time before its end it is refreshed: where that fails there is a reason.
        if left_s < days * _DAY_S or (state.trouble and left_s < _REFRESHED_S):
            return f"{whose} {_ending(state.expires_at, now)}{trouble}."
        return ""

    def _certificates(self) -> str | None:
        tls, days = self.settings.whatsapp.tls, self.settings.alerts.certificate_days
        if tls is None:
            return ""
        at = self._certificate
        if at is None:
            return None
        if days is None or at - self._clock.now() >= days * _DAY_S:
            return ""
        return (
            f"The certificate in {tls.certificate} {_ending(at, self._clock.now())}. Meta calls"
            " nobody whose certificate has ended. Renew it; a new pair of files is taken over"
            " without a restart."
        )


def _why(state: AccountState) -> str:
    code = f"code {state.code}" if state.code is not None else "without a code"
    advice = what_to_do(state.code)
    return (
        f"Number {shorten(state.account)} is paused ({code}){': ' if advice else ''}{advice}. What"
        " comes is kept, and is answered when it may send again."
    )


def _held_up(what: str, count: int, standing_s: float, limits: Alerts) -> Iterator[str]:
    most, minutes = limits.backlog_messages, limits.backlog_minutes
    is_long = minutes is not None and standing_s >= minutes * 60
    if (most is not None and count >= most) or is_long:
        yield (
            f"{count} {what}, the oldest for {standing_s / 60:.0f} minutes. See in the log what"
            " holds them up, and whether the engine and Graph answer."
        )


def _ending(at: float, now: float) -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime(at))
    if at <= now:
        return f"has ended on {day}"
    days = int((at - now) // _DAY_S)
    return f"ends on {day}, in {days} day{'s' * (days != 1)}"
