"""The figures, and the table that a person reads."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench_parts.orders import Results, Round


@dataclass(frozen=True)
class Spread:
    """Median, lowest and highest of several rounds."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Side:
    """One server's medians over its rounds."""

    rate: Spread
    p50_ms: float
    p99_ms: float
    cpu_us: float

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> "Side":
        return cls(
            rate=Spread.of([one.rate for one in rounds]),
            p50_ms=statistics.median(one.p50_ms for one in rounds),
            p99_ms=statistics.median(one.p99_ms for one in rounds),
            cpu_us=statistics.median(one.cpu_us for one in rounds),
        )


@dataclass(frozen=True)
class Comparison:
    """Ours beside another's, from one run.

    Attributes:
        ratio: Of the rates, round by round: ours divided by the other's.
        faults: What must not have happened, in words.
        notes: What takes value from the figures, in words.
    """

    title: str
    names: tuple[str, str]
    ours: Side
    other: Side
    ratio: Spread
    faults: list[str]
    notes: list[str]

    @classmethod
    def of(cls, title: str, names: tuple[str, str], results: Results) -> "Comparison":
        ours, other = ([one for one in results.rounds if one.target == name] for name in names)
        return cls(
            title,
            names,
            Side.of(ours),
            Side.of(other),
            Spread.of([a.rate / max(b.rate, 1e-9) for a, b in zip(ours, other, strict=True)]),
            [fault for one in results.rounds for fault in find_faults(one)],
            [note for one in results.rounds for note in find_notes(one)],
        )


def find_faults(one: Round) -> list[str]:
    found = []
    if not one.count:
        found.append(f"{one.target}: nothing was counted")
    if one.bad:
        found.append(f"{one.target}: {one.bad} requests were not answered with 200")
    if one.missing:
        found.append(f"{one.target}: {one.missing} answers never came")
    if one.twice:
        found.append(f"{one.target}: {one.twice} answers came twice")
    return found


def find_notes(one: Round) -> list[str]:
    found = []
    if one.generator_busy > 0.8:
        found.append(f"{one.target}: the load generator was near its own limit")
    if one.others_cpu_s > one.seconds / 10:
        found.append(f"{one.target}: the other server used {one.others_cpu_s:.1f} s meanwhile")
    return found


def render_comparison(comparison: Comparison) -> str:
    ours, other, ratio = comparison.ours, comparison.other, comparison.ratio
    rows = [
        (comparison.title, *comparison.names, "ratio", "lowest … highest"),
        (
            "  messages a second",
            f"{ours.rate.median:,.0f}",
            f"{other.rate.median:,.0f}",
            f"{ratio.median:.2f}",
            f"{ratio.lowest:.2f} … {ratio.highest:.2f}",
        ),
        _row("  p50, milliseconds", ours.p50_ms, other.p50_ms),
        _row("  p99, milliseconds", ours.p99_ms, other.p99_ms),
        _row("  processor, microseconds a message", ours.cpu_us, other.cpu_us),
    ]
    return "\n".join(_line(row) for row in rows)


def _row(title: str, ours: float, other: float) -> tuple[str, ...]:
    digits = 0 if max(ours, other) >= 100 else 1
    return (title, f"{ours:.{digits}f}", f"{other:.{digits}f}", f"{ours / max(other, 1e-9):.2f}")


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return (
        f"{first:<40}"
        + "".join(f"{cell:>12}" for cell in others[:3])
        + "".join(f"   {cell}" for cell in others[3:])
    )


def render_facts(facts: Mapping[str, float]) -> str:
    return "\n".join(
        _line((name, f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"))
        for name, value in facts.items()
    )
