"""The other half of the oracle: what went out again, and whether that was allowed.

A send is repeated only where nobody could know about the one before: its answer was lost or refused
in doubt, or the daemon was killed before it could note the answer; and only after a status had time
to tell. Times are compared with room for a busy machine.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from tests.flow.kill.daemon import RECEIPT_WAIT_S, Life
from tests.flow.kill.moods import Attempt
from tests.flow.kill.records import Records
from tests.flow.kill.walk import MOST_AMBIGUOUS, Findings

SETTLING_S = 1.0
"""An answer that went out so long before the kill has been noted."""
CROSSING_S = 0.3
"""A status that was acknowledged less than this before a repeat may have crossed it."""
EARLY = 0.9
"""How much of a wait must have passed, by another clock."""


def by_parcel(attempts: Sequence[Attempt]) -> dict[int, list[Attempt]]:
    """Each parcel's attempts, in order."""
    found: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.parcel, []).append(attempt)
    return found


def judge_repeats(
    attempts: Sequence[Attempt], lives: Sequence[Life], records: Records, findings: Findings
) -> None:
    """Judge all that went out more than once, and that nothing went out behind its turn."""
    parcels = by_parcel(attempts)
    judge = _Judge(lives, findings)
    for tries in parcels.values():
        judge.judge(tries)
    _judge_order(attempts, records, findings)
    _judge_count(parcels, records, findings)


class _Judge:
    def __init__(self, lives: Sequence[Life], findings: Findings) -> None:
        self._lives = lives
        self._findings = findings

    def judge(self, tries: Sequence[Attempt]) -> None:
        ambiguous = 0
        for earlier, later in pairwise(tries):
            ambiguous += not earlier.is_slow
            self._judge(earlier, later, ambiguous)
        if sum(not attempt.is_slow for attempt in tries) > MOST_AMBIGUOUS:
            self._wrong(tries[0], f"was sent {len(tries)} times")

    def _judge(self, earlier: Attempt, later: Attempt, ambiguous: int) -> None:
        if earlier.told is not None and earlier.told < later.at - CROSSING_S:
            self._wrong(later, "was sent again although a status had been acknowledged")
        why = f"the answer was lost ({earlier.mood})"
        if earlier.answered is not None:
            why = "the daemon was killed before it could note the answer"
            if not self._died_between(earlier.at - CROSSING_S, earlier.answered + SETTLING_S):
                self._wrong(later, "was sent again although it had been answered")
        wait_s = RECEIPT_WAIT_S * 2 ** max(0, ambiguous - 1)
        if earlier.slows_all and self._died_between(earlier.at, later.at):
            wait_s = 0.0
        began = earlier.at
        if not earlier.is_slow:
            began = max(began, self._started_before(later.at))
        if later.at - began < wait_s * EARLY:
            waited = f"{later.at - began:.2f} s after {earlier.mood}"
            self._wrong(later, f"was sent again too early, {waited}")
        self._findings.counts["sends repeated"] += 1
        if earlier.is_taken and later.is_taken:
            self._findings.counts["parts that Graph took twice, allowed"] += 1
            self._findings.counts[f"  because {why}"] += 1

    def _died_between(self, begin: float, end: float) -> bool:
        return any(life.was_killed and begin <= life.ended <= end for life in self._lives)

    def _started_before(self, at: float) -> float:
        return max((life.started for life in self._lives if life.started < at), default=0.0)

    def _wrong(self, attempt: Attempt, what: str) -> None:
        self._findings.problems.append(f"{attempt.call.to}: parcel {attempt.parcel} {what}")


def _judge_order(attempts: Sequence[Attempt], records: Records, findings: Findings) -> None:
    """Once a chat's next parcel was sent, none before it may be; only confirmations pass others."""
    known = {row.number: row for row in records.parcels}
    latest: dict[str, int] = {}
    for attempt in attempts:
        row = known.get(attempt.parcel)
        if row is None or row.address != attempt.call.to:
            findings.problems.append(f"{attempt.call.to}: parcel {attempt.parcel} is not theirs")
        elif row.notice != "otr":
            if attempt.parcel < latest.get(row.address, 0):
                findings.problems.append(f"{row.address}: parcel {row.number} was sent too late")
            latest[row.address] = max(latest.get(row.address, 0), row.number)


def _judge_count(
    parcels: Mapping[int, Sequence[Attempt]], records: Records, findings: Findings
) -> None:
    """The daemon's own count of what was taken twice is right."""
    really = {n for n, tries in parcels.items() if sum(one.is_taken for one in tries) > 1}
    noted = {row.number for row in records.parcels if row.is_twice}
    if really != noted:
        missed, made_up = len(really - noted), len(noted - really)
        findings.problems.append(f"taken twice: {missed} not noted, {made_up} noted wrongly")
