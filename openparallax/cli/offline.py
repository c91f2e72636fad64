"""The file itself, for commands that need no daemon: opened, asked and closed again."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from openparallax.cli import control
from openparallax.errors import ConfigError, Refusal

if TYPE_CHECKING:
    from openparallax.app.operator import Operator
    from openparallax.logs import Logger
    from openparallax.storage import Database

T = TypeVar("T")
_ANSWER_S = {"forget": 900.0}
"""What takes longer: every word is overwritten, in the copies too."""


def ask(config: Path | None, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the running daemon, or else the file itself.

    Raises:
        ConfigError: The configuration cannot be read.
        Refusal: It was not done.
        StartError: The file cannot be used.
    """
    database = control.database_of(config)
    daemon = control.daemon_of(database)
    if daemon is not None:
        return control.ask(daemon, name, asked, answer_s=_ANSWER_S.get(name, control.ANSWER_S))

    async def work(operator: "Operator") -> dict[str, Any]:
        found: dict[str, Any] = await operator.controls()[name](asked)
        return found

    return on_file(database, work)


def on_file(database: Path, work: "Callable[[Operator], Awaitable[T]]") -> T:
    """Open ``database``, which nobody else may use meanwhile, and work with it.

    A file of an older version is brought up to date by that, as the daemon would do.

    Raises:
        Refusal: There is no such file, or the work was refused.
        StartError: It cannot be used.
    """
    import asyncio  # noqa: PLC0415 - --help need not wait for all of these

    from openparallax import logs  # noqa: PLC0415
    from openparallax.app.operator import Operator  # noqa: PLC0415
    from openparallax.clock import SystemClock  # noqa: PLC0415

    log = logs.configure(level="error")

    async def with_operator(opened: "Database") -> T:
        return await work(Operator(opened, clock=SystemClock(), log=log))

    return asyncio.run(_opened(database, with_operator, log))


def why(config: Path | None, database: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What became of somebody's messages, as far as the file knows; see `on_file`."""
    import asyncio  # noqa: PLC0415 - --help need not wait for all of these

    from openparallax import logs  # noqa: PLC0415
    from openparallax.app.why.asking import Why  # noqa: PLC0415
    from openparallax.cli.daemon import load_settings  # noqa: PLC0415
    from openparallax.clock import SystemClock  # noqa: PLC0415

    try:
        settings = load_settings(config)
    except ConfigError:
        settings = None  # a secret may be missing here, and most can be said without

    async def work(opened: "Database") -> dict[str, Any]:
        asking = Why(opened, settings=lambda: settings, condition=None, clock=SystemClock())
        return await asking.answer(asked)

    return asyncio.run(_opened(database, work, logs.configure(level="error")))


async def _opened(database: Path, work: "Callable[[Database], Awaitable[T]]", log: "Logger") -> T:
    from openparallax.storage import Database  # noqa: PLC0415 - --help need not wait for it

    must_be_there(database)
    opened = Database(database, log=log)
    await opened.open()
    try:
        return await work(opened)
    finally:
        await opened.close()


def must_be_there(database: Path) -> None:
    """See that there is a file, since opening one would make it.

    Raises:
        Refusal: There is none.
    """
    try:
        is_there = database.exists()
    except OSError as error:
        raise Refusal(
            f"{database} cannot be looked at: {error.strerror}. "
            "Ask as the user whose daemon it is, or as root."
        ) from None
    if not is_there:
        raise Refusal(
            f"there is no database at {database}: no daemon has run yet, or its configuration is "
            "another one (-c FILE)."
        )
