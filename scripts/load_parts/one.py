"""One person who says a thousand things at once, and what the others notice of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bench_parts.bodies import FIRST_CONTACT

from load_parts.backlog import TOGETHER
from load_parts.book import Book, Said
from load_parts.report import share
from load_parts.stage import Stage, Watch
from load_parts.wire import PlayedGraph, Webhook

LIMIT = 30
"""Messages a minute, as shipped."""
BURST = 45
"""Messages to one person at once, as shipped; then one in `INTERVAL_S`."""
INTERVAL_S = 6
_OTHERS = FIRST_CONTACT + 7_000_000

Pour = Callable[[Webhook, Sequence[Said]], Awaitable[Any]]


async def _in_one_request(webhook: Webhook, said: Sequence[Said]) -> None:
    await webhook.post(*said)


async def _in_requests(webhook: Webhook, said: Sequence[Said]) -> None:
    await webhook.post_all(([one] for one in said), len(said))


async def run(stage: Stage) -> None:
    count = 1000
    stage.report.begin("one", f"one person says {count:,} things at once")
    fewest = -(-count // TOGETHER)
    await _flood(stage, "in one request", _in_one_request, count, most=fewest + 1)
    # The first turns begin before the last have come.
    await _flood(stage, f"in {count:,} requests", _in_requests, count, most=2 * fewest)
    await _limited(stage, count)
    await _paced(stage, count if not stage.options.quick else 920)


async def _flood(stage: Stage, how: str, pour: Pour, count: int, *, most: int) -> None:
    report, book = stage.report, Book()
    graph = PlayedGraph(book)
    await graph.up()
    running = stage.prepare(f"flood{len(how)}", graph.port)
    await stage.start(running)
    webhook = Webhook(running.daemon.port)
    quiet = await _others(book, webhook, 0, asyncio.Event(), 40)
    before_mb = running.memory_mb
    over = asyncio.Event()
    others = asyncio.create_task(_others(book, webhook, 1000, over, 10_000))
    replies = book.replies
    said = [book.say(FIRST_CONTACT) for _ in range(count)]
    if pour is _in_requests:
        book.in_any_order.add(FIRST_CONTACT)
    async with Watch(running) as watch:
        began = time.perf_counter()
        await pour(webhook, said)
        report.say(f"{how}: acknowledged after, s", time.perf_counter() - began)
        while not all(one.answered for one in said) and time.perf_counter() - began < 60:
            await asyncio.sleep(0.02)
        report.say("  answered after, s", time.perf_counter() - began)
    over.set()
    busy = await others
    await book.settle()
    for name, part in (("p50", 0.5), ("slowest", 1.0)):
        report.say(f"  others answered before, {name}, ms", share(quiet, part) * 1e3)
        report.say(f"  others answered meanwhile, {name}, ms", share(busy, part) * 1e3)
    drained_s = max(one.answered for one in said) - began
    report.demand("  others wait longest, times the whole flood", max(busy) / drained_s, most=1)
    report.demand("  replies to them", book.replies - replies - len(busy), most=most)
    report.demand("  memory more at the peak, MB", watch.peak_mb - before_mb, most=60)
    report.demand_none(f"  {how}", book.faults())
    await stage.stop(running)
    await graph.down()


async def _others(
    book: Book, webhook: Webhook, first: int, over: asyncio.Event, most: int
) -> list[float]:
    """Other people, one after the other; the seconds until each was answered."""
    took: list[float] = []
    while len(took) < most and (not over.is_set() or not took):
        one = book.say(_OTHERS + first + len(took))
        await webhook.post(one)
        while not one.answered and time.perf_counter() - one.posted < 60:
            await asyncio.sleep(0.002)
        took.append(one.waited)
    return took


async def _limited(stage: Stage, count: int) -> None:
    """With the limit as shipped: what is within it is answered, and the person is told once."""
    report, book = stage.report, Book()
    graph = PlayedGraph(book)
    await graph.up()
    shipped = {"rate_limit": {"window_seconds": 60, "max_messages": LIMIT}}
    running = stage.prepare("limited", graph.port, channels={"whatsapp": shipped})
    await stage.start(running)
    said = [book.say(FIRST_CONTACT) for _ in range(count)]
    await Webhook(running.daemon.port).post(*said)
    while sum(bool(one.answered) for one in said) < LIMIT and not book.notices:
        await asyncio.sleep(0.02)
    await asyncio.sleep(2)
    answered = sum(bool(one.answered) for one in said)
    report.demand("with the limit as shipped: answered", answered, least=LIMIT, most=LIMIT)
    report.demand("  replies", book.replies, most=-(-LIMIT // TOGETHER))
    report.demand("  told that it is too much, times", len(book.notices), least=1, most=1)
    book.withdraw(said)
    report.demand_none("  those within the limit", book.faults())
    await stage.stop(running)
    await graph.down()


async def _paced(stage: Stage, count: int) -> None:
    """With the pace to one person as shipped: late, and whole."""
    report, book = stage.report, Book()
    graph = PlayedGraph(book)
    await graph.up()
    pace = {"pair_burst": BURST, "pair_interval_seconds": INTERVAL_S, "messages_per_second": 80}
    running = stage.prepare("paced", graph.port, outbox=pace)
    await stage.start(running)
    said = [book.say(FIRST_CONTACT) for _ in range(count)]
    began = time.perf_counter()
    await Webhook(running.daemon.port).post(*said)
    await book.settle(most_s=5 * INTERVAL_S * (-(-count // TOGETHER) - BURST))
    took = max(one.answered for one in said) - began
    report.say("with the pace to one person as shipped: replies", book.replies)
    least = (book.replies - BURST) * INTERVAL_S
    report.demand("  answered after, s", took, least=least - 0.5)
    report.demand("  times what the pace needs", took / max(least, INTERVAL_S), most=1.5)
    report.demand_none("  at that pace", book.faults())
    await stage.stop(running)
    await graph.down()
