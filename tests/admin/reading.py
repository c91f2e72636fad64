"""What Prometheus would read."""

from prometheus_client.parser import text_string_to_metric_families


class Read:
    """The samples of an exposition by name and labels."""

    def __init__(self, text: str) -> None:
        families = list(text_string_to_metric_families(text))
        self.types = {family.name: family.type for family in families}
        self.says = {family.name: family.documentation for family in families}
        self.samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """Of one sample, which has to be there."""
        return self.samples[name, tuple(sorted(labels.items()))]

    def labels(self, name: str) -> list[dict[str, str]]:
        """All that a name comes with."""
        return [dict(labels) for one, labels in self.samples if one == name]
