"""What one request brought through the door."""

from dataclasses import replace

from openparallax.errors import NotStored
from openparallax.logs import shorten
from openparallax.model.entry import CAME_IN, Entry
from openparallax.model.envelope import Envelope, Move
from openparallax.model.messages import Inbound
from openparallax.model.parcel import Parcel
from openparallax.model.session import Session
from openparallax.storage.chats import ChatRow
from openparallax.trail import Step, Taken

_STEPS = {
    "admitted": Step.QUEUED,
    **{
        step.value: step
        for step in (
            Step.COMMAND,
            Step.FOREIGN_NUMBER,
            Step.HANDED_OVER,
            Step.NOT_ALLOWED,
            Step.OVER_LIMIT,
            Step.OWN_NUMBER,
            Step.REVOKED,
            Step.SILENT,
            Step.UNREADABLE,
            Step.UNREADABLE_AGAIN,
        )
    },
}
"""What the trail says of an outcome at the door."""
_COMMAND = Step.COMMAND  # Python 3.11 looks up each member of an enum in a call of its own


class Draining(NotStored):
    """The daemon is stopping and cannot take words off the record: the next process will."""


class Admission:
    """What is to be done once the unit is on disk.

    Attributes:
        at: When the door judged it, unix seconds.
        envelopes: New work, in order.
        released: Work that a closed window held and that goes on now.
        entries: Words to be held by the transcript of their mode.
        parcels: Confirmations of `/otr`, and parcels that a closed window held.
        moves: What was scrubbed from the disk; the log must be truncated after the commit.
        erased: Words of a turn that were revoked; the same is true of the log.
        missed: Where a revoked message was looked for and not found, and its hash: what was brought
            at the same time is not held yet.
        unsaid: Session and turn of answers that never went out.
        renewed: Sessions whose history has changed.
        ended: Chat and number of envelopes that are over without a turn of theirs.
        handed_over: Chats that a person of ours answers now.
        merges: Chats that turned out to be one: loser, survivor.
        reloads: Chats of which the outbox is to read the table anew.
        counts: How often each thing happened, by a short word.
        outcomes: How many messages had which outcome, by Meta's type and the outcome.
        refused: Shortened numbers of those who were not let in.
        steps: For the trail.
        confirmed: Those of the parcels that confirm an `/otr`.
    """

    def __init__(self, at: float) -> None:
        self.at = at
        self.envelopes: list[Envelope] = []
        self.released: list[Envelope] = []
        self.entries: list[Entry] = []
        self.parcels: list[Parcel] = []
        self.moves: list[Move] = []
        self.erased: list[tuple[Session, int]] = []
        self.missed: list[tuple[Session, int]] = []
        self.unsaid: list[tuple[Session, int]] = []
        self.renewed: list[Session] = []
        self.ended: list[tuple[int, int]] = []
        self.handed_over: set[int] = set()
        self.merges: list[tuple[int, int]] = []
        self.reloads: set[int] = set()
        self.counts: dict[str, int] = {}
        self.outcomes: dict[tuple[str, str], int] = {}
        self.refused: list[str] = []
        self.steps: list[Taken] = []
        self.confirmed: list[Parcel] = []

    @property
    def has_scrubbed(self) -> bool:
        """Whether words have left the disk, and must leave the log too."""
        return bool(self.moves or self.erased)

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

    def end(self, chat: int, number: int) -> None:
        """An envelope is over, also if this very request had brought or released it."""
        self.ended.append((chat, number))
        for work in (self.envelopes, self.released):
            work[:] = [one for one in work if one.number != number]

    def erase(self, session: Session, turn: int) -> None:
        """The words of a turn are revoked, also if this very request had brought them."""
        self.erased.append((session, turn))
        self.entries = [one for one in self.entries if one.turn != turn or one.role not in CAME_IN]

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def decide(
        self, message: Inbound, outcome: str, chat: ChatRow | None = None, turn: int = 0
    ) -> None:
        """Count what becomes of a message; each has one outcome, a repeat of one has none.

        Args:
            message: As it came.
            outcome: A word of the house.
            chat: Whose it is, as far as that was asked.
            turn: Number of the envelope that was queued for it, or 0.
        """
        self.count(outcome)
        self.note(message, outcome)
        if chat is None:
            self.came(_STEPS[outcome], message, turn=turn)
        else:
            self.step(_STEPS[outcome], chat, turn, about=message.type)

    def came(
        self,
        step: Step,
        message: Inbound,
        chat: ChatRow | None = None,
        turn: int = 0,
        *,
        about: str = "",
    ) -> None:
        """Note on the trail what became of a message at the door."""
        about = about or message.type
        if chat is not None:
            self.step(step, chat, turn, about=about)
            return
        sender = message.sender
        short = shorten(sender.wa_id or sender.user_id or "")
        account = message.phone_number_id
        self.steps.append((self.at, step, 0, turn, 0, 0, account, short, about, None, None, 0))

    def obey(self, message: Inbound, chat: ChatRow, turn: int, command: str) -> None:
        """Count a command; words that came with it have an outcome of their own."""
        self.count("command")
        self.came(_COMMAND, message, chat, turn, about=command)

    def step(
        self,
        step: Step,
        chat: ChatRow,
        turn: int = 0,
        *,
        parcel: int = 0,
        about: str = "",
        seconds: float | None = None,
    ) -> None:
        """Note a step of a chat on the trail."""
        self.steps.append(
            (
                self.at, step, chat.id, turn, 0, parcel,
                chat.account, shorten(chat.address), about, None, seconds, 0,
            )
        )  # fmt: skip

    def note(self, message: Inbound, outcome: str) -> None:
        """The same where what happened is counted elsewhere."""
        key = message.type, outcome
        self.outcomes[key] = self.outcomes.get(key, 0) + 1
