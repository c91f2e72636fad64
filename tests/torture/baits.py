"""What brings the daemon to each of its points: a few steps with the order to die in between."""

from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.torture.programme import REVOKE, STRANGERS, WORDS, Message


class Talk(Protocol):
    """One chat, as a bait uses it; each call adds a step."""

    @property
    def dice(self) -> Random: ...

    @property
    def strangers(self) -> list[int]: ...

    def say(
        self,
        what: str,
        mood: str = "",
        *,
        earlier_s: int = 0,
        of: int = 0,
        who: int | None = None,
        known_by: str = "",
    ) -> Message: ...
    def pause_in_writing(self, seconds: int) -> None: ...
    def add(self, do: str, **more: object) -> None: ...
    def arm(self, nth: int = 1) -> None: ...


def _words(talk: Talk) -> None:
    talk.arm(talk.dice.choice([1, 1, 2, 4]))
    for mood in ("", "long", "slow"):
        talk.say(WORDS, mood)


def _again(talk: Talk) -> None:
    said = talk.say("/otr words", "slow")
    talk.arm()
    talk.add("again", of=said.number)


def _revoke(talk: Talk) -> None:
    said = talk.say(WORDS, "slow")
    talk.arm()
    talk.say(REVOKE, of=said.number)


def _command(command: str) -> Callable[[Talk], None]:
    def bait(talk: Talk) -> None:
        talk.say(talk.dice.choice(["/otr words", WORDS]))
        talk.arm()
        talk.say(command)

    return bait


def _late_otr(talk: Talk) -> None:
    talk.say("/otr off")
    talk.pause_in_writing(5)
    talk.say(WORDS, talk.dice.choice(["", "slow"]))
    talk.add("wait", seconds=talk.dice.choice([0, 0.1, 0.6]))
    talk.arm()
    talk.say("/otr", earlier_s=6)


def _two_parts(talk: Talk) -> None:
    talk.arm(talk.dice.choice([1, 2]))
    talk.say(WORDS, "long")


def _doubt(talk: Talk) -> None:
    talk.add("rest", seconds=1.0)
    talk.add("graph", mood="cut after", count=2)
    talk.arm()
    talk.say(WORDS)


def _idle(talk: Talk) -> None:
    talk.say("/otr words")
    talk.arm()
    talk.add("rest", seconds=2.0)


def _start(talk: Talk) -> None:
    talk.say(WORDS, "slow")
    talk.arm()
    talk.add("kill")


def _old_file(talk: Talk) -> None:
    talk.arm()


def _lost(talk: Talk) -> None:
    talk.say("/otr words", "slow")
    talk.add("rest", seconds=0.2)
    talk.add("kill")
    talk.arm()


def _merge(talk: Talk) -> None:
    """Somebody is known by the number, then by an id; and then by both."""
    who = STRANGERS + len(talk.strangers)
    talk.strangers.append(who)
    for known_by in ("", "id", "both"):
        if known_by == "both":
            talk.arm()
        talk.say(WORDS, talk.dice.choice(["", "slow"]), who=who, known_by=known_by)


def _stop(talk: Talk) -> None:
    talk.say(talk.dice.choice([WORDS, "/otr words"]), talk.dice.choice(["", "slow"]))
    talk.arm()
    talk.add("stop")


BAITS: dict[str, Callable[[Talk], None]] = {
    "words": _words,
    "again": _again,
    "revoke": _revoke,
    "/otr": _command("/otr"),
    "/new": _command("/new"),
    "/otr off": _command("/otr off"),
    "late /otr": _late_otr,
    "two parts": _two_parts,
    "doubt": _doubt,
    "idle": _idle,
    "start": _start,
    "old file": _old_file,
    "lost": _lost,
    "merge": _merge,
    "stop": _stop,
}
