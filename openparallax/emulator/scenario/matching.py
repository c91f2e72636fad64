"""What an answer must be like, and how it differs. Pure."""

import difflib
import re
from dataclasses import dataclass, field
from typing import Any

from openparallax.emulator.world import Message

_FILLED_IN = re.compile(r"\\\{[a-z]+\\\}")
"""``{name}`` in a sentence of the daemon, as `re.escape` leaves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one answer must be like; what is None or empty is not looked at.

    Attributes:
        text: All of it.
        contains: Each of these stands in it.
        lacks: None of these does.
        matches: All of it fits this pattern, in which a dot is any character.
        notice: What a sentence of the daemon reads like, and its name.
        kind: Its ``type`` on the wire.
        quoting: Words of the message that it quotes; "" where it must quote none.
        choices: Titles of its buttons or rows, in order.
        not_before_s: Least seconds since the person wrote last.
    """

    text: str | None = field(default=None, repr=False)
    contains: tuple[str, ...] = field(default=(), repr=False)
    lacks: tuple[str, ...] = field(default=(), repr=False)
    begins: str | None = field(default=None, repr=False)
    ends: str | None = field(default=None, repr=False)
    matches: re.Pattern[str] | None = field(default=None, repr=False)
    notice: tuple[str, re.Pattern[str]] | None = field(default=None, repr=False)
    kind: str | None = None
    quoting: str | None = field(default=None, repr=False)
    choices: tuple[str, ...] | None = field(default=None, repr=False)
    not_before_s: float | None = None

    def differences(
        self, heard: Message, quoted: Message | None, after_s: float | None
    ) -> list[str]:
        """Lines that say how ``heard`` differs; none: it does not.

        Args:
            heard: The answer.
            quoted: The message that it quotes, where that is known.
            after_s: Seconds since the person wrote last.
        """
        text = text_of(heard)
        lines: list[str] = []
        if self.text is not None and text != self.text:
            lines += difference(self.text, text)
        broken = [
            *(f"must contain: {part}" for part in self.contains if part not in text),
            *(f"must not contain: {part}" for part in self.lacks if part in text),
        ]
        if self.begins is not None and not text.startswith(self.begins):
            broken.append(f"must begin with: {self.begins}")
        if self.ends is not None and not text.endswith(self.ends):
            broken.append(f"must end with: {self.ends}")
        if self.matches is not None and self.matches.fullmatch(text) is None:
            broken.append(f"must match: {self.matches.pattern}")
        if self.notice is not None and self.notice[1].fullmatch(text) is None:
            broken.append(f"must be the notice: {self.notice[0]}")
        if broken:
            lines += [*broken, *_heard(text)]
        return lines + self._beside(heard, quoted, after_s)

    def _beside(self, heard: Message, quoted: Message | None, after_s: float | None) -> list[str]:
        """What is not in the text."""
        lines: list[str] = []
        if self.kind is not None and heard.kind != self.kind:
            lines.append(f"must be of kind {self.kind}, is of kind {heard.kind}")
        if self.quoting is not None:
            words = text_of(quoted) if quoted is not None else heard.quoted and "?"
            if (words or "") != self.quoting:
                wanted = f"quote: {self.quoting}" if self.quoting else "quote nothing"
                lines += [f"must {wanted}", f"quotes: {words or 'nothing'}"]
        if self.choices is not None and (titles := [*choices_of(heard)]) != [*self.choices]:
            lines += listed_difference([*self.choices], titles)
        if self.not_before_s is not None and after_s is not None and after_s < self.not_before_s:
            lines.append(
                f"came after {after_s:.2f} s, must not come before {self.not_before_s:g} s"
            )
        return lines


def sentence_pattern(sentence: str) -> re.Pattern[str]:
    """What a sentence of the daemon reads like, whatever is filled in."""
    return re.compile(_FILLED_IN.sub(lambda _: ".*", re.escape(sentence)), re.DOTALL)


def text_of(message: Message) -> str:
    """What the person reads: text, caption, or the body above the buttons."""
    return message.words


def choices_of(message: Message) -> dict[str, str]:
    """Titles of the buttons, quick replies or rows of a message -> their ids, in order."""
    found: dict[str, str] = {}

    def look(value: Any) -> None:
        match value:
            case {"id": str() as id_, "title": str() as title}:
                found.setdefault(title, id_)
            case {"type": "QUICK_REPLY" | "quick_reply", "text": str() as title}:
                found.setdefault(title, title)
            case dict():
                for inner in value.values():
                    look(inner)
            case list():
                for inner in value:
                    look(inner)

    if message.kind == "interactive":
        look(message.content.get("action"))
    elif message.kind == "template":
        look(message.content)
    return found


def difference(expected: str, heard: str) -> list[str]:
    """Both texts line by line; ``-`` was expected, ``+`` was heard, ``?`` points at the place."""
    return listed_difference(expected.split("\n"), heard.split("\n"))


def listed_difference(expected: list[str], heard: list[str]) -> list[str]:
    """The same of two lists of lines."""
    most = 500  # beyond that the comparison costs more than it tells
    lines = difflib.ndiff(expected[:most], heard[:most])
    return [line.rstrip("\n") for line in lines]


def _heard(text: str) -> list[str]:
    return [f"+ {line}" for line in text.split("\n")]
