"""An engine that ends the process each time."""

import asyncio

from openparallax.session.notices import SENTENCES
from tests.app.process import Daemon
from tests.fakes import meta
from tests.town import ANN, BOB


async def test_an_engine_that_asks_the_process_to_end(daemon: Daemon) -> None:
    """A library that calls ``sys.exit`` is a failure of the engine, or at worst a death."""
    running = asyncio.create_task(daemon.keep_running())
    await daemon.deliver(meta.text(ANN, "exit"))
    (said,) = await daemon.hears(ANN, 1)
    await daemon.deliver(meta.text(BOB, "hello"))
    assert await daemon.hears(BOB, 1) == ["hello"]
    running.cancel()
    assert said in (SENTENCES["killed"], SENTENCES["engine_failed"])
    assert len(daemon.codes) <= 3
    assert "Traceback" not in daemon.said
