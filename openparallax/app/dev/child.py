"""The daemon as a child process, and the promise that it does not outlive this one."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import aiohttp

from openparallax.app.dev.leash import leashed
from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.feed import Feed
from openparallax.errors import StartError

START_WITHIN_S = 30.0
"""How long the daemon may take until it answers."""
CLOSING_S = 30.0
"""How long it may take to end, beside draining, before it is killed."""
LAST_LINES = 15
PASSED_ON = frozenset({75, 78})
_LOOK_EVERY_S = 0.02
_MOST_OF_LOG = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What the daemon is started with.

    Attributes:
        arguments: Behind ``openparallax serve``.
        environment: All of it; the secrets are here and nowhere else.
        health_url: Answers 200 once it listens.
        log: Where its standard error goes, made readable for its owner only; None: to ours.
        drain_s: How long its turns may take to end.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    health_url: str
    log: Path | None
    drain_s: float = 5.0


class Child:
    """One daemon after the other, each the same.

    To be used as an async context, which ends with no daemon left. `side` is what the emulator's
    page is told and may ask.
    """

    def __init__(
        self,
        launch: Launch,
        feed: Feed,
        *,
        facts: Mapping[str, str] | None = None,
        on_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.launch = launch
        self.side = DaemonSide(kill=self.kill, stop=self.stop, start=self.start, feed=feed)
        self.side.facts = dict(facts or {})
        self.ended = asyncio.Event()
        """Set while the last daemon is one that ended by itself."""
        self.code: int | None = None
        """What the last one ended with; below 0 the signal that killed it."""
        self._on_up = on_up
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._is_ordered = False
        self._is_hurried = False
        self._log_from = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._starting is not None and not self._starting.done():
                self._starting.cancel()
                await asyncio.wait([self._starting])
            await self.stop()
        finally:
            if self._process is not None:  # cancelled while it took its time
                await self.kill()

    # what may be asked of it, in any order and at any time

    async def start(self) -> None:
        """Start it, and return when it answers; one that runs or starts is left alone.

        Raises:
            OSError: It ended, or does not answer; the message is a sentence.
        """
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_look_at)
        await asyncio.shield(self._starting)

    async def begin(self) -> None:
        """The first start.

        Raises:
            StartError: As `start`; with the daemon's exit code where it says the same of all of us.
        """
        try:
            await self.start()
        except OSError as error:
            code = self.code if self.code in PASSED_ON else 1
            raise StartError(str(error), exit_code=code or 1) from None

    async def stop(self) -> None:
        """End it in order, and kill it where it takes too long; asked again, it ends at once."""
        process = self._process
        if process is None:
            return
        self._order()
        self.side.tell(state="stopping")
        _signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(self.launch.drain_s + CLOSING_S):
                await self._is_gone()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it as a power cut does."""
        process = self._process
        if process is None:
            return
        self._order()
        _signal(process, signal.SIGKILL)
        await self._is_gone()

    def hurry(self) -> None:
        """Tell one that is ending to end now; told again, it is killed."""
        if self._process is not None and self._is_ordered:
            _signal(self._process, signal.SIGKILL if self._is_hurried else signal.SIGTERM)
            self._is_hurried = True

    # its life

    async def _start(self) -> None:
        if self._process is not None and self._is_ordered:
            await self._is_gone()
        if self._process is not None:
            return
        self._is_ordered = self._is_hurried = False
        self.ended.clear()
        self.code = None
        self.side.tell(state="starting", starts=self.side.starts + 1, note="")
        self._process = process = await self._launch()
        self.side.tell(pid=process.pid)
        self._watching = asyncio.create_task(self._watch(process))
        await self._wait_until_it_answers(process)
        # It may have been told to end, or have ended, while it was asked.
        if self._process is process and not self._is_ordered:
            self.side.tell(state="up")
            self._on_up()

    async def _launch(self) -> asyncio.subprocess.Process:
        argv, environment = leashed(self.launch.arguments, self.launch.environment)
        with contextlib.ExitStack() as stack:
            log = None
            if self.launch.log is not None:
                log = stack.enter_context(_opened(self.launch.log))
                self._log_from = os.fstat(log.fileno()).st_size
            return await asyncio.create_subprocess_exec(
                *argv,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log or sys.stderr,
                stderr=log or sys.stderr,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then stops it
            )

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        self._process = None
        self.code = code
        if self._is_ordered:
            self.side.tell(state="down", pid=None)
            return
        self.side.tell(state="ended", pid=None, note=self.last_words())
        self.ended.set()

    async def _wait_until_it_answers(self, process: asyncio.subprocess.Process) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            try:
                async with asyncio.timeout(START_WITHIN_S):
                    while not await self._answers(session):
                        if self._process is not process:
                            raise OSError(self.side.note or "The daemon was ended while it started")
                        await asyncio.sleep(_LOOK_EVERY_S)
            except TimeoutError:
                said = f"The daemon did not answer within {START_WITHIN_S:.0f} s."
                await self.kill()
                self.side.tell(state="ended", note=said)
                raise OSError(said) from None

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            # Its certificate is for the name that Meta calls; that it is ours we know.
            async with session.get(self.launch.health_url, ssl=False) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _order(self) -> None:
        """What happens from here on it was told to do."""
        self._is_ordered = True

    async def _is_gone(self) -> None:
        if self._watching is not None:
            await asyncio.shield(self._watching)

    def last_words(self) -> str:
        """What there is to say when it has ended by itself: exit code and the end of its log."""
        said = "The daemon ended by itself, " + _told(self.code)
        if self.launch.log is None:
            return said
        lines = _end_of(self.launch.log, self._log_from)
        if not lines:
            return said
        return "\n".join([f"{said} The end of {self.launch.log}:", *(f"    {s}" for s in lines)])


def _opened(log: Path) -> BinaryIO:
    """Open for appending; nobody but its owner may read it, whoever made it."""
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "ab")


def _told(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}."
    return f"with exit code {code}."


def _end_of(log: Path, begin: int) -> list[str]:
    """The last lines of what was written behind ``begin``."""
    try:
        with log.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(begin, size - _MOST_OF_LOG))
            return file.read().decode("utf-8", "replace").splitlines()[-LAST_LINES:]
    except OSError:
        return []


def _look_at(starting: asyncio.Task[None]) -> None:
    """Whoever asked may be gone; the page is told by the state."""
    if not starting.cancelled():
        starting.exception()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended just now
        process.send_signal(number)
