"""A run: programmes side by side until the time is over or one fails, and then a smaller one."""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.generating import deal, draw
from tests.torture.nursery import Nursery
from tests.torture.playing import Played, Player
from tests.torture.points import POINTS
from tests.torture.programme import Programme
from tests.torture.shrinking import shrink
from tests.torture.verdict import Verdict, judge, load_sessions

SIDE_BY_SIDE = 3
"""Most of a programme's time is waiting."""
SHRINK_S = 120.0

Tell = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """What came of a run.

    Attributes:
        figures: By name, in the order in which they are told.
        points: How often each point was passed, and how often the daemon died there.
        failed: The programme that failed, made smaller, and what is wrong with it.
    """

    figures: Counter[str] = field(default_factory=Counter)
    points: dict[str, tuple[int, int]] = field(
        default_factory=lambda: {point.name: (0, 0) for point in POINTS}
    )
    failed: Programme | None = None
    findings: list[str] = field(default_factory=list)

    def add(self, played: Played, verdict: Verdict) -> None:
        programme = played.book.programme
        self.figures["programmes"] += 1
        self.figures["steps"] += len(programme.steps)
        self.figures["messages"] += sum(1 for _ in programme.messages)
        self.figures["times that the engine was asked"] += len(played.asked)
        self.figures["sends that arrived"] += len(played.attempts)
        self.figures["starts"] += len(played.lives)
        self.figures["deaths"] += len(played.deaths)
        self.figures["  of these while it started"] += sum(
            life.was_killed and life.healthy is None for life in played.lives
        )
        self.figures["stops in order"] += sum(not life.was_killed for life in played.lives)
        self.figures["configurations read while it ran"] += len(played.reloads)
        self.figures["looks at all that is on disk"] += played.looks
        for name, count in verdict.counts.items():
            self.figures[name] += count
        for point, (passed, died) in zip(POINTS, played.points, strict=True):
            before = self.points[point.name]
            self.points[point.name] = before[0] + passed, before[1] + died

    @property
    def unhit(self) -> list[str]:
        """Points at which the daemon never died."""
        return [name for name, (_, died) in self.points.items() if not died]


async def play(
    programme: Programme, nursery: Nursery, keep: Path | None = None
) -> tuple[Played, Verdict]:
    """Play a programme and judge it; what it left stays in ``keep``, if there is such a folder."""
    with tempfile.TemporaryDirectory(prefix="openparallax-torture-") as temporary:
        folder = Path(temporary)
        played = await Player(programme, folder, nursery).play()
        database = folder / "house" / "state" / "openparallax.db"
        sessions = load_sessions(database) if played.records is not None else {}
        # On a thread: others are played meanwhile, and their times count.
        verdict = await asyncio.to_thread(judge, played, sessions)
        if keep is not None and verdict.findings:
            shutil.copytree(folder, keep / str(programme.seed), dirs_exist_ok=True)
    return played, verdict


async def run(
    seed: int,
    seconds: float,
    tell: Tell,
    nursery: Nursery,
    *,
    keep: Path | None = None,
    shrinks: bool = True,
) -> Report:
    """Play programmes until the time is over or one fails."""
    report = Report()
    ends_at = time.monotonic() + seconds
    failed: list[tuple[Programme, Verdict]] = []
    index = 0

    async def work() -> None:
        nonlocal index
        while time.monotonic() < ends_at and not failed:
            programme = draw(*deal(seed, index))
            index += 1
            played, verdict = await play(programme, nursery, keep)
            report.add(played, verdict)
            if verdict.findings:
                failed.append((programme, verdict))
                tell(f"programme {programme.seed} failed:")
                for finding in verdict.findings:
                    tell(f"  {finding}")

    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(work())
    if failed:
        report.failed, verdict = failed[0]
        report.findings = verdict.findings
        if shrinks:
            report.failed = await make_smaller(report.failed, verdict, nursery, tell)
    return report


async def make_smaller(
    programme: Programme, verdict: Verdict, nursery: Nursery, tell: Tell
) -> Programme:
    """The smallest programme with a finding of the same sort that is found in some time."""
    ends_at = time.monotonic() + SHRINK_S
    tell(f"making it smaller, for at most {SHRINK_S:.0f} s")

    async def fails(smaller: Programme) -> bool:
        _, found = await play(smaller, nursery)
        return bool(found.sorts & verdict.sorts)

    return await shrink(programme, fails, is_late=lambda: time.monotonic() > ends_at)
