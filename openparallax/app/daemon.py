"""``openparallax serve``: one house, one process, its signals and its end."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable

from openparallax import logs
from openparallax.app.house import House
from openparallax.clock import SystemClock
from openparallax.config import Settings


def run(settings: Settings) -> int:
    """Run the daemon until a signal ends it; return the exit code.

    SIGTERM and SIGINT drain and end it with 0, a second one ends it at once. SIGHUP is logged.

    Raises:
        StartError: It cannot start; its exit code says which kind of reason.
        ConfigError: An engine or stage could not be made.
    """
    log = logs.configure(level=settings.log.level, render=settings.log.format)
    os.umask(0o077)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(_serve(settings, log))
        if asyncio.all_tasks(runner.get_loop()):
            # An engine that does not heed its cancellation must not keep the process: all is
            # stored and closed.
            sys.stderr.flush()
            os._exit(code)
        return code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(settings: Settings, log: logs.Logger) -> int:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()

    def end(number: signal.Signals) -> None:
        if ending.is_set():
            os._exit(128 + number)
        log.info("signal_received", signal=number.name)
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    loop.add_signal_handler(
        signal.SIGHUP,
        lambda: log.warning("reload_ignored", hint="restart to read the configuration anew"),
    )
    house = House(settings, clock=SystemClock(), log=log)
    await house.start()
    _calm_the_collector()
    await ending.wait()
    await house.stop()
    return 0


def _calm_the_collector() -> None:
    """Look for garbage less often: what waits here is many small live objects and no cycles.

    With the defaults every 700 new objects start a look, and a backlog is looked through again and
    again: pauses of 25 ms while acknowledging.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
