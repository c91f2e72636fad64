"""What `openparallax status` shows: the running daemon in plain data."""

import asyncio
import json
import os
import platform
from collections.abc import Mapping
from typing import Any

from openparallax import __version__
from openparallax.admin.server import AdminServer
from openparallax.app.condition import PATIENCE_S, Condition, age
from openparallax.clock import Clock
from openparallax.config import Settings, WhatsApp
from openparallax.errors import NotStored
from openparallax.graph.errors import what_to_do
from openparallax.metrics import Metrics
from openparallax.model.messages import Weight
from openparallax.model.session import Mode
from openparallax.outbox.account import AccountState
from openparallax.storage import Connection, Database, news, usage

_COUNTS = {
    "messages_waiting": "messages",
    "messages_held": "messages_held",
    "parts_waiting": "parts",
    "parts_in_doubt": "parts_in_doubt",
    "parts_held": "parts_held",
}


class Status:
    """Answers the control ``status``."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        condition: Condition,
        *,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._condition = condition
        self._metrics = metrics
        self._clock = clock

    async def answer(self, _asked: Mapping[str, Any], admin: AdminServer) -> dict[str, Any]:
        """All of it; what the disk does not tell now is null. Whom we write with is not in it."""
        now, condition = self._clock.now(), self._condition
        reasons = await condition.reasons()
        last_at = condition.listener.last_at
        return {
            "version": __version__,
            "commit": condition.commit,
            "python": platform.python_version(),
            "pid": os.getpid(),
            "started_at": condition.started_at,
            "now": now,
            "state": condition.state,
            "ready": not reasons,
            "reasons": reasons,
            **await self._waiting(now),
            **await self._told(now),
            "turns_running": condition.parts.dispatcher.running,
            "sends_in_flight": condition.parts.outbox.in_flight,
            "accounts": self._accounts(),
            "engines": self._engines(),
            "last_webhook_at": last_at or None,
            "last_webhook_seconds": max(0.0, now - last_at) if last_at else None,
            **self._addresses(admin),
            "warnings": list(self._settings.warnings),
        }

    async def _waiting(self, now: float) -> dict[str, Any]:
        try:
            tables = await self._condition.tables.get()
        except (NotStored, TimeoutError):
            tables = None
        waiting = tables.waiting if tables else None
        return {
            "database": {
                "path": str(self._settings.storage.path),
                "bytes": tables.database_bytes if tables else None,
                "wal_bytes": tables.log_bytes if tables else None,
                "storage_failures": self._metrics.value("storage_failures"),
            },
            **{name: getattr(waiting, source, None) for name, source in _COUNTS.items()},
            "oldest_message_seconds": age(waiting.oldest_message, now) if waiting else None,
            "oldest_part_seconds": age(waiting.oldest_part, now) if waiting else None,
        }

    async def _told(self, now: float) -> dict[str, Any]:
        """News about the accounts, and what was spent today (UTC)."""

        def read(connection: Connection) -> dict[str, Any]:
            spent = usage.of_day(connection, usage.day_of(now))
            return {
                "news": [_news(row) for row in news.latest(connection)],
                "tokens_today": [
                    {"model": one.model, "kind": one.kind, "tokens": one.tokens} for one in spent
                ],
            }

        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await self._database.read(read)
        except (NotStored, TimeoutError):
            return {"news": None, "tokens_today": None}
        found["news"].sort(key=lambda one: -one["at"])
        return found

    def _accounts(self) -> list[dict[str, Any]]:
        settings = {one.phone_number_id: one for one in self._settings.whatsapp.numbers}
        return [_account(one, settings[one.account]) for one in self._condition.accounts()]

    def _engines(self) -> dict[str, str]:
        on = self._settings.engine
        off = self._settings.off_the_record.engine or on
        return {Mode.ON_THE_RECORD.label: on.type, Mode.OFF_THE_RECORD.label: off.type}

    def _addresses(self, admin: AdminServer) -> dict[str, Any]:
        whatsapp, operator = self._settings.whatsapp, self._settings.admin
        return {
            "listener": {
                "host": whatsapp.webhook_host,
                "port": self._condition.listener.port,
                "path": whatsapp.webhook_path,
                "tls": whatsapp.tls is not None,
            },
            "admin": {
                "enabled": operator.enabled,
                "host": operator.host,
                "port": admin.port,
                "socket": str(admin.socket) if admin.socket else None,
            },
        }


def _account(state: AccountState, number: WhatsApp) -> dict[str, Any]:
    return {
        "phone_number_id": state.account,
        "state": "paused" if state.is_paused else "active",
        "code": state.code if state.is_paused else None,
        "hint": what_to_do(state.code) if state.is_paused else "",
        "allowed": len(number.allowed_numbers),
        "signed": bool(number.app_secret),
        "presence": number.presence,
    }


def _news(row: tuple[str, str, str, str, str, int, int]) -> dict[str, Any]:
    business, field, subject, event, facts, weight, at = row
    return {
        "business": business,
        "field": field,
        "subject": subject,
        "event": event,
        "facts": json.loads(facts),
        "weight": Weight(weight).name.lower(),
        "at": at,
    }
