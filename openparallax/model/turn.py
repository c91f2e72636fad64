"""What an engine is asked and what it says; public through `openparallax.plugin`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from openparallax.model.session import Mode


@dataclass(frozen=True, slots=True)
class Spoken:
    """One earlier message of the session.

    Attributes:
        role: ``contact`` for what the person said, ``engine`` for what the engine wrote.
        text: The words; the repr shows their length.
    """

    role: Literal["contact", "engine"]
    text: str

    def __repr__(self) -> str:
        return f"Spoken(role={self.role!r}, text=<{len(self.text)} characters>)"


@dataclass(frozen=True, slots=True)
class Chat:
    """Whom a turn is for.

    Attributes:
        id: Opaque; stable for one contact of one of our numbers.
        account: The phone number id of ours that was written to.
        name: The contact's display name, or "".
    """

    id: str
    account: str
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One or more messages of a contact, to be answered with one reply.

    Attributes:
        id: The same if the turn is run again after a crash.
        chat: Whom it is for.
        mode: On or off the record; an engine keeps nothing of the latter.
        text: The words; messages answered together are joined by a newline.
        history: What was said before in this session, oldest first, beginning with ``contact``.
        received_at: Meta's timestamp of the latest message, unix seconds.
    """

    id: str
    chat: Chat
    mode: Mode
    text: str
    history: tuple[Spoken, ...] = ()
    received_at: int = 0

    def __repr__(self) -> str:
        return (
            f"Turn(id={self.id!r}, chat={self.chat!r}, mode={self.mode.label!r}, "
            f"text=<{len(self.text)} characters>, history=<{len(self.history)} entries>)"
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers a turn.

    Attributes:
        text: The words, or None for silence on purpose. An empty text counts as a failure.
        usage: Tokens by kind, such as ``{"input": 12, "output": 30}``.
        model: Which model the usage belongs to.
    """

    text: str | None
    usage: Mapping[str, int] = field(default_factory=dict)
    model: str = ""

    def __repr__(self) -> str:
        said = "silence" if self.text is None else f"<{len(self.text)} characters>"
        return f"Reply(text={said}, usage={dict(self.usage)!r}, model={self.model!r})"
