"""People as they are, whatever Meta tells of them: the truth against which the house is held.

Written from what people do, not from the rules: each has one number and one id at a time, and says
things. A number given up may be another's later; whoever changes theirs without a word of Meta's
is a new person to everybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from openparallax.model.messages import Sender

PEOPLE = 2
SHARED = "491700000000"
"""A number that goes from one person to the next; all others belong to one person for ever."""

DEEDS = (
    *("words", "words", "id only", "number only", "number only"),
    *("/otr", "/otr", "/otr", "/otr off", "/new"),
    *("told", "told", "told without number", "told by number", "silently", "shared"),
)
deed = st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(DEEDS))
delay = st.sampled_from([0, 0, 0, 2, 3, 5, 9, 14])
again = st.sampled_from([None, None, None, 1, 4, 8])
then = st.sampled_from(["", "", "", "answer", "answer one", "restart", "drop"])
story = st.lists(st.tuples(deed, delay, again, then), min_size=6, max_size=18)


@dataclass(frozen=True)
class Event:
    """One webhook: words or a command by a person, or that their ids have changed."""

    who: int
    at: int
    sender: Sender
    words: str = ""
    becomes: Sender | None = None


@dataclass
class Person:
    """A person as Meta knows them.

    Attributes:
        numbers: Every number that they had and are known to have left.
    """

    who: int
    number: str
    user_id: str
    is_shared: bool = False
    off: list[tuple[int, int | None]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def full(self) -> Sender:
        return Sender(wa_id=self.number, user_id=self.user_id)


class World:
    """Lets people act, one after the other, a minute apart; keeps what each of them said."""

    def __init__(self, start: int) -> None:
        self.now = start
        self._serial = 0
        self.persons: list[Person] = []
        self.acting = [self._arrive() for _ in range(PEOPLE)]
        self.said: dict[str, tuple[int, int]] = {}

    def act(self, which: int, what: str) -> Iterator[Event]:
        self.now += 60
        person = self.acting[which]
        match what:
            case "words":
                yield self._say(person, person.full)
            case "id only":
                yield self._say(person, Sender(user_id=person.user_id))
            case "number only" if not person.is_shared:
                yield self._say(person, Sender(wa_id=person.number))
            case "number only":
                yield self._say(person, person.full)
            case "/otr" | "/otr off" | "/new":
                hides = self.now // 60 % 3 == 0
                sender = Sender(user_id=person.user_id) if hides else person.full
                yield Event(person.who, self.now, sender, what)
                self._command(person, what)
            case "silently":
                yield self._leave(which)
                yield self._say(self.acting[which], self.acting[which].full)
            case "shared":
                for other, one in enumerate(self.acting):
                    if one.number == SHARED or other == which:
                        yield self._leave(other, SHARED if other == which else "")
                yield self._say(self.acting[which], self.acting[which].full)
            case _:
                yield from self._change(person, what)

    def farewell(self) -> Iterator[Event]:
        """Each says once more who they are, so that nothing remains to be found out."""
        for person in self.acting:
            self.now += 60
            yield self._say(person, person.full)

    def _leave(self, which: int, number: str = "") -> Event:
        """Somebody goes, nobody tells, and says by then who they were; somebody else comes."""
        gone = self.acting[which]
        said = self._say(gone, gone.full)
        self.now += 60
        self.acting[which] = self._arrive(number)
        return said

    def _change(self, person: Person, what: str) -> Iterator[Event]:
        yield self._say(person, person.full)  # what was said without an id is known to be theirs
        self.now += 60
        old = person.full
        if what == "told by number" and not person.is_shared:
            old = Sender(wa_id=person.number)
        person.left.append(person.number)
        person.number, person.user_id = self._fresh()
        person.is_shared = False
        hides = what == "told without number"
        told = Sender(user_id=person.user_id) if hides else person.full
        yield Event(person.who, self.now, old, becomes=told)

    def _say(self, person: Person, sender: Sender) -> Event:
        self._serial += 1
        words = f"w{self._serial:03d}p{person.who:02d}w"
        self.said[words] = (person.who, self.now)
        return Event(person.who, self.now, sender, words)

    def _command(self, person: Person, what: str) -> None:
        is_off = bool(person.off) and person.off[-1][1] is None
        if what == "/otr" and not is_off:
            person.off.append((self.now, None))
        elif what != "/otr" and is_off:
            person.off[-1] = (person.off[-1][0], self.now)

    def _arrive(self, number: str = "") -> Person:
        fresh, user_id = self._fresh()
        person = Person(len(self.persons), number or fresh, user_id, bool(number))
        self.persons.append(person)
        return person

    def _fresh(self) -> tuple[str, str]:
        self._serial += 1
        return f"4915100000{self._serial:03d}", f"DE.{self._serial:05d}"

    # -- the truth ------------------------------------------------------------------------------

    def off_the_record(self) -> set[str]:
        """Words said after ``/otr``, and before what ended it."""
        return {
            words
            for words, (who, at) in self.said.items()
            for since, until in self.persons[who].off
            if since < at and (until is None or at < until)
        }
