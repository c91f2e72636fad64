"""What Meta tells after a send: statuses, in signed webhooks, until they are answered with 200."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from tests.fakes.behaviours import Call


class Reports:
    """Posts the statuses of each call to a webhook, in order, each until it gets 200.

    Attributes:
        under_way: How many calls still have statuses to be told.
        posted: Webhooks that were answered with 200.
    """

    def __init__(self, *, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._tasks: set[asyncio.Task[None]] = set()
        self.under_way = 0
        self.posted = 0

    def to(
        self,
        url: str,
        app_secret: str,
        statuses: Callable[[Call], Sequence[str]],
        pause_s: float,
    ) -> None:
        self._url = url
        self._app_secret = app_secret
        self._statuses = statuses
        self._pause_s = pause_s

    def tell(self, call: Call) -> None:
        """Begin to post the statuses of ``call``."""
        self.under_way += 1
        task = asyncio.create_task(self._post(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _post(self, call: Call) -> None:
        for name in self._statuses(call):
            body = envelope(call.phone_number_id, status(call, name))
            while True:
                if await self._is_taken(*signed(self._app_secret, body)):
                    break
                await asyncio.sleep(self._pause_s)
            self.posted += 1
        self.under_way -= 1
        self._on_change()

    async def _is_taken(self, data: bytes, headers: dict[str, str]) -> bool:
        try:
            async with self._session.post(self._url, data=data, headers=headers) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


def status(call: Call, name: str) -> dict[str, Any]:
    """One entry of ``statuses[]`` as Meta writes it; ``failed:131026`` fails with that code."""
    name, _, code = name.partition(":")
    entry: dict[str, Any] = {
        "id": call.wamid,
        "status": name,
        "timestamp": str(int(time.time())),
        "biz_opaque_callback_data": call.callback,
    }
    if not call.callback:
        del entry["biz_opaque_callback_data"]
    if "to" in call.request:
        entry["recipient_id"] = call.to
    else:
        entry["recipient_user_id"] = call.to
    if name == "sent":
        entry["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": "service",
        }
    if name == "failed":
        entry["errors"] = [
            {
                "code": int(code or 131026),
                "title": "made up",
                "message": "made up",
                "error_data": {"details": "made up"},
            }
        ]
    return entry


def envelope(phone_number_id: str, *statuses: dict[str, Any]) -> dict[str, Any]:
    """A webhook's body round ``statuses``."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "15550000000",
            "phone_number_id": phone_number_id,
        },
        "statuses": list(statuses),
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "100000000000009", "changes": [{"field": "messages", "value": value}]}],
    }


def signed(app_secret: str, body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The bytes of ``body`` as Meta would post them, and the headers."""
    data = json.dumps(body, separators=(",", ":")).encode()
    digest = hmac.digest(app_secret.encode(), data, hashlib.sha256).hex()
    return data, {
        "Content-Type": "application/json",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
