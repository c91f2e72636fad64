"""Plays a programme: a daemon, a Graph, and everybody who writes."""

import asyncio
import json
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes import meta
from tests.fakes.graph import FakeGraph
from tests.flow.kill.crowd import until_taken
from tests.flow.kill.daemon import Life
from tests.flow.kill.moods import Attempt
from tests.flow.kill.records import Records, count_open, load_records
from tests.torture.board import Board
from tests.torture.book import Book, Posted
from tests.torture.canary import Canary
from tests.torture.changing import CERTAIN, GONE, TOKEN, WRONG
from tests.torture.daemon import NUMBERS, Keeper, TorturedDaemon, file_of_schema
from tests.torture.disk import Disk
from tests.torture.graph import ScriptedGraph
from tests.torture.nursery import Nursery
from tests.torture.people import item_of, number_of
from tests.torture.points import NUMBERS as POINT_NUMBERS
from tests.torture.points import POINTS
from tests.torture.programme import FORGET, Programme, Request, Step

STILL_S = 40.0
"""For how long nothing at all may happen while something is left, once nothing is in its way."""
MOST_S = 300.0
"""For how long it may take to come to rest at all: an engine that kills is not asked for ever."""
PATIENCE_S = 60.0
"""How long a step that kills or stops the daemon waits until there is one."""
LOOK_S = 0.05
BEFORE_S = 600
"""The programme's time begins so long before it is played."""


@dataclass(slots=True)
class Asked:
    """One call of the engine; monotonic seconds."""

    at: float
    mode: str
    text: str
    history: list[str]


@dataclass(slots=True)
class Played:
    """All there is to judge.

    Attributes:
        problems: What went wrong so badly that nothing else need be asked.
        points: How often each point was passed, and how often the daemon died there.
        reloads: When the daemon was told to read its configuration, in monotonic seconds.
        lag_s: For how long at most Graph and everybody else stood still, the machine being busy.
    """

    book: Book
    canary: Canary
    attempts: list[Attempt] = field(default_factory=list)
    told: dict[int, set[str]] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    lives: list[Life] = field(default_factory=list)
    deaths: list[float] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    points: list[tuple[int, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    records: Records | None = None
    looks: int = 0
    reloads: list[float] = field(default_factory=list)
    seconds: float = 0.0
    lag_s: float = 0.0


class Player:
    """Plays one programme in ``folder``, which is empty."""

    def __init__(self, programme: Programme, folder: Path, nursery: Nursery) -> None:
        self._programme = programme
        self._nursery = nursery
        self._folder = folder
        self._canary = Canary.of(programme.seed)
        self._book = Book(programme)
        self._asked: list[Asked] = []
        self._posts: set[asyncio.Task[None]] = set()
        self._latest: dict[tuple[int, int], list[asyncio.Task[None]]] = {}
        self._begins_at = int(time.time()) - BEFORE_S
        self._raws: dict[int, bytes] = {}
        self._is_graph_up = True
        self._problems: list[str] = []
        self._lag_s = 0.0
        self._reloads: list[float] = []

    async def play(self) -> Played:
        """Play it to its end; what came of it."""
        began = time.monotonic()
        watching = asyncio.create_task(self._watch_the_time())
        house = self._folder / "house"
        house.mkdir()
        self._board = Board(self._folder / "board")
        async with (
            FakeGraph() as self._graph,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=10)
            ) as self._session,
            await asyncio.start_server(self._hear, "127.0.0.1", 0, limit=2**22) as ear,
        ):
            self._daemon = daemon = TorturedDaemon(
                house,
                self._graph.url,
                self._programme,
                nursery=self._nursery,
                board=self._folder / "board",
                port=ear.sockets[0].getsockname()[1],
            )
            if self._programme.schema:
                file_of_schema(daemon.database, self._programme.schema)
            self._url = daemon.url
            self._moods = ScriptedGraph(self._session, daemon.url, daemon.changes.token)
            self._graph.plan = self._moods.plan
            disk = Disk(house, daemon.database, self._canary)
            self._keeper = Keeper(daemon, lambda: disk.look(self._book.allowed()))
            self._book.ends = self._keeper.ends
            self._keeping: asyncio.Task[None] | None = None
            try:
                await self._play()
            finally:
                watching.cancel()
                await self._close()
        played = Played(self._book, self._canary)
        played.attempts, played.told = self._moods.attempts, self._moods.told
        played.failed, played.asked = self._moods.failed, self._asked
        played.lives, played.deaths = daemon.lives, self._keeper.deaths
        played.points = [self._board.count(number) for number in range(len(POINTS))]
        played.problems = [*self._keeper.problems, *self._problems, *disk.problems]
        played.reloads, played.lag_s = self._reloads, self._lag_s
        played.looks, played.seconds = disk.looks, time.monotonic() - began
        if not self._keeper.problems:
            played.records = load_records(daemon.database)
        self._board.close()
        return played

    async def _play(self) -> None:
        for step in self._programme.steps:
            if self._keeping is None and step.do not in ("kill at", "clock"):
                self._keeping = asyncio.create_task(self._keeper.run())
            if self._keeper.problems:
                return
            await self._take(step)
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keeper.run())
        await self._come_to_rest()

    async def _take(self, step: Step) -> None:  # noqa: C901, PLR0912 - one line for each word
        match step.do:
            case "post":
                if any(one.account for request in step.requests for one in request):
                    await self._serve_again()
                self._post(step)
                await asyncio.sleep(0)
            case "forget":
                self._post(step)
                await asyncio.sleep(0)
            case "again":
                await self._serve_again()
                self._again(step.of)
            case "wait":
                await asyncio.sleep(step.seconds)
            case "rest":
                await self._rest(step.seconds)
            case "kill":
                is_there = self._keeper.is_up.is_set
                if step.mood == "starting":
                    is_there = self._is_there
                await self._until(is_there, PATIENCE_S)
                await asyncio.sleep(step.seconds)
                self._keeper.kill()
            case "kill at":
                if self._keeping is not None and step.mood != "starting":
                    await self._until(self._keeper.is_up.is_set, PATIENCE_S)
                self._board.order(POINT_NUMBERS[step.point], step.nth)
            case "struck":
                await self._until(lambda: not self._board.is_armed, step.seconds)
            case "stop":
                await self._until(self._keeper.is_up.is_set, PATIENCE_S)
                self._keeper.stop()
            case "clock":
                self._board.ahead_s = step.seconds
            case "graph":
                self._moods.bid(number_of(step.who), step.mood, step.count)
            case "statuses":
                self._moods.bid_statuses(number_of(step.who), step.mood, step.count)
            case "down" | "up":
                await self._answer(is_up=step.do == "up")
            case "reload":
                await self._reload(step.mood, is_asked=step.point == "control")

    async def _answer(self, *, is_up: bool) -> None:
        """Graph is there from now on, or not."""
        if is_up and not self._is_graph_up:
            await self._graph.listen_again()
        elif not is_up and self._is_graph_up:
            self._moods.go_down()
            await self._graph.stop_listening()
        self._is_graph_up = is_up

    def _is_there(self) -> bool:
        return not self._keeper.daemon.has_ended

    async def _watch_the_time(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOK_S)
            self._lag_s = max(self._lag_s, time.monotonic() - before - LOOK_S)

    # -- what is configured ---------------------------------------------------------------------

    async def _reload(self, change: str, *, is_asked: bool) -> None:
        """Change the configuration; a daemon that is not there reads it at its start."""
        daemon, keeper = self._daemon, self._keeper
        if change == GONE and not await self._may_go():
            return
        daemon.changes.make(change)
        if change == TOKEN:
            self._moods.token = daemon.changes.token
        if change in CERTAIN:
            await self._until_in_force()
        elif keeper.may_reload:
            self._reloads.append(time.monotonic())
            daemon.write(is_wrong=change == WRONG)
            if not is_asked:
                daemon.hang_up()
                return
            lives = len(daemon.lives)
            problems = await daemon.reloads()
            if len(daemon.lives) == lives and keeper.may_reload and problems is not None:
                self._judge(problems, is_wrong=change == WRONG)

    def _judge(self, problems: list[str], *, is_wrong: bool) -> None:
        if is_wrong and not problems:
            self._problems.append("reload: a wrong file was taken")
        if problems and not is_wrong:
            self._problems.append(f"reload: a right file was refused: {problems}")

    async def _may_go(self) -> bool:
        """What is on its way to a number that is not served would be nobody's."""
        return self._programme.accounts > 1 and await self._until(
            lambda: not self._posts, PATIENCE_S
        )

    async def _serve_again(self) -> None:
        """Put back what was taken away; in force before this returns."""
        if self._daemon.changes.is_gone:
            self._daemon.changes.is_gone = False
            await self._until_in_force()

    async def _until_in_force(self) -> None:
        """Have the daemon read its configuration until it says that it has."""
        if self._keeping is None:
            return  # the first one will
        ends_at = time.monotonic() + MOST_S
        while time.monotonic() < ends_at and not self._keeper.problems:
            if self._keeper.may_reload:
                self._reloads.append(time.monotonic())
                self._daemon.write()
                lives, problems = len(self._daemon.lives), await self._daemon.reloads()
                if problems == []:
                    return
                if problems and len(self._daemon.lives) == lives:
                    self._judge(problems, is_wrong=False)
                    return
            await asyncio.sleep(0.02)
        self._problems.append("reload: it never came into force")

    # -- what is posted -------------------------------------------------------------------------

    def _post(self, step: Step) -> None:
        """Each chat's requests one after the other, save those that are to race."""
        group = [self._book.posted(request[0].number) for request in step.requests]
        chats = {message.chat for request in step.requests for message in request}
        before = [task for chat in chats for task in self._latest.get(chat, [])]
        tasks = [
            asyncio.create_task(self._deliver(one, before, is_doubled=step.is_doubled))
            for one in group
        ]
        for chat in chats:
            self._latest[chat] = tasks
        self._watch(*tasks)

    async def _deliver(
        self, posted: Posted, before: list[asyncio.Task[None]], *, is_doubled: bool
    ) -> None:
        if before:
            await asyncio.wait(before)
        posted.sent = time.monotonic()
        if posted.request[0].what == FORGET:
            await self._forget(posted)
            return
        raw = self._raw(posted.request)
        if is_doubled:
            self._watch(asyncio.create_task(until_taken(self._session, self._url, raw)))
        await until_taken(self._session, self._url, raw)
        posted.taken = time.monotonic()

    async def _forget(self, posted: Posted) -> None:
        """Until the daemon says that all words of the chat are gone."""
        message = posted.request[0]
        while True:
            done = await self._daemon.forgets(number_of(message.who), NUMBERS[message.account])
            posted.tries += done is not None
            if done:
                posted.taken = time.monotonic()
                return
            await asyncio.sleep(0.05)

    def _raw(self, request: Request) -> bytes:
        first = request[0].number
        if first not in self._raws:
            items = [item_of(message, self._canary, self._begins_at) for message in request]
            self._raws[first] = meta.body(*items, spread=first % 4 == 0)
        return self._raws[first]

    def _again(self, number: int) -> None:
        posted = self._book.posted(number) if number in self._book.messages else None
        if posted is not None and posted.sent is not None:
            raw = self._raw(posted.request)
            self._watch(asyncio.create_task(until_taken(self._session, self._url, raw)))

    def _watch(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            self._posts.add(task)
            task.add_done_callback(self._posts.discard)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What the engine was asked, by its own account."""
        with suppress(ConnectionError, ValueError):
            async for line in reader:
                said: dict[str, Any] = json.loads(line)
                asked = Asked(time.monotonic(), said["mode"], said["text"], said["history"])
                self._asked.append(asked)
        writer.close()

    # -- the end --------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        self._board.relent()
        self._board.ahead_s = 0.0
        self._moods.is_calm = True
        await self._answer(is_up=True)
        assert self._keeping is not None
        await self._serve_again()
        if not await self._rest(None):
            left = 0, 0
            with suppress(sqlite3.Error):  # perhaps it never began
                left = count_open(self._keeper.daemon.database)
            self._keeper.problems.append(
                f"stuck: {len(self._posts)} requests, {left[0]} envelopes, {left[1]} parcels and "
                f"{self._moods.untold} statuses are left after {STILL_S:.0f} s without any event, "
                f"or {MOST_S:.0f} s in all"
            )
        await self._keeper.end(self._keeping)

    async def _rest(self, seconds: float | None) -> bool:
        """Return when nothing is under way; whether it is so.

        Args:
            seconds: For how long at most; None: as long as something happens.
        """
        began = since = time.monotonic()
        before: object = None
        while not self._keeper.problems:
            left = (1, 1)
            if self._keeper.is_up.is_set():
                left = count_open(self._keeper.daemon.database)
                if left == (0, 0) and not self._posts and not self._moods.untold:
                    return True
            now = time.monotonic()
            seen = left, len(self._posts), self._moods.untold, self._happened()
            if seen != before:
                before, since = seen, now
            most_s = MOST_S if seconds is None else seconds
            if now > began + most_s or (seconds is None and now > since + STILL_S):
                return False
            await asyncio.sleep(0.05)
        return True

    def _happened(self) -> object:
        """What changes whenever anything happens."""
        is_up = self._keeper.is_up.is_set()
        return is_up, len(self._asked), len(self._moods.attempts), len(self._keeper.daemon.lives)

    async def _until(self, is_so: Any, seconds: float) -> bool:
        ends_at = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > ends_at or self._keeper.problems:
                return bool(self._keeper.problems)
            await asyncio.sleep(0.005)
        return True

    async def _close(self) -> None:
        tasks = [*self._posts, *([self._keeping] if self._keeping is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._moods.close()
        await self._keeper.daemon.close()
