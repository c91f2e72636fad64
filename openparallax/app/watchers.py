"""Those who watch a house, put together: alerts and traces, started and stopped as one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from openparallax.admin.control import Control
from openparallax.app.alerting import Alerting
from openparallax.app.care import TokenState
from openparallax.app.condition import Condition
from openparallax.app.lookout import Lookout
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.errors import ConfigError
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.storage import Database
from openparallax.trail import Trail

if TYPE_CHECKING:
    from openparallax.watching.tracing import Tracer


class Watchers:
    """Alerts, and traces where they are wanted.

    Args:
        tokens: How each access token is.
        environment: The process's variables.
    """

    def __init__(
        self,
        settings: Settings,
        condition: Condition,
        database: Database,
        trail: Trail,
        *,
        tokens: Callable[[], Sequence[TokenState]],
        environment: Mapping[str, str],
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._trail = trail
        self._lookout = Lookout(settings, condition, tokens=tokens, metrics=metrics, clock=clock)
        self.alerting = Alerting(
            settings,
            self._lookout,
            database,
            environment=environment,
            clock=clock,
            log=log,
            metrics=metrics,
        )
        condition.also = self.alerting.measured
        self._tracer = tracer_of(log) if settings.tracing.enabled else None
        self._ends: list[Callable[[], None]] = []

    @property
    def controls(self) -> dict[str, Control]:
        """What the command line may ask."""
        return {"alerts": self.alerting.show, "alerts_test": self.alerting.test}

    def start(self) -> None:
        """Begin to watch."""
        if self._tracer is not None:
            self._ends.append(self._trail.listen(self._tracer.hear))
        self.alerting.start()

    def follow(self, settings: Settings) -> None:
        """Other settings are in force; of traces they count after a restart."""
        self.alerting.follow(settings)

    async def stop(self) -> None:
        """Watch no more; may be called twice."""
        await self.alerting.stop()
        ends, self._ends = self._ends, []
        for end in ends:
            end()
        if self._tracer is not None:
            # On a thread: it waits for what is on its way to the collector.
            await asyncio.to_thread(self._tracer.close)
            self._tracer = None


def tracer_of(log: Logger) -> "Tracer":
    """What makes traces.

    Raises:
        ConfigError: What the environment says of them cannot be used.
    """
    # Imported only here: most daemons make no traces, and need none of these packages.
    from openparallax.watching.tracing import Tracer  # noqa: PLC0415 - see above

    try:
        return Tracer(log=log)
    except Exception as error:  # noqa: BLE001 - of the SDK; its text may quote what it read
        kind = type(error).__name__
        raise ConfigError(
            [f"tracing.enabled: the OTEL_… variables cannot be used ({kind})"]
        ) from None
