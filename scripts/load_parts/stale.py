"""After an outage of three days the windows are closed: nobody gets, and nobody pays, a flood.

What was never answered waits and joins the person's next message; of replies that could not be sent
only the newest is kept.
"""

import asyncio
import re
import time
import urllib.request
from collections.abc import Callable, Sequence

from bench_parts.bodies import FIRST_CONTACT

from load_parts.backlog import HEAVY, TOGETHER, batches, fewest_replies, outage
from load_parts.book import PATIENCE_S, Book, Said
from load_parts.stage import Running, Stage
from load_parts.wire import PlayedGraph, Webhook

DAYS_S = 3 * 86400
WINDOW_S = 86400
MARGIN_S = 60
"""The last minute of a window counts as closed."""
_DEPTH = re.compile(r'openparallax_queue_depth\{queue="([a-z_]+)"\} ([0-9.e+]+)')


async def run(stage: Stage) -> None:
    messages = stage.options.messages or stage.size(100_000, 4_000)
    stage.report.begin("stale", f"{messages:,} messages after an outage of three days")
    await _brought_late(stage, messages)
    await _found_late(stage, messages)
    await _replies_held(stage, stage.size(1_000, 60))


async def _brought_late(stage: Stage, messages: int) -> None:
    """Meta held them all the time, and posts them at once."""
    book = Book()
    graph = PlayedGraph(book)
    await graph.up()
    running = stage.prepare("brought_late", graph.port)
    await stage.start(running)
    began = time.perf_counter()
    said = outage(book, messages, long_s=DAYS_S)
    # From the last day of an outage windows are open; these are all older than that.
    for one in said:
        one.at -= WINDOW_S
    await Webhook(running.daemon.port).post_all(batches(said), 1)
    held = await _until(lambda: _depth(running, "messages_held"), messages)
    stage.report.say("Meta brings them: all held after, s", time.perf_counter() - began)
    stage.report.demand("  held", held, least=messages, most=messages)
    await _judge(stage, running, graph, said)
    await stage.stop(running)
    await graph.down()


async def _found_late(stage: Stage, messages: int) -> None:
    """They were admitted in time, and the daemon was down until their windows had closed."""
    book = Book()
    graph = PlayedGraph(book)
    await graph.up()
    running = stage.prepare("found_late", graph.port, engine={"hangs": True})
    await stage.start(running)
    said = outage(book, messages, long_s=60)
    closes_at = int(time.time()) + 8 + messages // 2500
    for one in said:
        one.at = closes_at + MARGIN_S - WINDOW_S
    await Webhook(running.daemon.port).post_all(batches(said), 1)
    await stage.kill(running)
    await asyncio.sleep(max(0.0, closes_at + 1 - time.time()))
    running.configure({"engine": {"hangs": False}})
    before = running.asked
    began = time.perf_counter()
    await stage.start(running)
    held = await _until(lambda: _depth(running, "messages_held"), messages)
    stage.report.say("found in the table: all held after the start, s", time.perf_counter() - began)
    stage.report.demand("  held", held, least=messages, most=messages)
    await _judge(stage, running, graph, said, before)
    await stage.stop(running)
    await graph.down()


async def _judge(
    stage: Stage, running: Running, graph: PlayedGraph, said: Sequence[Said], asked_before: int = 0
) -> None:
    """Nothing is run or sent; then some write again, and hear one answer each."""
    report, book = stage.report, graph.book
    await asyncio.sleep(1)
    report.demand("  engine asked", running.asked - asked_before, most=0)
    report.demand("  sent to Graph", graph.posts, most=0)
    count = len(said) // 100
    again = {FIRST_CONTACT + n for n in range(count - HEAVY)}
    again.add(FIRST_CONTACT + len(said) // TOGETHER)  # one of those who wrote much
    book.withdraw([one for one in said if one.contact not in again])
    expected = [one for one in said if one.contact in again]
    new = [book.say(contact) for contact in sorted(again)]
    began = time.perf_counter()
    await Webhook(running.daemon.port).post_all(([one] for one in new), 32)
    await book.settle()
    report.say(f"  {len(again)} write again: all answered after, s", time.perf_counter() - began)
    fewest = fewest_replies([*expected, *new])
    report.demand("  replies, old and new together", book.replies, most=fewest, least=fewest)
    report.demand("  engine asked", running.asked - asked_before, most=fewest, least=fewest)
    report.demand_none("  those who wrote again", book.faults())


async def _replies_held(stage: Stage, people: int) -> None:
    """Graph was down until the windows had closed: three replies wait for everybody."""
    report, book = stage.report, Book()
    graph = PlayedGraph(book)
    running = stage.prepare("held", graph.port)
    await stage.start(running)
    webhook = Webhook(running.daemon.port)
    closes_at = int(time.time()) + 10 + people // 60
    old = []
    for turn in (1, 2, 3):
        said = [
            book.say(FIRST_CONTACT + n, at=closes_at + MARGIN_S - WINDOW_S) for n in range(people)
        ]
        await webhook.post_all(([one] for one in said), 32)
        await _until(lambda: _asked(running), turn * people)
        old.append(said)
    report.demand("replies written, Graph being down", running.asked, least=3 * people)
    await stage.kill(running)
    await asyncio.sleep(max(0.0, closes_at + 1 - time.time()))
    await stage.start(running)
    await graph.up()
    held = await _until(lambda: _depth(running, "parts_held"), 3 * people)
    report.demand("  held", held, least=3 * people)
    await asyncio.sleep(1)
    report.demand("  sent once Graph is back, windows being closed", graph.posts, most=0)
    book.withdraw([*old[0], *old[1]])
    again = [book.say(FIRST_CONTACT + n) for n in range(people)]
    await webhook.post_all(([one] for one in again), 32)
    await book.settle()
    report.demand(
        "  sent when they write again: the newest old one, and the new one",
        graph.posts,
        least=2 * people,
        most=2 * people,
    )
    report.demand_none("  those who had replies held", book.faults())
    await stage.stop(running)
    await graph.down()


async def _until(look: Callable[[], int], wanted: int) -> int:
    """Wait until ``look`` finds as many, or nothing has changed for a while; what it found."""
    found, since = -1, time.perf_counter()
    while found < wanted and time.perf_counter() - since < PATIENCE_S:
        now = await asyncio.to_thread(look)
        if now != found:
            found, since = now, time.perf_counter()
        await asyncio.sleep(0.1)
    return found


def _asked(running: Running) -> int:
    return running.asked


def _depth(running: Running, queue: str) -> int:
    """How much waits, as an operator would see it."""
    url = f"http://127.0.0.1:{running.settings['admin']['port']}/metrics"
    with urllib.request.urlopen(url, timeout=30) as response:
        found = dict(_DEPTH.findall(response.read().decode()))
    return round(float(found[queue]))
