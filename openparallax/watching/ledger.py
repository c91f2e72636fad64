"""What is wrong, since when, and what of it was told: decides when to tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from openparallax.clock import Clock

FIRST_RETRY_S: Final = 60.0
"""After a telling that failed; doubled each time: what is wrong may be what carries the news."""
LONGEST_RETRY_S: Final = 3600.0


class Kind(StrEnum):
    """A kind of trouble. The values are shown to people and programs, and may be relied on."""

    ACCOUNT_PAUSED = "account_paused"
    BACKLOG = "backlog"
    STORAGE = "storage"
    DISK = "disk"
    ENGINE = "engine"
    SILENCE = "silence"
    TOKEN = "token"  # noqa: S105 - its name
    CERTIFICATE = "certificate"


class State(StrEnum):
    """Why something is told."""

    RAISED = "raised"
    REPEATED = "repeated"
    ALL_CLEAR = "all_clear"
    TEST = "test"


Findings = Mapping[Kind, str]
"""What was found just now: sentences about what is wrong, "" where all is well. What is left out
is not known: it is neither wrong nor well."""


@dataclass(slots=True)
class Entry:
    """One kind of trouble.

    Attributes:
        says: What is wrong, as it was last seen.
        since: When it began, unix seconds; 0: it is well.
        told_at: When it was last told, unix seconds; 0: never.
        is_told: It was told, and not yet that all is well.
    """

    says: str = ""
    since: float = 0.0
    told_at: float = 0.0
    is_told: bool = False
    began: float | None = None
    ended: float | None = None
    quiet_until: float = 0.0
    failed: int = 0


class Ledger:
    """Decides what is told; see `due`.

    Args:
        wait_s: How long something must be wrong before it is told, and well before that is.
        repeat_s: Least time between two tellings of the same kind.
        all_clear: Also tell when all is well again.
    """

    def __init__(self, clock: Clock, *, wait_s: float, repeat_s: float, all_clear: bool) -> None:
        self._clock = clock
        self._wait_s = wait_s
        self._repeat_s = repeat_s
        self._all_clear = all_clear
        self._entries = {kind: Entry() for kind in Kind}
        self._clear = Entry()

    def retune(self, *, wait_s: float, repeat_s: float, all_clear: bool) -> None:
        """Go on with other limits."""
        self._wait_s, self._repeat_s, self._all_clear = wait_s, repeat_s, all_clear

    # -- what was found -------------------------------------------------------------------------

    def see(self, findings: Findings) -> None:
        """Take note of what was found."""
        now = self._clock.monotonic()
        for kind, says in findings.items():
            entry = self._entries[kind]
            if says:
                entry.says, entry.ended = says, None
                if entry.began is None:
                    entry.began, entry.since = now, self._clock.now()
            elif entry.began is not None or entry.is_told:
                if entry.ended is None:
                    entry.ended = now
                if now - entry.ended >= self._wait_s:
                    entry.began, entry.since, entry.says = None, 0.0, ""
                    entry.failed, entry.quiet_until = 0, 0.0

    def entries(self) -> Mapping[Kind, Entry]:
        """All kinds; not to be changed."""
        return self._entries

    def due(self) -> list[tuple[Kind | None, State]]:
        """What is to be told now; None: all is well again. To be asked after each `see`."""
        now, wall = self._clock.monotonic(), self._clock.now()
        found: list[tuple[Kind | None, State]] = []
        for kind, entry in self._entries.items():
            if entry.began is None or entry.ended is not None or now < entry.quiet_until:
                continue  # well, or seems so for the moment, or could not be told just now
            if now - entry.began < self._wait_s:
                continue
            # A clock that was set back must not silence it for longer than a repetition takes.
            if entry.told_at and wall - min(entry.told_at, wall) < self._repeat_s:
                entry.told_at = min(entry.told_at, wall)
                continue
            found.append((kind, State.REPEATED if entry.is_told else State.RAISED))
        if self._all_clear and self.over() and now >= self._clear.quiet_until:
            found.append((None, State.ALL_CLEAR))
        return found

    def over(self) -> list[Kind]:
        """What was told and is well again, if nothing else is wrong; else nothing."""
        now = self._clock.monotonic()
        told = [kind for kind, entry in self._entries.items() if entry.is_told]
        is_well = all(entry.began is None for entry in self._entries.values()) and all(
            (ended := self._entries[kind].ended) is not None and now - ended >= self._wait_s
            for kind in told
        )
        return told if is_well else []

    # -- what became of the telling -------------------------------------------------------------

    def told(self, kind: Kind | None) -> None:
        """It was told; None: that all is well."""
        if kind is not None:
            entry = self._entries[kind]
            entry.told_at, entry.is_told = self._clock.now(), True
            entry.failed, entry.quiet_until = 0, 0.0
            return
        for entry in self._entries.values():
            entry.is_told = False
        self._clear = Entry()

    def failed(self, kind: Kind | None) -> None:
        """It could not be told: it is tried again, later each time."""
        entry = self._clear if kind is None else self._entries[kind]
        wait_s = min(FIRST_RETRY_S * 2**entry.failed, LONGEST_RETRY_S)
        entry.failed = min(entry.failed + 1, 20)
        entry.quiet_until = self._clock.monotonic() + wait_s

    # -- across a restart -----------------------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        """What a next process must know, so that it neither repeats nor forgets: plain data."""
        return {
            kind.value: [entry.told_at, entry.is_told]
            for kind, entry in self._entries.items()
            if entry.told_at
        }

    def restore(self, kept: Any) -> None:
        """Take over what `kept` gave; what is not understood is left out."""
        if not isinstance(kept, dict):
            return
        for kind, entry in self._entries.items():
            match kept.get(kind.value):
                case [int() | float() as told_at, bool() as is_told]:
                    entry.told_at, entry.is_told = float(told_at), is_told
                case _:
                    pass
