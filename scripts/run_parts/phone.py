"""A contact's phone with WhatsApp round it: posts what is typed, shows what is sent."""

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import re
import threading
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web

from run_parts.screen import Screen
from run_parts.trial import CONTACT, DISPLAY_PHONE_NUMBER, PHONE_NUMBER_ID, Trial

T = TypeVar("T")

_MOMENT_S = 0.5
_QUIET_S = 0.3
_SETTLE_WITHIN_S = 5.0
# These are answered twice: the command, and the words behind it.
_COMMAND_WITH_WORDS = re.compile(r"\s*/(new\s+\S|otr\s+(?!off\s*$)\S)", re.IGNORECASE)


class Phone:
    """Runs in a thread of its own; the methods without underscore are called from the main one."""

    def __init__(self, trial: Trial, screen: Screen) -> None:
        self._trial = trial
        self._screen = screen
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._ids = itertools.count(time.time_ns())
        self._received = 0
        self._reports: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def say(self, text: str) -> str:
        """Post one message and wait for an answer a moment; returns what went wrong, or "".

        The moment is for the eye: what answers at once stands above the next prompt.
        """
        return self._run(self._ask(text, _MOMENT_S))[0]

    def ask(self, text: str, within_s: float) -> str:
        """Post one message and wait for its answer; returns what went wrong, or ""."""
        problem, is_answered = self._run(self._ask(text, within_s))
        if problem or is_answered:
            return problem
        return f"No answer came within {within_s:.0f} s. See {self._trial.log}"

    def settle(self) -> None:
        """Wait, a short while, until nothing more comes and all statuses have been posted."""
        self._run(self._settle())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # the contact

    async def _ask(self, text: str, within_s: float) -> tuple[str, bool]:
        wanted = self._received + (2 if _COMMAND_WITH_WORDS.match(text) else 1)
        if problem := await self._post_message(text):
            return problem, False
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: self._received >= wanted)
        except TimeoutError:
            return "", False
        return "", True

    async def _settle(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_WITHIN_S):
                before = -1
                while self._reports or self._received != before:
                    before = self._received
                    await asyncio.sleep(_QUIET_S)

    async def _post_message(self, text: str) -> str:
        message = {
            "from": CONTACT,
            "id": f"wamid.run{next(self._ids)}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": text},
        }
        contact = {"profile": {"name": "You"}, "wa_id": CONTACT}
        status = await self._post({"contacts": [contact], "messages": [message]})
        if status == 200:
            return ""
        said = f"answered {status}" if status else "did not answer"
        return f"The daemon {said}: this message was not taken. See {self._trial.log}"

    # Meta

    async def _open(self) -> None:
        self._changed = asyncio.Condition()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        self._runner = web.ServerRunner(web.Server(self._serve), shutdown_timeout=1)
        await self._runner.setup()
        await web.SockSite(self._runner, self._trial.graph).start()

    async def _close(self) -> None:
        await self._runner.cleanup()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._session.close()

    async def _post(self, value: dict[str, Any]) -> int:
        """Post one signed webhook; returns the HTTP status, 0 where there was no answer."""
        value = {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": DISPLAY_PHONE_NUMBER,
                "phone_number_id": PHONE_NUMBER_ID,
            },
            **value,
        }
        change = {"field": "messages", "value": value}
        body = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "100000000000009", "changes": [change]}],
        }
        data = json.dumps(body).encode()
        digest = hmac.digest(self._trial.app_secret.encode(), data, hashlib.sha256).hex()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}
        try:
            async with self._session.post(
                self._trial.webhook_url, data=data, headers=headers
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        said = json.loads(await request.read() or b"{}")
        if said.get("status") == "read":
            return web.json_response({"success": True})
        if said.get("type") != "text":
            error = {"message": "The stand-in knows texts only", "code": 131051}
            return web.json_response({"error": error}, status=400)
        wamid = f"wamid.run{next(self._ids)}"
        to = said.get("to", "").removeprefix("+")
        self._screen.bot(said["text"]["body"], to="" if to == CONTACT else f"(to {to}) ")
        report = asyncio.create_task(self._report(wamid, to, said.get("biz_opaque_callback_data")))
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)
        async with self._changed:
            self._received += 1
            self._changed.notify_all()
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": f"+{to}", "wa_id": to}],
                "messages": [{"id": wamid}],
            }
        )

    async def _report(self, wamid: str, to: str, callback: str | None) -> None:
        """Post the statuses of a message, each again and again until it is taken."""
        for name in ("sent", "delivered", "read"):
            status = {
                "id": wamid,
                "status": name,
                "timestamp": str(int(time.time())),
                "recipient_id": to,
            }
            if callback is not None:
                status["biz_opaque_callback_data"] = callback
            for wait_s in (0.2, 0.5, 1, 2, 5, 10):
                if await self._post({"statuses": [status]}) == 200:
                    break
                await asyncio.sleep(wait_s)
