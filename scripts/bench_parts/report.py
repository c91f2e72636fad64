"""The figures, and the tables that a person reads."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench_parts.orders import Latency, Results, Round

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


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
    """One server over its rounds.

    Attributes:
        ratio: Of the rates to the base's, round by round.
    """

    rate: Spread
    ratio: Spread
    cpu_us: float
    acknowledged: Latency
    answered: Latency


def sides_of(results: Results, base: str) -> dict[str, Side]:
    """Each server by its name, in the order of the first round; ``base`` is what divides."""
    by_name: dict[str, list[Round]] = {}
    for one in results.rounds:
        by_name.setdefault(one.target, []).append(one)
    divisors = [one.rate for one in by_name[base]]
    return {
        name: Side(
            rate=Spread.of([one.rate for one in rounds]),
            ratio=Spread.of(
                [one.rate / max(by, 1e-9) for one, by in zip(rounds, divisors, strict=True)]
            ),
            cpu_us=statistics.median(one.cpu_us for one in rounds),
            acknowledged=_median([one.acknowledged for one in rounds]),
            answered=_median([one.answered for one in rounds]),
        )
        for name, rounds in by_name.items()
    }


def _median(latencies: Sequence[Latency]) -> Latency:
    return Latency(
        statistics.median(one.p50 for one in latencies),
        statistics.median(one.p99 for one in latencies),
        statistics.median(one.p999 for one in latencies),
    )


def find_faults(one: Round) -> list[str]:
    """What must not have happened, in words."""
    found = []
    if not one.handled:
        found.append(f"{one.target}: nothing was counted")
    if one.bad:
        found.append(f"{one.target}: {one.bad} requests were not answered with 200")
    if one.missing:
        found.append(f"{one.target}: {one.missing} answers never came")
    if one.twice:
        found.append(f"{one.target}: {one.twice} answers came twice")
    if one.unsent:
        found.append(f"{one.target}: {one.unsent} messages were due and found no connection")
    return found


def find_notes(one: Round) -> list[str]:
    """What takes value from the figures, in words."""
    found = []
    if one.generator_busy > 0.8:
        found.append(
            f"{one.target}: the load generator was busy for {one.generator_busy:.0%} of a round: "
            "it, and not the server, may have been the limit"
        )
    if one.others_cpu_s > one.seconds / 10:
        found.append(f"{one.target}: the other servers used {one.others_cpu_s:.1f} s meanwhile")
    if one.late_ms > 20:
        found.append(f"{one.target}: the generator was up to {one.late_ms:.0f} ms late")
    return found


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        about: What was done, in sentences.
        notes: What takes value from it.
        rows: Name of the server first.
    """

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def load_table(title: str, about: str, results: Results, base: str, *, trips: bool) -> Table:
    """Rates, times and processor time of one comparison."""
    waits = ("answered", "acknowledged") if trips else ("acknowledged",)
    times = [f"{word} after, ms: p50 / p99 / p99.9" for word in waits]
    rows = []
    for name, side in sides_of(results, base).items():
        latencies = (side.answered, side.acknowledged) if trips else (side.acknowledged,)
        rows.append(
            (
                name,
                spread(side.rate, ",.0f"),
                spread(side.ratio, ".2f"),
                *[times_of(one) for one in latencies],
                f"{side.cpu_us:,.0f}",
            )
        )
    notes = dict.fromkeys(note for one in results.rounds for note in find_notes(one))
    return Table(
        title,
        about,
        ("server", "a second", f"ratio to {base}", *times, "processor, µs a message"),
        tuple(rows),
        tuple(_worst(notes)),
    )


def _worst(notes: Iterable[str]) -> list[str]:
    """One note of a kind and server is enough; the last one stands for all."""
    kinds = {(note.partition(":")[0], note.partition(":")[2][:24]): note for note in notes}
    return list(kinds.values())


def spread(values: Spread, form: str) -> str:
    return f"{values.median:{form}} ({values.lowest:{form}} … {values.highest:{form}})"


def times_of(latency: Latency) -> str:
    return " / ".join(
        f"{one:,.0f}" if one >= 100 else f"{one:.1f}"
        for one in (latency.p50, latency.p99, latency.p999)
    )


def render_text(table: Table) -> str:
    """For a terminal; the columns are aligned."""
    lines = (table.columns, *table.rows)
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    rendered = [
        "   ".join(
            f"{cell:<{width}}" if number == 0 else f"{cell:>{width}}"
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    notes = [f"  note: {note}" for note in table.notes]
    return "\n".join([f"\n{table.title}", *rendered, *notes])


def render_markdown(table: Table) -> str:
    marks = ["---", *["---:"] * (len(table.columns) - 1)]
    lines = [_pipes(cells) for cells in (table.columns, marks, *table.rows)]
    notes = [f"\nNote: {note}." for note in table.notes]
    return "\n".join([f"### {table.title}\n\n{table.about}\n", *lines, *notes]) + "\n"


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def put_between_marks(text: str, figures: str) -> str:
    """``text`` with ``figures`` in the place that its two marks keep.

    Raises:
        ValueError: It has not exactly one of each, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"there is no one place between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}"
