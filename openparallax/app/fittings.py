"""What is made of the settings and made anew when they change, while everything else stays."""

import asyncio
from dataclasses import dataclass

from openparallax.app.plugged import Plugged, plug
from openparallax.app.plugins import import_ahead
from openparallax.clock import Clock
from openparallax.config import Settings, WhatsApp
from openparallax.config.models import Outbox
from openparallax.graph.client import GraphClient
from openparallax.inbox.account import Account
from openparallax.inbox.limits import RateLimit
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.outbox.pacing import Pacing
from openparallax.plugin import Tools


@dataclass(frozen=True, slots=True)
class Fittings:
    """One state of things.

    Attributes:
        accounts: What the door knows of our numbers, by phone number id.
        clients: Their ways to Graph.
        plugged: The engines and stages.
    """

    settings: Settings
    accounts: dict[str, Account]
    clients: dict[str, GraphClient]
    plugged: Plugged


class Fitter:
    """Makes `Fittings`; see `fit`.

    Args:
        hash_key: The file's own key.
        tools: What each engine and stage is given.
    """

    def __init__(
        self, *, hash_key: bytes, tools: Tools, clock: Clock, log: Logger, metrics: Metrics
    ) -> None:
        self._hash_key = hash_key
        self._tools = tools
        self._clock = clock
        self._log = log
        self._metrics = metrics

    def fit(self, settings: Settings, before: Fittings | None = None) -> Fittings:
        """Make all that ``settings`` ask for; nothing of it is in use yet.

        What is the same as ``before`` is taken from there: connections, what an engine knows, and
        how much each chat has said.

        Raises:
            NotPlugged: An engine or stage could not be made.
        """
        plugged = self._plugged(settings, before)
        numbers = {one.phone_number_id: one for one in settings.whatsapp.numbers}
        return Fittings(
            settings,
            accounts={
                id_: _account(number, self._hash_key, before) for id_, number in numbers.items()
            },
            clients={
                id_: self._client(number, settings, before) for id_, number in numbers.items()
            },
            plugged=plugged,
        )

    async def import_for(self, settings: Settings, before: Fittings) -> None:
        """Import on a thread what `fit` would import on the loop: it may take seconds.

        Raises:
            ConfigError: A plugin cannot be imported.
        """
        if _choices(settings) != _choices(before.settings):
            await asyncio.to_thread(import_ahead, settings)

    def _plugged(self, settings: Settings, before: Fittings | None) -> Plugged:
        if before is not None and _choices(settings) == _choices(before.settings):
            return before.plugged
        return plug(settings, self._tools, before.plugged if before else None)

    def _client(self, number: WhatsApp, settings: Settings, before: Fittings | None) -> GraphClient:
        way = _way(number, settings)
        if before is not None:
            for known in before.settings.whatsapp.numbers:
                is_it = known.phone_number_id == number.phone_number_id
                if is_it and _way(known, before.settings) == way:
                    return before.clients[number.phone_number_id]
        return GraphClient(
            base_url=number.graph_api_url,
            version=number.graph_api_version,
            access_token=number.access_token.get_secret_value(),
            timeout_s=number.graph_timeout_seconds,
            max_in_flight=settings.outbox.max_in_flight,
            log=self._log,
            metrics=self._metrics,
        )


class Paces:
    """The pace of our numbers: each has its own, and all the same one.

    Attributes:
        limits: Those that are in force.
    """

    def __init__(self, limits: Outbox, clock: Clock) -> None:
        self.limits = limits
        self._clock = clock

    def make(self, account: str) -> Pacing:
        """The pace of a number that had none."""
        del account
        return Pacing(
            self._clock,
            per_second=self.limits.messages_per_second,
            pair_burst=self.limits.pair_burst,
            pair_interval_s=self.limits.pair_interval_seconds,
        )

    def change(self, pacing: Pacing) -> None:
        """Have a number go by what is in force."""
        pacing.change(
            self.limits.messages_per_second,
            self.limits.pair_burst,
            self.limits.pair_interval_seconds,
        )


def _choices(settings: Settings) -> tuple[object, ...]:
    aside = settings.off_the_record
    return settings.engine, settings.pipeline, aside.engine, aside.pipeline


def _way(number: WhatsApp, settings: Settings) -> tuple[object, ...]:
    return (
        number.graph_api_url,
        number.graph_api_version,
        number.access_token,
        number.graph_timeout_seconds,
        settings.outbox.max_in_flight,
    )


def _account(number: WhatsApp, hash_key: bytes, before: Fittings | None) -> Account:
    limit = number.rate_limit
    made = RateLimit(
        window_s=limit.window_seconds if limit else 60, most=limit.max_messages if limit else None
    )
    if before is not None and number.phone_number_id in before.accounts:
        before.accounts[number.phone_number_id].limit.followed_by(made)
    return Account(
        number.phone_number_id,
        allowed=number.allowed_numbers,
        limit=made,
        takeover_s=number.human_takeover_minutes * 60,
        hash_key=hash_key,
    )
