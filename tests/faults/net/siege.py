"""A daemon, a sender beside it, and an attack on one of its listeners."""

import asyncio
import json
import re
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.app.patience import until
from tests.app.process import ROOT
from tests.fakes import meta
from tests.faults.daemon import Daemon
from tests.faults.net.sender import Acknowledgements, Sender
from tests.faults.net.strangers import CONTACT, Attack
from tests.faults.net.watch import Watch
from tests.webhook.certificates import Files, Pair, trusting

READY_S = 240.0
"""For an attack to come to its full strength, which may take more than a gigabyte."""
_END_S = 180.0
"""And for its end, when its time is over."""
_OF_MESSAGES = re.compile("turn_|send_|parcel_|graph_")
"""Events of the sender's messages; of Graph, which this busy process plays, too."""
_SPARE = 6
"""Descriptors that may be open after an attack and were not before: the sender's and Graph's."""


@dataclass
class Besieged:
    """What an attack did.

    Attributes:
        before: Acknowledgements without it, in the same run.
        during: And with it.
        memory_mb: Resident before, and at most during it.
        descriptors: Before, and in the midst of it.
        tally: What the attackers counted.
        lines: The events that were logged meanwhile, save those of the sender's messages.
    """

    before: Acknowledgements
    during: Acknowledgements
    memory_mb: tuple[float, float]
    descriptors: tuple[int, int]
    tally: Counter[str]
    lines: list[str]

    @property
    def figures(self) -> list[str]:
        return [
            *(f"{acks.p50 * 1000:.0f}" for acks in (self.before, self.during)),
            *(f"{acks.p99 * 1000:.0f}" for acks in (self.before, self.during)),
            str(self.during.in_vain),
            *(f"{size:.0f}" for size in self.memory_mb),
            "/".join(map(str, self.descriptors)),
        ]


class Siege:
    """A running daemon that is attacked while a sender posts."""

    def __init__(self, daemon: Daemon, sender: Sender) -> None:
        self.daemon = daemon
        self.watch = Watch(daemon.pid)
        self._sender = sender

    def listener(self, name: str) -> str:
        """What to attack, as the attackers are told: a port, or the path of the socket."""
        return {
            "public": str(self.daemon.port),
            "admin": str(self.daemon.admin_port),
            "socket": str(self.daemon.state / "control.sock"),
        }[name]

    async def attacked(self, attack: Attack, listener: str, seconds: float) -> Besieged:
        """Attack for so long, and see that all is as before afterwards."""
        before = await self._sender.post_for(min(seconds, 2))
        memory, descriptors = self.watch.memory_mb, self.watch.descriptors
        logged = len(self._lines())
        self.watch.forget_peak()
        attackers = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.faults.net.attacks", attack.__name__, listener, str(seconds)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert attackers.stdout is not None
        try:
            async with asyncio.timeout(READY_S):
                assert await attackers.stdout.readline() == b"ready\n"
            in_the_midst = self.watch.descriptors
            during = await self._sender.post_for(seconds - 1)
            in_the_midst = max(in_the_midst, self.watch.descriptors)
            async with asyncio.timeout(seconds + _END_S):
                tally = Counter(json.loads(await attackers.stdout.read()))
                await attackers.wait()
        finally:
            if attackers.returncode is None:
                attackers.kill()
                await attackers.wait()
        await until(lambda: self.watch.descriptors <= descriptors + _SPARE)
        return Besieged(
            before,
            during,
            (memory, self.watch.peak_mb),
            (descriptors, in_the_midst),
            tally,
            self._lines()[logged:],
        )

    async def post_for(self, seconds: float) -> Acknowledgements:
        return await self._sender.post_for(seconds)

    async def deliver(self, raw: bytes) -> None:
        """One more request, posted until it is taken."""
        await meta.Meta(self.daemon.session, self.daemon.url).deliver_raw(raw)

    def expect(self, said: dict[str, str]) -> None:
        """What was said to the daemon besides, by contact; it is to be answered too."""
        self._sender.said |= said

    async def all_is_answered(self) -> None:
        """What was acknowledged to the sender was answered once each, and nothing else ever."""
        graph, said = self.daemon.graph, self._sender.said
        await until(lambda: len(graph.accepted) >= len(said))
        assert {call.to: call.body for call in graph.accepted} == said
        assert len(graph.accepted) == len(said)
        assert CONTACT not in {call.to for call in graph.calls}

    def _lines(self) -> list[str]:
        return [
            line["event"] for line in self.daemon.lines() if not _OF_MESSAGES.match(line["event"])
        ]


@asynccontextmanager
async def besieged(
    folder: Path, *, is_secured: bool, descriptors: int | None = None
) -> AsyncIterator[Siege]:
    """A daemon of its own, which is warm and idle.

    Args:
        is_secured: With TLS.
        descriptors: How many it may open.
    """
    daemon = Daemon(folder)
    if descriptors is not None:
        daemon.wrapped_by = ("prlimit", f"--nofile={descriptors}:{descriptors}")
    async with daemon:
        trust = _configure(daemon, folder, is_secured=is_secured)
        await daemon.start()
        scheme = "https" if is_secured else "http"
        url = f"{scheme}://127.0.0.1:{daemon.port}/webhook"
        async with Sender(url, trust) as sender:
            await sender.post_for(0.5)
            siege = Siege(daemon, sender)
            yield siege
            await siege.all_is_answered()
        assert daemon.is_running
        assert "Traceback" not in daemon.said
        assert await daemon.stop() == 0
        assert daemon.integrity() == "ok"


def _configure(daemon: Daemon, folder: Path, *, is_secured: bool) -> ssl.SSLContext | None:
    patient = {"graph_timeout_seconds": 30}
    if not is_secured:
        daemon.configure(channels=daemon.whatsapp(**patient))
        return None
    files = Files(folder)
    files.write(Pair.issue())
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    daemon.configure(channels=daemon.whatsapp(tls=tls, **patient))
    return trusting()
