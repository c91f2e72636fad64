"""Everybody who is connected: at most so many, and strangers go first.

A connection costs a descriptor and some memory, and whoever can reach the listener can hold as many
as there are. What everything else of the daemon needs descriptors for (Graph, the engine, the
database) must not wait for strangers to go. Refusing newcomers would keep Meta out for as long as
strangers stay; closing the oldest lets her in, since what she has to say takes no time.
"""

from collections.abc import Callable
from typing import Protocol

try:
    import resource
except ImportError:  # not on every platform
    _DESCRIPTORS = 512
else:
    _DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

MOST_CONNECTIONS = 2000
"""Plenty: Meta delivers over some dozens. With TLS each takes up to 50 KB."""


def room_for() -> int:
    """How many connections to have: half of the descriptors are for the rest of the daemon."""
    if _DESCRIPTORS < 0:  # without a limit
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(_DESCRIPTORS // 2, 1))


class Guest(Protocol):
    """One side of a connection: ours."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request."""


class Cuttable(Protocol):
    """What a connection goes over."""

    def abort(self) -> None:
        """Close it, whatever is still to be said."""


class Crowd:
    """Who is connected, in the order in which they came.

    Where there are more than ``most``, the oldest goes who never showed a signature, whatever it
    is doing. If all are known, the one that has been known longest and is idle goes, and the
    newcomer if there is none: behind a proxy, strangers come over connections of Meta's as well.

    Args:
        most: How many may stay.
        on_cut: Called for each that had to go.
    """

    def __init__(self, most: int, on_cut: Callable[[], None]) -> None:
        self._most = most
        self._on_cut = on_cut
        self._strangers: dict[object, tuple[Guest, Cuttable]] = {}
        self._known: dict[object, tuple[Guest, Cuttable]] = {}

    def came(self, guest: Guest, transport: Cuttable) -> None:
        """Somebody connected; somebody may have to go for it. May be repeated: it counts once."""
        self._strangers[guest] = guest, transport
        if len(self._strangers) + len(self._known) > self._most:
            self._cut_one(guest)

    def showed_signature(self, guest: object) -> None:
        """What it sent was signed; may be repeated, and costs next to nothing then."""
        found = self._strangers.pop(guest, None)
        if found is not None:
            self._known[guest] = found

    def left(self, guest: object) -> None:
        """Its connection is closed; may be repeated."""
        if self._strangers.pop(guest, None) is None:
            self._known.pop(guest, None)

    def _cut_one(self, newcomer: Guest) -> None:
        gone: object = next(iter(self._strangers))
        if gone is newcomer:
            gone = next((one for one, _ in self._known.values() if one.is_idle), newcomer)
        group = self._strangers if gone in self._strangers else self._known
        _, transport = group.pop(gone)
        self._on_cut()
        transport.abort()
