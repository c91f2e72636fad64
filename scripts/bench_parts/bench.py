"""One run of the bench: each part starts its servers, has them measured, and makes its tables."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

from bench_parts import instructions
from bench_parts import servers as names
from bench_parts.bodies import FIRST_CONTACT, Requests
from bench_parts.killing import ENGINE_S, Killed, Killer, quiet_s
from bench_parts.orders import Orders
from bench_parts.processes import find_port, kill, resident_mb, stop
from bench_parts.report import sides_of
from bench_parts.servers import ECHO, SAYS_NOTHING, THINKING, Engine
from bench_parts.stage import OURS, Running, Stage
from bench_parts.starting import Footprint, wait_acknowledged
from bench_parts.tables import footprint_table, instructions_table, killed_table

ACKNOWLEDGING = (
    names.BARE, names.BOT, names.FASTAPI, names.PYWA, names.PYWA_ASYNC, names.OURS, names.SHIPPED,
    names.SILENT,
)  # fmt: skip
ANSWERING = (
    names.BOT, names.FASTAPI, names.PYWA, names.PYWA_ASYNC, names.OURS, names.SHIPPED,
)  # fmt: skip
MEASURED_THINKING = (names.OURS, names.SHIPPED)
"""Whose engines think while acknowledging is measured; the others' say nothing at once."""


class Bench(Stage):
    """The parts, in the order in which they are best read."""

    def acks(self) -> None:
        """Acknowledgements, nothing being answered meanwhile."""
        engines = dict.fromkeys(ACKNOWLEDGING, SAYS_NOTHING)
        engines |= dict.fromkeys(MEASURED_THINKING, THINKING)
        running = self._start("acks", engines)
        orders = self._orders(running, trips=False)
        kept = self._measure("acks, kept alive", orders, names.BARE)
        fresh = self._measure(
            "acks, a new connection each", replace(orders, fresh=True), names.BARE
        )
        for one in running:
            # Without a chance to tidy up: what was acknowledged must be on the disk by now.
            kill(one.process)
            daemon, name = one.server.daemon, one.server.name
            if daemon is not None:
                acknowledged = kept.acknowledged[name] + fresh.acknowledged[name]
                on_disk = daemon.count_admitted()
                self.figures[f"on the disk after kill -9, {name}"] = [acknowledged, on_disk]
                if on_disk < acknowledged:
                    self.faults.append(
                        f"{name}: {acknowledged - on_disk} of {acknowledged} acknowledged messages "
                        "are not on the disk"
                    )

    def trips(self) -> None:
        """Whole round trips with echo: as fast as they go, then at one pace for all."""
        running = self._start("trips", dict.fromkeys(ANSWERING, ECHO))
        orders = self._orders(running, trips=True)
        kept = self._measure("trips, kept alive", orders, names.BOT)
        self._measure("trips, a new connection each", replace(orders, fresh=True), names.BOT)
        self._measure("trips, with statuses", replace(orders, statuses=True), names.BOT)
        slowest = min(side.rate.median for side in sides_of(kept, kept.rounds[0].target).values())
        pace = max(float(int(slowest / 2)), 5.0)
        self._measure(
            "trips, at one pace",
            replace(orders, per_second=pace, seconds=2 * orders.seconds),
            names.BOT,
        )
        self.figures["memory after the round trips, MB"] = {
            one.server.name: resident_mb(one.process.pid) for one in running
        }
        for one in running:
            stop(one.process)

    def memory(self) -> None:
        """Starts, alternating; then steps of new contacts."""
        footprints = {name: Footprint([], [], []) for name in self._installed(ANSWERING)}
        settle_s = 0.2 if self._options.quick else 1.0
        # Nobody plays Graph yet: these answers come later, and must not be taken for others.
        requests = Requests(closing=True, after=10**9)
        # The first start compiles what is imported, and is not counted.
        not_counted = 0 if self._options.quick else 1
        running: list[Running] = []
        for number in range(self._options.rounds + not_counted):
            for one in running:
                kill(one.process)
            running = []
            graph_port = find_port()
            for name, footprint in footprints.items():
                server = self._prepare(f"start-{number}", name, ECHO, graph_port)
                ((_, request),) = requests.build([FIRST_CONTACT])
                started = time.perf_counter()
                process = server.start(self._processes, self._env, self._server_core)
                running.append(Running(server, process))
                wait_acknowledged(process, server.port, request)
                if number >= not_counted:
                    footprint.first_s.append(time.perf_counter() - started)
                    time.sleep(settle_s)
                    footprint.idle_mb.append(resident_mb(process.pid))
        self._contacts(running, footprints)
        for one in running:
            stop(one.process)
        self.figures["memory"] = {name: asdict(one) for name, one in footprints.items()}
        trips = self.figures.get("memory after the round trips, MB", {})
        self._add(footprint_table(footprints, self._step, trips))

    @property
    def _step(self) -> int:
        return 60 if self._options.quick else 1000

    def _contacts(self, running: Sequence[Running], footprints: dict[str, Footprint]) -> None:
        for number in range(2 if self._options.quick else 6):
            orders = replace(
                self._orders(running, trips=True),
                contacts=self._step,
                first=100_000 + number * self._step,
                once=True,
                warm_up=False,
                rounds=1,
                seconds=60,
            )
            self._load(orders)
            for one in running:
                footprints[one.server.name].steps_mb.append(resident_mb(one.process.pid))

    def kill(self) -> None:
        """Kill each of them while it works, all at once: nothing here is judged by its speed."""
        messages, kills = (60, 1) if self._options.quick else (400, 4)
        servers = [
            self._prepare("kill", name, Engine(seconds=ENGINE_S), find_port())
            for name in self._installed(ANSWERING)
        ]
        killer = Killer(self._processes, self._env, self._server_core)

        async def run_all() -> list[Killed]:
            return await asyncio.gather(
                *(killer.run(server, messages, kills, quiet_s(server)) for server in servers)
            )

        found = dict(zip([one.name for one in servers], asyncio.run(run_all()), strict=True))
        self.figures["kill"] = {name: asdict(one) for name, one in found.items()}
        for name, one in found.items():
            if one.acknowledged < one.messages:
                self.faults.append(
                    f"{name}: {one.messages - one.acknowledged} messages were never acknowledged"
                )
            if name in OURS and one.lost:
                self.faults.append(f"{name}: {one.lost} acknowledged messages were lost")
        self._add(killed_table(found))

    def instructions(self) -> None:
        """Acknowledgements and round trips under valgrind; slow, and steady."""
        if not instructions.is_available():
            print("instructions: valgrind is not installed")
            return
        found: dict[str, list[float]] = {}
        for trips, wanted in ((False, ACKNOWLEDGING), (True, ANSWERING)):
            for name in self._installed(wanted):
                engine = ECHO if trips else THINKING if name in MEASURED_THINKING else SAYS_NOTHING
                counted = self._count(name, engine, trips=trips)
                found.setdefault(name, [0.0, 0.0])[trips] = counted
                print(f"  {name}: {counted:,.0f} instructions", file=sys.stderr, flush=True)
        self.figures["instructions"] = found
        self._add(instructions_table(found))

    def _count(self, name: str, engine: Engine, *, trips: bool) -> float:
        few = 20 if self._options.quick else 300

        def total(messages: int) -> int:
            server = self._prepare(f"instructions-{trips}-{messages}", name, engine, find_port())
            orders = Orders(
                trips=trips,
                targets=(),
                graph_port=server.graph_port,
                rounds=1,
                seconds=300,
                warm_up=False,
                contacts=messages,
                once=True,
                connections=self._options.connections,
                outstanding=self._options.connections,
                core=self._own_core,
            )
            return instructions.count(server, orders, self._processes, self._env, self._folder)

        return instructions.slope(total(few), total(2 * few), few)
