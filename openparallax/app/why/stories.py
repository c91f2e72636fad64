"""The steps that are remembered and the rows of the file, laid side by side: a story a message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from openparallax.model.envelope import Envelope
from openparallax.storage.timeline import Kept, Part
from openparallax.trail import Note, Step

AT_THE_DOOR = frozenset(
    {
        Step.QUEUED,
        Step.COMMAND,
        Step.NOT_ALLOWED,
        Step.FOREIGN_NUMBER,
        Step.OWN_NUMBER,
        Step.OVER_LIMIT,
        Step.SILENT,
        Step.UNREADABLE,
        Step.UNREADABLE_AGAIN,
        Step.HANDED_OVER,
        Step.REVOKED,
    }
)
"""Each message has one of these first."""
_OF_A_TURN = frozenset(
    {
        Step.ASKED,
        Step.ANSWERED,
        Step.ENGINE_FAILED,
        Step.POSTED,
        Step.HELD,
        Step.LOST,
        Step.PUT_OFF,
        Step.OVERTAKEN,
    }
)


@dataclass(slots=True)
class Story:
    """One message, or something that we said of our own accord.

    Attributes:
        turn: Its number; 0 where it was given none.
        chat: Whose; 0 where that was not asked.
        at: When it came, as far as known; unix seconds.
        last: The last message that was answered together with it.
        envelope: Its row while it is unfinished.
        kept: Its row once it is finished, on the record.
        notes: Its steps.
        parts: What was sent about it.
        is_ours: Nobody had asked for it: sent by hand, or after the memory of it went.
    """

    turn: int
    chat: int
    at: float
    last: int = 0
    envelope: Envelope | None = None
    kept: Kept | None = None
    notes: list[Note] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    is_ours: bool = False

    def latest(self, *steps: Step) -> Note | None:
        """The last of its steps that is one of these."""
        return next((note for note in reversed(self.notes) if note.step in steps), None)

    @property
    def door(self) -> Note | None:
        """What became of it at the door."""
        return next((note for note in self.notes if note.step in AT_THE_DOOR), None)


def tell(
    notes: Sequence[Note],
    envelopes: Iterable[Envelope],
    kept: Sequence[Kept],
    parts: Sequence[Part],
) -> list[Story]:
    """The stories, the oldest first.

    Args:
        notes: Of these chats and of nobody's, the oldest first.
        envelopes: Their unfinished messages.
        kept: Their finished ones, by rising number.
        parts: What was sent to them, by rising number.
    """
    stories: dict[int, Story] = {}
    nameless: list[Story] = []
    for one in kept:
        stories[one.turn] = Story(one.turn, one.chat, float(one.sent_at), one.turn, kept=one)
    for envelope in envelopes:
        stories[envelope.number] = Story(
            envelope.number, envelope.chat, float(envelope.sent_at), envelope=envelope
        )
    for note in notes:
        if note.step in AT_THE_DOOR and not note.turn:
            nameless.append(Story(0, note.chat, note.at, notes=[note]))
        elif note.step in AT_THE_DOOR:
            story = stories.setdefault(note.turn, Story(note.turn, note.chat, note.at))
            if not story.notes:
                story.at = note.at
            story.notes.append(note)
    _join(stories, notes)
    _answer(stories, parts)
    return sorted([*stories.values(), *nameless], key=lambda one: (one.at, one.turn))


def _join(stories: dict[int, Story], notes: Sequence[Note]) -> None:
    """Steps of turns and parcels, to each of the messages that they are about."""
    groups: dict[int, list[Story]] = {}
    for note in notes:
        if note.step in AT_THE_DOOR or not note.turn:
            continue
        if note.parcel and note.step is not Step.POSTED:
            about = groups.get(note.turn) or _found(stories, note)
        elif note.step in _OF_A_TURN:
            last = note.last or note.turn
            about = [
                one
                for one in stories.values()
                if one.chat == note.chat and note.turn <= one.turn <= last
            ] or _found(stories, note)
            groups[last] = about
            for one in about:
                one.last = max(one.last, last)
        else:
            about = _found(stories, note)
        for one in about:
            one.notes.append(note)


def _found(stories: dict[int, Story], note: Note) -> list[Story]:
    """The story of a step whose beginning is not remembered, or that nobody had asked for."""
    if note.turn not in stories:
        before_s = note.seconds or 0.0 if note.step is Step.LOST else 0.0
        story = Story(note.turn, note.chat, note.at - before_s, is_ours=note.step is Step.POSTED)
        stories[note.turn] = story
    return [stories[note.turn]]


def _answer(stories: dict[int, Story], parts: Sequence[Part]) -> None:
    """What was sent, to the messages that it answers.

    Where the steps do not tell, a message was answered together with the next one of its session
    that something was sent for.
    """
    told = {one.last for one in stories.values() if one.notes and one.last}
    for part in parts:
        about = [one for one in stories.values() if one.last == part.turn]
        if part.turn not in stories and not about:
            stories[part.turn] = Story(
                part.turn, part.chat, float(part.created_at), part.turn, is_ours=True
            )
        for one in about or [stories[part.turn]]:
            one.parts.append(part)
            if one.notes and one.notes[0].step is Step.LOST:  # which says when that was found
                one.at = min(one.at, float(part.created_at))
    answered: Story | None = None
    for story in sorted(stories.values(), key=lambda one: -one.turn):
        if story.kept is None or story.envelope is not None:
            continue
        if story.parts:
            answered = story
        elif (
            answered is not None
            and answered.kept is not None
            and answered.turn not in told
            and story.turn not in told
            and not story.notes
            and answered.kept.session == story.kept.session
        ):
            story.parts, story.last = answered.parts, answered.turn
