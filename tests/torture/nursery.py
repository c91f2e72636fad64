"""Where daemons are born: a process that has read all modules and forks when it is asked to.

Reading them takes most of the time of a start, and a programme starts the daemon several times. The
process that forks does nothing else, has one thread, and starts nothing of the daemon: what is born
begins where `tests.torture.child` does, with a file, an environment and a log of its own.
"""

import asyncio
import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from tests.flow.kill.daemon import ROOT, LoopError
from tests.torture import child
from tests.torture.points import POINTS, find

_READ_BEFORE = (
    "openparallax.app.daemon",
    "openparallax.cli.daemon",
    "openparallax.rendering.markdown",
    "openparallax.stages.time_limit",
    "tests.torture.engine",
    "uvloop",
)
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Born:
    """A process of the nursery's."""

    pid: int
    returncode: int | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def end(self, code: int) -> None:
        self.returncode = code
        self._ended.set()

    def _signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Nursery:
    """This side of it; to be used as an async context, which ends with nobody left."""

    def __init__(self) -> None:
        self._born: dict[int, Born] = {}
        self._waiting: list[asyncio.Future[Born]] = []
        self._has_ended = False

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.torture.nursery", str(os.getpid())),
            cwd=ROOT,
            env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
        )
        self._hearing = asyncio.create_task(self._hear())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for born in self._born.values():
            born.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._hearing.cancel()
        await asyncio.gather(self._hearing, return_exceptions=True)

    async def bear(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        log: Path,
        look_in: Sequence[str],
    ) -> Born:
        """Start a daemon.

        Args:
            arguments: Behind ``openparallax``.
            environment: All of it.
            log: Where its output goes.
            look_in: Where plugins are installed.

        Raises:
            LoopError: The nursery has ended, which it says why on standard error.
        """
        order = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "log": str(log),
            "look_in": list(look_in),
        }
        if self._has_ended:
            raise LoopError("the nursery has ended")
        answer: asyncio.Future[Born] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await answer

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said: dict[str, int] = json.loads(line)
            if "code" in said:
                # Whoever ends at once may do so before it is told that it was born.
                self._born.setdefault(said["pid"], Born(said["pid"])).end(said["code"])
                del self._born[said["pid"]]
            else:
                born = self._born[said["pid"]] = Born(said["pid"])
                answer = self._waiting.pop(0)
                if answer.done():
                    born.kill()  # whoever asked is gone
                else:
                    answer.set_result(born)
        self._has_ended = True
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(LoopError("the nursery has ended"))


# -- the other side -------------------------------------------------------------------------------


def _serve() -> None:
    """Fork for each line that comes; say who was born and who has ended."""
    _die_with(int(sys.argv[1]))
    for name in _READ_BEFORE:
        with contextlib.suppress(ImportError):  # uvloop is not everywhere
            importlib.import_module(name)
    for point in POINTS:
        find(point)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, lambda *_: _bury())
    for line in sys.stdin.buffer:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = os.fork()
        if not pid:
            _live(json.loads(line))
        _tell({"pid": pid})  # before its end can be told
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _bury() -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell({"pid": ended[0], "code": os.waitstatus_to_exitcode(ended[1])})


def _tell(said: dict[str, int]) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def _live(order: dict[str, Any]) -> NoReturn:
    """The life of what was born, up to its end."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        _die_with(os.getppid())
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.path[1:1] = order["look_in"]
        sys.argv[1:] = order["arguments"]
        child.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - as an interpreter ends
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with(parent: int) -> None:
    """Whatever becomes of the one who asked, nothing is left running (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    _serve()
