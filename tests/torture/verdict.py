"""The verdict on a programme that was played: what is wrong, and what was counted on the way.

Each finding begins with its sort, a word before a colon; by that a smaller programme is known to
fail in the same way.
"""

import math
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from openparallax.model.parcel import ParcelState
from openparallax.session.notices import ANSWERS_TO_COMMANDS
from tests.flow.kill.moods import Attempt
from tests.flow.kill.records import Records, Row
from tests.flow.kill.repeats import Patience, by_parcel, judge_repeats
from tests.flow.kill.walk import MOST_AMBIGUOUS, Findings
from tests.torture.book import ChatKey
from tests.torture.canary import numbers
from tests.torture.daemon import NUMBERS
from tests.torture.generating import FAR_S
from tests.torture.matching import MOST_TOGETHER, Facts, Matching, replies_of
from tests.torture.model import Chat, State, Where
from tests.torture.people import id_of, number_of, who_has
from tests.torture.playing import Played
from tests.torture.programme import ECHO, FORGET, Message

CROSSING_S = 0.8
"""What was acknowledged less than this before something happened may have crossed it."""
_GIVEN_UP = (ParcelState.WITHDRAWN, ParcelState.UNCONFIRMED)
MOST_LAG_S = 0.4
"""With more than this the machine was too busy for times to say anything."""


@dataclass(slots=True)
class Verdict:
    """Findings, and figures by name."""

    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def sorts(self) -> set[str]:
        return {finding.partition(":")[0] for finding in self.findings}


Sessions = list[tuple[bool, int, int | None]]
_Fault = tuple[int, str, str]


def load_sessions(database: Path) -> dict[ChatKey, tuple[Sessions, int]]:
    """Of each chat its sessions (off, state, place of the one beneath) and which is open."""
    with closing(sqlite3.connect(database)) as connection:
        chats = connection.execute(
            "SELECT c.id, a.phone_number_id, c.address, c.session FROM chats c "
            "JOIN accounts a ON a.id = c.account"
        ).fetchall()
        found = {}
        for chat, account, address, session in chats:
            rows = connection.execute(
                "SELECT id, mode, state, before FROM sessions WHERE chat = ? ORDER BY id", (chat,)
            ).fetchall()
            places = {row[0]: place for place, row in enumerate(rows)}
            found[NUMBERS.index(account), who_has(address)] = (
                [(bool(row[1]), row[2], places.get(row[3])) for row in rows],
                places.get(session, -1),
            )
    return found


def _is_of_times(problem: str) -> bool:
    return "too early" in problem or "although" in problem


def judge(played: Played, sessions: dict[ChatKey, tuple[Sessions, int]]) -> Verdict:
    """Judge what was played; ``sessions`` as the file has them at the end."""
    verdict = Verdict(list(played.problems))
    records = played.records
    if records is None:
        return verdict
    if records.unfinished:
        verdict.findings.append(f"stuck: {records.unfinished} envelopes are left")
    taken: dict[int, list[Attempt]] = {
        number: [one for one in tries if one.is_taken]
        for number, tries in by_parcel(played.attempts).items()
    }
    bodies = {number: tries[0].call.body for number, tries in taken.items() if tries}
    _Chats(played, records, bodies, verdict).judge(sessions)
    _Parcels(played, records, verdict).judge()
    repeats = Findings(counts=verdict.counts)
    has_jumps = any(step.do == "clock" for step in played.book.programme.steps)
    strangers = {one.who for one in played.book.messages.values() if one.is_of_stranger}
    moving = frozenset(say(who) for who in strangers for say in (number_of, id_of))
    patience = Patience(
        settling_s=5.0,
        crossing_s=CROSSING_S,
        has_jumps=has_jumps,
        moving=moving,
        reloads=played.reloads,
    )
    judge_repeats(played.attempts, played.lives, records, repeats, patience)
    if played.lag_s > MOST_LAG_S:
        # When something arrived was noted too late by as much: it says nothing then.
        verdict.counts["programmes whose times say nothing, the machine was busy"] += 1
        repeats.problems = [one for one in repeats.problems if not _is_of_times(one)]
    verdict.findings += [f"repeat: {problem}" for problem in repeats.problems]
    return verdict


class _Chats:
    """What each chat heard, and where it stands."""

    def __init__(
        self, played: Played, records: Records, bodies: dict[int, str], verdict: Verdict
    ) -> None:
        self._played = played
        self._bodies = bodies
        self._verdict = verdict
        self._rows: dict[ChatKey, list[Row]] = {}
        for row in records.parcels:
            key = NUMBERS.index(row.account), who_has(row.address)
            self._rows.setdefault(key, []).append(row)

    def judge(self, sessions: dict[ChatKey, tuple[Sessions, int]]) -> None:
        book = self._played.book
        for chat in book.chats():
            states = book.states(chat)
            faults = [self._fault(chat, state, sessions.get(chat)) for state in states]
            if all(faults):
                who = f"person {chat[1]} at number {chat[0]}"
                closest = max(fault for fault in faults if fault is not None)
                sort, what = closest[1], closest[2]
                self._verdict.findings.append(f"{sort}: {who}: {what}")
        for message in book.messages.values():
            if message.is_of_stranger:
                self._judge_stranger(message)
        strangers = {one.chat for one in book.messages.values() if one.is_of_stranger}
        for chat in set(self._rows) - set(book.chats()) - strangers:
            self._verdict.findings.append(
                f"outcome: {number_of(chat[1])} got something and is nobody"
            )

    def _judge_stranger(self, message: Message) -> None:
        """Whichever of the two chats it is: each message is answered once, or an apology came."""
        rows = self._rows.get(message.chat, [])
        bodies = [self._bodies.get(row.number, "") for row in rows]
        said = [numbers(self._played.canary.found(body), "a") for body in bodies]
        times = sum(message.number in one for one in said)
        may_be_lost = "killed" in {row.notice for row in rows} or any(
            row.number not in self._bodies for row in rows
        )
        if times > 1 or not (times or may_be_lost):
            self._verdict.findings.append(
                f"outcome: message {message.number} of a stranger was answered {times} times"
            )

    def _fault(
        self, chat: ChatKey, state: Chat, found: tuple[Sessions, int] | None
    ) -> _Fault | None:
        """Why a chat cannot be in a state: how well it fits else, the sort, and what is wrong."""
        if found is None:
            is_missing = bool(state.heard or state.said)
            return (0, "session", "the chat is not in the file") if is_missing else None
        if fault := _session_fault(state, found):
            return 1, "session", fault
        if fault := self._heard_fault(state, self._rows.get(chat, [])):
            return 2, "outcome", fault
        if fault := self._asked_fault(state):
            return 3, "asked", fault
        if fault := self._silence_fault(state, self._rows.get(chat, [])):
            return 4, "silence", fault
        return None

    def _heard_fault(self, state: Chat, rows: Sequence[Row]) -> str | None:
        played, book = self._played, self._played.book
        confirmed = sum(row.notice == "otr" for row in rows)
        if confirmed != state.confirmations:
            return f"{state.confirmations} times /otr, {confirmed} confirmations"

        def since(number: int, moments: Iterable[float]) -> int:
            sent = book.posted(number).sent or 0.0
            return sum(moment > sent for moment in moments)

        facts = Facts(
            canary=played.canary,
            moods={number: one.mood for number, one in book.messages.items()},
            where={number: one.where for number, one in state.places.items()},
            session={
                number: one.session
                for number, one in state.places.items()
                if one.session is not None and not one.has_moved
            },
            ends=lambda number: since(number, [life.ended for life in played.lives]),
            deaths=lambda number: since(number, played.deaths),
            most=MOST_TOGETHER if book.programme.coalesces else 1,
        )
        return Matching(state.heard, replies_of(rows, self._bodies), facts).fault()

    def _asked_fault(self, state: Chat) -> str | None:
        """The engine is asked in the mode of the words, and shown nothing of another session."""
        places = state.places
        has_moved = any(one.has_moved for one in state.said)
        for asked in self._played.asked:
            shown = self._played.canary.found(" ".join([*asked.history, asked.text]))
            known = [
                places[number]
                for kind, number, _ in shown
                # An answer to several goes off the record with the first of them that does.
                if number in places and (kind == "q" or not has_moved)
            ]
            settled = [one for one in known if not one.has_moved]
            for one in settled:
                if (one.where is Where.OFF) != (asked.mode == "off"):
                    return (
                        f"message {one.number} is {one.where.value} the record, and the "
                        f"engine was asked {asked.mode} it"
                    )
            apart = {one.session for one in settled if one.session is not None}
            if len(apart) > 1:
                said = sorted({one.number for one in settled})
                return f"the engine was shown several sessions at once: messages {said}"
        return None

    def _silence_fault(self, state: Chat, rows: Sequence[Row]) -> str | None:
        """What is a person's of ours is not answered; what went to them before, not any more."""
        played = self._played
        for asked in played.asked:
            found = set(numbers(played.canary.found(asked.text), "q"))
            if wrong := found & state.theirs:
                return f"messages {sorted(wrong)} were left to a person, and the engine was asked"
            shown = set(numbers(played.canary.found(" ".join([*asked.history, asked.text])), "q"))
            if wrong := shown & state.over:
                return f"messages {sorted(wrong)} were too many, and the engine was shown them"
        began = {number: tries[0].at for number, tries in by_parcel(played.attempts).items()}
        for echo in {echo for echo, _ in state.handed}:
            theirs = {number for other, number in state.handed if other == echo}
            taken = played.book.posted(echo).taken
            over = math.inf if taken is None else taken + CROSSING_S + 2 * played.lag_s
            for asked in played.asked:
                found = set(numbers(played.canary.found(asked.text), "q"))
                if played.book.messages[echo].what == FORGET:
                    words = played.canary.found(" ".join([*asked.history, asked.text]))
                    found = {number for _, number, _ in words}
                if asked.at > over and found & theirs:
                    return f"the engine was asked {sorted(found)} after {echo} had taken them over"
            for row in rows:
                body = self._bodies.get(row.number, "")
                found = set(numbers(played.canary.found(body), "a"))
                # What had been claimed before may be repeated; what was not is withdrawn.
                is_first = row.attempts == 1 and began.get(row.number, 0.0) > over
                if is_first and found and found <= theirs:
                    return f"{sorted(found)} was answered after {echo} had taken it over"
        return None


def _session_fault(state: Chat, found: tuple[Sessions, int]) -> str | None:
    expected = [(one.is_off, one.state.value, one.before) for one in state.sessions]
    sessions, is_open = found
    if sessions == expected and is_open == state.open:
        return None
    return f"sessions are {_told(sessions)}, and should be {_told(expected)}"


def _told(sessions: Sessions) -> str:
    return ", ".join(
        f"{'off' if is_off else 'on'} {State(state).name.lower()}"
        + ("" if before is None else f" above {before}")
        for is_off, state, before in sessions
    )


class _Parcels:
    """What the daemon believes of each parcel, and what Graph did with it."""

    def __init__(self, played: Played, records: Records, verdict: Verdict) -> None:
        self._played = played
        self._records = records
        self._verdict = verdict
        self._tries = by_parcel(played.attempts)
        steps = played.book.programme.steps
        self._may_withdraw = any(
            (step.do == "clock" and step.seconds == FAR_S) or step.mood.startswith("held")
            for step in steps
        )
        said = played.book.messages.values()
        self._taken_over = {one.chat for one in said if one.what == ECHO}
        self._forgotten = {one.chat for one in said if one.what == FORGET}

    def judge(self) -> None:
        for row in self._records.parcels:
            tries = self._tries.get(row.number, [])
            taken = [one for one in tries if one.is_taken]
            fault = self._fault_of_taken(row, tries) if taken else self._fault(row, tries)
            chat = NUMBERS.index(row.account), who_has(row.address)
            if chat in self._forgotten and row.state in _GIVEN_UP:
                continue  # and no status brings it back
            if fault:
                self._verdict.findings.append(f"parcel: parcel {row.number} {fault}")
            self._judge_twice(row, taken)

    def _fault_of_taken(self, row: Row, tries: Sequence[Attempt]) -> str | None:
        told = self._played.told.get(row.number)
        if row.state is ParcelState.ACCEPTED:
            return None
        if row.state is ParcelState.FAILED and row.number in self._played.failed:
            return None
        if told and row.number not in self._played.failed:
            return f"was taken, Meta said so, and it is {row.state.name}"
        if row.state is ParcelState.UNCONFIRMED or tries[-1].is_refused:
            return None
        if row.state is ParcelState.WITHDRAWN and self._is_taken_over(row):
            return None  # it was not sure, and is not sent again to make sure
        return f"was taken, and it is {row.state.name}"

    def _fault(self, row: Row, tries: Sequence[Attempt]) -> str | None:
        doubtful = sum(not (one.is_slow or one.is_refused) for one in tries)
        match row.state:
            case ParcelState.UNCONFIRMED if row.ambiguous >= MOST_AMBIGUOUS:
                self._verdict.counts["parts given up that Graph never took"] += 1
            case ParcelState.FAILED if tries and tries[-1].is_refused:
                self._verdict.counts["parts refused for good"] += 1
            case ParcelState.LOST:
                self._verdict.counts["lost parts that an earlier notice stands for"] += 1
            case ParcelState.WITHDRAWN if self._is_taken_over(row):
                self._verdict.counts["parts that a person of ours made needless"] += 1
            case ParcelState.WITHDRAWN if self._may_withdraw:
                self._verdict.counts["parts that a newer one took the place of"] += 1
            case _:
                return f"is {row.state.name} after {len(tries)} sends ({doubtful} in doubt)"
        return None

    def _is_taken_over(self, row: Row) -> bool:
        chat = NUMBERS.index(row.account), who_has(row.address)
        return chat in self._taken_over and row.notice not in ANSWERS_TO_COMMANDS

    def _judge_twice(self, row: Row, taken: Sequence[Attempt]) -> None:
        """The daemon's own count of what Graph took twice, as far as it could know.

        Of two that were taken one may have failed later: then one arrived, and nothing is counted.
        """
        told = self._played.told.get(row.number, set())
        if len(told) > 1 and not row.is_twice and row.number not in self._played.failed:
            self._verdict.findings.append(
                f"twice: parcel {row.number} was taken {len(taken)} times, and is not counted"
            )
        if row.is_twice and len(taken) < 2:
            self._verdict.findings.append(
                f"twice: parcel {row.number} is counted, and was taken {len(taken)} times"
            )
        self._verdict.counts["parts that Graph took twice"] += len(taken) > 1
        self._verdict.counts["  and the daemon counted"] += row.is_twice
