"""What every part of the bench stands on: servers started, loaded, and their tables collected."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench_parts import servers as names
from bench_parts.daemon import CHECKOUT, child_environment, install_slow_engine
from bench_parts.orders import Orders, Results, parse_results, render_orders
from bench_parts.processes import Processes, find_cores, find_port
from bench_parts.report import Table, find_faults, load_table, render_text
from bench_parts.servers import Engine, Server
from bench_parts.tables import ABOUT

OURS = (names.OURS, names.SHIPPED, names.SILENT)


@dataclass(frozen=True)
class Running:
    """A server while it runs."""

    server: Server
    process: subprocess.Popen[bytes]


class Stage:
    """One run: its folder, its processes, its figures and tables."""

    def __init__(self, options: argparse.Namespace, folder: Path, processes: Processes) -> None:
        self._options = options
        self._folder = folder
        self._processes = processes
        plugins = folder / "plugins"
        plugins.mkdir()
        install_slow_engine(plugins)
        self._env = child_environment(plugins, CHECKOUT / "scripts", CHECKOUT)
        cores = find_cores()
        self._server_core: int | None = cores[0] if cores else None
        self._own_core: int | None = cores[1] if cores else None
        if self._own_core is not None:
            os.sched_setaffinity(0, {self._own_core})
        self.figures: dict[str, Any] = {}
        self.tables: list[Table] = []
        self.faults: list[str] = []

    def _installed(self, wanted: Sequence[str]) -> list[str]:
        chosen = self._options.servers or wanted
        return [name for name in names.installed(wanted) if name in chosen]

    def _prepare(self, part: str, name: str, engine: Engine, graph_port: int) -> Server:
        folder = self._folder / part
        folder.mkdir(exist_ok=True)
        return Server.prepare(name, folder, graph_port, engine)

    def _start(self, part: str, engines: dict[str, Engine]) -> list[Running]:
        """Start them together and return when all are healthy."""
        graph_port = find_port()
        running = []
        for name in self._installed(list(engines)):
            server = self._prepare(part, name, engines[name], graph_port)
            process = server.start(self._processes, self._env, self._server_core)
            running.append(Running(server, process))
        for one in running:
            self._processes.wait_healthy(one.process, one.server.log_name, one.server.port)
        return running

    def _orders(self, running: Sequence[Running], *, trips: bool) -> Orders:
        return Orders(
            trips=trips,
            targets=tuple(one.server.as_target(one.process) for one in running),
            graph_port=running[0].server.graph_port,
            rounds=self._options.rounds,
            seconds=self._options.seconds,
            warm_up=not self._options.quick,
            connections=self._options.connections,
            outstanding=self._options.connections,
            contacts=self._options.contacts,
            most_per_second=10_000 if self._options.quick else 40_000,
            core=self._own_core,
        )

    def _measure(self, title: str, orders: Orders, base: str) -> Results:
        print(f"{title}:", file=sys.stderr, flush=True)
        results = self._load(orders)
        self.figures[title] = asdict(results)
        heading, about = ABOUT[title]
        about = about.format(connections=orders.connections, pace=f"{orders.per_second or 0:,.0f}")
        if base not in {one.target for one in results.rounds}:
            base = results.rounds[0].target
        self._add(load_table(heading, about, results, base, trips=orders.trips))
        return results

    def _load(self, orders: Orders) -> Results:
        # Building takes about as long as sending; twice is for slow machines.
        timeout = 120 + 2 * len(orders.targets) * (orders.rounds + 1) * (2 * orders.seconds + 30)
        argv = [sys.executable, "-m", "bench_parts.load"]
        text = self._processes.ask(argv, self._env, render_orders(orders), timeout)
        results = parse_results(text)
        for one in results.rounds:
            found = find_faults(one)
            if one.target in OURS or not one.handled:
                self.faults += found
            else:
                for line in found:
                    print(f"  note: {line}", flush=True)
        return results

    def _add(self, table: Table) -> None:
        self.tables.append(table)
        print(render_text(table), flush=True)
