"""What stands over and in the tables, apart from the load's own."""

import statistics
from collections.abc import Mapping, Sequence

from bench_parts.killing import BURST, ENGINE_S, PER_SECOND, Killed
from bench_parts.report import Spread, Table, spread
from bench_parts.starting import Footprint, per_thousand_mb

_ACKS = (
    "Signed text messages of a thousand people; a message counts when it is answered with 200. "
    "Nothing is answered meanwhile: OpenParallax's engine is still thinking, the others' says "
    "nothing at once, which costs them least; in the last row OpenParallax's says nothing too, so "
    "that every message's turn is run to its end beside the acknowledging. "
)
_TRIPS = (
    "An engine that says back what was said; a message counts when its answer reaches Graph. "
    "{connections} messages are on their way at a time, no two of one person. "
)
ABOUT = {
    "acks, kept alive": (
        "Acknowledgements, connections kept alive",
        _ACKS + "{connections} connections, each with one request at a time.",
    ),
    "acks, a new connection each": (
        "Acknowledgements, a new connection for each",
        _ACKS + "{connections} connections at a time; connecting is part of the time.",
    ),
    "trips, kept alive": ("Round trips, connections kept alive", _TRIPS),
    "trips, a new connection each": ("Round trips, a new connection for each message", _TRIPS),
    "trips, with statuses": (
        "Round trips with statuses coming in",
        _TRIPS
        + (
            "For each answer Meta's three statuses (sent, delivered, read) come in, signed, in "
            "requests of their own, on connections kept alive. The processor time of a message is "
            "that of its statuses too."
        ),
    ),
    "trips, at one pace": (
        "Times at one pace",
        (
            "The same work for all: {pace} messages a second, which is half of what the slowest of "
            "them does, whatever becomes of those before (open loop). A time runs from when the "
            "message was due, so that who stops for a while pays for all that was due meanwhile."
        ),
    ),
}
"""Part -> the table's heading and what was done."""


def footprint_table(
    footprints: Mapping[str, Footprint], contacts: int, after_trips_mb: Mapping[str, float]
) -> Table:
    rows = []
    for name, one in footprints.items():
        grown = per_thousand_mb(one.steps_mb, contacts)
        after = after_trips_mb.get(name)
        rows.append(
            (
                name,
                spread(Spread.of(one.first_s), ".2f"),
                f"{statistics.median(one.idle_mb):.1f}",
                "" if after is None else f"{after:.1f}",
                "" if grown is None else f"{grown:.2f}",
            )
        )
    return Table(
        "Start and memory",
        "From starting the process until a message is acknowledged, a new file each time; resident "
        "memory with that one message behind it, after the round trips above, and its growth with "
        "each thousand further people who write once and are answered.",
        (
            "server", "start to first 200, s", "idle, MB", "after the round trips, MB",
            "a thousand contacts, MB",
        ),
        tuple(rows),
    )  # fmt: skip


def instructions_table(found: Mapping[str, Sequence[float]]) -> Table:
    """``found``: acknowledging and a whole round trip; 0: not counted."""
    rows = tuple(
        (name, *(f"{one / 1e6:,.2f}" if one else "" for one in both))
        for name, both in found.items()
    )
    return Table(
        "Instructions",
        "Millions of the processor's instructions a message, in the server's process and without "
        "the kernel's: the difference between a run and one with twice as many messages, under "
        "valgrind.",
        ("server", "acknowledgement", "round trip"),
        rows,
    )


def killed_table(found: Mapping[str, Killed]) -> Table:
    rows = tuple(
        (
            name,
            f"{one.messages:,}",
            str(one.kills),
            f"{one.acknowledged:,}",
            f"{one.lost:,}",
            f"{one.excused:,}",
            f"{one.repeated:,}",
        )
        for name, one in found.items()
    )
    return Table(
        "kill -9",
        f"{PER_SECOND:.0f} messages a second, each of another person, an engine that takes "
        f"{ENGINE_S:g} s, and kill -9 at even distances, each time in the middle of {BURST} "
        "messages that come at once; the server is started again at once. Meta posts again what "
        "was not acknowledged, and the statuses of each answer. Lost: acknowledged, and nothing "
        "was ever said to the person. Told so: they got the apology instead of an answer (one "
        "that was being answered at three deaths). Repeated: answered more than once. What is lost "
        "is what was on its way: it grows with the rate and with the time that the engine takes.",
        ("server", "messages", "kills", "acknowledged", "lost", "told so", "repeated"),
        rows,
    )
