"""What went over the wire last, both ways, for the panel beside the phone; in memory only."""

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal

MOST_KEPT = 200
MOST_BODY = 64 * 1024
"""Characters of a body that are kept."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer.

    Attributes:
        direction: ``webhook``: we asked the bot; ``graph``: the bot asked us.
        at: Unix seconds of the emulator's clock.
        status: HTTP status; 0: no answer came; None: it is still under way.
        duration_ms: Until the answer; None while under way.
        is_signed: The webhook carried a signature, and the right one.
        what: A word for it: ``messages · text``, ``statuses · delivered``, ``read and typing``.
        person: Key of the person it is about, where it is about one.
        request: The body as text; of what is not text, its length in words.
        attempt: Which try it was, from 1.
    """

    number: int
    direction: Literal["webhook", "graph"]
    at: float
    method: str
    path: str
    status: int | None = None
    duration_ms: float | None = None
    is_signed: bool | None = None
    what: str = ""
    person: str | None = None
    request: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)
    attempt: int = 1
    note: str = ""
    """The fault that was played, if one was."""


class Wire:
    """The last exchanges, newest last."""

    def __init__(self) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=MOST_KEPT)
        self.on_change: Callable[[Exchange], None] = lambda _: None
        self._numbers = itertools.count(1)

    def begin(
        self,
        direction: Literal["webhook", "graph"],
        method: str,
        path: str,
        *,
        at: float,
        **more: Any,
    ) -> Exchange:
        """Put down a request that goes out or came in; `end` it when its answer is known."""
        more["request"] = more.get("request", "")[:MOST_BODY]
        exchange = Exchange(
            number=next(self._numbers), direction=direction, method=method, path=path, at=at, **more
        )
        self.exchanges.append(exchange)
        self.on_change(exchange)
        return exchange

    def end(self, exchange: Exchange, status: int, answer: str, duration_ms: float) -> None:
        exchange.status, exchange.answer = status, answer[:MOST_BODY]
        exchange.duration_ms = round(duration_ms, 1)
        self.on_change(exchange)


# All are plain values, so nothing needs the deep copies of `dataclasses.asdict`.
_NAMES = tuple(one.name for one in fields(Exchange))


def as_data(exchange: Exchange) -> dict[str, Any]:
    """Plain data for the page."""
    return {name: getattr(exchange, name) for name in _NAMES}
