"""From the house's counts to the samples of a family.

No label is a person, a chat, or anybody's words: what is not among the words known here is shown as
``other``.
"""

from collections.abc import Callable, Mapping

from openparallax.metrics import OTHER, Metrics

Samples = Mapping[tuple[str, ...], float]
"""By the values of the labels, in order."""

RESULTS = (
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
STATUSES = ("sent", "delivered", "read", "played", "failed", "foreign")


def single(name: str, label: str = "") -> Callable[[Metrics], Samples]:
    return lambda metrics: {(): metrics.value(name, label)}


def known(name: str, words: tuple[str, ...]) -> Callable[[Metrics], Samples]:
    return lambda metrics: {(word,): metrics.value(name, word) for word in words}


def inbound(metrics: Metrics) -> Samples:
    samples: dict[tuple[str, ...], float] = {("text", outcome): 0 for outcome in _OUTCOMES}
    for label, count in metrics.values("inbound_messages").items():
        kind, _, outcome = label.partition(" ")
        key = kind if kind in _TYPES else OTHER, outcome or OTHER
        samples[key] = samples.get(key, 0) + count
    return samples


def sends(metrics: Metrics) -> Samples:
    words = ("accepted", "refused", "unanswered", "not_sent")
    samples: dict[tuple[str, ...], float] = {(word,): 0 for word in words}
    for label, count in metrics.values("graph_send").items():
        word = "refused" if label.startswith("refused_") else label
        samples[word,] = samples.get((word,), 0) + count
    return samples


def parcels(metrics: Metrics) -> Samples:
    """Failed: refused at once, or taken and not delivered."""
    return {
        ("failed",): metrics.value("sends", "failed") + metrics.value("parcels", "failed"),
        ("held",): metrics.value("parcels", "held"),
        ("lost",): metrics.value("parcels", "lost"),
        ("expired",): metrics.value("parcels", "expired"),
        ("other_spelling",): metrics.value("parcels", "other_spelling")
        + metrics.value("statuses", "other_spelling"),
        ("unconfirmed",): metrics.value("sends", "unconfirmed"),
    }


def graph_errors(metrics: Metrics) -> Samples:
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


def tokens(metrics: Metrics) -> Samples:
    samples: dict[tuple[str, ...], float] = {}
    for label, count in metrics.values("tokens").items():
        engine, _, kind = label.rpartition(" ")
        key = engine or OTHER, kind if kind in _KINDS else OTHER
        samples[key] = samples.get(key, 0) + count
    return samples


def news(metrics: Metrics) -> Samples:
    words = ("info", "warning", "error")
    return {(word,): metrics.value("account_news_weight", word) for word in words}


def alerts(metrics: Metrics) -> Samples:
    samples: dict[tuple[str, ...], float] = {}
    for label, count in metrics.values("alerts").items():
        kind, _, result = label.partition(" ")
        samples[kind, result or OTHER] = count
    return samples
