"""What a turn leaves on the trail."""

from collections.abc import Sequence

from openparallax.dispatch.finish import Spent
from openparallax.model.envelope import Envelope
from openparallax.storage.chats import ChatRow
from openparallax.trail import Step, Trail

_MODEL_CHARACTERS = 64
# Python 3.11 looks up each member of an enum in a call of its own: once is enough.
_ASKED, _ANSWERED = Step.ASKED, Step.ANSWERED


class Steps:
    """Notes the steps of turns."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def note(self, step: Step, group: Sequence[Envelope], about: str = "") -> None:
        """A step that needs nothing more."""
        self._trail.note(
            step, group[0].chat, group[0].number, group[-1].number, about=about, amount=len(group)
        )

    def asked(self, chat: ChatRow, group: Sequence[Envelope], engine: str) -> None:
        """The engine is asked."""
        self._trail.note(
            _ASKED, chat.id, group[0].number, group[-1].number, 0,
            chat.account, "", engine, None, None, len(group),
        )  # fmt: skip

    def answered(self, group: Sequence[Envelope], spent: Spent, seconds: float) -> None:
        """It answered."""
        engine, model = spent.engine, spent.model
        if isinstance(model, str) and model.isprintable():  # a plugin said so
            engine = f"{engine} {model[:_MODEL_CHARACTERS]}".rstrip()
        self._trail.note(
            _ANSWERED, group[0].chat, group[0].number, group[-1].number, 0,
            "", "", engine, None, seconds, spent.usage.get("output", 0),
        )  # fmt: skip

    def failed(self, group: Sequence[Envelope], why: str, seconds: float) -> None:
        """It did not, or with nothing that could be sent."""
        self._trail.note(
            Step.ENGINE_FAILED, group[0].chat, group[0].number, group[-1].number, 0,
            "", "", why, None, seconds, len(group),
        )  # fmt: skip
