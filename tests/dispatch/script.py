"""What people say to the house in a made-up order, and the plain model of what they must hear."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.behaviours import Call
from tests.fakes.engines import FakeEngine
from tests.town import Town

FAILED = SENTENCES["engine_failed"]
PEOPLE = [str(4915100000000 + n) for n in range(3)]
WORDS = ["word", "word", "word", "slow", "fail", "blank", "mute", "long"]
COMMANDS = ["/new", "/new word", "/help", "/status", "/ort words", "/otr off"]
OFF_THE_RECORD = ["/otr", "/otr word", "/otr off", "/otr off"]
LONG = "lang " * 1000


async def moody(turn: Turn) -> Reply:
    """An engine whose mood the words decide."""
    if "slow" in turn.text:
        await asyncio.sleep(0.02)
    if "fail" in turn.text:
        raise ValueError
    if "blank" in turn.text:
        return Reply(text=" ")
    if "mute" in turn.text:
        return Reply(text=None)
    return Reply(text=turn.text + (LONG if "long" in turn.text else ""))


def outcome(words: str) -> str | None:
    """What a person hears of a turn with ``words``; white space aside."""
    if "fail" in words or "blank" in words:
        return FAILED
    if "mute" in words:
        return None
    return words + (LONG if "long" in words else "")


@dataclass
class Person:
    """One chat, as the model sees it.

    Attributes:
        tokens: What it said, in order: ``(session, words)``, or ``("", how the notice begins)``.
    """

    number: str
    tokens: list[tuple[str, str]] = field(default_factory=list)
    session: int = 0
    suspended: int | None = None
    opened: int = 0
    confirmations: int = 0

    def says(self, words: str, name: str) -> str:
        """Note what follows from ``words``, a mood or a command; return what is really typed."""
        command, _, rest = words.partition(" ")
        if words == "/otr off":
            self._notice("otr_off_idle" if self.suspended is None else "otr_off")
            if self.suspended is not None:
                self.session, self.suspended = self.suspended, None
            return words
        if command == "/otr":
            self.confirmations += 1
            if self.suspended is None:
                self.suspended, self.session = self.session, self._open()
        elif command == "/new":
            self._notice("new" if self.suspended is None else "new_after_otr")
            self.session, self.suspended = self._open(), None
        elif command == "/help":
            self._begins("What you can write")
        elif command == "/status":
            self._begins(f"{'On' if self.suspended is None else 'Off'} the record.")
        elif command == "/ort":
            self._begins("That looks like")
        else:
            rest, command = words, ""
        if command in ("/help", "/status", "/ort") or not rest:
            return words
        said = f"{rest} {name}"
        self.tokens.append((str(self.session), said))
        return f"{command} {said}".strip()

    def _open(self) -> int:
        self.opened += 1
        return self.opened

    def _notice(self, name: str) -> None:
        self._begins(SENTENCES[name])

    def _begins(self, sentence: str) -> None:
        self.tokens.append(("", sentence))

    def wanted(self, turns: Sequence[str]) -> list[str]:
        """What it must hear, if its words were answered in these turns.

        The model does not say what is answered together, but it says what may be.
        """
        wanted: list[str] = []
        waiting, tokens = list(turns), list(self.tokens)
        while tokens:
            session, said = tokens.pop(0)
            if not session:
                wanted.append(said)
                continue
            assert waiting, f"never answered: {said}"
            turn = waiting.pop(0)
            lines = turn.split("\n")
            assert lines[0] == said, f"asked {lines[0]!r} where {said!r} was due"
            for line in lines[1:]:
                assert tokens, f"asked once too often: {line}"
                assert tokens.pop(0) == (session, line), "answered together across a border"
            heard = outcome(turn)
            if heard is not None:
                wanted.append(heard)
        assert not waiting, f"asked once too often: {waiting}"
        return wanted


class Play:
    """The people of a script, in a town."""

    def __init__(self, town: Town, engine: FakeEngine) -> None:
        self.town = town
        self.engine = engine
        self.people = [Person(number) for number in PEOPLE]
        self.requests: list[list[meta.Item]] = []
        self.names = 0
        self.post = town.post
        engine.answer_with = moody

    async def request(self, said: Sequence[tuple[int, str]]) -> None:
        """One request with what several people say; all in one second, so the order is theirs."""
        at = int(time.time())
        items = []
        for person, words in said:
            self.names += 1
            typed = self.people[person].says(words, f"n{self.names}")
            items.append(meta.text(PEOPLE[person], typed, at=at))
        self.requests.append(items)
        await self.post(*items)

    async def repeat(self, place: int) -> None:
        if self.requests:
            await self.post(*self.requests[place % len(self.requests)])

    def turns(self, person: Person) -> list[str]:
        """The turns that the engine was asked of this person, each once, as asked last."""
        names = {said.split()[-1] for session, said in person.tokens if session}
        asked = {
            turn.id: turn.text
            for turn in self.engine.asked
            if turn.text.split("\n")[0].split()[-1] in names
        }
        return list(asked.values())

    def sent(self, person: Person) -> list[Call]:
        """What the person got, without what came twice, and without confirmations of /otr."""
        seen: set[str] = set()
        sent = []
        for call in self.town.graph.accepted:
            parcel = call.callback.split(".")[0]
            if call.to == person.number and parcel not in seen:
                seen.add(parcel)
                sent.append(call)
        return sent

    def check(self) -> None:
        for person in self.people:
            sent = [call.body for call in self.sent(person)]
            confirmed = [body for body in sent if body == SENTENCES["otr"]]
            assert len(confirmed) == person.confirmations
            heard = [body for body in sent if body != SENTENCES["otr"]]
            for wanted in person.wanted(self.turns(person)):
                assert heard, f"never said: {wanted[:40]}"
                said = heard.pop(0)
                while len(_bare(said)) < len(_bare(wanted)) and _bare(wanted).startswith(
                    _bare(said)
                ):
                    said += heard.pop(0)
                assert _bare(said).startswith(_bare(wanted)), f"{said[:60]!r}: {wanted[:60]!r}"
            assert heard == []


def _bare(text: str) -> str:
    return "".join(text.split())
