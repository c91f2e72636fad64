"""An engine that kills the process with each answer: real deaths, three of them.

In the suite the same is played inside of one process: tests/flow/test_restart.py.
"""

import asyncio
import signal

from openparallax.session.notices import SENTENCES
from tests.app.patience import until
from tests.app.process import in_order
from tests.fakes import meta
from tests.faults.daemon import Daemon
from tests.town import ANN, BOB

CID, DAN = "4915100000003", "4915100000004"


async def test_three_deaths_then_the_apology_and_nobody_else_pays(daemon: Daemon) -> None:
    running = asyncio.create_task(daemon.keep_running())
    await daemon.deliver(meta.text(CID, "slow before"))
    await daemon.deliver(meta.text(ANN, "kill"), meta.text(DAN, "slow beside"))
    for n in range(5):
        await daemon.deliver(meta.text(BOB, f"meanwhile {n}"))
    assert await daemon.hears(ANN, 1) == [SENTENCES["killed"]]
    # Who was answered in the moment of a death may be answered again.
    assert in_order(await daemon.hears(CID, 1)) == ["slow before"]
    assert in_order(await daemon.hears(DAN, 1)) == ["slow beside"]
    await daemon.deliver(meta.text(ANN, "better now"))
    assert await daemon.hears(ANN, 2) == [SENTENCES["killed"], "better now"]
    wanted = [f"meanwhile {n}" for n in range(5)]
    await until(lambda: in_order(daemon.graph.bodies(BOB)) == wanted)
    running.cancel()
    assert daemon.codes == [-signal.SIGKILL] * 3
    apologies = [call for call in daemon.graph.accepted if call.body == SENTENCES["killed"]]
    assert [call.to for call in apologies] == [ANN]
