"""Steps in which people do something on their phones, and the business on its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

from openparallax.emulator.scenario.matching import choices_of
from openparallax.emulator.scenario.slots import Slot
from openparallax.emulator.scenario.stage import Stage
from openparallax.emulator.scenario.step import Finding, Step, stuck

_PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cf"
    "c0f01f0005000101ffc9a5d3040000000049454e44ae426082"
)
MEDIA: Final[Mapping[str, tuple[str, str, bytes]]] = {
    "picture": ("image", "image/png", _PIXEL),
    "voice": ("audio", "audio/ogg", b"OggS\0made up"),
    "audio": ("audio", "audio/mpeg", b"ID3made up"),
    "video": ("video", "video/mp4", b"\0\0\0\x18ftypmp42made up"),
    "document": ("document", "application/pdf", b"%PDF-1.4\n%made up\n"),
    "sticker": ("sticker", "image/webp", b"RIFF\x1a\0\0\0WEBPmade up"),
}
"""What a script calls it -> its type on the wire, MIME type, and a small file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Says(Step):
    """They write."""

    person: str
    text: str = field(repr=False)
    quoting: str | None = field(default=None, repr=False)
    earlier_s: float = 0.0

    keys: ClassVar = ("text", "quoting", "written")

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        if not isinstance(slot.value, dict):
            return cls(person=person, text=slot.text(), **head)
        slots = slot.block(cls.keys)
        if "text" not in slots:
            slot.wrong("has no text")
        return cls(
            person=person,
            text=slots["text"].text() if "text" in slots else "",
            quoting=slots["quoting"].text() if "quoting" in slots else None,
            earlier_s=slots["written"].duration(is_signed=True) if "written" in slots else 0.0,
            **head,
        )

    async def play(self, stage: Stage) -> Finding | None:
        more: dict[str, Any] = {}
        if self.quoting is not None:
            quoted = stage.message(self.person, self.quoting)
            if quoted is None:
                return stuck("there is no such message to quote")
            more["quoting"] = quoted.wamid
        if self.earlier_s:
            more["at"] = stage.emulator.clock.now() + self.earlier_s
        stage.witness.wrote(stage.emulator.say(self.person, self.text, **more))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends(Step):
    """They send something that is no text."""

    person: str
    what: str
    caption: str | None = field(default=None, repr=False)
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)
    filename: str = field(default="", repr=False)

    kinds: ClassVar = (*MEDIA, "location", "contact", "raw")

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        made = cls(person=person, what="picture", **head)
        if not isinstance(slot.value, dict):
            return cls(person=person, what=slot.one_of(cls.kinds), **head)
        slots = slot.block(cls.kinds)
        if len(slots) != 1:
            slot.wrong(f"must name one of: {', '.join(cls.kinds)}")
            return made
        ((what, inside),) = slots.items()
        if what in MEDIA:
            parts = inside.block(("caption", "filename")) if inside.value is not None else {}
            caption = parts["caption"].text() if "caption" in parts else None
            filename = parts["filename"].text() if "filename" in parts else ""
            return cls(person=person, what=what, caption=caption, filename=filename, **head)
        content = inside.plain()
        if what == "raw" and not (
            isinstance(content, dict)
            and isinstance(content.get("type"), str)
            and content.keys() <= {"type", "content"}
            and isinstance(content.get("content", {}), dict)
        ):
            inside.wrong("must have `type: …` and `content: …`, as they stand on the wire")
            return made
        if content is not None and not isinstance(content, dict):
            inside.wrong("must be a block of `key: value`, indented under it")
            return made
        return cls(person=person, what=what, content=content or {}, **head)

    async def play(self, stage: Stage) -> Finding | None:
        emulator = stage.emulator
        if self.what in MEDIA:
            kind, mime_type, data = MEDIA[self.what]
            message = emulator.send_media(
                self.person,
                kind,
                data,
                mime_type,
                caption=self.caption,
                filename=self.filename,
                is_voice=self.what == "voice",
            )
        elif self.what == "raw":
            content = self.content.get("content") or {}
            message = emulator.send(self.person, str(self.content["type"]), content)
        elif self.what == "location":
            place = {"latitude": 52.52, "longitude": 13.405} | dict(self.content)
            message = emulator.send(self.person, "location", place)
        else:
            card = {"name": {"formatted_name": "A. Body"}} | dict(self.content)
            message = emulator.send(self.person, "contacts", {"contacts": [card]})
        stage.witness.wrote(message)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taps(Step):
    """They tap a button or a row of the bot's last message that has it."""

    person: str
    choice: str = field(repr=False)

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        return cls(person=person, choice=slot.text(), **head)

    async def play(self, stage: Stage) -> Finding | None:
        for answer in reversed(stage.witness.answers[self.person]):
            choices = choices_of(answer)
            if self.choice in choices:
                said = stage.emulator.tap(self.person, answer.wamid, choices[self.choice])
                stage.witness.wrote(said)
                return None
        return stuck("no message of the bot has such a button, quick reply or row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacts(Step):
    """They react to a message of the bot; an empty emoji takes the reaction back."""

    person: str
    emoji: str = field(repr=False)
    to: str = field(default="last answer", repr=False)

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        if not isinstance(slot.value, dict):
            return cls(person=person, emoji=slot.text(may_be_empty=True), **head)
        slots = slot.block(("emoji", "to"))
        emoji = slots["emoji"].text(may_be_empty=True) if "emoji" in slots else ""
        to = slots["to"].text() if "to" in slots else "last answer"
        return cls(person=person, emoji=emoji, to=to, **head)

    async def play(self, stage: Stage) -> Finding | None:
        message = stage.message(self.person, self.to)
        if message is None:
            return stuck("there is no such message to react to")
        stage.emulator.react(self.person, message.wamid, self.emoji)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletes(Step):
    """They delete a message of theirs for everybody."""

    person: str
    which: str = field(repr=False)

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        return cls(person=person, which="last" if slot.value is None else slot.text(), **head)

    async def play(self, stage: Stage) -> Finding | None:
        message = stage.message(self.person, self.which)
        if message is None or message.is_ours:
            return stuck("they wrote no such message")
        stage.emulator.take_back(self.person, message.wamid)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads(Step):
    """They look at the chat."""

    person: str

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        if slot.value is not None:
            slot.wrong("takes nothing behind it")
        return cls(person=person, **head)

    async def play(self, stage: Stage) -> Finding | None:
        stage.emulator.read(self.person)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone(Step):
    """Their phone is gone, or back."""

    person: str
    is_reachable: bool

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        state = slot.one_of(("gone", "back"))
        return cls(person=person, is_reachable=state == "back", **head)

    async def play(self, stage: Stage) -> Finding | None:
        stage.emulator.person(self.person).is_reachable = self.is_reachable
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesNumber(Step):
    """They have a new number, and with it a new business-scoped id."""

    person: str
    number: str = field(repr=False)

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        return cls(person=person, number=digits_of(slot), **head)

    async def play(self, stage: Stage) -> Finding | None:
        stage.emulator.change_number(self.person, self.number)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Business(Step):
    """Somebody of the business answers them from the business's own phone."""

    person: str
    text: str = field(repr=False)

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        return cls(person=person, text=slot.text(), **head)

    async def play(self, stage: Stage) -> Finding | None:
        stage.emulator.echo(self.person, self.text)
        return None


def digits_of(slot: Slot) -> str:
    """A telephone number's digits, as Meta writes them."""
    text = slot.text()
    digits = "".join(c for c in text if c not in " +-()./")
    if text and not (digits.isascii() and digits.isdecimal() and 7 <= len(digits) <= 15):
        slot.wrong("must be a number of seven to fifteen digits")
    return digits
