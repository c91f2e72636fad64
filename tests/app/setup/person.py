"""Somebody before a terminal, in which `openparallax init` runs as a process of its own."""

import asyncio
import fcntl
import os
import re
import struct
import sys
import termios
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.app.patience import LONG_S, until
from tests.architecture.source import ROOT

_MARKS = re.compile(r"\x1b\[[0-9;]*m")
CTRL_C, CTRL_D = "\x03", "\x04"


class Person:
    """Reads what is shown, and types.

    Attributes:
        shown: All that has been on the terminal, without colours.
        code: What the process ended with.
    """

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        self.shown = ""
        self.code: int | None = None
        self._arguments = arguments
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            **environment,
        }
        self._home = home
        self._read = 0

    async def __aenter__(self) -> Self:
        self._terminal, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        os.set_blocking(self._terminal, False)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "openparallax", "init", *self._arguments),
            cwd=self._home,
            env=self._environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        asyncio.get_running_loop().add_reader(self._terminal, self._see)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._terminal)
        os.close(self._terminal)

    def _see(self) -> None:
        try:
            raw = os.read(self._terminal, 65_536)
        except OSError:  # nobody is at the other end any more
            asyncio.get_running_loop().remove_reader(self._terminal)
            return
        self.shown += _MARKS.sub("", raw.decode("utf-8", "replace")).replace("\r\n", "\n")

    async def sees(self, text: str) -> None:
        """Wait until it is shown, behind what was waited for before."""

        def is_there() -> bool:
            return text in self.shown[self._read :] or self._process.returncode is not None

        try:
            await until(is_there)
        except TimeoutError:
            raise AssertionError(f"no {text!r} in:\n{self.shown[self._read :]}") from None
        assert text in self.shown[self._read :], self.shown
        self._read = self.shown.index(text, self._read) + len(text)

    async def answers(self, question: str, answer: str) -> None:
        """Wait for a question, to its colon, and type an answer with Enter."""
        await self.sees(question)
        await self.sees(": ")
        self.types(f"{answer}\n")

    def types(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def is_seen(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)

    async def ends(self) -> int:
        """Wait for the end; the exit code."""
        async with asyncio.timeout(LONG_S):
            self.code = await self._process.wait()
        self._see()
        return self.code


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
