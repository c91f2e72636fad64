"""Steps that expect something on people's phones, or that nothing comes."""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

from openparallax.config.problems import suggest
from openparallax.emulator.scenario.matching import (
    Expected,
    listed_difference,
    sentence_pattern,
    text_of,
)
from openparallax.emulator.scenario.slots import Slot
from openparallax.emulator.scenario.stage import Stage
from openparallax.emulator.scenario.step import Finding, Step, differs
from openparallax.emulator.world import RANK, Message

QUIET_S: Final = 0.3
LOOKS: Final = (
    "text",
    "contains",
    "lacks",
    "begins",
    "ends",
    "matches",
    "notice",
    "kind",
    "quoting",
    "choices",
    "not before",
)
SEEN: Final = (
    "typing",
    "no typing",
    "waiting",
    "delivered",
    "read",
    "off the record",
    "on the record",
)


def read_expected(slot: Slot) -> Expected:
    """What one answer must be like: a text, or a block."""
    if not isinstance(slot.value, dict):
        return Expected(text=slot.text())
    slots = slot.block(LOOKS)
    if not slots:
        slot.wrong(f"says nothing of the answer; there are {', '.join(LOOKS)}")

    def text(key: str) -> str | None:
        return slots[key].text() if key in slots else None

    return Expected(
        text=text("text"),
        contains=slots["contains"].texts() if "contains" in slots else (),
        lacks=slots["lacks"].texts() if "lacks" in slots else (),
        begins=text("begins"),
        ends=text("ends"),
        matches=_pattern(slots["matches"]) if "matches" in slots else None,
        notice=_notice(slots["notice"]) if "notice" in slots else None,
        kind=text("kind"),
        quoting=slots["quoting"].text(may_be_empty=True) if "quoting" in slots else None,
        choices=slots["choices"].texts() if "choices" in slots else None,
        not_before_s=slots["not before"].duration() if "not before" in slots else None,
    )


def _pattern(slot: Slot) -> re.Pattern[str] | None:
    try:
        return re.compile(slot.text(), re.DOTALL)
    except (re.error, OverflowError, RecursionError):
        slot.wrong("is no regular expression")
        return None


def _notice(slot: Slot) -> tuple[str, re.Pattern[str]] | None:
    name = slot.text()
    sentences = slot.book.sentences
    if sentences is None:
        slot.wrong("nobody said here which notices the bot has; write their words instead")
    elif name and name not in sentences:
        slot.wrong(f"there is no notice of that name{suggest(name, sentences)}")
    elif name:
        return name, sentence_pattern(sentences[name])
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hears(Step):
    """The next answers are like this, in this order; each belongs to one step only."""

    person: str
    expected: tuple[Expected, ...] = field(repr=False)
    within_s: float | None = None

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        within_s = None
        if isinstance(slot.value, dict):
            inside = {key: value for key, value in slot.value.items() if key != "within"}
            if "within" in slot.value:
                within_s = slot.at("within", slot.value["within"]).duration()
            slot = Slot(inside, slot.where, slot.book)
            if "answers" in inside:
                slot = slot.block(("answers",))["answers"]
        wanted = slot.items() if isinstance(slot.value, list) else [slot]
        if not wanted:
            slot.wrong("lists nothing; to hear nothing, write `hears nothing`")
        expected = tuple(read_expected(one) for one in wanted)
        return cls(person=person, expected=expected, within_s=within_s, **head)

    async def play(self, stage: Stage) -> Finding | None:
        witness = stage.witness
        count = len(self.expected)
        limit_s = stage.limit_s(self.within_s, self.person)
        came = await witness.until(lambda: len(witness.unheard(self.person)) >= count, limit_s)
        heard = witness.unheard(self.person)[:count]
        witness.heard[self.person] += len(heard)
        lines: list[str] = []
        for number, (expected, message) in enumerate(
            zip(self.expected, heard, strict=False), start=1
        ):
            quoted = stage.emulator.world.message(message.quoted) if message.quoted else None
            wrong = expected.differences(message, quoted, _after_s(stage, message))
            if wrong and count > 1:
                lines.append(f"answer {number} of {count}:")
            lines += wrong
        if came:
            witness.left_waiting.discard(self.person)
        else:
            witness.left_waiting.add(self.person)
            lines.append(f"{len(heard)} of {count} answers came within {limit_s:g} s")
        return differs(*lines) if lines else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HearsLines(Step):
    """The next answers have these lines together, in however many messages."""

    person: str
    lines: tuple[str, ...] = field(repr=False)
    is_ordered: bool = True
    within_s: float | None = None

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        within_s, is_ordered = None, True
        if isinstance(slot.value, dict):
            slots = slot.block(("lines", "order", "within"))
            if "order" in slots:
                is_ordered = slots["order"].one_of(("as listed", "any")) == "as listed"
            within_s = slots["within"].duration() if "within" in slots else None
            if "lines" not in slots:
                slot.wrong("lists no lines")
            slot = slots.get("lines", Slot(["-"], slot.where, slot.book))
        lines = tuple(line for text in slot.texts() for line in text.split("\n"))
        return cls(person=person, lines=lines, is_ordered=is_ordered, within_s=within_s, **head)

    async def play(self, stage: Stage) -> Finding | None:
        witness = stage.witness
        limit_s = stage.limit_s(self.within_s, self.person)
        came = await witness.until(
            lambda: len(_lines(witness.unheard(self.person))) >= len(self.lines), limit_s
        )
        taken: list[Message] = []
        for message in witness.unheard(self.person):
            if len(_lines(taken)) < len(self.lines):
                taken.append(message)
        witness.heard[self.person] += len(taken)
        if came:
            witness.left_waiting.discard(self.person)
        else:
            witness.left_waiting.add(self.person)
        heard, wanted = _lines(taken), [*self.lines]
        if not self.is_ordered:
            heard, wanted = sorted(heard), sorted(wanted)
        if heard == wanted:
            return None
        late = () if came else (f"{len(heard)} of {len(self.lines)} lines came in {limit_s:g} s",)
        return differs(*listed_difference(wanted, heard), *late)


@dataclass(frozen=True, slots=True, kw_only=True)
class HearsNothing(Step):
    """No further answer comes for a while."""

    person: str
    for_s: float

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        for_s = QUIET_S
        if isinstance(slot.value, dict):
            slots = slot.block(("for",))
            for_s = slots["for"].duration() if "for" in slots else QUIET_S
        elif slot.value is not None:
            for_s = slot.duration()
        return cls(person=person, for_s=for_s, **head)

    async def play(self, stage: Stage) -> Finding | None:
        witness = stage.witness
        if not await witness.until(lambda: bool(witness.unheard(self.person)), self.for_s):
            return None
        heard = witness.unheard(self.person)
        witness.heard[self.person] += len(heard)
        return differs(
            "nothing was to come, but this did:", *(f"+ {line}" for line in _lines(heard))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sees(Step):
    """Their phone shows this: a state, or a reaction of the bot."""

    person: str
    what: str
    reaction: str | None = field(default=None, repr=False)
    within_s: float | None = None

    keys: ClassVar = ("reaction", "state", "within")

    @classmethod
    def read(cls, slot: Slot, person: str, **head: Any) -> Self:
        if not isinstance(slot.value, dict):
            return cls(person=person, what=slot.one_of(SEEN), **head)
        slots = slot.block(cls.keys)
        if ("reaction" in slots) == ("state" in slots):
            slot.wrong("must have either `state: …` or `reaction: …`")
        return cls(
            person=person,
            what=slots["state"].one_of(SEEN) if "state" in slots else "reaction",
            reaction=slots["reaction"].text() if "reaction" in slots else None,
            within_s=slots["within"].duration() if "within" in slots else None,
            **head,
        )

    @property
    def needs_daemon(self) -> bool:
        return self.what.endswith("the record")

    async def play(self, stage: Stage) -> Finding | None:
        limit_s = 0.0 if self.what == "waiting" else stage.limit_s(self.within_s, self.person)
        if await stage.witness.until(lambda: self._holds(stage), limit_s):
            return None
        missed = f"not seen within {limit_s:g} s" if limit_s else "not so at this moment"
        return differs(f"{missed}; {self._instead(stage)}")

    def _holds(self, stage: Stage) -> bool:
        emulator = stage.emulator
        said = stage.witness.last_said(self.person)
        match self.what:
            case "typing":
                return self.person in stage.witness.typed
            case "no typing":
                chat = emulator.world.chat(emulator.world.our_number().id, self.person)
                return chat.typing_until <= emulator.clock.now()
            case "reaction":
                return said is not None and said.reactions.get("business") == self.reaction
            case "waiting":
                return said is not None and said.status == "waiting"
            case "delivered" | "read":
                return said is not None and RANK.get(said.status, 0) >= RANK[self.what]
            case _:
                return _as_the_daemon_says(stage, self.person) == self.what

    def _instead(self, stage: Stage) -> str:
        if self.needs_daemon:
            return f"the daemon says {_as_the_daemon_says(stage, self.person) or 'nothing of them'}"
        said = stage.witness.last_said(self.person)
        return f"their last message is {said.status}" if said is not None else "they wrote nothing"


def _as_the_daemon_says(stage: Stage, person: str) -> str:
    """``on the record``, ``off the record``, or "" where it says nothing of them."""
    said = stage.daemon.modes.get(person, "") if stage.daemon is not None else ""
    return said.replace("_", " ")


def _lines(messages: list[Message]) -> list[str]:
    return [line for message in messages for line in text_of(message).split("\n")]


def _after_s(stage: Stage, message: Message) -> float | None:
    """Seconds from the person's last message before this one."""
    before = [
        one.at
        for one in stage.witness.said
        if one.person == message.person and one.at <= message.at
    ]
    return message.at - max(before) if before else None
