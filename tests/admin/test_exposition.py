"""The exposition: what a scraper reads, and what stands in no label."""

import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from openparallax.admin.exposition import Exposition
from openparallax.admin.families import COUNTED, MEASURED, TIMED
from openparallax.admin.samples import Samples
from openparallax.metrics import MOST_LABELS, Metrics
from tests.admin.reading import Read


def read(metrics: Metrics) -> Read:
    body, content_type = Exposition(metrics).render({}, "")
    assert content_type.startswith("text/plain; version=0.0.4")
    return Read(body.decode())


def test_every_family_says_what_it_is() -> None:
    found = read(Metrics())
    for family in (*COUNTED, *TIMED, *MEASURED):
        assert family.name.startswith("openparallax_")
        assert not family.name.endswith("_total")
        assert found.says[family.name] == family.says
        assert family.says.endswith(".")


def test_what_is_known_beforehand_begins_at_zero() -> None:
    found = read(Metrics())
    assert found.value("openparallax_webhook_requests_total", result="stored") == 0
    assert found.value("openparallax_inbound_messages_total", type="text", outcome="admitted") == 0
    assert found.value("openparallax_sends_total", outcome="unanswered") == 0
    assert found.value("openparallax_webhook_seconds_count") == 0
    assert found.value("openparallax_turn_seconds_count", result="answered") == 0


def test_durations_are_cumulative() -> None:
    metrics = Metrics()
    for seconds in (0.05, 0.3, 0.3, 500):
        metrics.observe("turn", "answered", seconds)
    found = read(metrics)
    name = "openparallax_turn_seconds_bucket"
    steps = {"0.1": 1, "0.25": 1, "0.5": 3, "120.0": 3, "+Inf": 4}
    for le, count in steps.items():
        assert found.value(name, result="answered", le=le) == count
    assert found.value("openparallax_turn_seconds_sum", result="answered") == 500.65
    assert found.types["openparallax_turn_seconds"] == "histogram"


def test_openmetrics_where_it_is_asked_for() -> None:
    measured: dict[str, Samples] = {"openparallax_database_bytes": {(): 3}}
    exposition = Exposition(Metrics())
    body, content_type = exposition.render(measured, "application/openmetrics-text")
    assert content_type.startswith("application/openmetrics-text")
    families = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
    names = {family.name for family in families}
    assert {"openparallax_sends", "openparallax_database_bytes"} <= names


@pytest.mark.parametrize(
    ("name", "label", "shown"),
    [
        ("inbound_messages", "image unreadable", ("inbound_messages", "image", "unreadable")),
        ("inbound_messages", "made_up silent", ("inbound_messages", "other", "silent")),
        ("inbound_messages", "other", ("inbound_messages", "other", "other")),
        ("graph_send", "refused_190", ("sends", "refused")),
        ("graph_send", "refused_None", ("sends", "refused")),
        ("graph_errors", "190", ("graph_errors", "190")),
        ("graph_errors", "None", ("graph_errors", "none")),
        ("statuses", "failed_131026", ("graph_errors", "131026")),
        ("statuses", "failed_None", ("graph_errors", "none")),
        ("statuses", "sent_twice", ("parcels_sent_twice",)),
        ("tokens", "anthropic input", ("tokens", "anthropic", "input")),
        ("tokens", "an engine of words input", ("tokens", "an engine of words", "input")),
        ("tokens", "anthropic made_up", ("tokens", "anthropic", "other")),
        ("sends", "unconfirmed", ("parcels", "unconfirmed")),
        ("parcels", "failed", ("parcels", "failed")),
    ],
)
def test_where_a_count_is_shown(name: str, label: str, shown: tuple[str, ...]) -> None:
    metrics = Metrics()
    metrics.count(name, label, by=7)
    moved = {
        (sample[0], tuple(value for _, value in sorted(sample[1])))
        for sample, count in read(metrics).samples.items()
        if count == 7 and sample[0].startswith("openparallax_")
    }
    family, *labels = shown
    assert moved == {(f"openparallax_{family}_total", tuple(_by_label(family, labels)))}


def _by_label(family: str, values: list[str]) -> list[str]:
    """In the order of the labels' names."""
    [labels] = [one.labels for one in COUNTED if one.name == f"openparallax_{family}"]
    return [value for _, value in sorted(zip(labels, values, strict=True))]


def test_what_is_foreign_is_no_label() -> None:
    metrics = Metrics()
    for name in ("webhook", "statuses", "sends", "parcels", "inbound_unsupported", "account_news"):
        metrics.count(name, "somebodys_words")
    for name in ("inbound_messages", "graph_errors"):
        metrics.count(name, "somebodys_words admitted")
    metrics.count("tokens", "anthropic somebodys_words")
    assert b"somebodys" not in Exposition(metrics).render({}, "")[0]


def test_the_number_of_series_is_bounded() -> None:
    """And rendering them all takes moments: it is done between two webhooks."""
    metrics = Metrics()
    for number in range(MOST_LABELS * 2):
        for name in ("graph_errors", "tokens", "inbound_messages", "statuses"):
            metrics.count(name, f"{number}")
        metrics.observe("turn", str(number), 1)
    began = time.process_time()
    body, _ = Exposition(metrics).render({}, "")
    assert time.process_time() - began < 1
    assert body.count(b"\n") < 6000
