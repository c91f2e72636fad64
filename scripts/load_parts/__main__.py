"""Give the daemon too much of everything, and judge what becomes of it.

Real processes and files on this machine; Graph is played. The limits that would be what is measured
are switched off, save where they are the question. Exit code 1: a message was lost, doubled, out of
order or never answered, or a bound is broken.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop
from bench_parts.processes import BenchError, Processes

from load_parts import backlog, long, million, one, stale, waiting
from load_parts.report import Report
from load_parts.stage import Stage

PARTS = {
    "waiting": waiting.run,
    "backlog": backlog.run,
    "stale": stale.run,
    "million": million.run,
    "one": one.run,
    "long": long.run,
}


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/load", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--only", metavar="PART,…", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    add("--quick", action="store_true", help="small sizes, to see that all of it runs")
    add("--full", action="store_true", help="the sizes of the promise (default)")
    add("--people", type=int, help="who wait at once (waiting)")
    add("--messages", type=int, help="that came during the outage (backlog, stale)")
    add("--stored", type=int, help="contacts in the filled file (million; ten messages each)")
    add("--minutes", type=float, help="how long `long` lasts (default: 6)")
    add("--folder", type=Path, help="where to put the files (default: on a disk, below /var/tmp)")
    add("--keep", action="store_true", help="leave the files and logs there")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    options = parser.parse_args(arguments)
    if options.quick and options.full:
        parser.error("--quick and --full exclude each other")
    options.only = [part for part in options.only.split(",") if part]
    if unknown := [part for part in options.only if part not in PARTS]:
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(unknown)}")
    return options


async def run(stage: Stage) -> None:
    for part in stage.options.only:
        began = time.perf_counter()
        await PARTS[part](stage)
        stage.report.say("took, s", time.perf_counter() - began)


def main(arguments: Sequence[str]) -> int:
    options = parse_options(arguments)
    # A commit to a file system in memory costs nothing, and /tmp often is one.
    default = Path("/var/tmp")
    parent = options.folder or (default if default.is_dir() else Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix="openparallax-load-", dir=parent))
    report = Report()
    busy = " ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} processors, load average before: {busy}")
    try:
        with (
            Processes(folder) as processes,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(run(Stage(options, folder, processes, report)))
    except BenchError as error:
        print(f"scripts/load: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("scripts/load: stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    finally:
        if options.keep:
            print(f"files and logs: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(report.figures, indent=2) + "\n", "utf-8")
    print()
    for broken in report.broken:
        print(f"BROKEN: {broken}", flush=True)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
