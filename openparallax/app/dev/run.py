"""One run of ``openparallax dev``: everything up in order, and down again."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openparallax.app.dev import browser, telling
from openparallax.app.dev.configuration import Setup, default_engine, generate, read_own
from openparallax.app.dev.ending import Ending
from openparallax.app.dev.folder import Folder, place, taken
from openparallax.app.dev.outside import of_program, of_settings
from openparallax.app.dev.ports import Wanted, check
from openparallax.app.dev.raising import HOST, daemon_beside, emulator_for
from openparallax.app.dev.screen import Screen
from openparallax.app.dev.terminal import Terminal
from openparallax.emulator import Emulator
from openparallax.emulator.feed import Change

PORT, WEBHOOK_PORT, ADMIN_PORT = 9445, 9443, 9444
BY_OPTION = "; stop it, or choose another: {} {{port}}"
"""To be filled with the option; a free port is put behind it."""
ECHO_WITHIN_S, ANSWER_WITHIN_S = 20.0, 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for.

    Attributes:
        engine: None: Claude where there is a key, else echo.
        config: A person's own configuration.
        bot: Where somebody else's program listens; then there is no daemon of ours.
        terminal: To be talked with here instead of in a browser.
        port: Of the page and of Graph; None, as of the others: the usual one.
    """

    engine: str | None = None
    config: Path | None = None
    bot: str | None = None
    fresh: bool = False
    browser: bool = True
    terminal: bool = False
    verbose: bool = False
    port: int | None = None
    webhook_port: int | None = None
    admin_port: int | None = None


async def run(options: Options, show: Callable[[str], None]) -> int:
    """Bring everything up, stay until a signal comes, and return the exit code.

    Args:
        options: What was asked for.
        show: Given what stands on the screen.

    Raises:
        StartError: Something is in the way: a port, another run, a daemon that does not start.
        ConfigError: A configuration is not in order.
    """
    with Ending() as ending:
        one = _Run(options, show, ending)
        return await ending.rules(one.work(), is_up=lambda: one.is_up)


class _Run:
    def __init__(self, options: Options, show: Callable[[str], None], ending: Ending) -> None:
        self.is_up = False
        self._options = options
        self._port = options.port or PORT
        self._show = show
        self._ending = ending

    async def work(self) -> int:
        with contextlib.ExitStack() as stack:
            if self._options.terminal:
                screen = stack.enter_context(Screen())
                self._show = screen.note
            else:
                screen = None
            if self._options.bot is not None:
                return await self._beside_program(self._options.bot, screen)
            path = place(os.environ, self._options.config)
            return await self._with_daemon(stack.enter_context(taken(path)), screen)

    async def _beside_program(self, url: str, screen: Screen | None) -> int:
        outside = of_program(url, os.environ)
        check([self._page_port()])
        async with emulator_for(outside, self._port) as emulator:
            page = f"{emulator.url}/"
            self._show(telling.of_program(page, outside))
            await self._shake_hands(emulator)
            return await self._stay(emulator, page, screen, ANSWER_WITHIN_S)

    async def _with_daemon(self, folder: Folder, screen: Screen | None) -> int:
        options = self._options
        if options.fresh:
            folder.empty()
        setup = self._set_up(folder)
        outside = of_settings(setup.settings)
        check([self._page_port(), *ports_of(setup)])
        folder.begin_log()
        log = None if options.verbose else folder.log
        async with (
            emulator_for(outside, self._port) as emulator,
            daemon_beside(emulator, outside, setup, folder, log, self._ending) as child,
        ):
            page = f"{emulator.url}/"
            folder.announce(page)
            await child.begin()
            await self._shake_hands(emulator)
            self._show(telling.of_daemon(page, setup, folder, is_verbose=options.verbose))
            emulator.world.feed.call(self._tell_of_end)
            is_echo = setup.settings.engine.type == "echo"
            within_s = ECHO_WITHIN_S if is_echo else ANSWER_WITHIN_S
            code = await self._stay(emulator, page, screen, within_s)
            if code and log is not None:
                self._show(f"The daemon's log is {log}")
            return code

    def _set_up(self, folder: Folder) -> Setup:
        options = self._options
        if options.config is not None:
            return read_own(options.config, folder, os.environ)
        return generate(
            folder,
            os.environ,
            engine=options.engine or default_engine(os.environ),
            webhook_port=options.webhook_port or WEBHOOK_PORT,
            admin_port=options.admin_port or ADMIN_PORT,
        )

    async def _shake_hands(self, emulator: Emulator) -> None:
        status, is_right = await emulator.delivery.handshake()
        if not is_right:
            self._show(telling.of_handshake(emulator.delivery.url, status))

    async def _stay(
        self, emulator: Emulator, page: str, screen: Screen | None, within_s: float
    ) -> int:
        """Be there until the end is asked for, or until all has been said on the terminal."""
        self.is_up = True
        if screen is not None:
            has_commands = self._options.bot is None
            return await Terminal(emulator, screen, within_s, has_commands=has_commands).talk()
        if self._options.browser:
            browser.open_page(page)
        await self._ending.asked.wait()
        return 0

    def _tell_of_end(self, change: Change) -> None:
        if change["kind"] == "daemon" and change["daemon"]["state"] == "ended":
            self._show(f"{change['daemon']['note']}\nIt is started again on the page.")

    def _page_port(self) -> Wanted:
        return Wanted("the page and Graph", HOST, self._port, BY_OPTION.format("--port"))


def ports_of(setup: Setup) -> list[Wanted]:
    """Those of the daemon."""
    whatsapp, admin = setup.settings.whatsapp, setup.settings.admin
    ways = (BY_OPTION.format("--webhook-port"), BY_OPTION.format("--admin-port"))
    if setup.own is not None:
        ways = (
            f"; stop it, or let channels.whatsapp.webhook_port in {setup.own} be {{port}}",
            f"; stop it, or let admin.port in {setup.own} be {{port}}",
        )
    wanted = [Wanted("the webhook", whatsapp.webhook_host, whatsapp.webhook_port, ways[0])]
    if admin.enabled:
        wanted.append(Wanted("the operator", admin.host, admin.port, ways[1]))
    return wanted
