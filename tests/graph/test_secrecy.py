"""Nothing that goes out to Graph comes back by another way: log, outcome, counters, handlers."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from openparallax import logs
from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import Accepted
from tests.fakes.counts import counted
from tests.fakes.graph import (
    FakeGraph,
    cut_after_accepting,
    cut_before_accepting,
    error,
    garbage,
    http_500_after_accepting,
)
from tests.graph.conftest import ACCOUNT, Seen

Connect = Callable[..., Awaitable[GraphClient]]

TOKEN = "EAAcanaryTOKEN"
BODY = "canary words of an engine"
TO = "4915550123456"
CALLBACK = "c0ffeec0ffeec0ffee"


async def test_a_canary_goes_through_every_failure(
    graph: FakeGraph, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    handled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: handled.append(context))
    said: list[str] = []
    told = {"message": f"{BODY} {TO} {TOKEN}", "code": BODY, "fbtrace_id": BODY}
    echo = json.dumps({"error": told}).encode()
    with socket.socket() as bound, caplog.at_level(logging.DEBUG):
        bound.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{bound.getsockname()[1]}"
        for url in (graph.url, f"http://{nobody}", graph.url.replace("http:", "https:")):
            client = _client(url, seen)
            await client.open()
            graph.queue(
                cut_after_accepting(),
                cut_before_accepting(),
                http_500_after_accepting(),
                garbage(BODY.encode()),
                garbage(echo, 400),
                garbage(echo, 500),
                error(190, 401, message=f"{BODY} {TOKEN}"),
                graph.hang(),
            )
            for _ in range(8):
                outcome = await client.send_text(
                    phone_number_id=ACCOUNT, to=TO, body=BODY, token=CALLBACK
                )
                assert not isinstance(outcome, Accepted)
                graph.presence_mood = garbage(echo, 400)
                await client.show_presence(
                    phone_number_id=ACCOUNT, wamid=f"wamid.{TO}", is_typing=True
                )
                said.append(repr(outcome))
            await client.close()
            said.append(repr(client))
    said += [seen.log.getvalue(), caplog.text, repr(handled), repr(counted(seen.metrics))]
    everything = "\n".join(said)
    for secret in (TOKEN, BODY, "canary", TO, "15550123", CALLBACK, nobody):
        assert secret not in everything
    assert "ServerDisconnectedError" in everything
    assert "ClientConnectorError" in everything


def _client(url: str, seen: Seen) -> GraphClient:
    return GraphClient(
        base_url=url,
        version="v25.0",
        access_token=TOKEN,
        timeout_s=0.4,
        max_in_flight=5,
        log=logs.configure(level="debug", render="json", stream=seen.log),
        metrics=seen.metrics,
    )
