"""What the load generator is told, and what it tells."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """A server on this machine: name in the table, port of its webhook, process id."""

    name: str
    port: int
    pid: int


@dataclass(frozen=True)
class Orders:
    """What to measure.

    Attributes:
        trips: True: a message counts when its answer reaches Graph; else when it is acknowledged.
        targets: Measured in turn, A B C A B C.
        graph_port: Where Graph is played.
        seconds: Length of a round, at most.
        fresh: Each request gets a connection of its own; else they are kept alive.
        connections: To the webhook at once, each with one request at a time.
        outstanding: Messages sent and not yet counted; never two of one contact (trips only).
        per_second: Messages leave at this rate, whatever becomes of those before them (open loop);
            None: the next one leaves when one has come back (closed loop).
        statuses: Post sent, delivered and read for each answer, signed (trips only).
        contacts: How many people write.
        first: Who of all people is the first of them; they follow each other.
        most_per_second: Requests are built beforehand for this rate; a round may end early.
        once: Every contact writes one message and the round is over.
        core: The processor to stay on; None: any.
    """

    trips: bool
    targets: tuple[Target, ...]
    graph_port: int
    rounds: int = 5
    seconds: float = 4.0
    warm_up: bool = True
    fresh: bool = False
    connections: int = 50
    outstanding: int = 50
    per_second: float | None = None
    statuses: bool = False
    contacts: int = 1000
    first: int = 0
    most_per_second: int = 40_000
    once: bool = False
    core: int | None = None


@dataclass(frozen=True)
class Latency:
    """Milliseconds from when a message was to be sent until it counted."""

    p50: float
    p99: float
    p999: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latency":
        """Nearest ranks; of nothing, zeros."""
        took = sorted(seconds) or [0.0]
        last = len(took) - 1
        p50, p99, p999 = (
            took[min(int(len(took) * share), last)] * 1e3 for share in (0.5, 0.99, 0.999)
        )
        return cls(p50, p99, p999)


@dataclass(frozen=True)
class Round:
    """What one round of one target gave.

    Attributes:
        count: Messages acknowledged, or answered, before the round's end.
        handled: The same, with those that came after it.
        bad: Requests that got another answer than 200, or none.
        missing: Messages whose answer never came (trips only).
        twice: Answers that came more than once (trips only).
        unsent: Messages that were due before the end and found no connection (open loop only).
        cpu_us: The server's processor time per message.
        others_cpu_s: What the other targets used meanwhile, though nobody asked them anything.
        generator_busy: Share of one core that the generator used; near 1 it is the limit.
        late_ms: The worst lateness of the generator's own timetable (open loop only).
    """

    target: str
    count: int
    handled: int
    bad: int
    missing: int
    twice: int
    unsent: int
    seconds: float
    rate: float
    cpu_us: float
    others_cpu_s: float
    generator_busy: float
    late_ms: float
    acknowledged: Latency
    answered: Latency


@dataclass(frozen=True)
class Results:
    """What a generator found.

    Attributes:
        rounds: In the order in which they ran.
        acknowledged: Target -> messages answered with 200 in all, those of the warm-up and those
            after a round's end among them.
    """

    rounds: list[Round]
    acknowledged: dict[str, int]


def render_orders(orders: Orders) -> str:
    return json.dumps(asdict(orders))


def parse_orders(text: str) -> Orders:
    given: dict[str, Any] = json.loads(text)
    given["targets"] = tuple(Target(**target) for target in given["targets"])
    return Orders(**given)


def render_results(results: Results) -> str:
    return json.dumps(asdict(results))


def parse_results(text: str) -> Results:
    given: dict[str, Any] = json.loads(text)
    return Results([_parse_round(one) for one in given["rounds"]], given["acknowledged"])


def _parse_round(given: dict[str, Any]) -> Round:
    for name in ("acknowledged", "answered"):
        given[name] = Latency(**given[name])
    return Round(**given)
