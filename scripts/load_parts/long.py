"""Steady traffic for minutes, with restarts: nothing may grow."""

import asyncio
import time

from bench_parts.bodies import FIRST_CONTACT

from load_parts.book import Book
from load_parts.report import share, slope
from load_parts.stage import Running, Stage
from load_parts.wire import PlayedGraph, Webhook

PER_SECOND = 100
PEOPLE = 500
IN_FLIGHT = 50
"""Sends at once, as shipped: so many may be in doubt after a kill."""
WARM_S = 0.4
"""This share of a life is for filling caches; growth counts behind it."""


async def run(stage: Stage) -> None:
    minutes = stage.options.minutes or (0.35 if stage.options.quick else 6)
    lives = 2 if stage.options.quick else 3
    report, book = stage.report, Book()
    report.begin("long", f"{PER_SECOND} messages a second for {minutes:g} minutes, {lives} lives")
    graph = PlayedGraph(book)
    await graph.up()
    running = stage.prepare("long", graph.port, conversation={"history_messages": 10})
    await stage.start(running)
    webhook = Webhook(running.daemon.port)
    over = asyncio.Event()
    writing = asyncio.create_task(_write(book, webhook, over))
    growth, files, log_mb = [], [], 0.0
    for life in range(lives):
        if life:
            # Once in order, once without a chance to tidy up; people go on writing meanwhile.
            await (stage.stop(running) if life % 2 else stage.kill(running))
            webhook.close()
            await stage.start(running)
        seen = await _watch(running, minutes * 60 / lives)
        late = [one for one in seen if one[0] > seen[-1][0] * WARM_S]
        growth.append(slope([(at, mb) for at, mb, _, _ in late]) * 60)
        files.append(max(one[2] for one in late) - min(one[2] for one in late))
        log_mb = max(log_mb, *(one[3] for one in seen))
        report.say(f"life {life + 1}: memory at its end, MB", seen[-1][1])
        report.say("  open files at its end", seen[-1][2])
    over.set()
    await writing
    await book.settle()
    report.say("messages", len(book.said))
    waited = [one.waited for one in book.said.values() if one.answered]
    report.say("answered, p50, ms", share(waited, 0.5) * 1e3)
    report.say("answered, slowest (restarts among them), s", max(waited))
    # A short life is all caches that fill.
    most = 60 if stage.options.quick else 5
    report.demand("memory grows in a life, MB a minute, at most", max(growth), most=most)
    report.demand("open files come and go, at most", max(files), most=20)
    report.demand("SQLite's log, longest, MB", log_mb, most=72)
    # Graph here tells no statuses: what it took in the moment of the kill is sent again.
    faults = book.faults()
    twice = faults.pop("answers sent twice", 0)
    report.demand("sent twice, the kill being why", twice, most=IN_FLIGHT * (lives // 3))
    report.demand_none("all of it", faults)
    await stage.stop(running)
    await graph.down()


async def _write(book: Book, webhook: Webhook, over: asyncio.Event) -> None:
    """An open loop; nobody writes anew before they were acknowledged: the order is known."""
    free = [FIRST_CONTACT + n for n in range(PEOPLE)]
    tasks = set()
    began = time.perf_counter()
    count = 0

    async def bring(contact: int) -> None:
        await webhook.bring(book.say(contact))
        free.append(contact)

    while not over.is_set():
        while count < (time.perf_counter() - began) * PER_SECOND:
            count += 1
            if free:
                task = asyncio.create_task(bring(free.pop(0)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)


async def _watch(running: Running, seconds: float) -> list[tuple[float, float, int, float]]:
    """Every half second: when, memory, open files, length of the log."""
    began = time.perf_counter()
    seen = []
    while (at := time.perf_counter() - began) < seconds:
        seen.append((at, running.memory_mb, running.open_files, running.log_mb))
        await asyncio.sleep(0.5)
    return seen
