"""What became of each message, step by step: without words, and contacts only in short.

A ring in memory, since the way of a message goes through here: a step is one tuple in a deque, and
what falls out at the other end is forgotten. Nothing of it is ever written down, so a message off
the record leaves its steps here and nowhere else. ``tail`` and ``why`` read it, and whoever makes
traces of it listens.

Nothing is rendered, and no `Note` is made, before somebody reads: while nobody listens, an ordinary
step costs its tuple and a call of the deque's own (`Trail.add`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice, takewhile
from typing import NamedTuple

MOST_NOTES = 20_000
"""Steps remembered, about 2,800 messages that were answered and read; measured, 6.5 MB."""


class Step(StrEnum):
    """What happened. The values are printed, and may be relied on.

    Of those at the door a message has one, and ``about`` is Meta's word for its type.
    """

    # at the door
    QUEUED = "queued"
    """Let in: it waits for its turn."""
    COMMAND = "command"
    """A command, or an attempt at one. ``about``: which; never what was typed."""
    DUPLICATE = "duplicate"
    """Meta brought it again; it has its outcome already."""
    NOT_ALLOWED = "not_allowed"
    """Not on ``allowed_numbers``."""
    FOREIGN_NUMBER = "foreign_number"
    """Sent to a ``phone_number_id`` that the configuration does not have."""
    OWN_NUMBER = "own_number"
    """It came from one of our own numbers."""
    OVER_LIMIT = "over_limit"
    """Over ``rate_limit``; not kept."""
    SILENT = "silent"
    """A reaction, an edit and the like: only counted."""
    UNREADABLE = "unreadable"
    """Only text is read; the person is told."""
    UNREADABLE_AGAIN = "unreadable_again"
    """The same once more within the minute; not told again."""
    HANDED_OVER = "handed_over"
    """Left to a person of ours, who has taken over."""
    REVOKED = "revoked"
    """Deleted by who wrote it."""
    TAKEN_OVER = "taken_over"
    """A person of ours answered from the phone. ``seconds``: of silence from now on."""
    MOVED = "moved"
    """A late ``/otr`` has taken it off the record."""
    RELEASED = "released"
    """It was held by a closed window and goes on."""
    NOT_STORED = "not_stored"
    """A request was answered 503, so that Meta brings it again. ``about``: disk or draining."""

    # in its turn
    ASKED = "asked"
    """The engine is asked. ``about``: which one."""
    ANSWERED = "answered"
    """The engine answered after ``seconds``. ``about``: the model; ``amount``: tokens written."""
    ENGINE_FAILED = "engine_failed"
    """It did not, within ``seconds``. ``about``: the notice that the person gets."""
    POSTED = "posted"
    """The turn is over; ``amount`` parts, the first of them ``parcel``, are to be sent. ``about``:
    answered, silent, or the notice. ``seconds``: the whole turn."""
    HELD = "held"
    """The customer service window is closed: it waits for the person's next message."""
    LOST = "lost"
    """Its words were off the record and went with a restart. ``seconds``: since a message came."""
    PUT_OFF = "put_off"
    """It could not be done now and is tried again. ``about``: why."""
    OVERTAKEN = "overtaken"
    """Nobody waits for this turn any more: what it answered was revoked or handed over."""

    # on its way out
    SENT = "sent"
    """Meta took the parcel after ``seconds``. ``amount``: which attempt that was."""
    DEFERRED = "deferred"
    """Not taken, or Meta was not reached: again after ``seconds``. ``code``, or ``about``: why."""
    IN_DOUBT = "in_doubt"
    """Nobody knows whether Meta took it: its status is waited for."""
    SENT_AGAIN = "sent_again"
    """It was in doubt, no status came, and it is sent once more."""
    FAILED = "failed"
    """Meta refused it for good, or could not deliver it. ``code``: why."""
    WITHDRAWN = "withdrawn"
    """Not sent: a person of ours answered, or a newer one took its place."""
    UNCONFIRMED = "unconfirmed"
    """Sent as often as may be, and Meta never said whether it took it."""
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"

    # not of one message
    PAUSED = "paused"
    """One of our numbers may not send. ``code``: why."""
    RESUMED = "resumed"
    """It may again."""
    DRAINING = "draining"
    """The daemon stops: what waits is for the next process."""


class Note(NamedTuple):
    """A step.

    Attributes:
        at: Unix seconds.
        step: What happened.
        chat: Opaque number of the chat; 0: of none.
        turn: Number of the message; of a turn, its first message: its id in the log and for
            plugins. Of a parcel, the last message that it answers. 0: of none.
        last: For steps of a turn: number of the last message that it answers.
        parcel: Number of what is sent, or 0.
        account: Phone number id of ours, or "" where the chat says it.
        contact: Short form of the contact, as in the log, or "" where the chat says it.
        about: A short word of the house or of Meta's; see `Step`.
        code: Meta's error code.
        seconds: See `Step`.
        amount: See `Step`.
    """

    at: float
    step: Step
    chat: int = 0
    turn: int = 0
    last: int = 0
    parcel: int = 0
    account: str = ""
    contact: str = ""
    about: str = ""
    code: int | None = None
    seconds: float | None = None
    amount: int = 0


Taken = tuple[float, Step, int, int, int, int, str, str, str, int | None, float | None, int]
"""A step as it is kept: the attributes of a `Note`, in their order, every one of them."""
Hear = Callable[[Note], None]
APART = frozenset({Step.ENGINE_FAILED, Step.PAUSED})
"""Rare, and listened to in every house: noted by `Trail.note` only, so that all others stay cheap
while nobody listens to these."""


class Trail:
    """The latest steps; see the sign above.

    Everything on the thread of the loop.

    Args:
        now: Wall time, unix seconds.
        most: Steps remembered.

    Attributes:
        since: When it began: what is older nobody knows here.
        add: Remember a step, which is none of `APART`; to be looked up at each call.
        extend: The same of several.
    """

    add: Callable[[Taken], None]
    extend: Callable[[Iterable[Taken]], None]

    def __init__(self, now: Callable[[], float], *, most: int = MOST_NOTES) -> None:
        self._now = now
        self._ring: deque[Taken] = deque(maxlen=most)
        self._hear_by(())
        self.since = now()

    def note(
        self,
        step: Step,
        chat: int = 0,
        turn: int = 0,
        last: int = 0,
        parcel: int = 0,
        account: str = "",
        contact: str = "",
        about: str = "",
        code: int | None = None,
        seconds: float | None = None,
        amount: int = 0,
    ) -> None:
        """Remember a step, and tell whoever listens; see `Note` for what the rest means.

        Never words, and of a contact nothing but its short form.
        """
        self._add((
            self._now(), step, chat, turn, last, parcel,
            account, contact, about, code, seconds, amount,
        ))  # fmt: skip

    def listen(self, hear: Hear, *steps: Step) -> Callable[[], None]:
        """Have ``hear`` called with each step from now on, or each of these kinds.

        It is called in the midst of the work: it must be quick and must not wait. One that raises
        is not called again.

        Returns:
            What ends it; may be repeated.
        """
        hearer = steps, hear
        self._hear_by((*self._hearers, hearer))

        def stop() -> None:
            self._hear_by(tuple(one for one in self._hearers if one is not hearer))

        return stop

    def notes(self, latest: int | None = None) -> Iterator[Note]:
        """The steps that are remembered, the oldest first; only the ``latest`` ones if given.

        To be read at once, before the loop goes on.
        """
        skipped = 0 if latest is None else max(0, len(self._ring) - latest)
        return map(Note._make, islice(self._ring, skipped, None))

    def latest(self, step: Step, most: int = 1) -> list[Note]:
        """The latest ``most`` of one kind, the latest first."""
        found = (one for one in reversed(self._ring) if one[1] is step)
        return [Note._make(one) for one in islice(found, most)]

    def since_mark(self, mark: object, *steps: Step) -> Iterator[Note]:
        """Those of these kinds that came since `mark` was asked, the latest first.

        What has fallen out meanwhile is not among them.
        """
        newer = takewhile(lambda one: one is not mark, reversed(self._ring))
        return (Note._make(one) for one in newer if one[1] in steps)

    @property
    def mark(self) -> object:
        """Where it ends by now, for `since_mark`; None while it is empty."""
        return self._ring[-1] if self._ring else None

    @property
    def begins_at(self) -> float:
        """From when on nothing is missing here: unix seconds."""
        if len(self._ring) == self._ring.maxlen:
            return next(self.notes()).at
        return self.since

    def _hear_by(self, hearers: tuple[tuple[tuple[Step, ...], Hear], ...]) -> None:
        self._hearers = hearers
        is_heard = not all(steps and APART.issuperset(steps) for steps, _ in hearers)
        self.add = self._add if is_heard else self._ring.append
        self.extend = self._extend if is_heard else self._ring.extend

    def _add(self, taken: Taken) -> None:
        self._ring.append(taken)
        for steps, hear in self._hearers:
            if not steps or taken[1] in steps:
                self._tell(hear, Note._make(taken))

    def _extend(self, several: Iterable[Taken]) -> None:
        for taken in several:
            self._add(taken)

    def _tell(self, hear: Hear, note: Note) -> None:
        try:
            hear(note)
        except Exception:  # noqa: BLE001 - whoever watches must not hold up what is watched
            self._hear_by(tuple(one for one in self._hearers if one[1] is not hear))
