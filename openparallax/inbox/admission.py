"""What one request brought through the door."""

from dataclasses import dataclass, field

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

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
