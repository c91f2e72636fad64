"""The other half of the oracle: what went out again, and whether that was allowed.

A send is repeated only where nobody could know about the one before: its answer was lost or refused
in doubt, or the daemon was killed before it could note the answer; and only after a status had time
to tell. Times are compared with room for a busy machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.flow.kill.daemon import RECEIPT_WAIT_S, Life
from tests.flow.kill.moods import Attempt
from tests.flow.kill.records import Records
from tests.flow.kill.walk import MOST_AMBIGUOUS, Findings


@dataclass(frozen=True, slots=True)
class Patience:
    """How sure the judge must be, on a machine that may be busy.

    Attributes:
        settling_s: An answer that went out so long before the kill has been noted.
        crossing_s: A status that was acknowledged less than this before a repeat may have crossed
            it.
        has_jumps: The wall clock may have jumped, so that a back-off of another process is over.
        moving: Addresses of people who were known by another one before.
        reloads: When the configuration was to be read again; it was within ``reading_s``.
    """

    settling_s: float = 1.0
    crossing_s: float = 0.3
    has_jumps: bool = False
    moving: frozenset[str] = frozenset()
    reloads: Sequence[float] = ()
    reading_s: float = 5.0


EARLY = 0.9
"""How much of a wait must have passed, by another clock."""


def by_parcel(attempts: Sequence[Attempt]) -> dict[int, list[Attempt]]:
    """Each parcel's attempts, in order."""
    found: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.parcel, []).append(attempt)
    return found


def judge_repeats(
    attempts: Sequence[Attempt],
    lives: Sequence[Life],
    records: Records,
    findings: Findings,
    patience: Patience | None = None,
) -> None:
    """Judge all that went out more than once, and that nothing went out behind its turn."""
    patience = patience or Patience()
    judge = _Judge(lives, findings, patience)
    for tries in by_parcel(attempts).values():
        judge.judge(tries)
    _judge_order(attempts, records, findings, patience.moving)


class _Judge:
    def __init__(self, lives: Sequence[Life], findings: Findings, patience: Patience) -> None:
        self._patience = patience
        self._lives = lives
        self._findings = findings

    def judge(self, tries: Sequence[Attempt]) -> None:
        ambiguous = 0
        for earlier, later in pairwise(tries):
            ambiguous += not (earlier.is_slow or earlier.is_refused)
            self._judge(earlier, later, ambiguous)
        doubtful = [one for one in tries if not (one.is_slow or one.is_refused)]
        if len(doubtful) > MOST_AMBIGUOUS:
            self._wrong(tries[0], f"was sent {len(tries)} times")

    def _judge(self, earlier: Attempt, later: Attempt, ambiguous: int) -> None:
        if earlier.told is not None and earlier.told < later.at - self._patience.crossing_s:
            self._wrong(later, "was sent again although a status had been acknowledged")
        why = f"the answer was lost ({earlier.mood})"
        if earlier.answered is not None:
            why = "the daemon was killed before it could note the answer"
            crossing_s, settling_s = self._patience.crossing_s, self._patience.settling_s
            if not self._died_between(earlier.at - crossing_s, earlier.answered + settling_s):
                self._wrong(later, "was sent again although it had been answered")
        wait_s = RECEIPT_WAIT_S * 2 ** max(0, ambiguous - 1)
        forgets = earlier.slows_all or (earlier.is_slow and self._patience.has_jumps)
        if earlier.is_refused or (forgets and self._begun_between(earlier.at, later.at)):
            wait_s = 0.0
        if earlier.slows_all and self._mended_between(earlier.at, later.at):
            wait_s = 0.0
        began = earlier.at
        if not earlier.is_slow:
            began = max(began, self._started_before(later.at))
        # What a process sent in its last moment may arrive when the next one has begun.
        waited_s = max(later.at - began, self._waited_by_the_dead_s(earlier.at, later.at))
        if self._patience.has_jumps:
            # It may have waited in an earlier life, and been held since its window seemed closed.
            waited_s = max(waited_s, self._longest_up_s(earlier.at, later.at))
        if waited_s < wait_s * EARLY:
            self._wrong(later, f"was sent again too early, {waited_s:.2f} s after {earlier.mood}")
        self._findings.counts["sends repeated"] += 1
        if earlier.is_taken and later.is_taken:
            self._findings.counts["parts that Graph took twice, allowed"] += 1
            self._findings.counts[f"  because {why}"] += 1

    def _died_between(self, begin: float, end: float) -> bool:
        return any(life.was_killed and begin <= life.ended <= end for life in self._lives)

    def _begun_between(self, begin: float, end: float) -> bool:
        """Whether what is in memory only, as the pace of a number is, was forgotten meanwhile."""
        return any(begin <= life.started <= end for life in self._lives)

    def _mended_between(self, begin: float, end: float) -> bool:
        """Whether another way to Graph was taken: what the old one was refused for is past."""
        reading_s = self._patience.reading_s
        return any(begin - reading_s <= at <= end for at in self._patience.reloads)

    def _longest_up_s(self, begin: float, end: float) -> float:
        """How long a process lived between two moments, the longest of them."""
        return max(
            (min(life.ended or end, end) - max(life.started, begin) for life in self._lives),
            default=0.0,
        )

    def _waited_by_the_dead_s(self, begin: float, end: float) -> float:
        """How long a process that ended just before ``end`` had waited since ``begin``."""
        crossing_s = self._patience.crossing_s
        return max(
            (
                life.ended - max(life.started, begin)
                for life in self._lives
                if end - crossing_s <= life.ended <= end
            ),
            default=0.0,
        )

    def _started_before(self, at: float) -> float:
        return max((life.started for life in self._lives if life.started < at), default=0.0)

    def _wrong(self, attempt: Attempt, what: str) -> None:
        self._findings.problems.append(f"{attempt.call.to}: parcel {attempt.parcel} {what}")


def _judge_order(
    attempts: Sequence[Attempt],
    records: Records,
    findings: Findings,
    moving: frozenset[str],
) -> None:
    """Once a chat's next parcel was sent, none before it may be; only confirmations pass others."""
    known = {row.number: row for row in records.parcels}
    latest: dict[int, int] = {}
    for attempt in attempts:
        row = known.get(attempt.parcel)
        theirs = attempt.call.phone_number_id, attempt.call.to
        if row is None or (row.address not in moving and (row.account, row.address) != theirs):
            findings.problems.append(f"{attempt.call.to}: parcel {attempt.parcel} is not theirs")
        elif row.notice != "otr":
            if attempt.parcel < latest.get(row.chat, 0):
                findings.problems.append(f"{row.address}: parcel {row.number} was sent too late")
            latest[row.chat] = max(latest.get(row.chat, 0), row.number)


def judge_count(
    parcels: Mapping[int, Sequence[Attempt]], records: Records, findings: Findings
) -> None:
    """The daemon's own count of what was taken twice is right."""
    really = {n for n, tries in parcels.items() if sum(one.is_taken for one in tries) > 1}
    noted = {row.number for row in records.parcels if row.is_twice}
    if really != noted:
        missed, made_up = len(really - noted), len(noted - really)
        findings.problems.append(f"taken twice: {missed} not noted, {made_up} noted wrongly")
