"""An emulator, and the daemon beside it: brought up and taken down in order."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator
from pathlib import Path

from openparallax import __version__
from openparallax.app.dev.child import Child, Launch
from openparallax.app.dev.configuration import Setup
from openparallax.app.dev.ending import Ending
from openparallax.app.dev.folder import Folder
from openparallax.app.dev.modes import Modes
from openparallax.app.dev.outside import Outside
from openparallax.emulator import Emulator
from openparallax.errors import StartError

HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def emulator_for(outside: Outside, port: int) -> AsyncIterator[Emulator]:
    """An emulator that listens; 0: at any free port.

    Raises:
        StartError: The port is not to be had (75).
    """
    # A core file would hold words of people, also those off the record; the daemon inherits it.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    emulator = Emulator(account=outside.account, people=outside.people)
    emulator.delivery.url = outside.webhook_url
    emulator.delivery.ssl = outside.certificates
    try:
        await emulator.start(port)
    except OSError as error:
        raise StartError(
            f"cannot listen on {HOST} port {port}: {error.strerror}; choose another with --port",
            exit_code=75,
        ) from None
    try:
        yield emulator
    finally:
        await emulator.close()


@contextlib.asynccontextmanager
async def daemon_beside(
    emulator: Emulator,
    outside: Outside,
    setup: Setup,
    folder: Folder,
    log: Path | None,
    ending: Ending,
) -> AsyncIterator[Child]:
    """A daemon that talks to ``emulator``; not started yet, and gone in the end.

    It goes first, so that what it still sends while it ends arrives.
    """
    child = Child(
        Launch(
            arguments=(*setup.arguments, "--graph-api-url", emulator.url),
            environment=setup.environment,
            health_url=outside.health_url,
            log=log,
            drain_s=setup.settings.conversation.drain_seconds,
        ),
        emulator.world.feed,
        facts={
            "engine": setup.settings.engine.type,
            "version": __version__,
            "folder": str(folder.path),
            "log": str(log) if log is not None else "on the terminal",
        },
        on_up=emulator.delivery.hurry,
    )
    emulator.daemon = child.side
    ending.on_hurry = child.hurry
    asking = asyncio.create_task(Modes(folder.database, emulator.world, child.side).run())
    try:
        async with child:
            yield child
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
