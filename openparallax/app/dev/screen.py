"""What is typed and what is shown, where the conversation is on the terminal."""

import asyncio
import contextlib
import os
import sys
import termios
import threading
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any, Self, TextIO

readline: ModuleType | None
try:
    import readline  # gives input() a line that can be edited
except ImportError:
    readline = None

_PROMPT = "you> "
_LONGEST_LINE = 4 * 65_536
"""Bytes: at least what the longest message has."""
_PASTES_AS_TYPED = "\x1b[?2004l"
"""Undoes what readline asks of a terminal while it reads a line."""


class Screen:
    """Standard input, standard output for the conversation, standard error for all else.

    To be used as a context, which leaves the terminal as it was. Lines are read in threads that
    end with the process, since nothing ends a read that waits.
    """

    def __init__(self) -> None:
        self.is_interactive = _is_terminal()
        self._is_prompting = False
        self._rest = b""
        self._was: list[Any] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if stream is not None and hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding="utf-8", errors="replace")
        if self.is_interactive:
            self._was = termios.tcgetattr(sys.stdin)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_prompting:
            self._write(f"{_PASTES_AS_TYPED if readline else ''}\n", sys.stdout)
        if self._was is not None:
            with contextlib.suppress(termios.error):  # the terminal has gone
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._was)

    async def typed(self) -> str | None:
        """A line from the prompt; None at Ctrl-D."""
        return await _in_thread(self._type)

    async def piped(self) -> str | None:
        """The next line of standard input; None at its end."""
        return await _in_thread(self._read)

    def you(self, text: str) -> None:
        self._show("you: ", text)

    def bot(self, text: str) -> None:
        """Show what was sent, perhaps in the middle of a prompt."""
        self._show("bot> " if self.is_interactive else "bot: ", text)

    def note(self, text: str) -> None:
        """Something about the run itself."""
        self._print(text, sys.stderr)

    def _type(self) -> str | None:
        has_hook = readline is not None and hasattr(readline, "set_pre_input_hook")
        if readline is not None and has_hook:
            readline.set_pre_input_hook(self._begin_prompt)  # called once the prompt is there
        else:
            self._begin_prompt()
        try:
            return input(_PROMPT)
        except EOFError:
            self._write("\n", sys.stdout)
            return None
        finally:
            self._is_prompting = False

    def _read(self) -> str | None:
        # Not through sys.stdin, whose lock a read that waits would hold when the process ends.
        while b"\n" not in self._rest:
            more = os.read(0, 65536)
            if not more:
                line, self._rest = self._rest, b""
                return line.decode("utf-8", "replace") if line else None
            # Of a line without end no more is kept than shows that it is too long.
            end = more.find(b"\n")
            if len(self._rest) > _LONGEST_LINE:
                more = b"" if end < 0 else more[end:]
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.removesuffix(b"\r").decode("utf-8", "replace")

    def _show(self, who: str, text: str) -> None:
        # What a model wrote may hold sequences that command a terminal.
        clean = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
        self._print(who + clean.replace("\n", "\n" + " " * len(who)), sys.stdout)

    def _print(self, text: str, stream: TextIO | None) -> None:
        with self._lock:
            if self._is_prompting:
                typed = readline.get_line_buffer() if readline else ""
                self._write(f"\r\x1b[K{text}\n{_PROMPT}{typed}", stream)
            else:
                self._write(f"{text}\n", stream)

    @staticmethod
    def _write(text: str, stream: TextIO | None) -> None:
        if stream is None:  # closed from the start
            return
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            # What is left in the buffer would be tried again, and complained of, at the end.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            # Whoever reads may have gone; that is no reason to leave the daemon alone.
            if not isinstance(error, BrokenPipeError):
                raise

    def _begin_prompt(self) -> None:
        self._is_prompting = True


def _is_terminal() -> bool:
    if any(one is None or not one.isatty() for one in (sys.stdin, sys.stdout)):
        return False
    return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


async def _in_thread(read: Callable[[], str | None]) -> str | None:
    """What ``read`` returns; a thread that still waits does not keep the process."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[str | None] = loop.create_future()

    def put(line: str | None) -> None:
        if not found.done():
            found.set_result(line)

    def work() -> None:
        try:
            line = read()
        except (OSError, ValueError):  # closed, or another process group's
            line = None
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(put, line)

    threading.Thread(target=work, daemon=True).start()
    return await found
