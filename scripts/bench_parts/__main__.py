"""Measure the daemon beside what its work is compared with, and print tables.

Everything runs on this machine's loopback interface with made-up secrets; files go to a folder of
its own that is removed at the end. Exit code 1 means that something went wrong on the way (a
message of the daemon's unanswered, or acknowledged and lost), not that a figure is low.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench_parts.bench import Bench
from bench_parts.circumstances import describe
from bench_parts.daemon import CHECKOUT
from bench_parts.processes import BenchError, Processes
from bench_parts.report import BEGIN, put_between_marks, render_markdown

PARTS = ("acks", "trips", "memory", "kill")
BENCHMARKS = CHECKOUT / "BENCHMARKS.md"


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    add = parser.add_argument
    add("--only", metavar="PART,…", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    add("--servers", metavar="NAME", nargs="+", help="only these rows, named as in the tables")
    add("--rounds", type=int, default=5, help="rounds of each server, A B A B (default: 5)")
    add("--seconds", type=float, default=3, help="length of a round (default: 3)")
    add("--connections", type=int, default=50, help="at once, to the webhook (default: 50)")
    add("--contacts", type=int, default=1000, help="people who write (default: 1000)")
    add("--instructions", action="store_true", help="count instructions too (valgrind; 20 minutes)")
    add("--quick", action="store_true", help="one short round of each, to see that all of it runs")
    add("--folder", type=Path, help="where to put the files (default: on a disk, below /var/tmp)")
    add("--keep", action="store_true", help="leave the files and logs there")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    add(
        "--markdown",
        type=Path,
        metavar="FILE",
        nargs="?",
        const=BENCHMARKS,
        help="write the tables to FILE, between its two marks if it has them (default: "
        f"{BENCHMARKS.name} of this checkout)",
    )
    options = parser.parse_args(arguments)
    options.only = [part for part in options.only.split(",") if part]
    unknown = [part for part in options.only if part not in PARTS]
    if unknown:
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(unknown)}")
    if options.quick:
        options.rounds, options.seconds = 1, min(options.seconds, 0.4)
    return options


def main(arguments: Sequence[str]) -> int:
    options = parse_options(arguments)
    # A commit to a file system in memory costs nothing, and /tmp often is one.
    default = Path("/var/tmp")
    parent = options.folder or (default if default.is_dir() else Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix="openparallax-bench-", dir=parent))
    started = time.perf_counter()
    try:
        with Processes(folder) as processes:
            circumstances = describe(folder, options)
            print(circumstances)
            bench = Bench(options, folder, processes)
            for part in options.only:
                getattr(bench, part)()
            if options.instructions:
                bench.instructions()
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
    print(f"\nThis took {time.perf_counter() - started:.0f} s.")
    if options.json:
        figures = {"circumstances": circumstances} | bench.figures
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if options.markdown:
        write_markdown(options.markdown, [circumstances, *map(render_markdown, bench.tables)])
    for fault in bench.faults:
        print(f"FAULT: {fault}", flush=True)
    return 1 if bench.faults else 0


def write_markdown(path: Path, parts: Sequence[str]) -> None:
    figures = "\n\n".join(part.strip() for part in parts) + "\n"
    known = path.read_text("utf-8") if path.exists() else ""
    path.write_text(put_between_marks(known, figures) if BEGIN in known else figures, "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
