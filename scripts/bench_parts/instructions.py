"""Instructions a message, counted by valgrind: the same to a few in a hundred on any machine.

Seconds say how fast this machine was; instructions say how much there was to do. A server is run
twice under callgrind, with N messages and with 2 N; the difference is that of N messages, and what
starting and stopping costs is in neither.
"""

import re
import shutil
from dataclasses import replace
from pathlib import Path

from bench_parts.orders import Orders, parse_results, render_orders
from bench_parts.processes import BenchError, Processes, stop
from bench_parts.servers import Server

TIMEOUT_S = 900.0
_COLLECTED = re.compile(r"Collected : (\d+)")


def is_available() -> bool:
    return shutil.which("valgrind") is not None


def parse_collected(log: str) -> int:
    """The instructions that callgrind reports when its process ends; several runs: the last.

    Raises:
        BenchError: There is no such line.
    """
    found = _COLLECTED.findall(log)
    if not found:
        raise BenchError("valgrind did not say how many instructions it counted")
    return int(found[-1])


def slope(few: int, many: int, messages: int) -> float:
    """Instructions a message, from the totals with N and 2 N messages."""
    return (many - few) / messages


def count(
    server: Server, orders: Orders, processes: Processes, env: dict[str, str], folder: Path
) -> int:
    """All instructions of one run of ``server`` in which each contact of ``orders`` writes once."""
    argv = [
        "valgrind",
        "--tool=callgrind",
        f"--callgrind-out-file={folder / 'callgrind.out'}",
        *server.argv,
    ]
    # Sets and dicts of text are walked in the same order each time.
    process = processes.start(server.log_name, argv, env | {"PYTHONHASHSEED": "0"})
    processes.wait_healthy(process, server.log_name, server.port, timeout=TIMEOUT_S)
    orders = replace(orders, targets=(server.as_target(process),), graph_port=server.graph_port)
    generator = [server.argv[0], "-m", "bench_parts.load"]
    text = processes.ask(generator, env, render_orders(orders), TIMEOUT_S)
    stop(process, timeout=TIMEOUT_S)
    handled = sum(one.handled for one in parse_results(text).rounds)
    if handled != orders.contacts:
        raise BenchError(f"{server.name}: {handled} of {orders.contacts} messages under valgrind")
    return parse_collected(processes.log_of(server.log_name))
