"""The first half of the oracle: all that was said has its outcome, once and in order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from openparallax.model.parcel import ParcelState
from openparallax.session.notices import SENTENCES
from tests.flow.kill.moods import Attempt
from tests.flow.kill.people import Message, Person, Sort
from tests.flow.kill.records import Records, Row

MOST_MESSAGES = 20
"""The most that one turn answers together, and so the most that one notice stands for."""
MOST_AMBIGUOUS = 3
"""A send whose outcome is unknown is repeated at most twice."""
_OF_COMMANDS = {"help", "new", "new_after_otr", "otr_off", "otr_off_idle"}


@dataclass(slots=True)
class Findings:
    """What is wrong, and what was counted because the design allows it."""

    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Walk:
    """Goes through one person's parcels, in the daemon's order, beside what they must hear.

    Words may be skipped only where a parcel stands for them: an apology (the turn was found running
    after three deaths), the notice of words off the record that went with a crash, or a part that
    was sent as often as the design allows and that Graph never took.
    """

    def __init__(self, person: Person, said: Sequence[Message], findings: Findings) -> None:
        self._who = person.number
        self._findings = findings
        self._expected = [
            (token, number) for number, message in enumerate(said) for token in message.tokens
        ]
        self._places = {token: n for n, (token, _) in enumerate(self._expected) if token[0] != "="}
        self._at = 0
        self._may_skip = 0
        self._must_skip = 0

    def step(self, row: Row, taken: Sequence[Attempt]) -> None:
        """Go past one parcel, given the attempts that Graph took."""
        body = taken[0].call.body if taken else None
        if body is None:
            self._not_taken(row)
        elif row.state is not ParcelState.ACCEPTED:
            self._wrong(f"parcel {row.number} was taken and is {row.state.name}")
        if row.notice in _OF_COMMANDS:
            self._hear([f"={row.notice}"])
            if body is not None and row.notice != "help" and body != SENTENCES[row.notice]:
                self._wrong(f"parcel {row.number} is no notice {row.notice}")
        elif row.notice in {"killed", "lost"}:
            self._excuse(f"turns that ended with the notice {row.notice}")
            if body is not None and body != SENTENCES[row.notice]:
                self._wrong(f"parcel {row.number} is no notice {row.notice}")
        elif row.notice:
            self._wrong(f"parcel {row.number} says {row.notice}")
        elif body is None:
            self._excuse(f"answers that are {row.state.name.lower()}")
        elif body == SENTENCES["lost"]:
            self._excuse("answers whose words were lost before they were sent")
        else:
            self._hear(body.split())

    def end(self) -> None:
        """Nothing more was sent to this person."""
        self._skip_to(len(self._expected))

    def _not_taken(self, row: Row) -> None:
        if row.state is ParcelState.UNCONFIRMED and row.ambiguous >= MOST_AMBIGUOUS:
            self._findings.counts["parcels given up that Graph never took"] += 1
        elif row.state is ParcelState.LOST:
            self._findings.counts["lost parts that an earlier notice stands for"] += 1
        else:
            self._wrong(
                f"parcel {row.number} is {row.state.name} after {row.attempts} attempts,"
                f" {row.ambiguous} of them ambiguous, and Graph never took it"
            )

    def _excuse(self, why: str) -> None:
        self._findings.counts[why] += 1
        self._may_skip += MOST_MESSAGES
        # At least a word; a part of an answer may hold no more than the rest of a message.
        self._must_skip += 1

    def _hear(self, tokens: Sequence[str]) -> None:
        first = self._place_of(tokens[0])
        if first is None:
            return
        self._skip_to(first)
        for token in tokens:
            if self._at >= len(self._expected) or self._expected[self._at][0] != token:
                self._wrong(f"{token} came instead of {self._next()}")
                return
            self._at += 1

    def _place_of(self, token: str) -> int | None:
        if token[0] == "=":
            for place in range(self._at, len(self._expected)):
                if self._expected[place][0][0] == "=":
                    return place
            self._wrong(f"{token} came, and nobody asked for it")
            return None
        said = self._places.get(token)
        if said is None:
            self._wrong(f"{token} came, and was never said")
        elif said < self._at:
            self._wrong(f"{token} came again, or too late")
            return None
        return said

    def _skip_to(self, place: int) -> None:
        skipped = self._expected[self._at : place]
        messages = {number for _, number in skipped}
        if any(token[0] == "=" for token, _ in skipped):
            self._wrong(f"a notice is missing before {self._next()}")
        elif len(messages) > self._may_skip:
            self._wrong(f"{len(messages)} messages from {self._next()} on have no outcome")
        elif len(skipped) < self._must_skip:
            self._wrong(f"{self._next()} was answered, and a notice said that it was not")
        if skipped:
            self._findings.counts["messages with a notice instead of an answer"] += len(messages)
        self._at, self._may_skip, self._must_skip = place, 0, 0

    def _next(self) -> str:
        if self._at < len(self._expected):
            return self._expected[self._at][0]
        return "nothing"

    def _wrong(self, what: str) -> None:
        self._findings.problems.append(f"{self._who}: {what}")


def walk_all(
    people: Iterable[Person],
    records: Records,
    taken: Mapping[int, Sequence[Attempt]],
    findings: Findings,
) -> None:
    """Walk through everybody's parcels."""
    rows: dict[str, list[Row]] = {}
    for row in records.parcels:
        rows.setdefault(row.address, []).append(row)
    findings.problems += [f"{word} was admitted twice" for word in records.doubled]
    for person in people:
        said = _in_order(person, records, findings)
        walk = Walk(person, said, findings)
        confirmed = 0
        for row in rows.pop(person.number, []):
            if row.notice == "otr":
                confirmed += 1
            else:
                walk.step(row, taken.get(row.number, ()))
        walk.end()
        asked = sum(message.asks_otr for message in person.said)
        if confirmed != asked:
            findings.problems.append(f"{person.number}: {asked} times /otr, confirmed {confirmed}")
    findings.problems += [f"{address} got something and is nobody" for address in rows]


def _in_order(person: Person, records: Records, findings: Findings) -> list[Message]:
    """What was said, in the order in which it was admitted.

    For those who wait until a message was taken that is the order of writing; for the hurried one
    the daemon's own order, of which is asked that nothing stands before what was taken before it
    was sent.
    """
    for message in person.said:
        if message.taken is None:
            findings.problems.append(f"{person.number}: a message was never taken")
        if message.words and message.is_off == (message.words[0] in records.turns):
            kept = "is" if message.is_off else "is not"
            findings.problems.append(f"{message.words[0]} {kept} in the transcript")
    if person.sort is not Sort.HURRIED:
        return person.said
    said = sorted(person.said, key=lambda one: records.turns.get(one.words[0], 0))
    latest_sent = 0.0
    for message in said:
        if message.taken is not None and message.taken < latest_sent:
            findings.problems.append(f"{message.words[0]} was admitted behind a later message")
        latest_sent = max(latest_sent, message.sent)
    return said
