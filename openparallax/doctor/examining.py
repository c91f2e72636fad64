"""The whole examination: everything side by side, what is wrong mended if that is wanted."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openparallax.clock import Clock
from openparallax.doctor.calling import LookUp, look_up
from openparallax.doctor.daemon import Running, ask_status
from openparallax.doctor.engine import see_engine
from openparallax.doctor.finding import Finding, Group, Level, Notes, Report, in_order
from openparallax.doctor.graph import Reader
from openparallax.doctor.machine import Machine, see_machine
from openparallax.doctor.mending import mend
from openparallax.doctor.meta import see_meta
from openparallax.doctor.outside import Outside
from openparallax.doctor.subject import Subject, Ward

OUTSIDE_S = 60.0
"""For all that is asked of one public address; each question has a shorter patience of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What is examined, laid out by whoever knows the configuration.

    Attributes:
        engines: Name, the engine itself, and when it serves ("" where there is one only).
        others: Findings that were made already.
        see_unit: Looks at the units of the service manager; called in a thread.
        trust: What certificates are judged by; None: as the system does.
        room: Free bytes of a folder's disk; None: asked of the system.
    """

    subjects: Sequence[Subject]
    machine: Machine
    running: Running
    clock: Clock
    engines: Sequence[tuple[str, Any, str]] = ()
    others: Sequence[Finding] = ()
    see_unit: Callable[[], Notes] | None = None
    is_offline: bool = False
    trust: ssl.SSLContext | None = None
    look_up: LookUp = look_up
    room: Callable[[Path], int] | None = None

    async def run(self, *, mends: bool = False) -> Report:
        """Examine; with ``mends`` do what is safe, and examine again if anything was done."""
        begun = time.monotonic()
        findings, fixed = await self._look(mends=mends)
        if fixed:
            findings, _ = await self._look(mends=False)
        return Report(in_order(findings), tuple(fixed), time.monotonic() - begun)

    async def _look(self, *, mends: bool) -> tuple[list[Finding], list[str]]:
        async with contextlib.AsyncExitStack() as stack:
            wards = [] if self.is_offline else [await self._ward(stack, s) for s in self.subjects]
            local = asyncio.create_task(self._see_here())
            looked = await asyncio.gather(
                *(see_meta(ward) for ward in wards),
                *(self._see_outside(subject) for subject in self._called()),
                *(self._see_engine(*engine) for engine in self.engines if not self.is_offline),
                return_exceptions=True,
            )
            findings = [*self.others, *await local]
            for ward in wards:
                findings += ward.findings
            for found in looked:
                findings += _found(found)
            fixed = []
            for ward in wards if mends else ():
                fixed += await mend(ward)
        return findings, list(dict.fromkeys(fixed))

    async def _ward(self, stack: contextlib.AsyncExitStack, subject: Subject) -> Ward:
        graph = await stack.enter_async_context(
            Reader(subject.graph_url, subject.version, subject.token, now=self.clock.now)
        )
        return Ward(subject, graph, self.clock)

    def _called(self) -> list[Subject]:
        """One of each public address: several numbers share one."""
        if self.is_offline:
            return []
        once = {
            (one.callback_url, one.verify_token, one.app_secrets): one
            for one in reversed(self.subjects)
        }
        return list(reversed(once.values()))

    async def _see_outside(self, subject: Subject) -> list[Finding]:
        outside = Outside(
            subject,
            self.running,
            now=self.clock.now,
            trust=self.trust,
            look_up=self.look_up,
        )
        return await _in_time(outside.see(), outside.notes, OUTSIDE_S)

    async def _see_engine(self, name: str, engine: Any, when: str) -> list[Finding]:
        return await see_engine(name, engine, when=when)

    async def _see_here(self) -> list[Finding]:
        status = await ask_status(self.running) if self.running.socket else None
        # Names, modes and a few small files; /proc is read to its end where a port is taken.
        notes = await asyncio.to_thread(
            see_machine, self.machine, self.running, status, self.clock.now(), room=self.room
        )
        unit = (await asyncio.to_thread(self.see_unit)).found if self.see_unit else []
        return [*notes.found, *unit]


async def _in_time(
    asking: Awaitable[list[Finding]], notes: Notes, patience_s: float
) -> list[Finding]:
    """What was found, also where the time ran out before all was."""
    try:
        async with asyncio.timeout(patience_s):
            return await asking
    except TimeoutError:
        notes.failure(
            "outside.slow",
            "The public address answers so slowly that not everything could be examined.",
            why="Meta does not wait so long.",
            to_do="See the proxy, the tunnel and the line.",
        )
        return notes.found


def _found(one: "list[Finding] | BaseException | None") -> list[Finding]:
    """A check that breaks is a finding too, and stops no other."""
    if isinstance(one, BaseException):
        if not isinstance(one, Exception):
            raise one
        frame = one.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        file = Path(frame.tb_frame.f_code.co_filename).name if frame else "?"
        return [
            Finding(
                level=Level.FAILURE,
                group=Group.MACHINE,
                check="doctor.broke",
                says=f"The doctor itself failed ({type(one).__name__} in {file}).",
                why="What it would have looked at is not known.",
                to_do="Please report it, with this line.",
            )
        ]
    return one or []
