"""The bound on sends: a place for each that is under way."""

from openparallax.outbox.lane import Lane


class Places:
    """A lane has a place from before its parcel is claimed until Graph has answered for it.

    What comes then, writing the outcome down, needs none: else a slow disk would count as sends.

    Args:
        most: Sends at the same time.
    """

    __slots__ = ("_free", "_most")

    def __init__(self, most: int) -> None:
        self._most = self._free = most

    def change(self, most: int) -> None:
        """So many from now on; where more are under way, none begins until enough have ended."""
        self._free += most - self._most
        self._most = most

    def __bool__(self) -> bool:
        """Whether one is free."""
        return self._free > 0

    def take(self, lane: Lane) -> None:
        """Give a lane one that is free."""
        lane.has_place = True
        self._free -= 1

    def leave(self, lane: Lane) -> None:
        """The lane needs its place no more; nothing happens if it has none."""
        if lane.has_place:
            lane.has_place = False
            self._free += 1
