"""The loop itself: load, kills, the end in peace, the verdict."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.fakes.graph import FakeGraph
from tests.flow.kill.crowd import Crowd
from tests.flow.kill.daemon import Daemon, LoopError
from tests.flow.kill.killer import Killer, Plan
from tests.flow.kill.moods import Moods
from tests.flow.kill.people import Canary, Person, dice_of, make_people
from tests.flow.kill.records import count_open, files_with, load_records
from tests.flow.kill.repeats import by_parcel, judge_count, judge_repeats
from tests.flow.kill.walk import Findings, walk_all

DRAIN_S = 240.0


@dataclass(slots=True)
class Outcome:
    """Figures by name, in the order in which they are told, and what was wrong."""

    figures: dict[str, int | float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


async def run(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Outcome:
    """Run the loop in ``folder``, which is empty.

    Raises:
        LoopError: The daemon did not start, or did not come to rest.
    """
    began = time.monotonic()
    dice = dice_of(plan.seed, "loop")
    canary = Canary(f"onrec{dice.getrandbits(32):08x}y", f"offrec{dice.getrandbits(32):08x}y")
    people = make_people(plan.people, canary, plan.seed)
    async with (
        FakeGraph() as graph,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=10)
        ) as session,
    ):
        daemon = Daemon(folder, graph.url, dice)
        moods = Moods(session, daemon.url, plan.seed)
        graph.plan = moods.plan
        crowd = Crowd(
            people,
            session,
            daemon.url,
            posters=plan.posters,
            pause_s=plan.pause_s,
            seed=plan.seed,
        )
        leaks: set[str] = set()
        writing = asyncio.create_task(crowd.run())
        try:
            await Killer(daemon, crowd, moods, plan, dice).run(
                lambda: leaks.update(_leaks(daemon, canary))
            )
            tell("all kills done; coming to rest")
            crowd.hush()
            moods.is_calm = True
            await daemon.start()
            await daemon.healthy()
            await writing
            await _rest(daemon, moods)
            await daemon.stop()
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await moods.close()
            await daemon.close()
    outcome = _judge(people, daemon, moods, leaks | _leaks(daemon, canary))
    messages = [message for person in people for message in person.said]
    outcome.figures = {
        "seed": plan.seed,
        "seconds": round(time.monotonic() - began),
        "kills": sum(life.was_killed for life in daemon.lives),
        "  while it started": sum(life.healthy is None for life in daemon.lives),
        "stops in order": sum(not life.was_killed for life in daemon.lives),
        "messages": len(messages),
        "  with words off the record": sum(one.is_off and bool(one.words) for one in messages),
        "requests": crowd.requests,
        "requests posted again": crowd.again,
        "sends that arrived": len(moods.attempts),
        **outcome.figures,
    }
    return outcome


async def _rest(daemon: Daemon, moods: Moods) -> None:
    """Wait until everything has its outcome, and every status was told."""
    ends_at = time.monotonic() + DRAIN_S
    while True:
        if daemon.has_ended:
            raise LoopError(f"the daemon ended by itself:\n{daemon.last_words()}")
        waiting, unsent = count_open(daemon.database)
        if not (waiting or unsent or moods.untold):
            return
        if time.monotonic() > ends_at:
            raise LoopError(
                f"no rest after {DRAIN_S:.0f} s: {waiting} envelopes, {unsent} parcels,"
                f" {moods.untold} statuses\n{daemon.last_words()}"
            )
        await asyncio.sleep(0.25)


def _leaks(daemon: Daemon, canary: Canary) -> set[str]:
    """Files that hold words which must not be there."""
    written = [path for path in daemon.state.rglob("*") if path.is_file()]
    found = files_with([*written, daemon.log], canary.off_record)
    return {f"words off the record are in {name}" for name in found} | {
        f"words are in the {name}" for name in files_with([daemon.log], canary.on_record)
    }


def _judge(people: list[Person], daemon: Daemon, moods: Moods, leaks: set[str]) -> Outcome:
    records = load_records(daemon.database)
    findings = Findings(sorted(leaks))
    if records.integrity != "ok":
        findings.problems.append(f"integrity_check: {records.integrity}")
    if records.unfinished:
        findings.problems.append(f"{records.unfinished} envelopes are left")
    taken = by_parcel([attempt for attempt in moods.attempts if attempt.is_taken])
    walk_all(people, records, taken, findings)
    judge_repeats(moods.attempts, daemon.lives, records, findings)
    judge_count(by_parcel(moods.attempts), records, findings)
    figures: dict[str, int | float] = {
        "sends that Graph took": sum(len(tries) for tries in taken.values()),
        **dict(sorted(findings.counts.items(), key=lambda item: item[0].strip())),
    }
    return Outcome(figures, findings.problems)
