"""``openparallax serve``: one house, one process, its signals and its end."""

import asyncio
import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from openparallax import logs
from openparallax.app.hangups import HANGUPS
from openparallax.app.house import SEND_GRACE_S, House
from openparallax.app.inherited import check_sockets, take_sockets
from openparallax.app.keyring import Reread
from openparallax.app.memory import keep_out_of_core_dumps
from openparallax.app.notify import Heartbeat, Notifier, describe, take_watchdog
from openparallax.app.reload import Outcome
from openparallax.clock import Clock, SystemClock
from openparallax.config import Settings
from openparallax.errors import NotStored, StartError
from openparallax.storage import Connection
from openparallax.storage.trouble import advice_on, is_damage

CLOSING_S = 15.0
"""How long the rest of a stop may take, beside draining and sending: requests that are under way,
engines and stages, the file."""


def most_stop_s(settings: Settings) -> float:
    """How long a stop may take, in seconds; whoever kills must wait longer."""
    return settings.conversation.drain_seconds + SEND_GRACE_S + CLOSING_S


def run(settings: Settings, reread: Reread | None = None) -> int:
    """Run the daemon until a signal ends it; return the exit code.

    SIGTERM and SIGINT drain and end it with 0, a second one ends it at once. SIGHUP reloads.

    Args:
        settings: To start with.
        reread: Reads them again; called in a thread.

    Raises:
        StartError: It cannot start; its exit code says which kind of reason.
        ConfigError: An engine or stage could not be made.
    """
    HANGUPS.hold()
    log = logs.configure(level=settings.log.level, render=settings.log.format)
    os.umask(0o077)
    keep_out_of_core_dumps()
    # The watchdog's signal, or a crash in a library, says where it hung: code, and no words.
    faulthandler.enable()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(_serve(settings, reread, log))
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


async def _serve(settings: Settings, reread: Reread | None, log: logs.Logger) -> int:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()

    def end(number: signal.Signals) -> None:
        if ending.is_set():
            os._exit(128 + number)
        log.info("signal_received", signal=number.name)
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    clock = SystemClock()
    notifier = Notifier.take(os.environ, log)
    inherited = take_sockets(os.environ)
    check_sockets(inherited, settings.whatsapp, log)
    house = House(
        settings,
        clock=clock,
        log=log,
        on_progress=notifier.starts_slowly,
        reread=reread,
        inherited=inherited,
    )
    heart = Heartbeat(
        notifier,
        describe=partial(_describe, house, ending, clock),
        touch=lambda: house.database.unit(_nothing),
        watchdog_s=take_watchdog(os.environ),
        clock=clock,
        log=log,
    )
    try:
        await house.start()
    except NotStored as error:
        raise _unusable(settings.storage.path, error) from None
    _calm_the_collector()
    heart.start()
    house.reload.on_reload = heart.reload
    with HANGUPS.leading_to(partial(loop.call_soon_threadsafe, Reloading(house).begin)):
        await ending.wait()
        heart.begin_end(most_stop_s(house.settings))
        await house.stop()
        heart.stop()
    return 0


def _unusable(path: Path, error: NotStored) -> StartError:
    """Damage does not go away by trying again; everything else may."""
    what = advice_on(error.reason) or "try again"
    code = 78 if is_damage(error.reason) else 75
    return StartError(f"storage.url: {path}: {error}; {what}.", exit_code=code)


def _describe(house: House, ending: asyncio.Event, clock: Clock) -> str:
    last_at = house.listener.last_at
    said = describe(
        "stopping" if ending.is_set() else "answering",
        turns=house.dispatcher.running,
        waiting=house.dispatcher.waiting,
        webhook_s=clock.now() - last_at if last_at else None,
    )
    return " · ".join(filter(None, (said, house.reload.note)))


class Reloading:
    """What SIGHUP does: have the configuration read anew."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._tasks: set[asyncio.Task[Outcome]] = set()  # the loop holds tasks weakly

    def begin(self) -> None:
        """Begin; the log says what came of it. One that waits already will read what is new too."""
        if len(self._tasks) > 1:
            return
        task = asyncio.get_running_loop().create_task(self._house.reload.reload("SIGHUP"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _nothing(_connection: Connection) -> None:
    """Write nothing, which the writer does as it does everything else, without the disk."""


def _calm_the_collector() -> None:
    """Look for garbage less often: what waits here is many small live objects and no cycles.

    With the defaults every 700 new objects start a look, and a backlog is looked through again and
    again: pauses of 25 ms while acknowledging.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
