"""What every step of a script has in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openparallax.emulator.scenario.stage import Stage


@dataclass(frozen=True, slots=True)
class Finding:
    """What was wrong with a step that was played.

    Attributes:
        lines: For the person's own terminal: they may hold words.
        is_final: The step could not be done, so the steps behind it would mean nothing.
    """

    lines: tuple[str, ...] = field(repr=False)
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(ABC):
    """One line of a script.

    Attributes:
        line: In the file, from 1.
        title: The step as it is shown.
    """

    line: int
    title: str = field(repr=False)

    @abstractmethod
    async def play(self, stage: "Stage") -> Finding | None:
        """Do it; None: it went as the script says."""

    @property
    def needs_daemon(self) -> bool:
        """It makes no sense with somebody else's bot."""
        return False

    @property
    def is_heading(self) -> bool:
        """It does nothing by itself: it is shown before what it holds or begins."""
        return False

    @property
    def inner(self) -> tuple["Step", ...]:
        """Steps within this one."""
        return ()


def differs(*lines: str) -> Finding:
    """An expectation failed; the rest is played nevertheless."""
    return Finding(lines)


def stuck(*lines: str) -> Finding:
    """It could not be done; the rest is not played."""
    return Finding(lines, is_final=True)


def every(steps: Iterable[Step]) -> Iterator[Step]:
    """These, and those within them."""
    for step in steps:
        yield step
        yield from every(step.inner)
