"""What was seen, and whether it is within its bound."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """The table of one run; printed line by line as it grows.

    Attributes:
        figures: Part -> what was measured -> the figure.
        broken: What is not as it must be, in words.
    """

    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    _part: str = ""

    def begin(self, part: str, what: str) -> None:
        self._part = part
        self.figures.setdefault(part, {})
        print(f"\n{part}: {what}", flush=True)

    def say(self, what: str, figure: float) -> None:
        """A figure that nothing is demanded of."""
        self._line(what, figure, "")

    def demand(
        self, what: str, figure: float, *, most: float | None = None, least: float | None = None
    ) -> None:
        """A figure that must not be above ``most`` or below ``least``."""
        bounds = [f"at most {most:,.6g}"] if most is not None else []
        bounds += [f"at least {least:,.6g}"] if least is not None else []
        if least is not None and least == most:
            bounds = [f"exactly {least:,.6g}"]
        is_met = not (
            (most is not None and figure > most) or (least is not None and figure < least)
        )
        if not is_met:
            self.broken.append(f"{self._part}: {what}: {figure:,.6g}, {' and '.join(bounds)}")
        self._line(what, figure, f"{'ok' if is_met else 'BROKEN'} ({' and '.join(bounds)})")

    def demand_none(self, whose: str, faults: Mapping[str, int]) -> None:
        """No message lost, doubled, out of order or at the wrong person's."""
        self.demand(f"{whose}: lost, doubled, out of order", sum(faults.values()), most=0)
        for what, count in faults.items():
            print(f"    {count:,} {what}", flush=True)

    def _line(self, what: str, figure: float, verdict: str) -> None:
        self.figures[self._part][what] = figure
        is_whole = isinstance(figure, int) or (figure == int(figure) and abs(figure) >= 100)
        shown = f"{figure:,.0f}" if is_whole else f"{figure:,.3g}"
        if not is_whole and abs(figure) >= 100:
            shown = f"{figure:,.0f}"
        print(f"  {what:<66}{shown:>12}  {verdict}".rstrip(), flush=True)


def share(values: Sequence[float], part: float) -> float:
    """The value that ``part`` of all lie below; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


def slope(values: Sequence[tuple[float, float]]) -> float:
    """How much the second grows with each one of the first, by least squares."""
    if len(values) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*values, strict=True)).slope
