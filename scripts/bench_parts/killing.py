"""What is lost and what is repeated when a server is killed while it works.

Meta is played as it is: whatever is not acknowledged is posted again until it is, and each answer
that Graph accepted is followed by its statuses, also those posted again until they are
acknowledged. What Graph accepted, the person got; what was acknowledged and never answered is lost.
"""

import asyncio
import subprocess
import time
from collections import Counter, deque
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bench_parts.bodies import FIRST_CONTACT, Requests
from bench_parts.connections import HOST, is_ok, is_whole
from bench_parts.graph import Graph
from bench_parts.processes import BenchError, Processes, kill
from bench_parts.servers import Server

ENGINE_S = 1.0
"""What the engine takes: short for a model."""
PER_SECOND = 60.0
BURST = 10
"""So many come at once before a kill, which follows the first of their acknowledgements."""
REPEAT_S = 0.25
"""After how long Meta posts again; the real one takes longer, which changes no count."""
POST_TIMEOUT_S = 10.0
START_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class Killed:
    """What became of ``messages`` messages with ``kills`` kills among them.

    Attributes:
        acknowledged: All of them, unless the server did not come back.
        lost: Acknowledged, and the person never heard a word.
        repeated: Answered more than once.
        excused: Not answered, and the person was told so: found running after three deaths.
    """

    messages: int
    kills: int
    acknowledged: int
    lost: int
    repeated: int
    excused: int = 0


@dataclass
class Tally:
    """Who was acknowledged, and what Graph was sent."""

    acknowledged: set[int] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    people: dict[bytes, int] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    last_at: float = 0.0

    def answered(self, number: int) -> None:
        self.answers[number] += 1
        self.last_at = time.perf_counter()

    def noticed(self, to: bytes) -> None:
        """The server said something by itself to a person; each has written one message."""
        self.told.add(self.people.get(to, 0))
        self.last_at = time.perf_counter()

    @property
    def lost(self) -> int:
        heard = self.answers.keys() | self.told
        return sum(1 for number in self.acknowledged if number not in heard)

    @property
    def excused(self) -> int:
        return sum(1 for number in self.acknowledged & self.told if not self.answers[number])

    @property
    def repeated(self) -> int:
        return sum(1 for count in self.answers.values() if count > 1)


class Meta:
    """Posts each request until it is acknowledged."""

    def __init__(self, port: int, requests: Requests) -> None:
        self.tally = Tally()
        self._port = port
        self._requests = requests
        self._posting: set[asyncio.Task[None]] = set()

    def message(self, number: int, request: bytes) -> None:
        self._begin(self._message(number, request))

    async def burst(self, built: Sequence[tuple[int, bytes]]) -> None:
        """Post these together; returns when the first of them is acknowledged, or nobody can."""
        numbers = {number for number, _ in built}
        ends_at = time.perf_counter() + POST_TIMEOUT_S
        for number, request in built:
            self.message(number, request)
        while not numbers & self.tally.acknowledged and time.perf_counter() < ends_at:
            await asyncio.sleep(0)

    def sent(self, wamid: bytes, to: bytes, token: bytes) -> None:
        """Graph accepted an answer: its statuses follow, one after the other."""
        self._begin(self._statuses(self._requests.statuses(wamid, to, token)))

    async def settled(self, quiet_s: float) -> None:
        """Return when all is acknowledged and answered, or nothing has come for ``quiet_s``.

        What is not acknowledged is waited for in any case, for as long as a start may take.
        """
        started = time.perf_counter()
        while self._posting and time.perf_counter() - started < START_TIMEOUT_S:
            await asyncio.sleep(0.05)
        last_at = time.perf_counter()
        while self.tally.lost:
            if time.perf_counter() - max(last_at, self.tally.last_at) > quiet_s:
                return
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _message(self, number: int, request: bytes) -> None:
        await self._until_acknowledged(request)
        self.tally.acknowledged.add(number)

    async def _statuses(self, requests: Iterator[bytes]) -> None:
        for request in requests:
            await self._until_acknowledged(request)

    async def _until_acknowledged(self, request: bytes) -> None:
        while not await self._post(request):
            await asyncio.sleep(REPEAT_S)

    async def _post(self, request: bytes) -> bool:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(POST_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(HOST, self._port)
                try:
                    writer.write(request)
                    return is_ok(await _response(reader))
                finally:
                    writer.close()
        return False


async def _response(reader: asyncio.StreamReader) -> bytes:
    received = b""
    while not is_whole(received):
        data = await reader.read(65536)
        if not data:
            return b""
        received += data
    return received


class Killer:
    """Starts a server, writes to it, kills it in between."""

    def __init__(self, processes: Processes, env: dict[str, str], core: int | None) -> None:
        self._processes = processes
        self._env = env
        self._core = core

    async def run(self, server: Server, messages: int, kills: int, quiet_s: float) -> Killed:
        requests = Requests(closing=True)
        meta = Meta(server.port, requests)
        graph = await asyncio.get_running_loop().create_server(
            lambda: Graph(meta.tally.answered, meta.sent, meta.tally.noticed),
            HOST,
            server.graph_port,
        )
        process = self._start(server)
        await self._healthy(server, process)
        contacts = range(FIRST_CONTACT, FIRST_CONTACT + messages)
        built = deque(requests.build(contacts))
        meta.tally.people = {
            b"%d" % contact: number for contact, (number, _) in zip(contacts, built, strict=True)
        }
        for left in range(kills, -1, -1):
            # Equal shares; the burst before each kill is part of them.
            for _ in range(len(built) // (left + 1) - (BURST if left else 0)):
                meta.message(*built.popleft())
                await asyncio.sleep(1 / PER_SECOND)
            if left:
                await meta.burst([built.popleft() for _ in range(BURST)])
                kill(process)
                process = self._start(server)
        await meta.settled(quiet_s)
        await meta.close()
        kill(process)
        graph.close()
        tally = meta.tally
        return Killed(
            messages, kills, len(tally.acknowledged), tally.lost, tally.repeated, tally.excused
        )

    def _start(self, server: Server) -> subprocess.Popen[bytes]:
        return server.start(self._processes, self._env, self._core)

    async def _healthy(self, server: Server, process: subprocess.Popen[bytes]) -> None:
        ends_at = time.perf_counter() + START_TIMEOUT_S
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(HOST, server.port)
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                received = await reader.read(64)
                writer.close()
                if is_ok(received):
                    return
            if process.poll() is not None or time.perf_counter() > ends_at:
                log = self._processes.log_of(server.log_name)
                raise BenchError(f"{server.name} did not start:\n{log}")
            await asyncio.sleep(0.02)


def quiet_s(server: Server) -> float:
    """After how long without an answer what is missing is lost.

    The daemon waits ten seconds for Meta's word on what may have been sent, and a busy machine
    makes them more. The others have nothing to come back to, and say nothing more once what they
    took after the last start is answered.
    """
    return 60.0 if server.daemon is not None else 4 * ENGINE_S
