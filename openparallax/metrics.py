"""Counts and durations of what happened, without words and without contacts.

Plain sums, since the way of a message goes through here: adding is an addition in a dict, and a
duration is a look into a short list. The operator's listener renders them for Prometheus.
"""

from bisect import bisect_left
from collections.abc import Mapping

MOST_LABELS = 200
"""Labels under one name; what comes after them goes under `OTHER`."""
OTHER = "other"

BUCKETS: Mapping[str, tuple[float, ...]] = {
    "webhook": (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "turn": (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0),
    "send": (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0),
}
"""Upper bounds of the steps in which durations are counted, in seconds; one more is without end."""


class Durations:
    """How often something took how long.

    Args:
        name: Of `BUCKETS`.

    Attributes:
        bounds: Upper bounds of the steps, in seconds.
        counts: How many durations fell into each step; the last one has no bound.
        total: Of all durations, in seconds.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, name: str) -> None:
        self.bounds = BUCKETS[name]
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Metrics:
    """Counters and durations by name and label, such as ``("webhook", "stored")``.

    A label is one of the house's own short words or one of Meta's codes, or two of them with a
    space between: never anything a contact wrote, and never a contact.
    """

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}
        self._durations: dict[str, dict[str, Durations]] = {}

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        """Add ``by`` to the counter."""
        counts = self._counts.setdefault(name, {})
        if label not in counts and len(counts) >= MOST_LABELS:
            label = OTHER
        counts[label] = counts.get(label, 0) + by

    def observe(self, name: str, label: str, seconds: float) -> None:
        """Note that something took so long; ``name`` is one of `BUCKETS`."""
        durations = self._durations.setdefault(name, {})
        if label not in durations:
            if len(durations) >= MOST_LABELS:
                label = OTHER
            durations.setdefault(label, Durations(name))
        durations[label].add(seconds)

    def value(self, name: str, label: str = "") -> int:
        """What the counter stands at; 0 if it never moved."""
        return self._counts.get(name, {}).get(label, 0)

    def values(self, name: str) -> dict[str, int]:
        """All counters of that name that have moved, by label."""
        return dict(self._counts.get(name, {}))

    def durations(self, name: str) -> dict[str, Durations]:
        """All durations of that name, by label."""
        return dict(self._durations.get(name, {}))
