"""The tortured daemon: started, killed, and started again by whoever keeps it."""

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

from openparallax.cli import control
from openparallax.errors import Refusal
from openparallax.storage import migrations
from tests.fakes import meta
from tests.flow.kill.daemon import STOP_S, Daemon, LoopError, Process, install_plugin
from tests.torture.changing import WRONG_TEXT, Changes
from tests.torture.engine import LIMIT_S
from tests.torture.nursery import Nursery
from tests.torture.programme import LIMIT_WINDOW_S, Programme

SECOND_NUMBER = "2345678901234567"
NUMBERS = (meta.PHONE_NUMBER_ID, SECOND_NUMBER)
"""Of ours, by the account's place in the programme."""
IDLE_MINUTES = 0.01
NOBODY = 1
"""With what a control ends that is about somebody who has never written."""
HURRIED = 128 + signal.SIGTERM
"""What the daemon ends with when it is asked a second time."""


class TorturedDaemon(Daemon):
    """`tests.torture.child`, configured for one programme.

    Attributes:
        changes: What its configuration says of what changes; `write` writes it down.
    """

    def __init__(
        self,
        folder: Path,
        graph_url: str,
        programme: Programme,
        *,
        nursery: Nursery,
        board: Path,
        port: int,
    ) -> None:
        self._nursery = nursery
        self._programme = programme
        self._board = board
        self._asked_at = port
        self.changes = Changes()
        (folder / "tmp").mkdir()
        super().__init__(folder, graph_url, Random(programme.seed))  # noqa: S311 - no secret

    def _install(self) -> None:
        install_plugin(self.folder, "torture", "tortured = tests.torture.engine:Tortured")

    def _environment(self) -> dict[str, str]:
        mine = {"TORTURE_BOARD": str(self._board), "TMPDIR": str(self.folder / "tmp")}
        return super()._environment() | mine

    async def _launch(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
        return await self._nursery.bear(
            arguments, environment, log=self.log, look_in=(str(self.folder),)
        )

    def _configuration(self) -> dict[str, Any]:
        said = super()._configuration()
        if self._programme.accounts > 1:
            said["channels"]["whatsapp"]["accounts"] = [{"phone_number_id": SECOND_NUMBER}]
        said["engine"] = {"type": "tortured", "port": self._asked_at}
        said["pipeline"] = [{"time_limit": {"seconds": LIMIT_S}}]
        said["conversation"]["coalesce"] = "queued" if self._programme.coalesces else "none"
        said["off_the_record"] = {"idle_minutes": IDLE_MINUTES}
        said["storage"]["retention_days"] = 30
        minutes = (self._programme.takeover_s + 0.5) / 60  # whole seconds count: the half is room
        said["channels"]["whatsapp"]["human_takeover_minutes"] = minutes
        if self._programme.limit:
            said["channels"]["whatsapp"]["rate_limit"] = {
                "window_seconds": LIMIT_WINDOW_S,
                "max_messages": self._programme.limit,
            }
        self.changes.put_into(said)
        return said

    # -- while it runs ---------------------------------------------------------------------------

    def write(self, *, is_wrong: bool = False) -> None:
        """Write its configuration, which it has read before; at a start it is written anyway."""
        text = WRONG_TEXT if is_wrong else json.dumps(self._configuration())
        (self.folder / "config.yaml").write_text(text, "utf-8")

    def hang_up(self) -> None:
        """Tell it by a signal to read its configuration."""
        pid = getattr(self._process, "pid", None)
        if pid is not None and not self.has_ended:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)

    async def reloads(self) -> list[str] | None:
        """Tell it through its socket; its problems, or None if it did not answer."""
        try:
            answer = await asyncio.to_thread(self._ask)
        except (Refusal, OSError):
            return None
        return None if answer is None else list(answer["problems"])

    async def forgets(self, who: str, account: str) -> bool | None:
        """Have it remove all words of a chat: whether it has, or None if nobody is there to ask.

        False says that it may have done so, or begun to.
        """
        asked = {"who": who, "account": account}
        try:
            answer = await asyncio.to_thread(self._ask, "forget", asked)
        except (Refusal, OSError) as error:
            # Nobody is known by that: there is nothing to forget.
            return getattr(error, "exit_code", 0) == NOBODY
        return None if answer is None else True

    def _ask(
        self, name: str = "reload", asked: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        daemon = control.daemon_of(self.database)
        return None if daemon is None else control.ask(daemon, name, asked or {}, answer_s=20.0)


class Keeper:
    """Starts the daemon whenever it has ended, and looks at what it left behind each time.

    Attributes:
        is_up: Set while it answers.
        deaths: When it was killed, in monotonic seconds.
        ends: Since when each process was to end, and when it was seen that it had, in the same.
        problems: Ends that nobody asked for.
    """

    def __init__(self, daemon: Daemon, look: Callable[[], None]) -> None:
        self.daemon = daemon
        self._look = look
        self.is_up = asyncio.Event()
        self.deaths: list[float] = []
        self.ends: list[tuple[float, float]] = []
        self.problems: list[str] = []
        self._is_stopping = False
        self._was_hurried = False
        self._is_over = False

    async def run(self) -> None:
        """Keep it until `end`, or until it ends in a way that nobody asked for."""
        while not self.problems:
            self._is_stopping = self._was_hurried = False
            try:
                await self.daemon.start()
            except LoopError as error:
                self.problems.append(f"did not start: {error}")
                return
            code = await self._live()
            life = self.daemon.lives[-1]
            life.ended = life.ended or time.monotonic()
            self.ends.append((life.ended, time.monotonic()))
            if code == -signal.SIGKILL or (code == HURRIED and self._was_hurried):
                life.was_killed = True
                self.deaths.append(life.ended)
            elif code != 0 or not self._is_stopping:
                self.problems.append(
                    f"died: the daemon ended by itself with {code}:\n{self.daemon.last_words()}"
                )
            self._look()
            if self._is_over and code == 0:
                return

    async def _live(self) -> int | None:
        answers = asyncio.create_task(self._come_up())
        try:
            return await self.daemon.buried()
        finally:
            self.is_up.clear()
            answers.cancel()
            await asyncio.wait([answers])

    async def _come_up(self) -> None:
        try:
            await self.daemon.healthy()
        except LoopError as error:
            if not self.daemon.has_ended:
                self.problems.append(f"did not start: {error}")
                self.kill()
            return
        self.is_up.set()
        if self._is_over:
            self.stop()

    @property
    def may_reload(self) -> bool:
        """Whether it answers, and was not asked to end."""
        return self.is_up.is_set() and not self._is_stopping

    def kill(self) -> None:
        """Kill it, if there is a process."""
        with suppress(LoopError):
            self.daemon.strike()

    def stop(self) -> None:
        """Ask it to end in order, if it answers; asked again, it ends at once."""
        if self.is_up.is_set():
            self._was_hurried = self._is_stopping
            self._is_stopping = True
            self.daemon.ask_to_end()
            asyncio.get_running_loop().call_later(STOP_S, self._hurry, self.daemon.lives[-1])

    def _hurry(self, life: object) -> None:
        if self.daemon.lives[-1] is life and not self.daemon.has_ended:
            self.problems.append(
                f"hangs: the daemon did not end in order:\n{self.daemon.last_words()}"
            )
            self.kill()

    async def end(self, running: "asyncio.Task[None]") -> None:
        """Have it end in order for good; ``running`` is `run`."""
        self._is_over = True
        if not self._is_stopping:
            self.stop()
        await running


def file_of_schema(path: Path, schema: int) -> None:
    """Make an empty file of an older schema."""
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for number, script in migrations._steps():
            if number <= schema:
                connection.executescript(
                    f"BEGIN;\n{script}\nPRAGMA application_id = {migrations.APPLICATION_ID};"
                    f"PRAGMA user_version = {number};\nCOMMIT;"
                )
    path.chmod(0o600)
