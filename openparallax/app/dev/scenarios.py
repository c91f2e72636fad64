"""Playing scripts, each with an emulator and a daemon of its own, in a folder that goes with it."""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from openparallax.app.dev import telling
from openparallax.app.dev.configuration import Setup, generate, read_own
from openparallax.app.dev.ending import Ending
from openparallax.app.dev.folder import Folder, temporary
from openparallax.app.dev.outside import OF_PROGRAM, of_program, of_settings
from openparallax.app.dev.ports import Wanted, any_port, check
from openparallax.app.dev.raising import HOST, daemon_beside, emulator_for
from openparallax.app.dev.run import BY_OPTION, PORT, Options, ports_of
from openparallax.emulator.scenario import Outcome, Scenario, load, play
from openparallax.errors import ConfigError, StartError
from openparallax.session.notices import SENTENCES


async def play_all(files: Sequence[Path], options: Options, show: Callable[[str], None]) -> int:
    """Play one after the other; 1 if an expectation of any was not met.

    Args:
        files: The scripts.
        options: Ports that are not given are any free ones, but beside somebody else's program,
            which must know where Graph is; the engine is echo where neither they nor the script
            names one, so that the same is said each time and nothing is paid.
        show: Given each line.

    Raises:
        ConfigError: A script, or the configuration, is not in order; nothing has been played then,
            where it can be known before.
        StartError: A daemon does not start, or a port is taken.
    """
    scenarios = [load(file, sentences=SENTENCES) for file in files]
    if options.config is not None:
        _refuse_settings(scenarios)
    if options.bot is not None:
        _refuse_made_secrets()
    with Ending() as ending:
        return await ending.rules(_play_all(scenarios, options, show, ending), lambda: False)


async def _play_all(
    scenarios: Sequence[Scenario], options: Options, show: Callable[[str], None], ending: Ending
) -> int:
    outcomes = [await _play(one, options, show, ending) for one in scenarios]
    return 0 if all(one.ok for one in outcomes) else 1


async def _play(
    scenario: Scenario, options: Options, show: Callable[[str], None], ending: Ending
) -> Outcome:
    # A program must know beforehand where Graph is; the daemon is told.
    port = options.port or (0 if options.bot is None else PORT)
    if port:
        check([Wanted("the page and Graph", HOST, port, BY_OPTION.format("--port"))])
    if options.bot is not None:
        return await _play_beside_program(scenario, options.bot, port, show)
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(temporary())
        setup = _set_up(scenario, folder, options)
        check(ports_of(setup))
        outside = of_settings(setup.settings)
        emulator = await stack.enter_async_context(emulator_for(outside, port))
        # Its log is searched for words that it must not hold, so it is a file in any case.
        folder.begin_log()
        if options.verbose:  # once the daemon has ended, and said all
            stack.callback(lambda: show(folder.log.read_text("utf-8", "replace")))
        child = await stack.enter_async_context(
            daemon_beside(emulator, outside, setup, folder, folder.log, ending)
        )
        await child.begin()
        return await play(
            scenario, emulator, child.side, folder=folder.path, log=folder.log, show=show
        )


async def _play_beside_program(
    scenario: Scenario, url: str, port: int, show: Callable[[str], None]
) -> Outcome:
    async with emulator_for(of_program(url, os.environ), port) as emulator:
        status, is_right = await emulator.delivery.handshake()
        if status == 0:
            raise StartError(
                f"nobody answers at {url}: start the program first, with {emulator.url} as Graph",
                exit_code=1,
            )
        if not is_right:
            show(telling.of_handshake(url, status))
        return await play(scenario, emulator, None, folder=None, log=None, show=show)


def _refuse_made_secrets() -> None:
    """What would be made for one script, the program could not know."""
    missing = [name for name in OF_PROGRAM if not os.environ.get(name)]
    if missing:
        raise ConfigError(
            [f"--bot with --scenario: set {', '.join(missing)} to what the program has"]
        )


def _set_up(scenario: Scenario, folder: Folder, options: Options) -> Setup:
    if options.config is not None:
        return read_own(options.config, folder, os.environ)
    try:
        return generate(
            folder,
            os.environ,
            engine=options.engine or scenario.engine or "echo",
            webhook_port=options.webhook_port or any_port(),
            admin_port=options.admin_port,
            changes=scenario.configuration,
        )
    except ConfigError as error:
        raise ConfigError([f"{scenario.file}: {one}" for one in error.problems]) from None


def _refuse_settings(scenarios: Sequence[Scenario]) -> None:
    problems = [
        f"{one.file}: it has settings or an engine of its own, which do not go with -c"
        for one in scenarios
        if one.configuration or one.engine
    ]
    if problems:
        raise ConfigError(problems)
