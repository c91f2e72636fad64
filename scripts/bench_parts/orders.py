"""What the load generator is told, and what it tells."""

import json
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
        targets: Measured in turn, A B A B.
        seconds: Length of a round, at most.
        connections: Keep-alive connections to the webhook, each with one request at a time.
        outstanding: Messages sent and not yet counted; never two of one contact (trips only).
        contacts: How many people write; their numbers are ``step`` apart.
        most_per_second: Requests are built beforehand for this rate; a round may end early.
        once: Every contact writes one message and the round is over.
        graph_port: Where Graph is played.
    """

    trips: bool
    targets: tuple[Target, ...]
    graph_port: int
    rounds: int = 5
    seconds: float = 4.0
    warm_up: bool = True
    connections: int = 50
    outstanding: int = 50
    contacts: int = 1000
    step: int = 1
    most_per_second: int = 40_000
    once: bool = False


@dataclass(frozen=True)
class Round:
    """What one round of one target gave.

    Attributes:
        count: Messages acknowledged, or answered.
        bad: Requests that got another answer than 200, or none.
        missing: Messages whose answer never came (trips only).
        twice: Answers that came more than once (trips only).
        cpu_us: The server's processor time per message.
        others_cpu_s: What the other targets used meanwhile, though nobody asked them anything.
        generator_busy: Share of one core that this process used; near 1 it is the limit.
        p50_ms, p99_ms: Of the time from writing a request until the message counts.
    """

    target: str
    count: int
    bad: int
    missing: int
    twice: int
    seconds: float
    rate: float
    cpu_us: float
    others_cpu_s: float
    generator_busy: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Results:
    """What a generator found.

    Attributes:
        rounds: In the order in which they ran.
        acknowledged: Target -> requests answered with 200 in all, those of the warm-up and
            those after a round's end among them.
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
    return Results([Round(**result) for result in given["rounds"]], given["acknowledged"])
