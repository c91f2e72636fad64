"""How the house is while somebody asks, and what they are told."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Now:
    """How the house is while somebody asks.

    Attributes:
        at: Unix seconds.
        is_running: A daemon runs; otherwise the file itself was asked.
        state: Of the daemon.
        since: From when on every step is remembered; unix seconds.
        trouble: Why it is not ready, a sentence each.
        paused: Account -> Meta's code, of those that may not send.
        served: Accounts that the configuration has; None: it could not be read.
        account_of: Chat -> account.
        taken_until: Chat -> until when a person of ours answers.
        takeover_s: For how long a person of ours answers after they did.
        running: How many turns run, and how many may.
        advise: From one of Meta's codes to what it means and what to do.
    """

    at: float
    is_running: bool
    state: str
    since: float
    advise: Callable[[int | None], str]
    trouble: Collection[str] = ()
    paused: Mapping[str, int | None] = field(default_factory=dict)
    served: Collection[str] | None = None
    account_of: Mapping[int, str] = field(default_factory=dict)
    taken_until: Mapping[int, int] = field(default_factory=dict)
    takeover_s: float = 3600.0
    running: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message.

    Attributes:
        outcome: A word for it.
        why: A sentence, or two.
        to_do: What a person is to do, or "".
    """

    outcome: str
    why: str
    to_do: str = ""


def long(seconds: float) -> str:
    """A length of time as people say it."""
    for unit, length in (("days", 86400), ("hours", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
