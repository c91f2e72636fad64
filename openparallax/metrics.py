"""Counts of what happened, without words and without contacts.

A plain counter for now; the operator's listener will render it for Prometheus.
"""

from collections import Counter

MOST_LABELS = 5_000


class Metrics:
    """Counters by name and label, such as ``("webhook", "stored")``.

    A label is one of the house's own short words or one of Meta's codes: never anything a contact
    wrote, and never a contact.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        """Add ``by`` to the counter; past very many labels the new ones go under ``other``."""
        if len(self._counts) >= MOST_LABELS and (name, label) not in self._counts:
            label = "other"
        self._counts[name, label] += by

    def value(self, name: str, label: str = "") -> int:
        """What the counter stands at; 0 if it never moved."""
        return self._counts[name, label]

    def snapshot(self) -> dict[str, int]:
        """All counters as ``{"name.label": value}``, sorted."""
        return {
            f"{name}.{label}" if label else name: value
            for (name, label), value in sorted(self._counts.items())
        }
