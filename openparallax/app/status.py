"""What `openparallax status` shows: the running daemon in plain data."""

import asyncio
import json
import math
import os
import platform
from collections.abc import Callable, Mapping
from typing import Any

from openparallax import __version__
from openparallax.admin.server import AdminServer
from openparallax.app.care import TokenState
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
from openparallax.storage.leftovers import Leftover
from openparallax.trail import Step

RECENT = 500
"""Answers of the engines from which it is told how long they take."""
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
        token_of: Callable[[str], TokenState | None],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self.reloaded: Callable[[], dict[str, Any]] = dict
        self._token_of = token_of
        self._database = database
        self._condition = condition
        self._metrics = metrics
        self._clock = clock

    def follow(self, settings: Settings) -> None:
        """Other settings are in force; what came of the reload, ``reloaded`` tells."""
        self._settings = settings

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
            **self._answers(now),
            "engines": self._engines(),
            "last_webhook_at": last_at or None,
            "last_webhook_seconds": max(0.0, now - last_at) if last_at else None,
            **self._addresses(admin),
            "configuration": self.reloaded(),
            "secrets_until_restart": list(self._settings.until_restart),
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
            "left_over": [_left_over(one, now) for one in tables.left_over] if tables else None,
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

    def _answers(self, now: float) -> dict[str, Any]:
        """How long the engines took lately, and when somebody was answered last."""
        trail = self._condition.parts.trail
        took: dict[str, list[float]] = {}
        for note in trail.latest(Step.ANSWERED, RECENT):
            took.setdefault(note.about, []).append(note.seconds or 0.0)
        sent = (one.at for one in trail.latest(Step.SENT, RECENT) if not one.about)
        last_at = next(sent, None)
        return {
            "answers": [
                {
                    "engine": engine,
                    "turns": len(seconds),
                    "p50_seconds": _quantile(seconds, 0.5),
                    "p95_seconds": _quantile(seconds, 0.95),
                }
                for engine, seconds in sorted(took.items())
            ],
            "engine_failures": len(trail.latest(Step.ENGINE_FAILED, RECENT)),
            "last_answer_at": last_at,
            "last_answer_seconds": None if last_at is None else max(0.0, now - last_at),
            "steps_since": trail.begins_at,
        }

    def _accounts(self) -> list[dict[str, Any]]:
        settings = {one.phone_number_id: one for one in self._settings.whatsapp.numbers}
        return [
            {
                **_account(one, settings[one.account]),
                "token": _token(self._token_of(one.account)),
            }
            for one in self._condition.accounts()
        ]

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


def _quantile(values: list[float], share: float) -> float:
    """The value that ``share`` of them do not pass; of at least one."""
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 3)


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


def _left_over(one: Leftover, now: float) -> dict[str, Any]:
    """What waits on a number that the configuration does not name any more."""
    return {
        "phone_number_id": one.account,
        "messages": one.messages,
        "parts": one.parts,
        "oldest_at": one.oldest,
        "expires_at": one.expires_at(now),
    }


def _token(token: TokenState | None) -> dict[str, Any] | None:
    """How an access token is; nothing of it."""
    if token is None:
        return None
    return {
        "valid": token.is_valid,
        "expires_at": token.expires_at or None,
        "never_expires": token.expires_at == 0,
        "refreshed_at": token.refreshed_at,
        "is_refreshed": token.is_refreshed,
        "trouble": token.trouble,
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
