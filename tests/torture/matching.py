"""What a chat heard, laid beside what it said: each message has one outcome, and in order.

The daemon is free in a few things: what it answers together, and, after a death, whether a notice
that comes once a minute comes again. So the two rows are laid beside each other in every way that
the rules allow, until one fits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from openparallax.session.notices import SENTENCES
from tests.flow.kill.records import Row
from tests.torture.canary import Canary, numbers
from tests.torture.engine import answer_words, strongest
from tests.torture.model import Heard, Where
from tests.torture.programme import WORDS

MOST_TOGETHER = 20
_ANSWERED = ("long", "marks", "slow", "quick")
_FAILED = ("raise", "empty")
_Words = list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Part:
    """One parcel, and its words if Graph took it."""

    row: Row
    body: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """The parcels of one turn."""

    parts: tuple[Part, ...]

    @property
    def notice(self) -> str:
        return self.parts[0].row.notice


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of each message.

    Attributes:
        moods: How the engine takes it.
        where: In which mode it was placed.
        session: In which session, where that is certain.
        ends: How often a process ended after it was sent.
        deaths: How often one was killed.
        most: How many are answered together at most.
    """

    canary: Canary
    moods: dict[int, str]
    where: dict[int, Where]
    session: dict[int, int]
    ends: Callable[[int], int]
    deaths: Callable[[int], int]
    most: int = MOST_TOGETHER


class Matching:
    """Lays them beside each other; see `fault`."""

    def __init__(self, heard: Sequence[Heard], replies: Sequence[Reply], facts: Facts) -> None:
        self._heard = heard
        self._replies = replies
        self._facts = facts
        self._dead: set[tuple[int, int]] = set()
        self._furthest = (0, 0)

    def fault(self) -> str | None:
        """Where they cannot be laid side by side; None if they can."""
        if self._fits(0, 0):
            return None
        at, reply = self._furthest
        return f"{self._tell(at)} goes with {self._tell_reply(reply)}"

    def _fits(self, at: int, reply: int) -> bool:
        if at == len(self._heard) and reply == len(self._replies):
            return True
        if (at, reply) in self._dead:
            return False
        self._furthest = max(self._furthest, (at, reply), key=sum)
        if any(self._fits(*after) for after in self._ways(at, reply)):
            return True
        self._dead.add((at, reply))
        return False

    def _ways(self, at: int, reply: int) -> Iterator[tuple[int, int]]:
        """How it may go on from here."""
        if at == len(self._heard):
            return
        heard = self._heard[at]
        if not heard.must:
            yield at + 1, reply
        given = self._replies[reply] if reply < len(self._replies) else None
        if heard.kind != WORDS:
            if given is not None and given.notice == heard.kind and self._is_said(given):
                yield at + 1, reply + 1
            return
        for end, group in self._groups(at):
            if given is not None and self._answers(given, group):
                yield end, reply + 1
            if "silent" in self._moods(group):
                yield end, reply

    def _groups(self, at: int) -> Iterator[tuple[int, list[Heard]]]:
        """What may have been answered together, from here on: no command, and one session."""
        group: list[Heard] = []
        for end in range(at, len(self._heard)):
            heard = self._heard[end]
            if heard.kind == WORDS:
                group.append(heard)
            elif heard.must:
                return
            known = [self._facts.session.get(one.number) for one in group if one.must]
            if len({session for session in known if session is not None}) > 1:
                return
            if sum(one.must for one in group) > self._facts.most:
                return
            if heard.kind == WORDS:
                yield end + 1, list(group)

    # -- one reply ------------------------------------------------------------------------------

    def _is_said(self, reply: Reply) -> bool:
        """A notice with words of its own says these."""
        said = SENTENCES.get(reply.notice)
        if said is None or "{" in said:
            return True
        return all(part.body in (None, said) for part in reply.parts)

    def _answers(self, reply: Reply, group: Sequence[Heard]) -> bool:
        must = [one for one in group if one.must] or list(group)
        # A turn is as often interrupted as the one of its messages that waits longest.
        deaths = max(self._facts.deaths(one.number) for one in must)
        match reply.notice:
            case "":
                return self._has_words(reply, group)
            case "engine_failed":
                return not self._moods(group).isdisjoint(_FAILED) and self._is_said(reply)
            case "too_slow":
                return "hang" in self._moods(group) and self._is_said(reply)
            case "killed":
                return deaths >= 3 and self._is_said(reply)
            case "lost":
                return self._may_be_lost(must) and self._is_said(reply)
        return False

    def _has_words(self, reply: Reply, group: Sequence[Heard]) -> bool:
        bodies = [part.body for part in reply.parts]
        known = [body for body in bodies if body not in (None, SENTENCES["lost"])]
        must = [one for one in group if one.must] or list(group)
        if SENTENCES["lost"] in bodies and not self._may_be_lost(must):
            return False
        found = self._facts.canary.found(" ".join(body for body in known if body is not None))
        if any(kind != "a" for kind, _, _ in found):
            return False
        answered = set(numbers(found, "a"))
        members = [one for one in group if one.must or one.number in answered]
        if len(known) == len(bodies):
            return found == self._expected(members or group)
        # Parts that were never sent may have answered others too; one is enough for the mood.
        others = [[one] for one in group if one not in members]
        return any(
            _is_within(
                found, self._expected([one for one in group if one in members or one in more])
            )
            for more in ([], *others)
        )

    def _expected(self, members: Sequence[Heard]) -> _Words | None:
        """The words of an answer to these; None where there is none."""
        mood = self._mood(members)
        if mood not in _ANSWERED:
            return None
        core = self._facts.canary.core
        text = " ".join(answer_words(core, [one.number for one in members], mood))
        return self._facts.canary.found(text)

    def _may_be_lost(self, group: Sequence[Heard]) -> bool:
        """One is enough: what a late ``/otr`` moves takes the answer with it that it shares."""
        return any(
            self._facts.where.get(one.number) is not Where.ON and self._facts.ends(one.number)
            for one in group
        )

    def _mood(self, group: Sequence[Heard]) -> str:
        return strongest([self._facts.moods.get(one.number, "") for one in group])

    def _moods(self, group: Sequence[Heard]) -> set[str]:
        """How the engine may have taken them: what was revoked later may have been with them."""
        must = [one for one in group if one.must]
        others = [[*must, one] for one in group if not one.must]
        return {self._mood(members) for members in ([must] if must else []) + others}

    # -- for the report ---------------------------------------------------------------------------

    def _tell(self, at: int) -> str:
        if at == len(self._heard):
            return "nothing that was said"
        heard = self._heard[at]
        where = self._facts.where.get(heard.number)
        place = f", {where.value} the record" if where is not None else ""
        mood = self._facts.moods.get(heard.number, "")
        return f"no outcome of message {heard.number} ({heard.kind} {mood}{place})"

    def _tell_reply(self, reply: int) -> str:
        if reply == len(self._replies):
            return "the end: nothing more was sent"
        told = []
        for part in self._replies[reply].parts:
            found = self._facts.canary.found(part.body or "")
            said = ", ".join(f"{kind}{number}" for kind, number, _ in found[:4])
            body = "never taken" if part.body is None else said or "no words of ours"
            told.append(
                f"parcel {part.row.number} ({part.row.notice or 'answer'} of turn {part.row.turn}, "
                f"{part.row.state.name.lower()}: {body})"
            )
        return "; ".join(told)


def _is_within(found: _Words, expected: _Words | None) -> bool:
    """Whether these are some of those, in order."""
    rest = iter(expected or ())
    return expected is not None and all(one in rest for one in found)


def replies_of(rows: Sequence[Row], bodies: dict[int, str]) -> list[Reply]:
    """The parcels of one chat, by number, put together by their turns; without ``/otr``'s."""
    replies: list[list[Part]] = []
    for row in rows:
        if row.notice == "otr":
            continue
        part = Part(row, bodies.get(row.number))
        if replies and replies[-1][0].row.turn == row.turn:
            replies[-1].append(part)
        else:
            replies.append([part])
    return [Reply(tuple(parts)) for parts in replies]
