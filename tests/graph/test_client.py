"""Every outcome over real HTTP, against the fake Graph."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from openparallax import logs
from openparallax.errors import ConfigError
from openparallax.graph.answers import MAX_ANSWER_BYTES
from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import (
    Accepted,
    ErrorClass,
    NotSent,
    Outcome,
    Refused,
    Unanswered,
)
from tests.fakes.counts import counted
from tests.fakes.graph import (
    Behaviour,
    FakeGraph,
    cut_after_accepting,
    cut_before_accepting,
    error,
    garbage,
    http_500_after_accepting,
    slow,
)
from tests.graph.conftest import ACCOUNT, TO, Seen, send

Connect = Callable[..., Awaitable[GraphClient]]


async def test_accepted(graph: FakeGraph, client: GraphClient) -> None:
    outcome = await send(client, "Grüße 🌍\n*bold*")
    assert outcome == Accepted(graph.accepted[0].wamid, TO)
    (call,) = graph.calls
    assert call.request == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+{TO}",
        "type": "text",
        "text": {"body": "Grüße 🌍\n*bold*"},
        "biz_opaque_callback_data": "t0ken",
    }
    assert call.path == f"/v25.0/{ACCOUNT}/messages"
    assert call.token == "EAAtoken"


@pytest.mark.parametrize("to", ["US.13491208655302741918", "DE.ENT.aB3"])
async def test_a_business_scoped_id_goes_into_recipient(
    graph: FakeGraph, client: GraphClient, to: str
) -> None:
    assert await send(client, to=to) == Accepted(wamid=graph.accepted[0].wamid, wa_id=None)
    assert graph.calls[0].request["recipient"] == to
    assert "to" not in graph.calls[0].request


async def test_a_plus_is_not_doubled(graph: FakeGraph, client: GraphClient) -> None:
    await send(client, to=f"+{TO}")
    assert graph.calls[0].request["to"] == f"+{TO}"


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_address_may_carry_a_prefix(
    graph: FakeGraph, connect: Connect, slash: str
) -> None:
    client = await connect(f"{graph.url}/meta/graph{slash}")
    assert isinstance(await send(client), Accepted)
    assert graph.calls[0].path == f"/meta/graph/v25.0/{ACCOUNT}/messages"


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (error(190, 401), Refused(190, ErrorClass.ACCOUNT, "AbCdEfTrace")),
        (error(131047), Refused(131047, ErrorClass.WINDOW, "AbCdEfTrace")),
        (error(130429, 429), Refused(130429, ErrorClass.SLOW, "AbCdEfTrace")),
        (error(131056), Refused(131056, ErrorClass.SLOW, "AbCdEfTrace")),
        (error(131026), Refused(131026, ErrorClass.RECIPIENT, "AbCdEfTrace")),
        (error(100), Refused(100, ErrorClass.OURS, "AbCdEfTrace")),
        (error(100, error_subcode=33), Refused(33, ErrorClass.ACCOUNT, "AbCdEfTrace")),
        (error(131000, 500), Refused(131000, ErrorClass.AMBIGUOUS, "AbCdEfTrace")),
        (error(190, 500), Refused(190, ErrorClass.ACCOUNT, "AbCdEfTrace")),
        (error(131047, 200), Refused(131047, ErrorClass.WINDOW, "AbCdEfTrace")),
        (error(777777, 503), Refused(777777, ErrorClass.AMBIGUOUS, "AbCdEfTrace")),
        (error(777777, 400), Refused(777777, ErrorClass.OURS, "AbCdEfTrace")),
        (error(190, 401, fbtrace_id=None), Refused(190, ErrorClass.ACCOUNT)),
        (error(190, 401, fbtrace_id="two words"), Refused(190, ErrorClass.ACCOUNT)),
        (error(190, 401, fbtrace_id="x" * 65), Refused(190, ErrorClass.ACCOUNT)),
        (error(1, code="190"), Refused(190, ErrorClass.ACCOUNT, "AbCdEfTrace")),
        (error(1, code=True), Refused(None, ErrorClass.OURS, "AbCdEfTrace")),
        (error(1, code=10**30), Refused(None, ErrorClass.OURS, "AbCdEfTrace")),
        (error(1, code=[190]), Refused(None, ErrorClass.OURS, "AbCdEfTrace")),
        (error(1, 500, code=None), Unanswered("http_500")),
    ],
)
async def test_error_answers(
    graph: FakeGraph, client: GraphClient, behaviour: Behaviour, outcome: Outcome
) -> None:
    graph.queue(behaviour)
    assert await send(client) == outcome
    assert len(graph.calls) == 1


@pytest.mark.parametrize("body", [b"<html>Forbidden</html>", b"", b'{"error": "no"}', b"[]"])
@pytest.mark.parametrize(
    ("http_status", "outcome"),
    [
        (302, Refused(None, ErrorClass.ACCOUNT)),
        (400, Refused(None, ErrorClass.OURS)),
        (403, Refused(None, ErrorClass.ACCOUNT)),
        (404, Refused(None, ErrorClass.ACCOUNT)),
        (429, Refused(None, ErrorClass.SLOW)),
        (502, Unanswered("http_502")),
        (504, Unanswered("http_504")),
        (202, Unanswered("http_202")),
    ],
)
async def test_answers_of_what_stands_in_front_of_graph(
    graph: FakeGraph, client: GraphClient, http_status: int, outcome: Outcome, body: bytes
) -> None:
    graph.queue(Behaviour(accepts=False, status=http_status, answer=body))
    assert await send(client) == outcome


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>ok</html>", "unreadable_answer"),
        (b"", "unreadable_answer"),
        (b"\xff\xfe\x00", "unreadable_answer"),
        (b"[" * 100_000, "unreadable_answer"),
        (b"[1]", "unreadable_answer"),
        (b'{"messages": [{"id": "wamid.cut', "unreadable_answer"),
        (b'{"messaging_product": "whatsapp"}', "no_message_id"),
        (b'{"messages": []}', "no_message_id"),
        (b'{"messages": [{"id": ""}]}', "no_message_id"),
        (b'{"messages": [{"id": 7}]}', "no_message_id"),
        (b'{"messages": {"id": "x"}}', "no_message_id"),
        (b'{"messages": [["x"]]}', "no_message_id"),
        (b'"' + b"x" * MAX_ANSWER_BYTES + b'"', "unreadable_answer"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_200_that_says_nothing_leaves_it_open(
    graph: FakeGraph, client: GraphClient, body: bytes, reason: str
) -> None:
    graph.queue(garbage(body))
    assert await send(client) == Unanswered(reason)
    assert isinstance(await send(client), Accepted)


async def test_an_id_is_enough(graph: FakeGraph, client: GraphClient) -> None:
    graph.queue(
        garbage(json.dumps({"messages": [{"id": "wamid.x"}], "contacts": [{"wa_id": 7}]}).encode())
    )
    assert await send(client) == Accepted("wamid.x", None)


@pytest.mark.parametrize("cut", [cut_after_accepting(), cut_before_accepting()])
async def test_a_cut_connection_is_not_an_answer_and_nothing_is_repeated(
    graph: FakeGraph, client: GraphClient, cut: Behaviour
) -> None:
    await send(client, "so that the connection is one used before")
    graph.queue(cut)
    outcome = await send(client)
    assert isinstance(outcome, Unanswered)
    assert outcome.reason in {"ServerDisconnectedError", "ClientOSError"}
    assert len(graph.calls) == 2
    assert len(graph.accepted) == 1 + cut.accepts


async def test_a_500_after_accepting(graph: FakeGraph, client: GraphClient) -> None:
    graph.queue(http_500_after_accepting())
    assert await send(client) == Unanswered("http_500")
    assert graph.bodies(TO) == ["hello"]


async def test_silence_ends_after_the_timeout(graph: FakeGraph, connect: Connect) -> None:
    client = await connect(graph.url, timeout_s=0.6)
    graph.queue(graph.hang(accepts=True))
    assert await send(client) == Unanswered("timeout")
    assert isinstance(await send(client), Accepted)


async def test_a_redirect_is_not_followed(graph: FakeGraph, client: GraphClient) -> None:
    graph.queue(Behaviour(accepts=False, status=307, answer=b"", location=f"{graph.url}/elsewhere"))
    assert await send(client) == Refused(None, ErrorClass.ACCOUNT)
    assert len(graph.calls) == 1
    assert graph.strays == []


async def test_lone_surrogates_do_not_raise(graph: FakeGraph, client: GraphClient) -> None:
    outcome = await send(client, "half an emoji \ud83d")
    assert isinstance(outcome, Refused)
    assert outcome.code == 100


async def test_cancelling_is_the_only_thing_that_comes_through(
    graph: FakeGraph, client: GraphClient
) -> None:
    graph.queue(graph.hang())
    task = asyncio.create_task(send(client))
    await graph.wait_for_calls(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(await send(client), Accepted)


async def test_closed(graph: FakeGraph, client: GraphClient) -> None:
    await client.open()
    await send(client)
    await client.close()
    await client.close()
    assert await send(client) == NotSent("client_closed")
    assert len(graph.calls) == 1


async def test_closing_ends_what_is_in_flight(graph: FakeGraph, client: GraphClient) -> None:
    answer = asyncio.Event()
    graph.queue(slow(answer))
    task = asyncio.create_task(send(client))
    await graph.wait_for_calls(1)
    await client.close()
    assert isinstance(await task, Unanswered)
    answer.set()


async def test_what_cannot_be_foreseen_is_no_exception_either(
    client: GraphClient, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("quotes hello")

    monkeypatch.setattr("openparallax.graph.client.outcome_of", broken)
    assert await send(client) == Unanswered("RuntimeError")
    assert "send_broke" in seen.log.getvalue()
    assert "hello" not in seen.log.getvalue()


async def test_outcomes_are_counted(graph: FakeGraph, client: GraphClient, seen: Seen) -> None:
    graph.queue(error(190), error(190), http_500_after_accepting())
    for _ in range(4):
        await send(client)
    await client.close()
    await send(client)
    assert counted(seen.metrics) == {
        "graph_send.accepted": 1,
        "graph_send.not_sent": 1,
        "graph_send.refused_190": 2,
        "graph_send.unanswered": 1,
    }


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"access_token": "canary\n"}, "access_token"),
        ({"access_token": "two canary"}, "access_token"),
        ({"access_token": "canäry"}, "access_token"),
        ({"access_token": ""}, "access_token"),
        ({"version": "25"}, "graph_api_version"),
        ({"version": "v25.0/.."}, "graph_api_version"),
        ({"base_url": "graph.facebook.com"}, "graph_api_url"),
        ({"base_url": "ftp://graph.facebook.com"}, "graph_api_url"),
        ({"base_url": "https://"}, "graph_api_url"),
        ({"base_url": "https://host:port"}, "graph_api_url"),
        ({"base_url": "https://user:canary@host"}, "graph_api_url"),
        ({"base_url": "https://host/?x=1"}, "graph_api_url"),
    ],
)
def test_what_cannot_work_is_said_at_once(wrong: dict[str, str], key: str, seen: Seen) -> None:
    with pytest.raises(ConfigError, match=key) as raised:
        _client(seen, **wrong)
    assert "canary" not in str(raised.value)


def test_all_that_is_wrong_is_said_together(seen: Seen) -> None:
    with pytest.raises(ConfigError) as raised:
        _client(seen, base_url="", version="", access_token="")
    assert len(raised.value.problems) == 3


def _client(seen: Seen, **settings: str) -> GraphClient:
    usable = {
        "base_url": "https://graph.facebook.com",
        "version": "v25.0",
        "access_token": "EAAtoken",
    }
    return GraphClient(
        timeout_s=1,
        max_in_flight=1,
        log=logs.configure(stream=seen.log),
        metrics=seen.metrics,
        **(usable | settings),
    )
