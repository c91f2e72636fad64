"""What requests brought, counted and logged; without words, and contacts shortened."""

from openparallax.graph.errors import what_to_do
from openparallax.inbox.admission import Admission
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.messages import News
from openparallax.outbox.receipts import Receipts


def report(admission: Admission, receipts: Receipts, *, metrics: Metrics, log: Logger) -> None:
    """What one request came to; called once it is on disk."""
    for what, count in admission.counts.items():
        metrics.count("inbound", what, count)
    for (kind, outcome), count in admission.outcomes.items():
        metrics.count("inbound_messages", f"{kind} {outcome}", count)
    for what, count in receipts.counts.items():
        metrics.count("statuses", what, count)
    for failure in receipts.failures:
        metrics.count("parcels", "failed")
        log.error(
            "parcel_failed",
            parcel=failure.parcel,
            chat=failure.chat,
            code=failure.code,
            error_class=failure.error_class.value,
            hint=what_to_do(failure.code),
        )
    for number in admission.refused:
        log.info("sender_not_allowed", contact=number)
    if "taken_over" in admission.counts:
        log.info("taken_over", count=admission.counts["taken_over"])
    if "merged" in admission.counts:
        log.info("contacts_merged", count=admission.counts["merged"])
    if "foreign_number" in admission.counts:
        log.warning(
            "foreign_number_ignored",
            count=admission.counts["foreign_number"],
            hint="a webhook named another phone_number_id than the configuration",
        )


def tell(item: News, *, metrics: Metrics, log: Logger) -> None:
    """News about our accounts, at their weight."""
    metrics.count("account_news", item.field)
    metrics.count("account_news_weight", item.weight.name.lower())
    say = (log.info, log.warning, log.error)[item.weight]
    say(
        "account_news",
        field=item.field,
        state=item.event,
        **({"name": item.subject} if item.subject else {}),
        **({"reason": _facts(item)} if item.facts else {}),
    )


def _facts(item: News) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(item.facts.items()))
