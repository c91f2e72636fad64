"""Read marks and typing: shown where Graph has the time, and never in anybody's way."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from openparallax.graph import presence
from openparallax.graph.client import GraphClient
from openparallax.graph.presence import MOST_IN_FLIGHT
from openparallax.model.outcomes import Accepted
from tests.fakes.behaviours import Behaviour, cut_before_accepting, error, garbage
from tests.fakes.counts import counted
from tests.fakes.graph import FakeGraph
from tests.graph.conftest import ACCOUNT, Seen, send

Connect = Callable[..., Awaitable[GraphClient]]

WAMID = "wamid.HBgMNDkxNTExMjM0NTY3OBUCABEYEjRB"


async def show(client: GraphClient, *, is_typing: bool = True) -> None:
    await client.show_presence(phone_number_id=ACCOUNT, wamid=WAMID, is_typing=is_typing)


async def test_typing_and_reading(graph: FakeGraph, client: GraphClient, seen: Seen) -> None:
    await show(client)
    await show(client, is_typing=False)
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": WAMID}
    assert graph.reads == [{**read, "typing_indicator": {"type": "text"}}, read]
    assert graph.presence == [(ACCOUNT, WAMID, True), (ACCOUNT, WAMID, False)]
    assert graph.calls == []
    assert counted(seen.metrics) == {"graph_presence.shown": 2}
    assert seen.log.getvalue() == ""


@pytest.mark.parametrize(
    ("mood", "label"),
    [
        (error(190, 401), "refused_190"),
        (error(100, 400, error_subcode=33), "refused_33"),
        (error(131009, 200), "refused_131009"),
        (cut_before_accepting(), "failed"),
        (garbage(b"<html>ok</html>"), "http_200"),
        (garbage(b'{"success": false}'), "http_200"),
        (Behaviour(accepts=False, status=302, answer=b"", location="/elsewhere"), "http_302"),
        (Behaviour(accepts=False, status=502, answer=b"<html>Sorry.</html>"), "http_502"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_failure_is_counted_and_nothing_else(
    graph: FakeGraph, client: GraphClient, seen: Seen, mood: Behaviour, label: str
) -> None:
    graph.presence_mood = mood
    await show(client)
    assert counted(seen.metrics) == {f"graph_presence.{label}": 1}
    assert "presence_not_shown" in seen.log.getvalue()
    assert WAMID not in seen.log.getvalue()
    assert len(graph.reads) == 1
    graph.presence_mood = None
    await show(client)
    assert seen.metrics.value("graph_presence", "shown") == 1


async def test_a_stalled_graph_ends_by_its_own_time(
    graph: FakeGraph, client: GraphClient, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert presence._TIMEOUT.total == 5
    monkeypatch.setattr(presence, "_TIMEOUT", aiohttp.ClientTimeout(total=0.05))
    graph.presence_mood = graph.hang()
    await show(client)
    assert counted(seen.metrics) == {"graph_presence.timeout": 1}


async def test_it_takes_no_place_of_a_sends_and_what_is_too_much_is_dropped(
    graph: FakeGraph, connect: Connect, seen: Seen
) -> None:
    client = await connect(graph.url, max_in_flight=1)
    graph.presence_mood = graph.hang(accepts=True)
    showing = [asyncio.create_task(show(client)) for _ in range(MOST_IN_FLIGHT)]
    await graph._until(lambda: len(graph.reads) == MOST_IN_FLIGHT, 20)
    await show(client)
    assert seen.metrics.value("graph_presence", "dropped") == 1
    assert isinstance(await send(client), Accepted)
    for task in showing[:5]:
        task.cancel()
    await asyncio.gather(*showing[:5], return_exceptions=True)
    assert all(task.cancelled() for task in showing[:5])
    graph.release()
    await asyncio.gather(*showing[5:])
    graph.presence_mood = None
    await show(client)
    assert seen.metrics.value("graph_presence", "shown") == MOST_IN_FLIGHT - 5 + 1


async def test_neither_a_closed_client_nor_nobody_listening_raises(
    graph: FakeGraph, connect: Connect, seen: Seen
) -> None:
    client = await connect(graph.url)
    await graph.stop_listening()
    await show(client)
    await client.close()
    await show(client)
    assert counted(seen.metrics) == {"graph_presence.dropped": 1, "graph_presence.failed": 1}
