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
from bench_parts.loops import Acknowledgements, Counts, Trips
from bench_parts.orders import Orders, Results, Round, Target, parse_orders, render_results

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Generator:
    """Sends what is to be sent and counts what comes back."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._builder = Requests()
        self._acknowledged = {target.name: 0 for target in orders.targets}
        self._running: Acknowledgements | Trips | None = None

    async def measure(self) -> Results:
        graph = await asyncio.get_running_loop().create_server(
            lambda: Graph(self._answered), "127.0.0.1", self._orders.graph_port
        )
        found: list[Round] = []
        if self._orders.warm_up:
            for target in self._orders.targets:
                await self._round(target, min(1.0, self._orders.seconds))
        for number in range(self._orders.rounds):
            for target in self._orders.targets:
                result = await self._round(target, self._orders.seconds)
                found.append(result)
                print(
                    f"  round {number + 1} of {self._orders.rounds}: {target.name:<8} "
                    f"{result.rate:>8,.0f}/s  {result.cpu_us:.0f} us of processor time a message",
                    file=sys.stderr,
                    flush=True,
                )
        graph.close()
        return Results(found, self._acknowledged)

    def _answered(self, number: int) -> None:
        if self._running:
            self._running.answered(number)

    async def _round(self, target: Target, seconds: float) -> Round:
        requests = self._build(seconds)
        gc.collect()
        cpu_before = {one.name: processor_time(one.pid) for one in self._orders.targets}
        own_before, started = time.process_time(), time.perf_counter()
        counts = Counts(ends_at=started + seconds)
        way = Trips if self._orders.trips else Acknowledgements
        running = self._running = way(self._orders, requests, counts)
        await running.run(target)
        cpu = {
            one.name: processor_time(one.pid) - cpu_before[one.name] for one in self._orders.targets
        }
        elapsed = time.perf_counter() - started
        self._acknowledged[target.name] += counts.acknowledged
        # A round that ran out of requests ended with its last answer.
        lasted = seconds if requests else max(counts.last_at - started, 1e-6)
        took = sorted(counts.took) or [0.0]
        return Round(
            target=target.name,
            count=counts.count,
            bad=counts.bad,
            missing=running.missing,
            twice=counts.twice,
            seconds=lasted,
            rate=counts.count / lasted,
            cpu_us=cpu.pop(target.name) * 1e6 / max(counts.count, 1),
            others_cpu_s=sum(cpu.values()),
            generator_busy=(time.process_time() - own_before) / elapsed,
            p50_ms=took[len(took) // 2] * 1e3,
            p99_ms=took[int(len(took) * 0.99)] * 1e3,
        )

    def _build(self, seconds: float) -> deque[tuple[int, int, bytes]]:
        orders = self._orders
        most = orders.contacts if orders.once else int(orders.most_per_second * seconds)
        contacts = [
            FIRST_CONTACT + (number % orders.contacts) * orders.step for number in range(most)
        ]
        built = self._builder.build(contacts)
        return deque((contact, *one) for contact, one in zip(contacts, built, strict=True))


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used so far, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


if __name__ == "__main__":
    gc.disable()
    generator = Generator(parse_orders(sys.stdin.read()))
    print(render_results(uvloop.run(generator.measure())))
