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
class Quoted:
    """An earlier message that a new one answers, in WhatsApp's way of quoting.

    Attributes:
        role: Whose it was: ``contact`` or ``engine``; None where that is not known any more.
        text: Its words; None where they are not known any more, or belong to another session.
    """

    role: Literal["contact", "engine"] | None = None
    text: str | None = None

    def __repr__(self) -> str:
        said = "unknown" if self.text is None else f"<{len(self.text)} characters>"
        return f"Quoted(role={self.role!r}, text={said})"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a turn, with what came beside its words.

    Attributes:
        text: The words, or the title of what was tapped.
        sent_at: Meta's timestamp, unix seconds.
        choice_id: Id of the button or list row that was tapped, or "".
        quoted: The message that it answers, if it was sent as an answer.
        is_forwarded: It was written by somebody else and passed on.
        is_forwarded_often: It was passed on more than five times.
        product: The product asked about, as ``catalog id/retailer's id``, or "".
        referral: The advertisement that brought the person, by Meta's names (``headline``,
            ``body``, ``source_url``, ``ctwa_clid``, ...).
    """

    text: str
    sent_at: int = 0
    choice_id: str = ""
    quoted: Quoted | None = None
    is_forwarded: bool = False
    is_forwarded_often: bool = False
    product: str = ""
    referral: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Message(text=<{len(self.text)} characters>, sent_at={self.sent_at})"


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
        messages: The messages that it answers, each with what came beside its words.
    """

    id: str
    chat: Chat
    mode: Mode
    text: str
    history: tuple[Spoken, ...] = ()
    received_at: int = 0
    messages: tuple[Message, ...] = ()

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
