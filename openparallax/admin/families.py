"""The families of metrics: their names, what they say, and which of the house's counts they show.

What is counted by words that are known beforehand is shown from the start, as 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

from openparallax.admin.samples import (
    RESULTS,
    STATUSES,
    Samples,
    alerts,
    graph_errors,
    inbound,
    known,
    news,
    parcels,
    sends,
    single,
    tokens,
)
from openparallax.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Counted:
    """A family of counters; Prometheus adds ``_total`` to the name."""

    name: str
    says: str
    labels: tuple[str, ...]
    samples: Callable[[Metrics], Samples]


@dataclass(frozen=True, slots=True)
class Timed:
    """A family of durations.

    Attributes:
        source: Their name in `Metrics`.
        known: Labels that are shown from the start.
    """

    name: str
    says: str
    labels: tuple[str, ...]
    source: str
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """A family of values that are looked at when somebody asks."""

    name: str
    says: str
    labels: tuple[str, ...] = ()


COUNTED = (
    Counted(
        "openparallax_webhook_requests",
        "Requests on the webhook's path, by what became of them.",
        ("result",),
        known("webhook", RESULTS),
    ),
    Counted(
        "openparallax_signature_failures",
        "Webhook requests without a right signature.",
        (),
        single("webhook", "bad_signature"),
    ),
    Counted(
        "openparallax_inbound_messages",
        "Messages of contacts, by Meta's type and by what became of them at the door.",
        ("type", "outcome"),
        inbound,
    ),
    Counted(
        "openparallax_duplicates",
        "Messages that Meta brought again.",
        (),
        single("inbound", "duplicate"),
    ),
    Counted(
        "openparallax_sends", "Messages handed to Graph, by what it said.", ("outcome",), sends
    ),
    Counted(
        "openparallax_parcels",
        "Parts of answers that did not simply go out, by what became of them.",
        ("outcome",),
        parcels,
    ),
    Counted(
        "openparallax_parcels_sent_again",
        "Parts sent once more, since Graph did not answer and no status came.",
        (),
        single("parcels", "sent_again"),
    ),
    Counted(
        "openparallax_parcels_sent_twice",
        "Parts that Meta took twice: somebody got them twice.",
        (),
        single("statuses", "sent_twice"),
    ),
    Counted(
        "openparallax_graph_errors",
        "Errors of Meta's by code, on sending and in statuses; none: an answer without a code.",
        ("code",),
        graph_errors,
    ),
    Counted(
        "openparallax_statuses",
        "Delivery statuses of our messages; foreign: of none of ours.",
        ("status",),
        known("statuses", STATUSES),
    ),
    Counted(
        "openparallax_tokens",
        "Tokens that engines spent, by kind.",
        ("engine", "kind"),
        tokens,
    ),
    Counted(
        "openparallax_engine_failures",
        "Turns that the engine did not answer: it raised, gave nothing, or was abandoned.",
        ("reason",),
        known("engine_failures", ("raised", "other", "abandoned")),
    ),
    Counted(
        "openparallax_account_news",
        "What Meta said about the accounts, by how much it matters.",
        ("weight",),
        news,
    ),
    Counted(
        "openparallax_alerts",
        "Runs of the alert command, by kind of alert and by what became of them.",
        ("kind", "result"),
        alerts,
    ),
    Counted(
        "openparallax_reloads",
        "Reloads of the configuration, by what came of them.",
        ("result",),
        known("reloads", ("applied", "unchanged", "refused")),
    ),
    Counted(
        "openparallax_token_refreshes",
        "Access tokens that were to be refreshed, by whether Meta gave a fresh one.",
        ("result",),
        known("token_refreshes", ("done", "failed")),
    ),
    Counted(
        "openparallax_storage_failures",
        "How often the database refused to write.",
        (),
        single("storage_failures"),
    ),
)

TIMED = (
    Timed(
        "openparallax_webhook_seconds",
        "Seconds from a webhook request that was let in to its answer.",
        (),
        "webhook",
        ("",),
    ),
    Timed(
        "openparallax_turn_seconds",
        "Seconds that turns took, from their start until their answer was stored, by result.",
        ("result",),
        "turn",
        ("answered",),
    ),
    Timed(
        "openparallax_send_seconds",
        "Seconds that sends to Graph took, whatever became of them.",
        (),
        "send",
        ("",),
    ),
)

MEASURED = (
    Measured(
        "openparallax_queue_depth",
        "How much waits or is under way.",
        ("queue",),
    ),
    Measured(
        "openparallax_oldest_waiting_seconds",
        "Age of the oldest of what waits; 0 if nothing does.",
        ("queue",),
    ),
    Measured(
        "openparallax_account_paused",
        "1 while a number of ours does not send, since Graph refuses it.",
        ("account",),
    ),
    Measured(
        "openparallax_last_webhook_timestamp_seconds",
        "When Meta last sent a request that was let in, unix time; 0: never since the start.",
    ),
    Measured("openparallax_ready", "1 while the daemon is ready, as /readyz says, else 0."),
    Measured(
        "openparallax_token_expiry_timestamp_seconds",
        "When the access token of a number ends, unix time; 0: never. Left out where unknown.",
        ("account",),
    ),
    Measured(
        "openparallax_certificate_expiry_timestamp_seconds",
        "When the listener's own certificate ends, unix time; left out without tls.",
    ),
    Measured(
        "openparallax_alert_active",
        "1 for each kind of trouble that is there now; left out without an alert command.",
        ("kind",),
    ),
    Measured("openparallax_disk_free_bytes", "Room that the database's disk has left."),
    Measured("openparallax_database_bytes", "Size of the database's file."),
    Measured("openparallax_database_log_bytes", "Size of the database's write-ahead log."),
    Measured("openparallax_start_time_seconds", "When the daemon was started, unix time."),
    Measured(
        "openparallax_build_info",
        "1, with what is running.",
        ("version", "commit", "python"),
    ),
)
