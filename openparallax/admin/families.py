"""The families of metrics: their names, what they say, and which of the house's counts they show.

No label is a person, a chat, or anybody's words: what is not among the words known here is shown as
``other``. What is counted by words that are known beforehand is shown from the start, as 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from openparallax.metrics import OTHER, Metrics

Samples = Mapping[tuple[str, ...], float]
"""By the values of the labels, in order."""

_RESULTS = (
    "stored", "ignored", "unreadable", "not_stored", "failed", "verified", "verify_refused",
    "bad_signature", "proxied_unsigned", "too_large", "slow_body", "broken_body", "malformed",
)  # fmt: skip
_TYPES = frozenset(
    {
        "text", "button", "interactive", "image", "video", "document", "audio", "sticker",
        "location", "contacts", "order", "reaction", "edit", "revoke", "system", "group",
        "request_welcome", "unsupported",
    }
)  # fmt: skip
_OUTCOMES = (
    "admitted", "command", "unreadable", "unreadable_again", "silent", "over_limit", "handed_over",
    "not_allowed", "foreign_number", "own_number", "revoke", "revoked",
)  # fmt: skip
_KINDS = frozenset({"input", "output", "cache_read", "cache_write"})
"""Of tokens; an engine may name others, which the usage of a chat shows."""
_STATUSES = ("sent", "delivered", "read", "played", "failed", "foreign")


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


def _single(name: str, label: str = "") -> Callable[[Metrics], Samples]:
    return lambda metrics: {(): metrics.value(name, label)}


def _known(name: str, words: tuple[str, ...]) -> Callable[[Metrics], Samples]:
    return lambda metrics: {(word,): metrics.value(name, word) for word in words}


def _inbound(metrics: Metrics) -> Samples:
    samples: dict[tuple[str, ...], float] = {("text", outcome): 0 for outcome in _OUTCOMES}
    for label, count in metrics.values("inbound_messages").items():
        kind, _, outcome = label.partition(" ")
        key = kind if kind in _TYPES else OTHER, outcome or OTHER
        samples[key] = samples.get(key, 0) + count
    return samples


def _sends(metrics: Metrics) -> Samples:
    words = ("accepted", "refused", "unanswered", "not_sent")
    samples: dict[tuple[str, ...], float] = {(word,): 0 for word in words}
    for label, count in metrics.values("graph_send").items():
        word = "refused" if label.startswith("refused_") else label
        samples[word,] = samples.get((word,), 0) + count
    return samples


def _parcels(metrics: Metrics) -> Samples:
    """Failed: refused at once, or taken and not delivered."""
    return {
        ("failed",): metrics.value("sends", "failed") + metrics.value("parcels", "failed"),
        ("held",): metrics.value("parcels", "held"),
        ("lost",): metrics.value("parcels", "lost"),
        ("other_spelling",): metrics.value("parcels", "other_spelling")
        + metrics.value("statuses", "other_spelling"),
        ("unconfirmed",): metrics.value("sends", "unconfirmed"),
    }


def _graph_errors(metrics: Metrics) -> Samples:
    """What Graph said at once, and what statuses said later."""
    samples: dict[tuple[str, ...], float] = {}
    said = list(metrics.values("graph_errors").items())
    said += [
        (label.removeprefix("failed_"), count)
        for label, count in metrics.values("statuses").items()
        if label.startswith("failed_")
    ]
    for code, count in said:
        key = (code if code.isdecimal() or code == OTHER else "none",)
        samples[key] = samples.get(key, 0) + count
    return samples


def _tokens(metrics: Metrics) -> Samples:
    samples: dict[tuple[str, ...], float] = {}
    for label, count in metrics.values("tokens").items():
        engine, _, kind = label.rpartition(" ")
        key = engine or OTHER, kind if kind in _KINDS else OTHER
        samples[key] = samples.get(key, 0) + count
    return samples


COUNTED = (
    Counted(
        "openparallax_webhook_requests",
        "Requests on the webhook's path, by what became of them.",
        ("result",),
        _known("webhook", _RESULTS),
    ),
    Counted(
        "openparallax_signature_failures",
        "Webhook requests without a right signature.",
        (),
        _single("webhook", "bad_signature"),
    ),
    Counted(
        "openparallax_inbound_messages",
        "Messages of contacts, by Meta's type and by what became of them at the door.",
        ("type", "outcome"),
        _inbound,
    ),
    Counted(
        "openparallax_duplicates",
        "Messages that Meta brought again.",
        (),
        _single("inbound", "duplicate"),
    ),
    Counted(
        "openparallax_sends", "Messages handed to Graph, by what it said.", ("outcome",), _sends
    ),
    Counted(
        "openparallax_parcels",
        "Parts of answers that did not simply go out, by what became of them.",
        ("outcome",),
        _parcels,
    ),
    Counted(
        "openparallax_parcels_sent_again",
        "Parts sent once more, since Graph did not answer and no status came.",
        (),
        _single("parcels", "sent_again"),
    ),
    Counted(
        "openparallax_parcels_sent_twice",
        "Parts that Meta took twice: somebody got them twice.",
        (),
        _single("statuses", "sent_twice"),
    ),
    Counted(
        "openparallax_graph_errors",
        "Errors of Meta's by code, on sending and in statuses; none: an answer without a code.",
        ("code",),
        _graph_errors,
    ),
    Counted(
        "openparallax_statuses",
        "Delivery statuses of our messages; foreign: of none of ours.",
        ("status",),
        _known("statuses", _STATUSES),
    ),
    Counted(
        "openparallax_tokens",
        "Tokens that engines spent, by kind.",
        ("engine", "kind"),
        _tokens,
    ),
    Counted(
        "openparallax_storage_failures",
        "How often the database refused to write.",
        (),
        _single("storage_failures"),
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
    Measured("openparallax_database_bytes", "Size of the database's file."),
    Measured("openparallax_database_log_bytes", "Size of the database's write-ahead log."),
    Measured("openparallax_start_time_seconds", "When the daemon was started, unix time."),
    Measured(
        "openparallax_build_info",
        "1, with what is running.",
        ("version", "commit", "python"),
    ),
)
