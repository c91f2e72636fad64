"""All that was counted, for tests that say what is counted and that nothing else is."""

from openparallax.metrics import Metrics


def counted(metrics: Metrics) -> dict[str, int]:
    """All counters as ``{"name.label": value}``, sorted."""
    return {
        f"{name}.{label}" if label else name: value
        for name, labels in sorted(metrics._counts.items())
        for label, value in sorted(labels.items())
    }
