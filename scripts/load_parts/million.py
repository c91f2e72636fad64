"""One million stored contacts and ten million messages, beside a file with a few of each."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from bench_parts.bodies import FIRST_CONTACT
from bench_parts.processes import BenchError

from load_parts.book import Book, Said
from load_parts.fill import PAST_DAYS, TURNS, fill
from load_parts.report import share
from load_parts.stage import Running, Stage
from load_parts.wire import PlayedGraph, Webhook

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 16
SLICE = 250
"""Messages to one daemon before the other has its turn."""


class Side:
    """A daemon, and what its messages cost."""

    def __init__(self, running: Running, graph: PlayedGraph) -> None:
        self.running = running
        self.graph = graph
        self.webhook = Webhook(running.daemon.port)
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self.seconds = self.cpu_s = 0.0
        self.said: list[Said] = []

    async def slice_of(self, contacts: Sequence[int]) -> None:
        """One message of each, and wait for their answers."""
        said = [self.graph.book.say(contact) for contact in contacts]
        cpu, began = self._cpu_s(), time.perf_counter()
        await self.webhook.post_all(([one] for one in said), CONNECTIONS)
        while not all(one.answered for one in said) and time.perf_counter() - began < 60:
            await asyncio.sleep(0.001)
        self.seconds += max(one.answered for one in said) - began
        self.cpu_s += self._cpu_s() - cpu
        self.said += said

    def _cpu_s(self) -> float:
        stat = Path(f"/proc/{self.running.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS_PER_S

    async def ask(self, control: str, asked: dict[str, Any]) -> tuple[float, int]:
        """Ask over the control socket; seconds and bytes."""
        path = str(self.running.daemon.folder / "control.sock")
        began, size = time.perf_counter(), 0
        timeout = aiohttp.ClientTimeout(total=900)
        connector = aiohttp.UnixConnector(path)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as client,
            client.post(f"http://x/control/{control}", json=asked) as response,
        ):
            async for chunk in response.content.iter_any():
                size += len(chunk)
            if response.status != 200:
                raise BenchError(f"{control} was answered with {response.status}")
        return time.perf_counter() - began, size


async def run(stage: Stage) -> None:
    stored = stage.options.stored or stage.size(1_000_000, 20_000)
    report = stage.report
    report.begin("million", f"{stored:,} contacts, {2 * TURNS * stored:,} messages stored")
    some = min(stage.size(3_000, 1_000), stored)
    step = stored // some
    sides = []
    for name, chats, apart in (("few", some, step), ("stored", stored, 1)):
        graph = PlayedGraph(Book())
        await graph.up()
        running = stage.prepare(name, graph.port)
        await stage.start(running)
        await stage.stop(running)
        took = await asyncio.to_thread(fill, running.daemon.database, chats, apart)
        if chats == stored:
            report.say("filled in, s", took)
            report.say("the file, MB", running.daemon.database.stat().st_size / 2**20)
        sides.append(Side(running, graph))
    few, many = sides
    contacts = [FIRST_CONTACT + n * step for n in range(some)]
    await _compare_starts(stage, few, many)
    await _compare_messages(stage, "a chat's first message", few, many, contacts)
    await _compare_messages(stage, "further messages", few, many, contacts[: some // 3] * 3)
    report.say("memory after these, few stored, MB", few.running.memory_mb)
    more = many.running.memory_mb - few.running.memory_mb
    report.demand("  more with many stored, MB", more, most=40)
    await _compare_calls(stage, few, many, contacts)
    await _heavy_calls(stage, few, many, contacts)
    await _age(stage, few, many, stored)
    for side in sides:
        await side.graph.book.settle()
        report.demand_none(side.running.daemon.name, side.graph.book.faults())
        await stage.stop(side.running)
        await side.graph.down()


async def _compare_starts(stage: Stage, few: Side, many: Side) -> None:
    took: dict[Side, list[float]] = {few: [], many: []}
    for _ in range(stage.size(5, 2)):
        for side in (few, many):
            if side.running.process is not None:
                await stage.stop(side.running)
            took[side].append(await stage.start(side.running))
    stage.report.say("start, few stored, s", share(took[few], 0.5))
    stage.report.say("start, many stored, s", share(took[many], 0.5))
    stage.report.demand("  ratio of the quickest", min(took[many]) / min(took[few]), most=1.5)
    stage.report.say("memory when idle, few stored, MB", few.running.memory_mb)
    more = many.running.memory_mb - few.running.memory_mb
    stage.report.demand("  more with many stored, MB", more, most=5)


async def _compare_messages(
    stage: Stage, what: str, few: Side, many: Side, contacts: Sequence[int]
) -> None:
    """In slices, one daemon after the other: what disturbs one disturbs both."""
    for side in (few, many):
        side.forget()
    for start in range(0, len(contacts), SLICE):
        for side in (few, many) if start // SLICE % 2 else (many, few):
            await side.slice_of(contacts[start : start + SLICE])
    report = stage.report
    for name, side in (("few", few), ("many", many)):
        report.say(f"{what}, {name} stored: a second", len(side.said) / side.seconds)
        acks = [one.acknowledged - one.posted for one in side.said]
        report.say("  acknowledged, p50, ms", share(acks, 0.5) * 1e3)
        report.say("  acknowledged, p99, ms", share(acks, 0.99) * 1e3)
        report.say("  processor, microseconds each", side.cpu_s / len(side.said) * 1e6)
    report.demand("  processor, ratio", many.cpu_s / max(few.cpu_s, 0.01), most=1.5)
    report.demand("  time, ratio", many.seconds / few.seconds, most=2)


async def _compare_calls(stage: Stage, few: Side, many: Side, contacts: Sequence[int]) -> None:
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("status", "status", {}),
        ("the first page of sessions", "sessions", {}),
        ("a person with their words", "session", {"who": str(contacts[-1]), "words": True}),
    )
    for what, control, asked in calls:
        took: dict[Side, list[float]] = {few: [], many: []}
        for _ in range(7):
            for side in (few, many):
                took[side].append((await side.ask(control, asked))[0])
        stage.report.say(f"{what}, few stored, ms", share(took[few], 0.5) * 1e3)
        ratio = share(took[many], 0.5) / share(took[few], 0.5)
        stage.report.demand("  many stored, ratio", ratio, most=3)


@asynccontextmanager
async def _meanwhile(
    stage: Stage, side: Side, quiet: Side, contacts: Sequence[int]
) -> AsyncIterator[None]:
    """People write to both meanwhile, one after the other; how long they wait is reported."""
    side.forget()
    quiet.forget()
    over = asyncio.Event()

    async def write() -> None:
        n = 0
        while not over.is_set() or n < 20:
            for one in (side, quiet):
                await one.slice_of([contacts[n % len(contacts)]])
            n += 1
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(write())
    yield
    over.set()
    await writing
    for name, one in (("here", side), ("at the other one", quiet)):
        acks = [said.acknowledged - said.posted for said in one.said]
        stage.report.say(f"  acknowledged meanwhile {name}, p50, ms", share(acks, 0.5) * 1e3)
        stage.report.say(f"  acknowledged meanwhile {name}, p99, ms", share(acks, 0.99) * 1e3)
        stage.report.say(f"  acknowledged meanwhile {name}, slowest, ms", max(acks) * 1e3)


async def _heavy_calls(stage: Stage, few: Side, many: Side, contacts: Sequence[int]) -> None:
    """What looks through the file takes its time; people are acknowledged meanwhile."""
    report = stage.report
    who = {"who": str(contacts[len(contacts) // 2])}
    async with _meanwhile(stage, many, few, contacts[:100]):
        took, size = await many.ask("backup", {})
        report.say("backup, many stored, s", took)
        report.say("  MB a second", size / 2**20 / took)
    async with _meanwhile(stage, many, few, contacts[:100]):
        took, _ = await many.ask("forget", who)
        report.say("forgetting one person, many stored, s", took)
    report.say("forgetting one person, few stored, s", (await few.ask("forget", who))[0])


async def _age(stage: Stage, few: Side, many: Side, stored: int) -> None:
    """What is older than the retention goes; then there is nothing to do, whatever is kept."""
    report = stage.report
    many.running.configure(
        {"storage": {"retention_days": PAST_DAYS - 1}, "log": {"level": "info", "format": "json"}}
    )
    await stage.stop(many.running)
    log = stage.folder / f"{many.running.daemon.name}.log"
    seen = log.stat().st_size
    contacts = [FIRST_CONTACT + n for n in range(0, min(stored, 5000), 50)]
    many.webhook.close()
    await stage.start(many.running)
    began = time.perf_counter()
    count = 0
    async with _meanwhile(stage, many, few, contacts):
        while not count and time.perf_counter() - began < 300:
            await asyncio.sleep(0.1)
            with log.open("rb") as file:
                file.seek(seen)
                lines = [line for line in file if b"retention_done" in line]
            count = json.loads(lines[0])["count"] if lines else 0
        report.say(
            f"retention: words gone, {count:,}; after the start, s", time.perf_counter() - began
        )
    # All turns of the oldest of so many days.
    report.demand("  turns of a day", count, least=TURNS * stored // PAST_DAYS * 0.9)
