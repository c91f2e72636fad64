"""Metrics as Prometheus reads them."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from openparallax.admin.families import COUNTED, MEASURED, TIMED
from openparallax.admin.samples import Samples
from openparallax.metrics import Durations, Metrics


class Exposition(Collector):
    """Renders what was counted and measured.

    In a registry of its own: what libraries count in the process's default one is theirs. Beside
    the house's metrics it has those of the process and of Python's garbage collector.

    Args:
        metrics: What is counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._measured: Mapping[str, Samples] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(self, measured: Mapping[str, Samples], accept: str) -> tuple[bytes, str]:
        """All metrics, in the format that suits the ``Accept`` header, and its content type.

        Args:
            measured: What was looked at, by the names of `families.MEASURED`; those that could not
                be found out are left out.
            accept: As the client sent it.

        Source:
            Prometheus, exposition formats; OpenMetrics 1.0.
        """
        self._measured = measured
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        for counted in COUNTED:
            counter = CounterMetricFamily(counted.name, counted.says, labels=counted.labels)
            for labels, value in counted.samples(self._metrics).items():
                counter.add_metric(labels, value)
            yield counter
        for timed in TIMED:
            histogram = HistogramMetricFamily(timed.name, timed.says, labels=timed.labels)
            durations = self._metrics.durations(timed.source)
            for label in (*timed.known, *(one for one in durations if one not in timed.known)):
                steps, total = _cumulative(durations.get(label) or Durations(timed.source))
                histogram.add_metric([label] if timed.labels else [], steps, total)
            yield histogram
        for family in MEASURED:
            gauge = GaugeMetricFamily(family.name, family.says, labels=family.labels)
            for labels, value in self._measured.get(family.name, {}).items():
                gauge.add_metric(labels, value)
            yield gauge


def _cumulative(durations: Durations) -> tuple[list[tuple[str, float]], float]:
    """As Prometheus counts: each step includes those before it."""
    names = [*(str(bound) for bound in durations.bounds), "+Inf"]
    steps: list[tuple[str, float]] = []
    count = 0
    for name, more in zip(names, durations.counts, strict=True):
        count += more
        steps.append((name, count))
    return steps, durations.total
