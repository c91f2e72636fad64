"""Programmes drawn from a seed: the same seed and points, the same programme."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.torture.baits import BAITS
from tests.torture.changing import CHANGES, GONE, WRONG
from tests.torture.points import POINTS
from tests.torture.programme import (
    COMMANDS,
    ECHO,
    FORGET,
    MISTYPED,
    OTHERS,
    REVOKE,
    TAKES_WORDS,
    WORDS,
    Message,
    Programme,
    Step,
)

GRAPH = (
    "clean, late",
    "cut after",
    "cut before",
    "500 after",
    "500 before",
    "hangs after",
    "cut after, late",
    "slow: pair",
    "slow: number",
    "slow: 190",
    "perhaps: 131000",
    "perhaps: 1",
    "refused: 131026",
    "refused: 100",
    "held: 131047",
)
STATUSES = ("never", "late", "twice", "backwards", "failed")
FAR_S = 90_000
"""More than a day ahead: every window is closed."""
CLOCKS = (-80_000, -3_600, -61, 61, 3_600, 70_000, FAR_S)
SLIGHTLY_BACK_S = -61
"""Still behind all that is said: what is newer than the clock counts as written now."""
TAKEOVERS_S = (0, 4, 15, 3_600)
LIMITS = (3, 4, 6)
_THROUGH = {point.name: point.through for point in POINTS}


class Drawer:
    """Draws one programme."""

    def __init__(self, seed: int, points: Sequence[str]) -> None:
        self._dice = Random(f"{seed} programme")  # noqa: S311 - nothing secret is drawn
        # Of its own, so that the programmes of a seed stay what they were.
        ours = Random(f"{seed} people of ours")  # noqa: S311 - the same
        self._take_over = ours.random() < 0.3
        self._takeover_s = ours.choice(TAKEOVERS_S) if self._take_over else 3_600
        self._limit = ours.choice(LIMITS) if ours.random() < 0.2 else 0
        self._forgets = ours.random() < 0.2
        self._seed = seed
        self._points = list(points)
        self._people = self._dice.choice([1, 2, 3, 4])
        self._accounts = self._dice.choice([1, 1, 1, 2])
        self._number = 0
        self._at = 0
        self._steps: list[Step] = []
        self._strangers: list[int] = []
        self._words: list[Message] = []
        self._all: list[Message] = []
        self._is_down = False
        self._must_write = False

    def draw(self) -> Programme:
        schema = 0
        if any(_THROUGH[point] == "old file" for point in self._points):
            schema = self._dice.choice([1, 2])
            self._points.sort(key=lambda point: _THROUGH[point] != "old file")
            self._bait(self._points.pop(0))
        left = self._dice.randint(6, 34)
        while left or self._points:
            if self._points and self._dice.random() < (len(self._points) + 1) / (left + 2):
                self._bait(self._points.pop(0))
            else:
                self._step()
                left = max(0, left - 1)
        if self._is_down:
            self._add("up")
        if self._must_write:  # what a closed window held goes on with the next message
            self._add("clock", seconds=0)
            for account in range(self._accounts):
                for who in range(self._people):
                    self._post(self._message(WORDS, who=who, account=account, mood=""))
        return Programme(
            seed=self._seed,
            people=self._people,
            steps=tuple(self._steps),
            accounts=self._accounts,
            coalesces=self._dice.random() < 0.8,
            schema=schema,
            takeover_s=self._takeover_s,
            limit=self._limit,
        )

    # -- what is said ---------------------------------------------------------------------------

    def _message(
        self,
        what: str | None = None,
        *,
        who: int | None = None,
        account: int | None = None,
        mood: str | None = None,
        earlier_s: int = 0,
        of: int = 0,
        known_by: str = "",
    ) -> Message:
        dice = self._dice
        self._number += 1
        self._at += dice.choice([0, 1, 1, 2])
        what = self._what() if what is None else what
        said = Message(
            number=self._number,
            who=dice.randrange(self._people) if who is None else who,
            what=what,
            at=max(0, self._at - earlier_s),
            mood=self._mood() if mood is None else mood,
            account=dice.randrange(self._accounts) if account is None else account,
            of=of,
            known_by=known_by,
        )
        if said.is_of_stranger or said.what == FORGET:
            return said
        self._all.append(said)
        if said.has_words:
            self._words.append(said)
        return said

    def _what(self) -> str:
        roll = self._dice.random()
        if roll < 0.6:
            return WORDS
        if roll < 0.85:
            return self._dice.choice([*COMMANDS, *TAKES_WORDS, "/otr words", "/otr off", "/otr"])
        if roll < 0.89:
            return self._dice.choice(MISTYPED)
        return self._dice.choice(OTHERS)

    def _mood(self) -> str:
        moods: dict[str, float] = {
            "": 72,
            "slow": 11,
            "long": 4,
            "marks": 4,
            "raise": 3,
            "empty": 2,
            "silent": 2,
        }
        moods |= {"hang": 0.6, "die": 2}
        (mood,) = self._dice.choices(list(moods), list(moods.values()))
        return mood

    def _post(self, *messages: Message, is_doubled: bool = False) -> None:
        self._add("post", requests=(messages,), is_doubled=is_doubled)

    def _add(self, do: str, **more: object) -> None:
        self._steps.append(Step(do, **more))  # type: ignore[arg-type]

    # -- what happens ---------------------------------------------------------------------------

    def _step(self) -> None:
        acts: dict[Callable[[], None], float] = {
            self._say: 40,
            self._batch: 9,
            self._swap: 7,
            self._race: 5,
            self._again: 6,
            self._revoke: 2.5,
            self._wait: 9,
            self._rest: 3,
            self._kill: 4,
            self._stop: 2.5,
            self._clock: 3,
            self._graph: 8,
            self._statuses: 4,
            self._down: 1.5,
            self._twice: 3,
            self._reload: 9,
            self._swap_engines: 3,
            self._leave: 4,
        }
        if self._take_over:
            acts |= {self._echo: 7, self._echo_in_between: 5}
        if self._forgets:
            acts[self._forget] = 6
        if self._limit:
            acts |= {self._burst: 8}
            del acts[self._leave]  # a number that is served anew has counted nothing
        (act,) = self._dice.choices(list(acts), list(acts.values()))
        act()

    def _say(self) -> None:
        self._post(self._message(), is_doubled=self._dice.random() < 0.06)

    def _batch(self) -> None:
        messages = [self._message() for _ in range(self._dice.randint(2, 8))]
        if self._dice.random() < 0.4:
            self._dice.shuffle(messages)
        self._post(*messages)

    def _swap(self) -> None:
        """Two requests of one chat, the later one first."""
        dice = self._dice
        first = self._message(dice.choice([WORDS, None]))
        self._post(first)
        if dice.random() < 0.5:
            self._add("rest", seconds=dice.choice([0.3, 1.0]))
        what = dice.choice(["/otr", "/otr words", "/otr off", "/new", WORDS, "/otr"])
        earlier_s = self._at - first.at + dice.choice([0, 1, 2, 3])
        late = self._message(what, who=first.who, account=first.account, earlier_s=earlier_s + 2)
        self._post(late)

    def _race(self) -> None:
        """Requests of one chat at the same time."""
        one = self._message()
        others = [
            self._message(
                who=one.who, account=one.account, earlier_s=self._dice.choice([0, 0, 1, 3])
            )
            for _ in range(self._dice.choice([1, 1, 2]))
        ]
        self._add("post", requests=tuple((message,) for message in (one, *others)))

    def _again(self) -> None:
        if self._all:
            recent = self._all[-12:] if self._dice.random() < 0.7 else self._all
            self._add("again", of=self._dice.choice(recent).number)

    def _revoke(self) -> None:
        if self._words:
            of = self._dice.choice(self._words[-6:])
            self._post(self._message(REVOKE, who=of.who, account=of.account, of=of.number))

    def _echo(self) -> None:
        """A person of ours writes; perhaps it comes late, perhaps the silence is over soon."""
        dice = self._dice
        if dice.random() < 0.3:
            self._echo_among_commands()
            return
        if dice.random() < 0.3:
            self._at += min(self._takeover_s, 20)
        said = self._message(ECHO, mood="", earlier_s=dice.choice([0, 0, 1, 5]))
        self._post(said, is_doubled=dice.random() < 0.1)
        if dice.random() < 0.4:
            self._at += min(self._takeover_s, 20)
        if dice.random() < 0.6:
            self._post(self._message(who=said.who, account=said.account))

    def _echo_among_commands(self) -> None:
        """It was written off the record and comes when that is over; or an ``/otr`` comes late."""
        first = self._message(self._dice.choice(["/otr", "/otr words"]), mood="")
        self._post(first)
        who, account = first.who, first.account
        self._at += 5
        self._post(self._message("/otr off", who=who, account=account, mood=""))
        self._post(self._message(ECHO, who=who, account=account, mood="", earlier_s=4))
        self._at += 5
        self._post(self._message(ECHO, who=who, account=account, mood=""))
        if self._dice.random() < 0.5:
            self._post(self._message("/otr", who=who, account=account, mood="", earlier_s=4))

    def _echo_in_between(self) -> None:
        """While something is answered, at the same time as words, or in one request with them."""
        dice = self._dice
        moods = ["slow", "long", "slow", "hang"]
        words = self._message(WORDS, mood=dice.choice(moods))
        who, account = words.who, words.account
        roll = dice.random()
        earlier_s = dice.choice([0, 0, 2]) if roll >= 0.5 else 0
        if roll < 0.5:
            self._post(words)
            self._post(self._message(who=who, account=account, mood=""))
            self._add("wait", seconds=dice.choice([0, 0.05, 0.2, 0.5]))
        echo = self._message(ECHO, who=who, account=account, mood="", earlier_s=earlier_s)
        if roll < 0.5:
            self._post(echo)
        elif roll < 0.75:
            self._add("post", requests=((words,), (echo,)))
        else:
            self._post(words, echo, self._message(who=who, account=account))

    def _burst(self) -> None:
        """Somebody says more than is answered, in one request or one after the other."""
        first = self._message(WORDS, mood="")
        said = [first]
        for _ in range(self._dice.randint(3, 7)):
            earlier_s = self._dice.choice([0, 0, 0, 2, 15])
            what = self._dice.choice([WORDS, WORDS, WORDS, None])
            said.append(
                self._message(what, who=first.who, account=first.account, earlier_s=earlier_s)
            )
        if self._dice.random() < 0.4:
            self._post(*said)
        else:
            for one in said:
                self._post(one, is_doubled=self._dice.random() < 0.1)
        if self._dice.random() < 0.3:
            self._at += self._dice.choice([10, 25])

    def _forget(self) -> None:
        """All that somebody said is removed, in the middle of it; perhaps as the daemon dies."""
        dice = self._dice
        words = self._message(WORDS, mood=dice.choice(["", "slow", "long"]))
        who, account = words.who, words.account
        if dice.random() < 0.5:  # so that something waits to be sent
            self._add("graph", who=who, mood="slow: pair", count=2)
        self._post(words)
        if dice.random() < 0.5:
            self._post(self._message(who=who, account=account, mood=""))
        self._add("wait", seconds=dice.choice([0, 0.1, 0.5]))
        request = (self._message(FORGET, who=who, account=account, mood=""),)
        self._add("forget", requests=(request,))
        if dice.random() < 0.4:
            self._add("kill", seconds=dice.choice([0, 0.02, 0.05]))
        self._post(self._message(WORDS, who=who, account=account, mood=""))

    def _wait(self) -> None:
        self._add("wait", seconds=round(self._dice.choice([0.02, 0.05, 0.1, 0.3, 0.7]), 2))

    def _rest(self) -> None:
        self._add("rest", seconds=2.0)

    def _kill(self) -> None:
        mood = "starting" if self._dice.random() < 0.2 else ""
        self._add("kill", mood=mood, seconds=self._dice.choice([0, 0.01, 0.05, 0.2, 0.5]))

    def _stop(self) -> None:
        self._add("stop")

    def _clock(self) -> None:
        seconds = self._dice.choice(CLOCKS)
        if self._take_over or self._limit:
            seconds = max(seconds, SLIGHTLY_BACK_S)
        self._must_write = self._must_write or seconds == FAR_S
        self._add("clock", seconds=seconds)

    def _graph(self) -> None:
        mood = self._dice.choice(GRAPH)
        self._must_write = self._must_write or mood.startswith("held")
        who, count = self._dice.randrange(self._people), self._dice.choice([1, 1, 2, 3])
        self._add("graph", who=who, mood=mood, count=count)

    def _statuses(self) -> None:
        who, count = self._dice.randrange(self._people), self._dice.choice([1, 2, 3])
        self._add("statuses", who=who, mood=self._dice.choice(STATUSES), count=count)

    def _twice(self) -> None:
        """Graph takes it, nobody is told, and so it is sent again."""
        who, mood = (
            self._dice.randrange(self._people),
            self._dice.choice(["cut after", "500 after"]),
        )
        self._add("rest", seconds=0.5)
        self._add("graph", who=who, mood=mood)
        self._add("statuses", who=who, mood=self._dice.choice(["late", "late", "never"]))
        self._post(self._message(WORDS, who=who, mood=""))

    def _reload(self) -> None:
        """Once, or several times as quickly as it goes."""
        names = [*CHANGES, WRONG]
        if self._limit:
            names.remove(GONE)
        for _ in range(self._dice.choice([1, 1, 2, 3])):
            way = self._dice.choice(["", "", "control"])
            self._add("reload", mood=self._dice.choice(names), point=way)

    def _swap_engines(self) -> None:
        """Who answers is exchanged, and exchanged again, while it answers."""
        self._post(self._message(WORDS, mood="slow"))
        self._add("wait", seconds=self._dice.choice([0.05, 0.1]))
        names = ["other stages", "another engine", "another engine off the record"]
        for name in self._dice.choices(names, k=3):
            self._add("reload", mood=name, point=self._dice.choice(["", "control"]))

    def _leave(self) -> None:
        """The second number goes while something waits for it, and is back with what comes next."""
        if self._accounts == 1:
            self._reload()
            return
        who = self._dice.randrange(self._people)
        self._post(self._message(WORDS, who=who, account=1, mood="slow"))
        self._post(self._message(who=who, account=1))
        self._post(self._message(WORDS, who=who, account=1, mood=""))
        self._add("reload", mood=GONE)
        roll = self._dice.random()
        if roll < 0.25:
            self._add("kill", seconds=0.05)
        elif roll < 0.4:
            self._add("stop")
        self._add("wait", seconds=self._dice.choice([0.05, 0.3, 0.7]))
        self._post(self._message(WORDS, who=who, account=1, mood=""))

    def _down(self) -> None:
        self._is_down = not self._is_down
        self._add("down" if self._is_down else "up")

    # -- what brings the daemon to a point --------------------------------------------------------

    def _bait(self, point: str) -> None:
        who, account = self._dice.randrange(self._people), self._dice.randrange(self._accounts)
        BAITS[_THROUGH[point]](_Talk(self, self._dice, point, who, account))
        self._add("struck", seconds=6.0)


@dataclass(frozen=True, slots=True)
class _Talk:
    """One chat of a programme that is being drawn."""

    drawer: Drawer
    dice: Random
    point: str
    who: int
    account: int

    @property
    def strangers(self) -> list[int]:
        return self.drawer._strangers

    def say(
        self,
        what: str,
        mood: str = "",
        *,
        earlier_s: int = 0,
        of: int = 0,
        who: int | None = None,
        known_by: str = "",
    ) -> Message:
        said = self.drawer._message(
            what,
            who=self.who if who is None else who,
            account=self.account,
            mood=mood,
            earlier_s=earlier_s,
            of=of,
            known_by=known_by,
        )
        self.drawer._post(said)
        return said

    def pause_in_writing(self, seconds: int) -> None:
        self.drawer._at += seconds

    def add(self, do: str, **more: object) -> None:
        self.drawer._add(do, **({"who": self.who} if do == "graph" else {}), **more)

    def arm(self, nth: int = 1) -> None:
        self.drawer._add("kill at", point=self.point, nth=nth)


def draw(seed: int, points: Sequence[str] = ()) -> Programme:
    """The programme of a seed, which brings the daemon to ``points``."""
    return Drawer(seed, points).draw()


def deal(seed: int, index: int, hand: int = 2) -> tuple[int, list[str]]:
    """Seed and points of the programme with number ``index`` of a run, so that all have turns."""
    names = [point.name for point in POINTS]
    deck: list[str] = []
    cut = 0
    while len(deck) < (index + 1) * hand:
        some = list(names)
        Random(f"{seed} deck {cut}").shuffle(some)  # noqa: S311 - nothing secret is drawn
        deck += some
        cut += 1
    return seed * 10_000 + index, deck[index * hand : (index + 1) * hand]
