"""What a turn leaves on the trail."""

from collections.abc import Sequence

from openparallax.clock import Clock
from openparallax.dispatch.finish import Spent
from openparallax.model.envelope import Envelope
from openparallax.storage.chats import ChatRow
from openparallax.trail import Step, Trail

_MODEL_CHARACTERS = 64
# Python 3.11 looks up each member of an enum in a call of its own: once is enough.
_ASKED, _ANSWERED = Step.ASKED, Step.ANSWERED


class Steps:
    """Notes the steps of turns."""

    def __init__(self, trail: Trail, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock

    def note(self, step: Step, group: Sequence[Envelope], about: str = "") -> None:
        """A step that needs nothing more."""
        self._trail.note(
            step, group[0].chat, group[0].number, group[-1].number, about=about, amount=len(group)
        )

    def lost(self, group: Sequence[Envelope]) -> None:
        """Their words are gone. With them goes who could say when they came, so this step does."""
        head, now = group[0], self._clock.now()
        self._trail.note(
            Step.LOST, head.chat, head.number, group[-1].number,
            seconds=max(0.0, now - head.sent_at), amount=len(group),
        )  # fmt: skip

    def asked(self, chat: ChatRow, group: Sequence[Envelope], engine: str) -> float:
        """The engine is asked; when, in monotonic time."""
        self._trail.add((
            self._clock.now(), _ASKED, chat.id, group[0].number, group[-1].number, 0,
            chat.account, "", engine, None, None, len(group),
        ))  # fmt: skip
        return self._clock.monotonic()

    def answered(self, group: Sequence[Envelope], spent: Spent, asked_at: float) -> None:
        """It answered."""
        head, engine, model = group[0], spent.engine, spent.model
        if model and isinstance(model, str) and model.isprintable():  # a plugin said so
            engine = f"{engine} {model[:_MODEL_CHARACTERS]}".rstrip()
        self._trail.add((
            self._clock.now(), _ANSWERED, head.chat, head.number, group[-1].number, 0, "", "",
            engine, None, self._clock.monotonic() - asked_at, spent.usage.get("output", 0),
        ))  # fmt: skip

    def failed(self, group: Sequence[Envelope], why: str, asked_at: float) -> None:
        """It did not, or with nothing that could be sent."""
        self._trail.note(
            Step.ENGINE_FAILED, group[0].chat, group[0].number, group[-1].number, 0,
            "", "", why, None, self._clock.monotonic() - asked_at, len(group),
        )  # fmt: skip
