"""Many sends at once: waiting for a connection is not silence of Graph's."""

import asyncio
from collections.abc import Awaitable, Callable

from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import Accepted, Unanswered
from tests.fakes.behaviours import Behaviour
from tests.fakes.graph import Call, FakeGraph, ok
from tests.graph.conftest import send

Connect = Callable[..., Awaitable[GraphClient]]


async def test_200_at_once_through_20_connections_lose_nothing(
    graph: FakeGraph, connect: Connect
) -> None:
    """Each wave takes 0.17 s, ten of them more than the timeout of 1.5 s that each send has."""
    client = await connect(graph.url, timeout_s=1.5, max_in_flight=20)
    in_flight = most = 0
    loop = asyncio.get_running_loop()

    def plan(_: Call) -> Behaviour:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        answer = asyncio.Event()

        def release() -> None:
            nonlocal in_flight
            in_flight -= 1
            answer.set()

        loop.call_later(0.17, release)
        return Behaviour(waits_for=answer)

    graph.plan = plan
    bodies = [f"message {n}" for n in range(200)]
    outcomes = await asyncio.gather(*(send(client, body) for body in bodies))
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 200
    assert sorted(call.body for call in graph.accepted) == sorted(bodies)
    assert most == 20


async def test_hanging_sends_free_their_places(graph: FakeGraph, connect: Connect) -> None:
    client = await connect(graph.url, timeout_s=0.8, max_in_flight=5)
    graph.queue(*[graph.hang() for _ in range(5)])
    outcomes = await asyncio.gather(*(send(client) for _ in range(20)))
    assert outcomes[:5] == [Unanswered("timeout")] * 5
    assert all(isinstance(outcome, Accepted) for outcome in outcomes[5:])


async def test_cancelled_sends_free_their_places(graph: FakeGraph, connect: Connect) -> None:
    client = await connect(graph.url, max_in_flight=5)
    graph.queue(*[graph.hang() for _ in range(5)])
    tasks = [asyncio.create_task(send(client)) for _ in range(20)]
    await graph.wait_for_calls(5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    graph.plan = lambda _: ok()
    assert isinstance(await send(client), Accepted)
