"""The whole way of a message as one line, once it is over."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from openparallax.cli.steps import clock, facts, painted

_MOST = 10_000
_DOOR = frozenset(
    {
        "not_allowed", "foreign_number", "own_number", "over_limit", "silent", "unreadable_again",
        "duplicate", "revoked", "handed_over", "taken_over",
    }
)  # fmt: skip
"""With these a message is over, unless a notice follows."""
_ENDS = frozenset(
    {"sent", "failed", "withdrawn", "unconfirmed", "overtaken", "held", "lost", "revoked"}
)
_LATER = frozenset({"delivered", "read", "played"})
_OF_THE_HOUSE = frozenset({"paused", "resumed", "not_stored", "draining"})


class Ways:
    """Collects the steps of each message, and tells them together."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[int, int], list[Mapping[str, Any]]] = OrderedDict()
        self._together: dict[tuple[int, int], tuple[int, int]] = {}

    def lines(self, found: Mapping[str, Any]) -> Iterator[str]:
        """What is over by this step."""
        if "left_out" in found:
            yield f"... {found['left_out']} steps left out: this terminal is slower than they are"
            return
        step, turn = found["step"], found.get("turn", 0)
        if step in _OF_THE_HOUSE or (not turn and step in _DOOR):
            yield _line([found])
            return
        if step in _LATER or not turn:
            return
        key = found.get("chat", 0), turn
        key = self._together.get(key, key)
        if found.get("last", 0) > turn:
            # What belongs to the turn comes under its last message from now on.
            self._together[found.get("chat", 0), found["last"]] = key
            for other in [one for one in self._open if one[0] == key[0]]:
                if turn < other[1] <= found["last"]:
                    del self._open[other]
        way = self._open.setdefault(key, [])
        way.append(found)
        if self._is_over(step, found):
            del self._open[key]
            yield _line(way)
        while len(self._open) > _MOST:
            yield _line(self._open.popitem(last=False)[1])
        if len(self._together) > _MOST:
            self._together.clear()

    def rest(self) -> Iterator[str]:
        """What is not over when nothing more comes."""
        while self._open:
            yield f"{_line(self._open.popitem(last=False)[1])} ..."

    @staticmethod
    def _is_over(step: str, found: Mapping[str, Any]) -> bool:
        return step in _ENDS or (step == "posted" and not found.get("amount", 0))


def _line(way: list[Mapping[str, Any]]) -> str:
    first = way[0]
    who = first.get("contact") or first.get("account", "")
    steps = " > ".join(
        f"{painted(one['step'])} ({more})" if (more := facts(one)) else painted(one["step"])
        for one in way
    )
    last = max((one.get("last", 0) for one in way), default=0)
    number = f" turn={first['turn']}" if first.get("turn") else ""
    if last > first.get("turn", 0):
        number += f"..{last}"
    return f"{clock(first['at'])} {who:<6}{number} {steps}"
