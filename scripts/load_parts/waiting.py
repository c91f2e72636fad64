"""Ten thousand people, each waiting on an engine that takes ten seconds."""

import asyncio
import statistics
import time
from collections.abc import Sequence

from bench_parts.bodies import FIRST_CONTACT

from load_parts.book import PATIENCE_S, Book, Said, overtaken
from load_parts.report import share
from load_parts.stage import Running, Stage, Watch
from load_parts.wire import PlayedGraph, Webhook

CONNECTIONS = 32
PROBERS = 8
SLICE_S = 0.3
_EVERYBODY = {"max_concurrent_turns": 10_000, "history_messages": 2}
"""So short a history is full after the first wave, and does not count as what a turn costs."""
_FIRST_PROBER = FIRST_CONTACT + 5_000_000


class Side:
    """One of two daemons that are asked in turn, and how long it took to acknowledge."""

    def __init__(self, running: Running, book: Book) -> None:
        self.running = running
        self.book = book
        self.webhook = Webhook(running.daemon.port)
        self.slices: list[list[float]] = []
        self._people = 0

    @property
    def took(self) -> list[float]:
        return [one for some in self.slices for one in some]

    async def probe(self, seconds: float) -> None:
        """Post one message after the other, over a few connections; all answered at once."""
        ends_at = time.perf_counter() + seconds
        took: list[float] = []
        self.slices.append(took)

        async def ask() -> None:
            while time.perf_counter() < ends_at:
                self._people += 1
                contact = _FIRST_PROBER + self._people % 200
                took.append(await self.webhook.post(self.book.say(contact)))

        await asyncio.gather(*(ask() for _ in range(PROBERS)))


async def run(stage: Stage) -> None:
    count = stage.options.people or stage.size(10_000, 500)
    stage.report.begin("waiting", f"{count:,} people, each waiting on an engine")
    await _all_at_once(stage, count)
    await _in_line(stage, count)


# -- as many turns as people ----------------------------------------------------------------------


async def _all_at_once(stage: Stage, count: int) -> None:
    report = stage.report
    books = Book(), Book()
    graphs = [PlayedGraph(book) for book in books]
    many, idle = (
        stage.prepare(name, graph.port, conversation=_EVERYBODY)
        for name, graph in zip(("many", "idle"), graphs, strict=True)
    )
    for graph, running in zip(graphs, (many, idle), strict=True):
        await graph.up()
        await stage.start(running)
    full, empty = Side(many, books[0]), Side(idle, books[1])
    started_mb = many.memory_mb

    # Everybody is known and has a history before it is looked what waiting costs.
    began = time.perf_counter()
    await _say_all(full, count, "")
    await books[0].settle()
    seconds = max(stage.size(10, 4), round(2 * (time.perf_counter() - began)) + 3)
    await full.probe(0.5)
    await empty.probe(0.5)
    for side in (full, empty):
        await side.book.settle()
    before_mb = many.memory_mb
    report.say("memory when started, MB", started_mb)
    report.say("memory with as many known and answered, nothing waiting, MB", before_mb)
    report.say("seconds that the engine takes", seconds)

    peaks = []
    for wave in (1, 2):
        is_first = wave == 1
        async with Watch(many) as watch:
            arrived = await _wave(full, empty, count, seconds, judges=is_first)
        peaks.append(watch.peak_mb)
        if is_first:
            _report_acknowledgements(stage, full, empty)
            _report_fairness(stage, arrived, seconds)
    await asyncio.sleep(0.5)
    each_kb = (peaks[0] - before_mb) * 1024 / count
    more_mb = peaks[1] - peaks[0]
    report.demand("memory for each that waits, KB", each_kb, most=24)
    report.demand("the same wave again: more at its peak, MB", more_mb, most=2 + count * 3e-4)
    report.say("memory after both, MB", many.memory_mb)
    report.demand_none("all who waited", books[0].faults())
    report.demand_none("all who asked the idle one", books[1].faults())
    await stage.stop(many, idle)
    for graph in graphs:
        await graph.down()


async def _say_all(side: Side, count: int, words: str) -> list[Said]:
    arrived = [side.book.say(FIRST_CONTACT + n, words=words) for n in range(count)]
    await side.webhook.post_all(([one] for one in arrived), CONNECTIONS)
    return arrived


async def _wave(full: Side, empty: Side, count: int, seconds: float, *, judges: bool) -> list[Said]:
    """Have everybody wait, and ask both daemons in turn while they do."""
    asked = full.running.asked
    began = time.perf_counter()
    arrived = await _say_all(full, count, f"wait {seconds}")
    while full.running.asked - asked < count and time.perf_counter() < began + seconds:
        await asyncio.sleep(0.01)
    first_ends = min(one.acknowledged for one in arrived) + seconds
    full.slices.clear()
    empty.slices.clear()
    # One more slice than would do: it must not reach into the first answers.
    while judges and time.perf_counter() < first_ends - 3 * SLICE_S:
        for side in (full, empty):
            await side.probe(SLICE_S)
    await full.book.settle(PATIENCE_S + seconds)
    await empty.book.settle()
    return arrived


def _report_acknowledgements(stage: Stage, full: Side, empty: Side) -> None:
    report = stage.report
    report.say("acknowledged while all wait", len(full.took))
    for name, part in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)):
        report.say(f"  {name}, nothing waiting, ms", share(empty.took, part) * 1e3)
        report.say(f"  {name}, all waiting, ms", share(full.took, part) * 1e3)
    # The middle of many slices: what else the machine does comes in bursts.
    for name, part, most in (("p50", 0.5, 2.0), ("p99", 0.99, 3.0)):
        usual = [
            statistics.median(share(some, part) for some in side.slices) for side in (full, empty)
        ]
        report.demand(f"  {name} of the middle slice, ratio", usual[0] / usual[1], most=most)


def _report_fairness(stage: Stage, arrived: Sequence[Said], seconds: float) -> None:
    waited = [one.waited - seconds for one in arrived if one.answered]
    for name, part in (("first", 0.0), ("p50", 0.5), ("last", 1.0)):
        stage.report.say(f"answered after the engine's time, {name}, s", share(waited, part))


# -- more people than turns -----------------------------------------------------------------------


async def _in_line(stage: Stage, count: int) -> None:
    """The bound on turns is a twentieth: who came first is answered first."""
    report, bound = stage.report, count // 20
    seconds = 0.5 if count > 1000 else 0.1
    book = Book()
    graph = PlayedGraph(book)
    running = stage.prepare("in_line", graph.port, conversation={"max_concurrent_turns": bound})
    await graph.up()
    await stage.start(running)
    side = Side(running, book)
    began = time.perf_counter()
    arrived = await _say_all(side, count, f"wait {seconds}")
    await book.settle()
    took = max(one.answered for one in arrived) - began
    report.say(
        f"{bound} turns at a time: all answered, times the least possible", took / (20 * seconds)
    )
    # Beside the turns: what is posted at once, and what is sent at once.
    slack = bound + CONNECTIONS + 50
    report.demand("overtaken by later ones, people at most", overtaken(arrived, book), most=slack)
    report.demand_none("all who stood in line", book.faults())
    await stage.stop(running)
    await graph.down()
