"""Words, in the one place where they are: under (session, turn, part).

Two rooms with one contract: `durable` writes words to disk, `volatile` holds them in memory. Which
one is used is a look-up by the session's mode, ``transcripts[mode]``, and never an ``if``; the
calling lines are the same for both::

    await database.write(*transcript.keep(*entries), ...)   # the durable one returns writes
    transcript.hold(*entries)                               # the volatile one remembers

Nothing is held before its commit, so a request that is brought again cannot double words. Only the
composition root may hold the volatile room; the door, dispatch and the outbox get the look-up.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from openparallax.model.entry import Entry, Role
from openparallax.model.session import Mode, Session
from openparallax.model.text import Text
from openparallax.model.turn import Spoken
from openparallax.storage import Connection, Write


class Transcript(Protocol):
    """What both rooms can do."""

    outlives_the_process: bool
    """Whether words taken in now will still be there after a restart."""

    def keep(self, *entries: Entry) -> Sequence[Write]:
        """The writes that keep ``entries``; to be part of the caller's transaction."""
        ...

    def hold(self, *entries: Entry) -> None:
        """Have ``entries`` at hand, after their transaction; may be repeated."""
        ...

    def close_turn(self, session: Session, turns: Sequence[int]) -> Sequence[Write]:
        """The writes that make ``turns`` part of the session's history."""
        ...

    def follow(self, session: Session, spoken: Iterable[Entry]) -> None:
        """Note what a turn added to the history, after its transaction."""
        ...

    def renew(self, session: Session) -> None:
        """Something joined the session's history without a turn: read it anew the next time."""
        ...

    def erase(self, turn: int) -> Sequence[Write]:
        """The writes that scrub what came in as ``turn``; what answered it stays."""
        ...

    def unsay(self, turn: int) -> Sequence[Write]:
        """The writes that take what we wrote out of the history, since it never went out.

        The engine's words or the operator's, not what somebody sent from the phone.
        """
        ...

    def note_unsaid(self, session: Session, turn: int) -> None:
        """The same of what is at hand, after its transaction."""
        ...

    def is_by_hand(self, connection: Connection, session: Session, turn: int) -> bool:
        """Whether a person of ours wrote what was sent as ``turn``."""
        ...

    def say_again(self, turn: int) -> Sequence[Write]:
        """The writes that undo `unsay`: Meta said that it failed, and then that it came."""
        ...

    def note_said_again(self, session: Session, turn: int) -> None:
        """The same of what is at hand, after its transaction."""
        ...

    def drop(self, session: Session, turn: int) -> None:
        """Have what came in as ``turn`` at hand no more, after its transaction."""
        ...

    def strike(self, session: Session, hashed: int) -> None:
        """As `drop`, of the message with this hash, should it be held; after its transaction."""
        ...

    def turn_of(
        self, connection: Connection, session: Session, hashed: int, before: int
    ) -> int | None:
        """The finished turn whose message has this hash, as far as it can be seen inside a unit.

        Args:
            connection: Of the unit.
            session: Where to look.
            hashed: Keyed hash of Meta's id of the message.
            before: Looks at the eight days before this; unix seconds.
        """
        ...

    async def quoted(self, session: Session, hashed: int) -> Spoken | None:
        """What was said lately in this session, by the hash of the message that brought it.

        That is what the contact said, or a person of ours (as ``engine``), in a finished turn.

        Raises:
            NotStored: It could not be read now; may be repeated.
        """
        ...

    async def read(self, session: Session, turn: int, part: int) -> Text | None:
        """The words under a key; None if they are not there (any more).

        Raises:
            NotStored: They could not be read now; may be repeated.
        """
        ...

    async def history(self, session: Session, before: int) -> tuple[Spoken, ...]:
        """What contact and engine said in finished turns below ``before``, oldest first.

        Bounded, beginning with the contact, and trimmed in blocks, so that the beginning stays the
        same for several turns and a prompt cache holds.

        Raises:
            NotStored: It could not be read now; may be repeated.
        """
        ...


Transcripts = Mapping[Mode, Transcript]


def as_spoken(entry: Entry) -> Spoken:
    """An entry as engines see it."""
    return Spoken("contact" if entry.role is Role.CONTACT else "engine", entry.text.words)


def trimmed(spoken: Sequence[Spoken], most: int) -> tuple[Spoken, ...]:
    """The latest of ``spoken``, at most ``most``, cut in blocks and beginning with the contact."""
    start = 0
    if len(spoken) > most:
        block = max(1, most // 4)
        start = -(-(len(spoken) - most) // block) * block
    while start < len(spoken) and spoken[start].role != "contact":
        start += 1
    return tuple(spoken[start:])
