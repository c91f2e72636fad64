"""Graph as the daemon sees it, over HTTP on loopback, with every mood that Graph is known to have.

    async with FakeGraph() as graph:
        ...                                    # graph.url is the base address
        await graph.wait_for(2)
        assert graph.bodies("491701234567") == ["hello", "world"]

By default everything well-formed is accepted. `FakeGraph.queue` gives the next calls another
behaviour, `FakeGraph.plan` decides call by call. With `FakeGraph.report_to` the statuses of what
was accepted are posted as signed webhooks, again and again until they are answered with 200, as
Meta does.
"""

import asyncio
import base64
import itertools
import json
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.behaviours import (
    Behaviour,
    Call,
    cut_after_accepting,
    cut_before_accepting,
    error,
    garbage,
    http_500_after_accepting,
    http_500_before_accepting,
    ok,
    slow,
)
from tests.fakes.reports import Reports, envelope, signed, status

__all__ = [
    "Behaviour",
    "Call",
    "FakeGraph",
    "cut_after_accepting",
    "cut_before_accepting",
    "envelope",
    "error",
    "garbage",
    "http_500_after_accepting",
    "http_500_before_accepting",
    "ok",
    "signed",
    "slow",
    "wamid_of",
]


_BUSINESS_SCOPED_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


class FakeGraph:
    """Graph on loopback; all lists may be read and cleared by the test.

    Attributes:
        calls: Every send that arrived, in order of arrival.
        accepted: Those that Graph took, in order: what people have on their phones.
        reads: Bodies of the requests that mark as read or show typing; they are no sends.
        presence: Of those that were well-formed, in order of arrival: phone number id, wamid of the
            contact's message, and whether typing is shown.
        presence_mood: How requests for presence fare; None is well.
        tokens: By phone number id the token that sends for it; empty lets every token in. Another
            token meets 190, another number 33.
        strays: Paths of requests that Graph has no answer for.
        plan: Decides the behaviour of each call that `queue` says nothing about.
    """

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.accepted: list[Call] = []
        self.reads: list[dict[str, Any]] = []
        self.presence: list[tuple[str, str, bool]] = []
        self.presence_mood: Behaviour | None = None
        self.tokens: dict[str, str] = {}
        self.strays: list[str] = []
        self.plan: Callable[[Call], Behaviour] | None = None
        self._queue: deque[Behaviour] = deque()
        self._numbers = itertools.count()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._released = asyncio.Event()
        self._reports: Reports | None = None

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._serve), shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        if self._reports is not None:
            await self._reports.close()
        await self._runner.cleanup()

    # what a test says

    def queue(self, *behaviours: Behaviour) -> None:
        """The next calls, one behaviour each, before `plan` is asked again."""
        self._queue.extend(behaviours)

    def hang(self, *, accepts: bool = False) -> Behaviour:
        """No answer until `release` is called or the fake is closed."""
        return Behaviour(accepts=accepts, waits_for=self._released)

    def release(self) -> None:
        """Answer what hangs; later calls hang again."""
        self._released.set()
        self._released = asyncio.Event()

    def report_to(
        self,
        url: str,
        app_secret: str,
        statuses: Callable[[Call], Sequence[str]] = lambda _: ("sent", "delivered"),
        *,
        pause_s: float = 0.05,
    ) -> None:
        """From now on post the statuses of accepted messages to ``url``, each until it gets 200.

        Args:
            statuses: Which, in this order; ``failed:131026`` is a failure with that code.
            pause_s: Between two tries of one status.

        Said again, as after a restart on another port, it holds for what is under way too.
        """
        if self._reports is None:
            self._reports = Reports(on_change=self._tell)
        self._reports.to(url, app_secret, statuses, pause_s)

    # what a test sees

    def bodies(self, to: str, *, phone_number_id: str | None = None) -> list[str]:
        """The texts that ``to`` really got, in order; from one of our numbers only, if named."""
        return [
            call.body
            for call in self.accepted
            if call.to == to.removeprefix("+") and phone_number_id in (None, call.phone_number_id)
        ]

    async def wait_for(self, count: int, timeout_s: float = 10) -> None:
        """Return once ``count`` messages have been accepted in all; fail loudly after a time."""
        await self._until(lambda: len(self.accepted) >= count, timeout_s)

    async def wait_for_calls(self, count: int, timeout_s: float = 10) -> None:
        """Return once ``count`` sends have arrived in all, accepted or not."""
        await self._until(lambda: len(self.calls) >= count, timeout_s)

    async def reported(self, timeout_s: float = 10) -> None:
        """Return once every status so far has been answered with 200."""
        await self._until(lambda: self._under_way == 0, timeout_s)

    @property
    def _under_way(self) -> int:
        return self._reports.under_way if self._reports is not None else 0

    async def _until(self, is_so: Callable[[], bool], timeout_s: float) -> None:
        if is_so():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((is_so, future))
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            seen = f"{len(self.calls)} calls, {len(self.accepted)} accepted"
            raise AssertionError(
                f"after {timeout_s} s: {seen}, {self._under_way} not reported"
            ) from None

    def _tell(self) -> None:
        for is_so, future in self._waiting:
            if not future.done() and is_so():
                future.set_result(None)
        self._waiting = [(is_so, future) for is_so, future in self._waiting if not future.done()]

    # what Graph does

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        version, phone_number_id, what = ["", "", "", *request.path.split("/")][-3:]
        if request.method != "POST" or what != "messages" or not version.startswith("v"):
            self.strays.append(request.path)
            return _json({"error": {"message": "Unknown path", "code": 2500}}, 404)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            return _json({"error": {"message": "No access token", "code": 190}}, 401)
        try:
            said = json.loads(await request.read())
        except ValueError:
            return _json({"error": {"message": "Not JSON", "code": 100}}, 400)
        if "status" in said:
            return await self._serve_presence(phone_number_id, token, said, request)
        number = next(self._numbers)
        call = Call(
            number=number,
            to=said.get("to", said.get("recipient", "")).removeprefix("+"),
            body=said.get("text", {}).get("body", ""),
            callback=said.get("biz_opaque_callback_data", ""),
            phone_number_id=phone_number_id,
            token=token,
            at=time.monotonic(),
            request=said,
            wamid=wamid_of(number),
            path=request.path,
        )
        return await self._answer(call, request)

    async def _answer(self, call: Call, request: web.BaseRequest) -> web.StreamResponse:
        behaviour = self._behaviour(call)
        self.calls.append(call)
        if behaviour.accepts:
            self.accepted.append(call)
            if self._reports is not None:
                self._reports.tell(call)
        self._tell()
        return await _respond(request, behaviour, _accepted(call))

    async def _serve_presence(
        self, phone_number_id: str, token: str, said: dict[str, Any], request: web.BaseRequest
    ) -> web.StreamResponse:
        self.reads.append(said)
        behaviour = self._refusal(phone_number_id, token) or _fault_of_presence(said)
        if behaviour is None:
            is_typing = "typing_indicator" in said
            self.presence.append((phone_number_id, said["message_id"], is_typing))
        self._tell()
        return await _respond(request, behaviour or self.presence_mood or ok(), {"success": True})

    def _refusal(self, phone_number_id: str, token: str) -> Behaviour | None:
        """What whoever has not the number's token meets."""
        if not self.tokens or self.tokens.get(phone_number_id) == token:
            return None
        if phone_number_id in self.tokens:
            return error(190, 401)
        return error(100, 400, error_subcode=33)

    def _behaviour(self, call: Call) -> Behaviour:
        refusal = self._refusal(call.phone_number_id, call.token)
        if refusal is not None:
            return refusal
        if "to" not in call.request and "recipient" not in call.request:
            return error(131008)
        if "to" not in call.request and not _BUSINESS_SCOPED_ID.fullmatch(call.to):
            return error(131009)
        if not 1 <= len(call.body) <= 4096 or len(call.callback) > 512:
            return error(100)
        if self._queue:
            return self._queue.popleft()
        return self.plan(call) if self.plan is not None else ok()

    # what Meta tells afterwards

    def statuses(self, call: Call, *names: str) -> list[dict[str, Any]]:
        """Entries for ``statuses[]`` of a webhook, as Meta writes them, in this order."""
        return [status(call, name) for name in names]


def wamid_of(number: int) -> str:
    return "wamid.HBg" + base64.b64encode(f"made up {number:012d}".encode()).decode()


async def _respond(
    request: web.BaseRequest, behaviour: Behaviour, good: dict[str, Any]
) -> web.StreamResponse:
    if behaviour.waits_for is not None:
        await behaviour.waits_for.wait()
    if behaviour.cuts:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if behaviour.answer is not None:
        # Graph's error answers do not always say what they are.
        headers = {"Content-Type": "text/javascript; charset=UTF-8"}
        if behaviour.location is not None:
            headers["Location"] = behaviour.location
        return web.Response(status=behaviour.status, body=behaviour.answer, headers=headers)
    if not behaviour.accepts:
        return _json({"error": {"message": "Unknown error", "code": 1}}, 500)
    return _json(good, behaviour.status)


def _fault_of_presence(said: dict[str, Any]) -> Behaviour | None:
    """What Graph has against the body of a request for presence."""
    if said.get("messaging_product") != "whatsapp" or said["status"] != "read":
        return error(100)
    wamid = said.get("message_id")
    if not isinstance(wamid, str) or not wamid.startswith("wamid."):
        return error(131009)
    if said.get("typing_indicator", {"type": "text"}) != {"type": "text"}:
        return error(100)
    unknown = said.keys() - {"messaging_product", "status", "message_id", "typing_indicator"}
    return error(100) if unknown else None


def _accepted(call: Call) -> dict[str, Any]:
    contact = (
        {"input": call.request["to"], "wa_id": call.to}
        if "to" in call.request
        else {"input": call.to, "user_id": call.to}
    )
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": call.wamid}],
    }


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type="application/json"
    )
