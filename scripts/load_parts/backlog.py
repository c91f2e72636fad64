"""A hundred thousand messages after an outage of an hour, while other people go on writing.

Once Meta held them and posts them all at once; once they were admitted and the daemon was killed.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench_parts.bodies import FIRST_CONTACT

from load_parts.book import Book, Said
from load_parts.report import share
from load_parts.stage import Running, Stage, Watch
from load_parts.wire import PlayedGraph, Webhook

HOUR_S = 3600
BATCH = 500
HEAVY = 5
TOGETHER = 20
"""Messages that are answered together at most."""
NEWCOMER_EVERY_S = 0.05
_FIRST_NEWCOMER = FIRST_CONTACT + 6_000_000


def outage(book: Book, messages: int, *, long_s: int, words: str = "") -> list[Said]:
    """What people wrote during an outage, by time: a twentieth of them by a few who wrote much."""
    contacts = messages // TOGETHER
    began = int(time.time()) - long_s
    said = []
    for n in range(messages):
        some, is_other = divmod(n, 20)
        who = (n - some - 1) % contacts if is_other else contacts + some % HEAVY
        contact = FIRST_CONTACT + who
        said.append(book.say(contact, at=began + n * long_s // messages // 2, words=words))
    return said


def batches(said: Sequence[Said], size: int = BATCH) -> Iterator[Sequence[Said]]:
    """As Meta brings them: many in one request."""
    for start in range(0, len(said), size):
        yield said[start : start + size]


def fewest_replies(said: Sequence[Said]) -> int:
    """Texts that answer all, where what waits for a chat is answered together."""
    of: dict[int, int] = {}
    for one in said:
        of[one.contact] = of.get(one.contact, 0) + 1
    return sum(-(-count // TOGETHER) for count in of.values())


@dataclass
class Newcomers:
    """People who write one message each, to the busy daemon and to an idle one in turn."""

    busy: Book
    idle: Book
    busy_port: int
    idle_port: int

    def __post_init__(self) -> None:
        self.said: list[Said] = []
        self.said_idle: list[Said] = []

    async def write_until(self, over: asyncio.Event) -> None:
        sides = (
            (self.busy, Webhook(self.busy_port), self.said),
            (self.idle, Webhook(self.idle_port), self.said_idle),
        )
        posting = set()
        contact = _FIRST_NEWCOMER
        while not over.is_set():
            contact += 1
            for book, webhook, said in sides:
                one = book.say(contact)
                said.append(one)
                posting.add(asyncio.create_task(webhook.bring(one)))
            await asyncio.sleep(NEWCOMER_EVERY_S)
        await asyncio.gather(*posting)

    def report(self, stage: Stage, drained_s: float) -> None:
        report = stage.report
        for what, said in (("idle", self.said_idle), ("busy", self.said)):
            waited = [one.waited for one in said if one.answered]
            acks = [one.acknowledged - one.posted for one in said if one.acknowledged]
            report.say(f"newcomers to the {what} one", len(said))
            for name, part in (("p50", 0.5), ("p99", 0.99)):
                report.say(f"  acknowledged, {name}, ms", share(acks, part) * 1e3)
                report.say(f"  answered, {name}, ms", share(waited, part) * 1e3)
        waited = [one.waited for one in self.said if one.answered]
        report.demand(
            "newcomers wait, p99 as a share of the time to drain",
            share(waited, 0.99) / drained_s,
            most=0.2,
        )


async def run(stage: Stage) -> None:
    messages = stage.options.messages or stage.size(100_000, 6_000)
    stage.report.begin("backlog", f"{messages:,} messages after an outage of an hour")
    graph = PlayedGraph(Book())
    await graph.up()
    idle = stage.prepare("unburdened", graph.port)
    await stage.start(idle)
    await _posted_at_once(stage, messages, idle, graph.book)
    await _found_in_the_table(stage, messages, idle, graph.book)
    stage.report.demand_none("newcomers to the idle one", graph.book.faults())
    await stage.stop(idle)
    await graph.down()


# -- Meta held them -------------------------------------------------------------------------------


async def _posted_at_once(stage: Stage, messages: int, idle: Running, beside: Book) -> None:
    """An engine that takes half a second, so that turns are what is short."""
    report, book = stage.report, Book()
    graph = PlayedGraph(book)
    await graph.up()
    running = stage.prepare("posted", graph.port)
    await stage.start(running)
    before_mb = running.memory_mb
    said = outage(book, messages, long_s=HOUR_S, words="wait 0.5")
    newcomers = Newcomers(book, beside, running.daemon.port, idle.daemon.port)
    over = asyncio.Event()
    writing = asyncio.create_task(newcomers.write_until(over))
    async with Watch(running) as watch:
        began = time.perf_counter()
        took = await Webhook(running.daemon.port).post_all(batches(said), 1)
        acknowledged_s = time.perf_counter() - began
        await _until_answered(said)
        drained_s = time.perf_counter() - began
    over.set()
    await writing
    await book.settle()
    report.say("Meta posts all at once: acknowledged after, s", acknowledged_s)
    report.say(f"  a request of {BATCH}, p50, ms", share(took, 0.5) * 1e3)
    report.say(f"  a request of {BATCH}, slowest, ms", max(took) * 1e3)
    report.say("  answered after, s", drained_s)
    # Everybody's first turn, a hundred at a time, and then those of who wrote most one by one.
    needed_s = 0.5 * (fewest_replies(said) / 100 + messages // 20 // HEAVY // TOGETHER)
    ratio = drained_s / (acknowledged_s + needed_s)
    report.demand("  times what posting and 100 turns at a time need", ratio, most=1.5)
    newcomers.report(stage, drained_s)
    # What comes while the first turns run cannot be among them; how much depends on the machine.
    _report_replies(stage, book, said, len(newcomers.said), most=TOGETHER / 4)
    _report_memory(stage, watch, before_mb)
    report.demand_none("posted at once", book.faults())
    await stage.stop(running)
    await graph.down()


def _report_replies(
    stage: Stage, book: Book, said: Sequence[Said], others: int, *, most: float
) -> None:
    stage.report.say("replies", book.replies - others)
    ratio = (book.replies - others) / fewest_replies(said)
    stage.report.demand("  times as many as if all were answered together", ratio, most=most)


def _report_memory(stage: Stage, watch: Watch, before_mb: float) -> None:
    stage.report.demand("memory more than before, peak, MB", watch.peak_mb - before_mb, most=250)
    stage.report.demand("SQLite's log, longest, MB", watch.log_mb, most=128)


async def _until_answered(said: Sequence[Said]) -> None:
    """Until all are, or nothing has happened for a minute and a half."""
    left, patience = len(said), time.perf_counter()
    while left and time.perf_counter() - patience < 90:
        await asyncio.sleep(0.02)
        now = sum(not one.answered for one in said)
        if now < left:
            left, patience = now, time.perf_counter()


# -- they were admitted ---------------------------------------------------------------------------


async def _found_in_the_table(stage: Stage, messages: int, idle: Running, beside: Book) -> None:
    """An engine that answers at once, so that the daemon's own work is what is short."""
    report = stage.report
    rates = []
    for name, count in (("tenth", messages // 10), ("whole", messages)):
        book = Book()
        graph = PlayedGraph(book)
        await graph.up()
        running = stage.prepare(name, graph.port, engine={"hangs": True})
        await stage.start(running)
        said = outage(book, count, long_s=HOUR_S)
        webhook = Webhook(running.daemon.port)
        began = time.perf_counter()
        await webhook.post_all(batches(said), 1)
        admitted_s = time.perf_counter() - began
        await stage.kill(running)
        if name == "whole":
            report.say("admitted, messages a second", count / admitted_s)
            await _compare_starts(stage, running)
        running.configure({"engine": {"hangs": False}})
        for one in said:
            one.posted = time.perf_counter()
        rates.append(
            await _drain(stage, running, said, book, (idle, beside), is_whole=name == "whole")
        )
        await graph.down()
    report.demand("rate, as a share of that of a tenth as many", rates[1] / rates[0], least=0.5)


async def _compare_starts(stage: Stage, loaded: Running) -> None:
    """Seconds to healthy, in turn with an empty file; its engine hangs, so nothing is drained."""
    empty = stage.prepare("empty_file", loaded.settings["admin"]["port"])
    took: dict[str, list[float]] = {"the backlog": [], "an empty file": []}
    await stage.start(empty)
    await stage.kill(empty)
    for _ in range(stage.size(5, 2)):
        for name, running in (("the backlog", loaded), ("an empty file", empty)):
            took[name].append(await stage.start(running))
            await stage.kill(running)
    for name, seconds in took.items():
        stage.report.say(f"start on {name}, s", share(seconds, 0.5))
    ratio = min(took["the backlog"]) / min(took["an empty file"])
    stage.report.demand("start, ratio", ratio, most=1.5)


async def _drain(
    stage: Stage,
    running: Running,
    said: Sequence[Said],
    book: Book,
    beside: tuple[Running, Book],
    *,
    is_whole: bool,
) -> float:
    """Start on the backlog; messages a second until nine tenths of it are answered."""
    report = stage.report
    await stage.start(running)
    began = time.perf_counter()
    before_mb = running.memory_mb
    newcomers = Newcomers(book, beside[1], running.daemon.port, beside[0].daemon.port)
    over = asyncio.Event()
    writing = asyncio.create_task(newcomers.write_until(over))
    ready_s = 0.0
    async with Watch(running) as watch:
        waiting = asyncio.create_task(_until_answered(said))
        while not ready_s and not waiting.done():
            if (await running.is_ready())[0]:
                ready_s = time.perf_counter() - began
            await asyncio.sleep(0.05)
        await waiting
        drained_s = time.perf_counter() - began
    over.set()
    await writing
    await book.settle()
    times = sorted(one.answered for one in said)
    tenths = [share(times, tenth / 10) for tenth in range(10)]
    rate = len(said) * 0.9 / max(tenths[9] - began, 1e-6)
    if is_whole:
        report.say("found in the table: first answer after the start, s", times[0] - began)
        report.say("  ready after the start, s", ready_s)
        report.say("  all answered after, s", drained_s)
        report.say("  messages a second", rate)
        early, late = tenths[4] - tenths[1], tenths[9] - tenths[6]
        report.demand("  late third of them as fast as the early one", early / late, least=0.5)
        newcomers.report(stage, drained_s)
        _report_replies(stage, book, said, len(newcomers.said), most=1.2)
        _report_memory(stage, watch, before_mb)
    else:
        report.say("a tenth as many in the table: messages a second", rate)
    report.demand_none("found in the table", book.faults())
    await stage.stop(running)
    return rate
