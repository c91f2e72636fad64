"""Counting: sums, steps of durations, and a bound on labels."""

import pytest

from openparallax.metrics import BUCKETS, MOST_LABELS, OTHER, Metrics


def test_sums() -> None:
    metrics = Metrics()
    metrics.count("webhook", "stored")
    metrics.count("webhook", "stored", by=2)
    metrics.count("storage_failures")
    assert metrics.value("webhook", "stored") == 3
    assert metrics.value("storage_failures") == 1
    assert metrics.values("webhook") == {"stored": 3}


def test_what_never_moved() -> None:
    metrics = Metrics()
    assert metrics.value("webhook", "stored") == 0
    assert metrics.values("webhook") == {}
    assert metrics.durations("turn") == {}


@pytest.mark.parametrize("name", BUCKETS)
def test_steps_rise(name: str) -> None:
    assert list(BUCKETS[name]) == sorted(set(BUCKETS[name]))


@pytest.mark.parametrize(
    ("seconds", "step"),
    [(0.0, 0), (0.1, 0), (0.1001, 1), (120.0, -2), (120.1, -1), (1e9, -1)],
)
def test_a_duration_falls_into_one_step(seconds: float, step: int) -> None:
    metrics = Metrics()
    metrics.observe("turn", "answered", seconds)
    [found] = metrics.durations("turn").values()
    assert found.counts[step] == 1
    assert sum(found.counts) == 1
    assert found.total == seconds


def test_very_many_labels() -> None:
    """One name that runs wild leaves the others alone."""
    metrics = Metrics()
    for number in range(MOST_LABELS + 10):
        metrics.count("graph_errors", str(number))
        metrics.observe("turn", str(number), 1)
    metrics.count("graph_errors", "0")
    metrics.count("webhook", "stored")
    assert len(metrics.values("graph_errors")) == MOST_LABELS + 1
    assert metrics.value("graph_errors", "0") == 2
    assert metrics.value("graph_errors", OTHER) == 10
    assert metrics.value("webhook", "stored") == 1
    assert len(metrics.durations("turn")) == MOST_LABELS + 1
    assert sum(metrics.durations("turn")[OTHER].counts) == 10
