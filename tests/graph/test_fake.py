"""The fake Graph keeps what it promises to the flow tests."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import Accepted, ErrorClass, Outcome, Refused
from tests.fakes.graph import FakeGraph, cut_after_accepting, error
from tests.graph.conftest import ACCOUNT, TO, send

SECRET = "app secret"
TEXT = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "hello"}}


class Webhook:
    """Notes what is posted to it; answers 503 as often as it is told."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tries = 0
        self.bodies: list[Any] = []

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        data = await request.read()
        digest = hmac.new(SECRET.encode(), data, hashlib.sha256).hexdigest()
        assert request.headers["X-Hub-Signature-256"] == f"sha256={digest}"
        self.tries += 1
        if self.tries <= self.failures:
            return web.Response(status=503)
        self.bodies.append(json.loads(data))
        return web.Response()


async def test_statuses_are_posted_until_they_are_taken(
    graph: FakeGraph, client: GraphClient
) -> None:
    webhook = Webhook(failures=3)
    server = web.ServerRunner(web.Server(webhook))
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    host, port = server.addresses[0][:2]
    graph.report_to(
        f"http://{host}:{port}/webhook",
        SECRET,
        lambda call: ["failed:131026"] if call.body == "b" else ["sent", "read"],
        pause_s=0.01,
    )
    graph.queue(cut_after_accepting())
    await send(client, "a")
    await send(client, "b")
    await graph.reported()
    await server.cleanup()
    assert webhook.tries == 6
    values = [body["entry"][0]["changes"][0]["value"] for body in webhook.bodies]
    assert all(value["metadata"]["phone_number_id"] == ACCOUNT for value in values)
    told = [status for value in values for status in value["statuses"]]
    by_wamid = {
        call.wamid: [
            (s["status"], s["biz_opaque_callback_data"]) for s in told if s["id"] == call.wamid
        ]
        for call in graph.accepted
    }
    first, second = graph.accepted
    assert by_wamid == {
        first.wamid: [("sent", "t0ken"), ("read", "t0ken")],
        second.wamid: [("failed", "t0ken")],
    }
    (failed,) = [s for s in told if s["status"] == "failed"]
    assert failed["errors"][0]["code"] == 131026


async def test_refused_messages_are_calls_and_not_accepted(
    graph: FakeGraph, client: GraphClient
) -> None:
    graph.queue(error(131026))
    graph.plan = lambda call: error(190) if call.body == "b" else graph.hang(accepts=True)
    await send(client, "a")
    await send(client, "b")
    task = asyncio.create_task(send(client, "c"))
    await graph.wait_for(1)
    assert not task.done()
    graph.release()
    await task
    assert [call.body for call in graph.calls] == ["a", "b", "c"]
    assert graph.bodies(f"+{TO}") == ["c"]


async def test_waiting_in_vain_fails_with_what_was_seen(
    graph: FakeGraph, client: GraphClient
) -> None:
    await send(client)
    with pytest.raises(AssertionError, match="1 calls, 1 accepted"):
        await graph.wait_for(2, timeout_s=0.05)


async def test_it_asks_what_graph_asks(graph: FakeGraph) -> None:
    url = f"{graph.url}/v25.0/{ACCOUNT}/messages"
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}
    nobody = {**TEXT, "recipient": "491701234567"}
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json={}) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (401, 190)
        session.headers["Authorization"] = "Bearer x"
        async with session.post(url, json=read) as answer:
            assert await answer.json() == {"success": True}
        for wrong, code in (({}, 100), ({**read, "to": "+1"}, 100), (nobody, 131009)):
            async with session.post(url, json=wrong) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (400, code)
    assert graph.presence == [(ACCOUNT, "wamid.1", False)]
    assert graph.accepted == []


async def test_whose_number_a_message_came_from_is_seen_and_its_token_asked(
    graph: FakeGraph, connect: Callable[..., Awaitable[GraphClient]]
) -> None:
    graph.tokens = {ACCOUNT: "EAAone", "100000000000002": "EAAtwo"}
    one, two = await connect(graph.url, token="EAAone"), await connect(graph.url, token="EAAtwo")

    async def say(client: GraphClient, account: str) -> Outcome:
        await client.show_presence(phone_number_id=account, wamid="wamid.1", is_typing=False)
        return await client.send_text(phone_number_id=account, to=TO, body="hello", token="t")

    assert isinstance(await say(one, ACCOUNT), Accepted)
    assert isinstance(await say(two, "100000000000002"), Accepted)
    of_another, of_nobody = await say(two, ACCOUNT), await say(one, "3")
    assert isinstance(of_another, Refused)
    assert (of_another.code, of_another.error_class) == (200, ErrorClass.ACCOUNT)
    assert isinstance(of_nobody, Refused)
    assert (of_nobody.code, of_nobody.error_class) == (33, ErrorClass.ACCOUNT)
    assert [(call.phone_number_id, call.token) for call in graph.accepted] == [
        (ACCOUNT, "EAAone"),
        ("100000000000002", "EAAtwo"),
    ]
    assert graph.bodies(TO) == ["hello", "hello"]
    assert graph.bodies(TO, phone_number_id=ACCOUNT) == ["hello"]
    assert [shown[0] for shown in graph.presence] == [ACCOUNT, "100000000000002"]


async def test_a_business_scoped_id_is_answered_without_a_number(graph: FakeGraph) -> None:
    url = f"{graph.url}/v25.0/{ACCOUNT}/messages"
    said = {**TEXT, "recipient": "US.13491208655302741918"}
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session,
        session.post(url, json=said) as answer,
    ):
        (contact,) = (await answer.json())["contacts"]
    assert contact == {
        "input": "US.13491208655302741918",
        "user_id": "US.13491208655302741918",
    }
    (sent,) = graph.statuses(graph.accepted[0], "sent")
    assert sent["recipient_user_id"] == "US.13491208655302741918"
    assert "recipient_id" not in sent
