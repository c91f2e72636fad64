"""Where and with what the figures were made: they mean nothing without it."""

import argparse
import importlib.metadata
import os
import platform
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from bench_parts.processes import find_cores, sync_ms
from bench_parts.servers import DISTRIBUTIONS, NEEDS, missing


def describe(folder: Path, options: argparse.Namespace) -> str:
    """Some sentences of Markdown; ``folder`` is on the disk that is measured."""
    versions = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for name in DISTRIBUTIONS:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    cores = find_cores()
    began = time.strftime("%Y-%m-%d at %H:%M UTC", time.gmtime())
    made = (
        f"Made on {began} with {_processor()}, {os.cpu_count()} processors, Linux "
        f"{platform.release()}; the load was {os.getloadavg()[0]:.1f} when it began. "
        f"{_pinning(cores)} One page kept for good by this disk takes {sync_ms(folder):.2f} ms."
    )
    counted = (
        f"{options.rounds} rounds of {options.seconds:g} s each, all servers in turn; medians, and "
        "in brackets the lowest and the highest round. Ratios are taken round by round."
    )
    lines = [made, counted, f"Versions: {', '.join(versions)}."]
    lines += [
        f"{name} could not be measured: {', '.join(missing(name))} is not installed."
        for name in NEEDS
        if missing(name)
    ]
    return "\n\n".join(lines)


def _pinning(cores: tuple[int, int] | None) -> str:
    if cores is None:
        return "Server and generator shared one processor, so the figures are low."
    return "The server measured had one of them for itself, generator and Graph's stand-in another."


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
