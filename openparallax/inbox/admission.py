"""What one request brought through the door."""

from dataclasses import dataclass, field, replace

from openparallax.errors import NotStored
from openparallax.model.entry import Entry
from openparallax.model.envelope import Envelope, Move
from openparallax.model.parcel import Parcel


class Draining(NotStored):
    """The daemon is stopping and cannot take words off the record: the next process will."""


@dataclass(slots=True)
class Admission:
    """What is to be done once the unit is on disk.

    Attributes:
        envelopes: New work, in order.
        released: Work that a closed window held and that goes on now.
        entries: Words to be held by the transcript of their mode.
        parcels: Confirmations of `/otr`, and parcels that a closed window held.
        moves: What was scrubbed from the disk; the log must be truncated after the commit.
        counts: How often each thing happened, by a short word.
        refused: Shortened numbers of those who were not let in.
    """

    envelopes: list[Envelope] = field(default_factory=list)
    released: list[Envelope] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def take_along(self, move: Move) -> None:
        """Note a move, and have what the same request brought or released before it go along."""
        moved = set(move.turns)
        self.moves.append(move)
        for work in (self.envelopes, self.released):
            work[:] = [
                replace(one, session=move.session) if one.number in moved else one for one in work
            ]
        self.parcels = [
            replace(one, session=move.session) if one.turn in moved else one for one in self.parcels
        ]
        self.entries = [
            one for one in self.entries if one.turn not in moved or one.session == move.session
        ]

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
