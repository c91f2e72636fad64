"""What is typed and what is shown, on a terminal and without one."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import TextIO

readline: ModuleType | None
try:
    import readline  # gives input() a line that can be edited
except ImportError:
    readline = None

_PROMPT = "you> "


class Screen:
    """Standard input, standard output for the conversation, standard error for all else."""

    def __init__(self) -> None:
        self.is_interactive = _is_terminal()
        self._is_prompting = False
        self._lock = threading.Lock()
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if stream is not None and hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding="utf-8", errors="replace")

    def typed(self) -> Iterator[str]:
        """Lines from the prompt, until Ctrl-D; empty ones are passed over."""
        has_hook = readline is not None and hasattr(readline, "set_pre_input_hook")
        if readline is not None and has_hook:
            readline.set_pre_input_hook(self._begin_prompt)  # called once the prompt is there
        while True:
            if not has_hook:
                self._begin_prompt()
            try:
                line = input(_PROMPT)
            except EOFError:
                self._write("\n", sys.stdout)
                return
            finally:
                self._is_prompting = False
            if line.strip():
                yield line

    def piped(self) -> Iterator[str]:
        """Lines of standard input; empty ones are passed over."""
        if sys.stdin is None or self._is_background():
            return
        for line in sys.stdin:
            if line.strip():
                yield line.rstrip("\r\n")

    def you(self, text: str) -> None:
        self._show("you: ", text)

    def bot(self, text: str, *, to: str = "") -> None:
        """Show what was sent; may be called from another thread, in the middle of a prompt."""
        self._show(f"bot> {to}" if self.is_interactive else f"bot: {to}", text)

    def note(self, text: str) -> None:
        """Something about the run itself."""
        self._print(text, sys.stderr)

    def _show(self, who: str, text: str) -> None:
        # What a model wrote may hold sequences that command a terminal.
        clean = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
        self._print(who + clean.replace("\n", "\n" + " " * len(who)), sys.stdout)

    def _print(self, text: str, stream: TextIO) -> None:
        with self._lock:
            if self._is_prompting:
                typed = readline.get_line_buffer() if readline else ""
                self._write(f"\r\x1b[K{text}\n{_PROMPT}{typed}", stream)
            else:
                self._write(f"{text}\n", stream)

    @staticmethod
    def _write(text: str, stream: TextIO) -> None:
        # Whoever reads may have gone; that is no reason to leave the daemon alone.
        with contextlib.suppress(BrokenPipeError):
            stream.write(text)
            stream.flush()

    def _begin_prompt(self) -> None:
        self._is_prompting = True

    @staticmethod
    def _is_background() -> bool:
        """A background job that read from its terminal would be stopped by it."""
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp()


def _is_terminal() -> bool:
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
