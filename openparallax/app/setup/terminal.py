"""The terminal of a dialogue: sentences that fit, questions, and answers that nobody sees."""

import contextlib
import os
import select
import shutil
import sys
import termios
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from openparallax.app.setup.word import Level, Word

_REST_S: Final = 0.05
"""How long to wait for more lines of what was pasted."""
_WIDEST: Final = 88
_MOST_BYTES: Final = 65_536
_MARKS: Final = {
    Level.WELL: ("\u2713", "ok", "32"),
    Level.ODD: ("!", "!", "33"),
    Level.DOUBT: ("!", "!", "33"),
    Level.WRONG: ("\u2717", "x", "31"),
    Level.UNKNOWN: ("?", "?", "33"),
}


def is_there() -> bool:
    """Whether somebody sits before this process who can be asked."""
    try:
        return os.isatty(0) and os.isatty(1)
    except OSError:
        return False


class Ended(Exception):  # noqa: N818 - what a person did, no fault
    """The person closed the input (Ctrl-D) where an answer was wanted."""


class Terminal:
    """Asks on the process's own terminal."""

    def __init__(self) -> None:
        is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._has_colours = sys.stdout.isatty() and not is_plain
        self._has_marks = _can_show(_MARKS[Level.WELL][0])

    # -- saying -----------------------------------------------------------------------------------

    def say(self, text: str = "", indent: int = 3, hanging: int = 0) -> None:
        """A paragraph, or an empty line; all but the first line are indented ``hanging`` more."""
        for line in self._wrapped(text, " " * indent, " " * (indent + hanging)) or [""]:
            _print(line)

    def as_it_is(self, text: str, indent: int = 3) -> None:
        """Lines that are to be copied, and so are not wrapped."""
        for line in text.splitlines():
            _print(" " * indent + line if line else "")

    def heading(self, text: str) -> None:
        _print()
        _print(self._in("1", text))

    def note(self, text: str) -> None:
        """What was mended in an answer."""
        self.word(Word(Level.ODD, text))

    def tell(self, words: Sequence[Word]) -> None:
        for word in words:
            self.word(word)

    def word(self, word: Word) -> None:
        nice, plain, colour = _MARKS[word.level]
        mark = nice if self._has_marks else plain
        lines = self._wrapped(word.says, f"   {mark} ", " " * (len(mark) + 4))
        _print(lines[0].replace(mark, self._in(colour, mark), 1))
        for line in lines[1:]:
            _print(line)

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """A line that is gone when what it waited for is there."""
        line = f"   {text} ..."
        print(line, end="", flush=True)  # noqa: T201 - the terminal is this file's business
        try:
            yield
        finally:
            print("\r" + " " * len(line) + "\r", end="", flush=True)  # noqa: T201 - the same

    # -- asking -----------------------------------------------------------------------------------

    def ask(self, question: str, offered: str = "") -> str:
        """An answer as it was typed; "" where Enter took what is offered, or nothing."""
        print(self._question(question, offered), end="", flush=True)  # noqa: T201 - the same
        return self._line()

    def ask_hidden(self, question: str, offered: str = "") -> str:
        """An answer that is not shown; how long it is, is."""
        # First blind, then the question: whoever is quick must not see what they paste.
        with _without_echo():
            print(self._question(question, offered), end="", flush=True)  # noqa: T201 - the same
            found = self._line()
        _print(self._in("2", f"({len(found)} characters)") if found else "")
        return found

    def confirm(self, question: str, *, is_usual: bool) -> bool:
        usual = "Y/n" if is_usual else "y/N"
        while True:
            found = self.ask(question, usual).strip().lower()
            if not found:
                return is_usual
            if found in {"y", "yes", "n", "no"}:
                return found.startswith("y")
            self.say("Please answer y or n.")

    def choose(self, question: str, rows: Sequence[str]) -> int | None:
        """Which of the rows; None where none of them is meant."""
        for number, row in enumerate(rows, start=1):
            self.as_it_is(f"{number:>3}  {row}")
        while True:
            found = self.ask(question, "1").strip()
            if not found:
                return 0
            if found == "0":
                return None
            if found.isascii() and found.isdecimal() and 0 < int(found[:9]) <= len(rows):
                return int(found) - 1
            most = f"1 to {len(rows)}" if len(rows) > 1 else "1"
            self.say(f"Please answer with {most}, or 0 for none of them.")

    # -- inside -----------------------------------------------------------------------------------

    def _question(self, question: str, offered: str) -> str:
        shown = f" [{offered}]" if offered else ""
        return f"   {self._in('36', question)}{shown}: "

    def _line(self) -> str:
        """One line; with those that were pasted together with it."""
        found = os.read(0, _MOST_BYTES)
        if not found:
            _print()
            raise Ended
        # The lines of one paste are there at once; whoever types needs longer for a second one.
        while found.endswith(b"\n") and len(found) < _MOST_BYTES and _has_more():
            more = os.read(0, _MOST_BYTES)
            if not more:
                break
            found += more
        return found.decode("utf-8", "replace").rstrip("\r\n")

    def _wrapped(self, text: str, first: str, others: str) -> list[str]:
        width = min(max(shutil.get_terminal_size().columns - 1, 40), _WIDEST)
        return textwrap.wrap(
            text,
            width,
            initial_indent=first,
            subsequent_indent=others,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._has_colours and text else text


def _print(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 - the terminal is this file's business


def _has_more() -> bool:
    return bool(select.select([0], [], [], _REST_S)[0])


def _can_show(mark: str) -> bool:
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@contextlib.contextmanager
def _without_echo() -> Iterator[None]:
    """Let nothing be seen of what is typed; as it was afterwards, whatever happens."""
    before = termios.tcgetattr(0)
    hidden = termios.tcgetattr(0)
    hidden[3] &= ~termios.ECHO
    # Not TCSAFLUSH: what was pasted a moment too early is an answer too.
    termios.tcsetattr(0, termios.TCSADRAIN, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
