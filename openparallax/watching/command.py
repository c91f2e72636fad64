"""The operator's own program, run with an alert: bounded in time, harmless to whoever runs it."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from openparallax.watching.alert import Alert

TAIL_BYTES: Final = 2000
"""Of what the program writes; shown to who tries it out, and to nobody else."""
OUTPUT_S: Final = 0.2
KILL_S: Final = 2.0
"""How long a program has to end by itself once it was asked to."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        code: What the program ended with, below 0: the signal that ended it; None: it was not
            even started, or took too long.
        reason: Why it counts as failed; "": it does not.
        seconds: How long it ran.
        written: How many bytes it wrote.
        tail: The last of them.
    """

    code: int | None
    reason: str
    seconds: float
    written: int = 0
    tail: str = ""


async def run(
    command: Sequence[str], alert: Alert, *, timeout_s: float, environment: Mapping[str, str]
) -> Ended:
    """Run ``command`` with the alert on its standard input and in its environment.

    It gets a session, and so a process group, of its own. What has not ended in time is asked to
    end, and killed with all of its group two seconds later; so it is where this is cancelled. Never
    raises, but for being cancelled. What it leaves running in the background after it ended well is
    left alone.
    """
    began = time.monotonic()
    output = _Output()
    try:
        process = await _start(command, alert.environment(environment), output)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
        output.close()
        return Ended(None, f"could not be started: {reason}", time.monotonic() - began)
    try:
        async with asyncio.timeout(timeout_s):
            await _write(process.stdin, alert.text)
            code = await process.wait()
        # What it started may hold its output open: a moment, for what is on its way.
        await output.wait(OUTPUT_S)
    except TimeoutError:
        await _end(process)
        reason = f"took longer than {timeout_s:g} seconds"
        return Ended(None, reason, time.monotonic() - began, output.count, output.tail())
    except BaseException:
        _signal(process, signal.SIGKILL)
        await process.wait()
        raise
    finally:
        output.close()
    reason = "" if code == 0 else f"ended with {_code(code)}"
    return Ended(code, reason, time.monotonic() - began, output.count, output.tail())


async def _start(
    command: Sequence[str], environment: Mapping[str, str], output: "_Output"
) -> asyncio.subprocess.Process:
    # A pipe of our own: asyncio's would wait for its other end, which children may keep for ever.
    reader, writer = os.pipe()
    try:
        await output.connect(reader)
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=writer,
            stderr=writer,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(writer)


class _Output(asyncio.Protocol):
    """Counts what is written, and keeps the end of it."""

    def __init__(self) -> None:
        self.count = 0
        self._last = b""
        self._ended = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    async def connect(self, reader: int) -> None:
        loop = asyncio.get_running_loop()
        pipe = os.fdopen(reader, "rb", 0)
        self._transport, _ = await loop.connect_read_pipe(lambda: self, pipe)

    def data_received(self, data: bytes) -> None:
        self.count += len(data)
        self._last = (self._last + data)[-TAIL_BYTES:]

    def connection_lost(self, _exc: Exception | None) -> None:
        self._ended.set()

    async def wait(self, most_s: float) -> None:
        """Until all who could write have closed it, but not long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), most_s)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def tail(self) -> str:
        return self._last.decode("utf-8", "replace")


async def _write(stream: asyncio.StreamWriter | None, text: str) -> None:
    if stream is None:
        return
    with suppress(ConnectionError):  # it need not read it
        stream.write(text.encode())
        await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _end(process: asyncio.subprocess.Process) -> None:
    _signal(process, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(KILL_S):
            await process.wait()
    # Also where it has ended: not all of its group may have.
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _code(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
