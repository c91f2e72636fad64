"""What the steps of one performance share."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.scenario.matching import text_of
from openparallax.emulator.scenario.script import Scenario
from openparallax.emulator.scenario.showing import Style
from openparallax.emulator.scenario.step import Finding, Step, stuck
from openparallax.emulator.scenario.witness import Witness
from openparallax.emulator.world import Message

if TYPE_CHECKING:
    from openparallax.emulator.emulator import Emulator

IMPATIENT_S = 1.0


class Stage:
    """The emulator, the daemon beside it, and how far the script is.

    Attributes:
        first_call: Number of the first send that ``graph got`` counts.
        first_exchange: The same of requests.
        is_stuck: A step could not be done; no further one is begun.
    """

    def __init__(
        self,
        scenario: Scenario,
        emulator: "Emulator",
        daemon: DaemonSide | None,
        *,
        folder: Path | None,
        log: Path | None,
        show: Callable[[str], None],
        style: Style,
    ) -> None:
        self.scenario = scenario
        self.emulator = emulator
        self.daemon = daemon
        self.folder = folder
        self.log = log
        self.witness = Witness(emulator, daemon)
        self.first_call = 0
        self.first_exchange = 0
        self.is_stuck = False
        self.failures: list[str] = []
        self.played = 0
        self.skipped = 0
        self._show = show
        self._style = style
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def count_anew(self) -> None:
        """Let ``graph got`` and the like see only what comes from here on."""
        calls, exchanges = self.emulator.sending.calls, self.emulator.wire.exchanges
        self.first_call = calls[-1].number + 1 if calls else 0
        self.first_exchange = exchanges[-1].number + 1 if exchanges else 0

    def limit_s(self, within_s: float | None, person: str | None = None) -> float:
        """How long to wait: as the step says, else the script; shortly for whom nobody answers."""
        limit_s = self.scenario.within_s if within_s is None else within_s
        return min(limit_s, IMPATIENT_S) if person in self.witness.left_waiting else limit_s

    async def perform(self, steps: Iterable[Step], depth: int = 0) -> None:
        """Play these one after the other and show each as it is done."""
        for step in steps:
            if self.is_stuck:
                self._skip(step, depth)
                continue
            if step.is_heading:
                self.tell(self._style.heading(step.title, depth))
                await step.play(self)
                continue
            try:
                finding = await step.play(self)
            except (LookupError, ValueError) as error:  # what the emulator does not let them do
                finding = stuck(str(error))
            self.played += 1
            if self.daemon is not None and self.daemon.state == "ended":
                lines = finding.lines if finding is not None else ()
                finding = stuck(*lines, self.daemon.note or "the daemon ended by itself")
            self.report(step.title, finding, line=step.line, depth=depth)

    def report(
        self, title: str, finding: Finding | None, *, line: int | None = None, depth: int = 0
    ) -> None:
        """Show how a step went, and remember it if it went wrong."""
        if finding is None:
            self.tell(self._style.done(self.elapsed_s, title, depth))
            return
        place = f"{self.scenario.file}:{line}: " if line else ""
        self.failures.append(f"{place}{title}")
        self.is_stuck = self.is_stuck or finding.is_final
        for shown in self._style.failed(self.elapsed_s, title, finding.lines, line, depth):
            self.tell(shown)

    def tell(self, line: str) -> None:
        self._show(self._style.fitting(line))

    def _skip(self, step: Step, depth: int) -> None:
        self.skipped += not step.is_heading
        self.tell(self._style.skipped(step.title, depth))

    # whom and what the steps mean

    def last_answer(self, person: str) -> Message | None:
        """The last that the bot sent them."""
        answers = self.witness.answers[person]
        return answers[-1] if answers else None

    def message(self, person: str, which: str) -> Message | None:
        """What ``last answer``, ``last`` (their own) or the words of a message name."""
        if which == "last answer":
            return self.last_answer(person)
        if which == "last":
            return self.witness.last_said(person)
        every = [*self.witness.answers[person], *self.witness.said]
        matching = [one for one in every if one.person == person and text_of(one) == which]
        return max(matching, key=lambda one: one.at, default=None)
