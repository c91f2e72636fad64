"""The load generator: a process of its own that measures several servers in turn.

Reads its `Orders` from standard input, writes a line a round to standard error and its `Results`
to standard output, both as JSON.
"""

import asyncio
import gc
import os
import sys
import time
from collections import deque
from pathlib import Path

import uvloop

from bench_parts.bodies import FIRST_CONTACT, Requests
from bench_parts.graph import Graph
from bench_parts.loops import Counts, Run
from bench_parts.orders import (
    Latency,
    Orders,
    Results,
    Round,
    Target,
    parse_orders,
    render_results,
)

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
WARM_UP_S = 1.0


class Generator:
    """Sends what is to be sent and counts what comes back."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._builder = Requests(closing=orders.fresh)
        self._acknowledged = {target.name: 0 for target in orders.targets}
        self._fastest: dict[str, float] = {}
        self._running: Run | None = None

    async def measure(self) -> Results:
        on_sent = self._sent if self._orders.statuses else None
        graph = await asyncio.get_running_loop().create_server(
            lambda: Graph(self._answered, on_sent), "127.0.0.1", self._orders.graph_port
        )
        found: list[Round] = []
        if self._orders.warm_up:
            for target in self._orders.targets:
                await self._round(target, min(WARM_UP_S, self._orders.seconds))
        for number in range(self._orders.rounds):
            for target in self._orders.targets:
                result = await self._round(target, self._orders.seconds)
                found.append(result)
                print(
                    f"  round {number + 1} of {self._orders.rounds}: {target.name:<26} "
                    f"{result.rate:>8,.0f}/s  {result.cpu_us:.0f} us of processor time a message",
                    file=sys.stderr,
                    flush=True,
                )
        graph.close()
        return Results(found, self._acknowledged)

    def _answered(self, number: int) -> None:
        if self._running:
            self._running.answered(number)

    def _sent(self, wamid: bytes, to: bytes, token: bytes) -> None:
        if self._running:
            self._running.post_statuses(self._builder.statuses(wamid, to, token))

    async def _round(self, target: Target, seconds: float) -> Round:
        requests = self._build(target, seconds)
        gc.collect()
        cpu_before = {one.name: processor_time(one.pid) for one in self._orders.targets}
        own_before, started = time.process_time(), time.perf_counter()
        counts = Counts(ends_at=started + seconds)
        run = self._running = Run(self._orders, target, requests, counts)
        await run.run()
        cpu = {
            one.name: processor_time(one.pid) - cpu_before[one.name] for one in self._orders.targets
        }
        elapsed = time.perf_counter() - started
        self._acknowledged[target.name] += counts.acknowledged
        # A round that ran out of requests ended with its last answer.
        lasted = seconds if requests else max(counts.last_at - started, 1e-6)
        handled = counts.answered if self._orders.trips else counts.acknowledged
        rate = counts.in_time / lasted
        self._fastest[target.name] = max(self._fastest.get(target.name, 0.0), rate)
        return Round(
            target=target.name,
            count=counts.in_time,
            handled=handled,
            bad=counts.bad,
            missing=run.missing,
            twice=counts.twice,
            unsent=run.unsent,
            seconds=lasted,
            rate=rate,
            cpu_us=cpu.pop(target.name) * 1e6 / max(handled, 1),
            others_cpu_s=sum(cpu.values()),
            generator_busy=(time.process_time() - own_before) / elapsed,
            late_ms=counts.late_s * 1e3,
            acknowledged=Latency.of(counts.acknowledged_s),
            answered=Latency.of(counts.answered_s),
        )

    def _build(self, target: Target, seconds: float) -> deque[tuple[int, int, bytes]]:
        orders = self._orders
        if orders.once:
            most = orders.contacts
        elif orders.per_second:
            most = int(orders.per_second * seconds) + 10
        else:
            # Twice what it was seen to do is enough; nothing is known before the first round.
            known = self._fastest.get(target.name)
            rate = min(2 * known, orders.most_per_second) if known else orders.most_per_second
            most = max(int(rate * seconds), orders.contacts)
        first = FIRST_CONTACT + orders.first
        contacts = [first + number % orders.contacts for number in range(most)]
        built = self._builder.build(contacts)
        return deque((contact, *one) for contact, one in zip(contacts, built, strict=True))


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used so far, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def main() -> None:
    orders = parse_orders(sys.stdin.read())
    if orders.core is not None:
        os.sched_setaffinity(0, {orders.core})
    gc.disable()
    generator = Generator(orders)
    print(render_results(uvloop.run(generator.measure())))


if __name__ == "__main__":
    main()
