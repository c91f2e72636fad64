"""Measure the daemon beside the least that could do its work, and print a table.

Everything runs on this machine's loopback interface with made-up secrets; files go to a folder of
its own that is removed at the end. Exit code 1 means that something went wrong on the way (a
message unanswered, or acknowledged and not on the disk), not that a figure is low.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench_parts.daemon import Daemon, child_environment, install_slow_engine
from bench_parts.fill import fill
from bench_parts.orders import Orders, Results, Target, parse_results, render_orders
from bench_parts.processes import (
    BenchError,
    Processes,
    find_port,
    kill,
    resident_mb,
    stop,
    sync_ms,
)
from bench_parts.report import Comparison, render_comparison, render_facts

PARTS = ("acknowledgements", "trips", "idle", "million")
CHECKOUT = Path(__file__).resolve().parents[2]


class Bench:
    """One run: its folder, its processes, its figures."""

    def __init__(self, options: argparse.Namespace, folder: Path, processes: Processes) -> None:
        self._options = options
        self._folder = folder
        self._processes = processes
        plugins = folder / "plugins"
        plugins.mkdir()
        install_slow_engine(plugins)
        self._env = child_environment(plugins, CHECKOUT / "scripts", CHECKOUT)
        self.figures: dict[str, Any] = {}
        self.faults: list[str] = []

    def run(self) -> None:
        self._say(
            {
                "disk: one page kept for good, ms": sync_ms(self._folder),
                "processors": os.cpu_count() or 0,
            }
        )
        versions = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
        self.figures |= versions
        print(", ".join(f"{name} {version}" for name, version in versions.items()))
        for part in self._options.only:
            getattr(self, f"_{part}")()

    # What is measured

    def _acknowledgements(self) -> None:
        graph_port = find_port()
        engine = {"type": "slow_for_bench", "seconds": self._options.engine_seconds}
        daemon = Daemon.prepare("durable", self._folder, engine, graph_port)
        process, _ = daemon.start(self._processes, self._env)
        rival = self._rival("bare", graph_port)
        orders = self._orders(graph_port, daemon.as_target(process), rival[0], trips=False)
        results = self._measure("acknowledgements, the engine being slow", orders)
        # Without a chance to tidy up: what was acknowledged must be on the disk by now.
        kill(process)
        kill(rival[1])
        on_disk, acknowledged = daemon.count_admitted(), results.acknowledged["durable"]
        self._say({"acknowledged": acknowledged, "of these on the disk after kill -9": on_disk})
        if on_disk < acknowledged:
            self.faults.append(
                f"{acknowledged - on_disk} acknowledged messages are not on the disk"
            )

    def _trips(self) -> None:
        graph_port = find_port()
        daemon = Daemon.prepare("echo", self._folder, {"type": "echo"}, graph_port)
        process, _ = daemon.start(self._processes, self._env)
        rival = self._rival("bot", graph_port)
        orders = self._orders(graph_port, daemon.as_target(process), rival[0], trips=True)
        self._measure("whole round trips with echo", orders)
        self._say({"memory after these, MB": resident_mb(process.pid)})
        stop(process)
        kill(rival[1])

    def _idle(self) -> None:
        daemon = Daemon.prepare("idle", self._folder, {"type": "echo"}, find_port())
        process, _ = daemon.start(self._processes, self._env)
        time.sleep(1)
        self._say({"memory when idle, MB (wanted: below 80)": resident_mb(process.pid)})
        stop(process)

    def _million(self) -> None:
        graph_port = find_port()
        few, many = (
            Daemon.prepare(name, self._folder, {"type": "echo"}, graph_port)
            for name in ("empty", "filled")
        )
        for daemon in (few, many):
            daemon.make_database(self._processes, self._env)
        seconds = fill(many.database, self._options.stored)
        print(f"  filled with {self._options.stored:,} chats in {seconds:.0f} s", file=sys.stderr)

        running = self._start_in_turn((few, many))
        targets = [daemon.as_target(running[daemon.name]) for daemon in (many, few)]
        contacts = min(5000, self._options.stored)
        orders = replace(
            self._orders(graph_port, *targets, trips=True),
            contacts=contacts,
            step=max(self._options.stored // contacts, 1),
        )
        cold = replace(orders, once=True, warm_up=False, rounds=1, seconds=60)
        self._measure("the first message of each chat", cold)
        self._measure("every further message", orders)
        for daemon in (few, many):
            memory = resident_mb(running[daemon.name].pid)
            self._say({f"memory after these, {daemon.name}, MB": memory})
            stop(running[daemon.name])

    def _start_in_turn(self, daemons: Sequence[Daemon]) -> dict[str, subprocess.Popen[bytes]]:
        """Start each daemon several times, alternating; they run when this returns."""
        took: dict[str, list[float]] = {daemon.name: [] for daemon in daemons}
        running: dict[str, subprocess.Popen[bytes]] = {}
        for _ in range(self._options.rounds):
            for daemon in daemons:
                if daemon.name in running:
                    stop(running[daemon.name])
                running[daemon.name], seconds = daemon.start(self._processes, self._env)
                took[daemon.name].append(seconds)
        self._say(
            {f"start, {name}, seconds": statistics.median(all_) for name, all_ in took.items()}
        )
        return running

    # How

    def _rival(self, kind: str, graph_port: int) -> tuple[Target, subprocess.Popen[bytes]]:
        port = find_port()
        argv = [sys.executable, "-m", "bench_parts.rivals", kind, "--port", str(port)]
        argv += ["--graph", f"http://127.0.0.1:{graph_port}"]
        process = self._processes.start(kind, argv, self._env)
        self._processes.wait_healthy(process, kind, port)
        return Target(kind, port, process.pid), process

    def _orders(self, graph_port: int, *targets: Target, trips: bool) -> Orders:
        return Orders(
            trips=trips,
            targets=targets,
            graph_port=graph_port,
            rounds=self._options.rounds,
            seconds=self._options.seconds,
            connections=self._options.connections,
            outstanding=self._options.outstanding,
            contacts=self._options.contacts,
        )

    def _measure(self, title: str, orders: Orders) -> Results:
        print(f"{title}:", file=sys.stderr, flush=True)
        # Building takes about as long as sending; twice is for slow machines.
        timeout = 60 + 2 * len(orders.targets) * (orders.rounds + 1) * (2 * orders.seconds + 10)
        argv = [sys.executable, "-m", "bench_parts.load"]
        text = self._processes.ask(argv, self._env, render_orders(orders), timeout)
        results = parse_results(text)
        ours, other = (target.name for target in orders.targets)
        comparison = Comparison.of(title, (ours, other), results)
        self.figures[title] = asdict(comparison) | {"rounds": [asdict(r) for r in results.rounds]}
        self.faults += comparison.faults
        print(render_comparison(comparison), flush=True)
        for note in comparison.notes:
            print(f"  note: {note}", flush=True)
        return results

    def _say(self, facts: dict[str, float]) -> None:
        self.figures |= facts
        print(render_facts(facts), flush=True)


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    add = parser.add_argument
    add("--only", metavar="PART,…", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    add("--rounds", type=int, default=5, help="rounds of each server, A B A B (default: 5)")
    add("--seconds", type=float, default=4, help="length of a round (default: 4)")
    add("--connections", type=int, default=50, help="to the webhook (default: 50)")
    add("--outstanding", type=int, default=50, help="messages on their way at once (default: 50)")
    add("--contacts", type=int, default=1000, help="people who write (default: 1000)")
    add("--engine-seconds", type=float, default=10, help="what the slow engine takes (default: 10)")
    add("--stored", type=int, default=1_000_000, help="chats in the filled file")
    add("--skip-million", action="store_true", help="do not fill a file")
    add("--quick", action="store_true", help="one short round of each, to see that all of it runs")
    add("--folder", type=Path, help="where to put the files (default: on a disk, below /var/tmp)")
    add("--keep", action="store_true", help="leave the files and logs there")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    options = parser.parse_args(arguments)
    options.only = [part for part in options.only.split(",") if part]
    unknown = [part for part in options.only if part not in PARTS]
    if unknown:
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(unknown)}")
    if options.quick:
        options.rounds, options.seconds = 1, min(options.seconds, 1.0)
        options.stored = min(options.stored, 2000)
    if options.skip_million:
        options.only = [part for part in options.only if part != "million"]
    return options


def main(arguments: Sequence[str]) -> int:
    options = parse_options(arguments)
    # A commit to a file system in memory costs nothing, and /tmp often is one.
    default = Path("/var/tmp")
    parent = options.folder or (default if default.is_dir() else Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix="openparallax-bench-", dir=parent))
    try:
        with Processes(folder) as processes:
            bench = Bench(options, folder, processes)
            bench.run()
    except BenchError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("scripts/bench: stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    finally:
        if options.keep:
            print(f"files and logs: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(bench.figures, indent=2) + "\n", "utf-8")
    for fault in bench.faults:
        print(f"FAULT: {fault}", flush=True)
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
