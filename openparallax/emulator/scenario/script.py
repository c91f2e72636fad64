"""What a scenario is, once it has been read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openparallax.config.document import Tree
from openparallax.emulator.people import Person
from openparallax.emulator.world import Status

if TYPE_CHECKING:
    from openparallax.emulator.scenario.step import Step

DEFAULT_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """What is changed of the emulator's account before the first step; None: nothing.

    Attributes:
        allow_list: Keys of the people that the number may write to, as a test number's list.
        token_expires_s: Seconds from the first step until every token expires.
    """

    allow_list: tuple[str, ...] | None = None
    token_expires_s: float | None = None
    messages_per_second: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A script.

    Attributes:
        configuration: Laid over the daemon's own, block by block; to be done before it starts.
        engine: The daemon's engine, by name; None: whoever starts it chooses.
        within_s: How long an expectation waits that says nothing of it.
        allows_leftovers: Answers that no step asked for do not fail the scenario.
        ladder: What becomes of the bot's messages, and when; None: the emulator's own.
        sentences: What the daemon says by itself, by name; for ``{notice: …}``.
    """

    file: Path
    title: str
    about: str = ""
    people: tuple[Person, ...] = ()
    account: AccountChanges = field(default_factory=AccountChanges)
    rules: Mapping[str, bool] = field(default_factory=dict)
    ladder: tuple[tuple[float, Status], ...] | None = None
    configuration: Mapping[str, Tree] = field(default_factory=dict, repr=False)
    engine: str | None = None
    within_s: float = DEFAULT_WITHIN_S
    allows_leftovers: bool = False
    sentences: Mapping[str, str] = field(default_factory=dict, repr=False)
    steps: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it went.

    Attributes:
        failures: One line each, as shown: the expectations that failed, and what could not be done.
        skipped: Steps that were not played because one before could not be done.
    """

    title: str
    played: int
    failures: tuple[str, ...] = field(repr=False)
    skipped: int = 0
    duration_s: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.failures
