"""Alerts: looks for trouble again and again, and runs the operator's command when it is to be told.

On a task of its own, one thing after the other, so that a command that hangs holds up the next look
and nothing else. What was told is remembered in the database, so that a restart neither repeats it
nor forgets to say that it is over; where the disk refuses, it is remembered until the process ends.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from openparallax.admin.samples import Samples
from openparallax.app.lookout import Lookout
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.errors import NotStored, Refusal
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.storage import Database, meta
from openparallax.watching import alert as alerts
from openparallax.watching.alert import Alert
from openparallax.watching.command import Ended, run
from openparallax.watching.ledger import Kind, Ledger, State

LOOK_EVERY_S: Final = 30.0
"""A look writes to the disk, to see that it can be: seldom enough for a memory card."""
_REMEMBERED: Final = "alerts"


class Alerting:
    """Tells a person of trouble.

    Args:
        environment: The process's variables; few of them are handed on.
    """

    def __init__(
        self,
        settings: Settings,
        lookout: Lookout,
        database: Database,
        *,
        environment: Mapping[str, str],
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._lookout = lookout
        self._database = database
        self._environment = environment
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._ledger = Ledger(clock, **_limits(settings))
        self._task: asyncio.Task[None] | None = None
        self._kept: dict[str, Any] | None = None
        self._is_broken = False

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Look no more; a command that runs is killed. May be called twice."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def follow(self, settings: Settings) -> None:
        """Other settings are in force."""
        self._settings = self._lookout.settings = settings
        self._ledger.retune(**_limits(settings))

    def measured(self) -> dict[str, Samples]:
        """The gauges of what is wrong and of what ends."""
        tokens, certificate = self._lookout.expiries()
        entries = self._ledger.entries() if self._settings.alerts.command else {}
        return {
            "openparallax_alert_active": {
                (kind.value,): int(bool(entry.says)) for kind, entry in entries.items()
            },
            "openparallax_token_expiry_timestamp_seconds": {
                (account,): at for account, at in tokens.items()
            },
            "openparallax_certificate_expiry_timestamp_seconds": (
                {} if certificate is None else {(): certificate}
            ),
        }

    # -- looking --------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - nothing here may end the daemon, or itself
                if not self._is_broken:
                    self._log.error("alerting_broke", exc_info=error)
                self._is_broken = True
            else:
                self._is_broken = False
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once, and tell what is to be told; without a command, only what costs nothing."""
        if not self._settings.alerts.command:
            await self._lookout.read_certificate()
            return
        if self._kept is None:
            self._kept = await self._remembered()
            self._ledger.restore(self._kept)
        self._ledger.see(await self._lookout.look())
        for kind, state in self._ledger.due():
            made = self._made(kind, state)
            if (await self._run(made)).reason:
                self._ledger.failed(kind)
            else:
                self._ledger.told(kind)
        await self._remember()

    def _made(self, kind: Kind | None, state: State) -> Alert:
        if kind is None:
            return alerts.all_clear(self._ledger.over(), self._clock.now())
        return alerts.trouble(kind, state, self._ledger.entries()[kind])

    async def _run(self, made: Alert) -> Ended:
        settings = self._settings.alerts
        ended = await run(
            settings.command,
            made,
            timeout_s=settings.timeout_seconds,
            environment=self._environment,
        )
        self._metrics.count("alerts", f"{made.kind} {'failed' if ended.reason else 'told'}")
        facts = {"type": made.kind, "state": made.state.value, "seconds": round(ended.seconds, 2)}
        if ended.reason:
            self._log.error(
                "alert_failed",
                **facts,
                reason=ended.reason,
                hint="try alerts.alert_command with: openparallax alerts test",
            )
        else:
            self._log.warning("alert_told", **facts)
        return ended

    # -- across a restart -----------------------------------------------------------------------

    async def _remembered(self) -> dict[str, Any]:
        try:
            kept = await self._database.read(lambda c: meta.recall(c, _REMEMBERED))
            found = json.loads(kept) if isinstance(kept, str) else {}
        except (NotStored, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    async def _remember(self) -> None:
        kept = self._ledger.kept()
        if kept == self._kept:
            return
        text = json.dumps(kept)
        with suppress(NotStored):
            await self._database.unit(lambda c: meta.remember(c, _REMEMBERED, text))
            self._kept = kept

    # -- what the command line asks -------------------------------------------------------------

    async def show(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """The control ``alerts``: what is looked for, what is wrong, when it was told."""
        settings = self._settings.alerts
        findings = await self._lookout.look()
        self._ledger.see(findings)
        return {
            "is_configured": bool(settings.command),
            "settings": settings.model_dump(mode="json", exclude={"alert_command"}),
            "kinds": [
                {
                    "kind": kind.value,
                    "about": alerts.SUBJECTS[kind],
                    "state": {None: "unknown", "": "well"}.get(findings.get(kind), "wrong"),
                    "says": findings.get(kind, ""),
                    "since": entry.since or None,
                    "told_at": entry.told_at or None,
                }
                for kind, entry in self._ledger.entries().items()
            ],
        }

    async def test(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """The control ``alerts_test``: run the command now, with an alert that says so."""
        command = self._settings.alerts.command
        if not command:
            raise Refusal("alerts.alert_command is not set in the configuration that is in force")
        return shown(await self._run(alerts.test(self._clock.now())))


def shown(ended: Ended) -> dict[str, Any]:
    """A run in plain data, for who tries it out."""
    return {
        "ok": not ended.reason,
        "code": ended.code,
        "reason": ended.reason,
        "seconds": round(ended.seconds, 2),
        "bytes": ended.written,
        "output": ended.tail,
        "shut_in": _is_shut_in(),
    }


def _is_shut_in() -> bool:
    """Whether what this process starts can get no further rights, as in the service."""
    with suppress(OSError):
        return "\nNoNewPrivs:\t1\n" in Path("/proc/self/status").read_text("ascii", "replace")
    return False


def _limits(settings: Settings) -> dict[str, Any]:
    given = settings.alerts
    return {
        "wait_s": given.wait_minutes * 60,
        "repeat_s": given.repeat_minutes * 60,
        "all_clear": given.all_clear,
    }
