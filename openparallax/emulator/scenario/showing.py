"""What a person sees of a scenario while it is played."""

import os
import unicodedata
from dataclasses import dataclass
from typing import Final, Self, TextIO

_COMMANDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"
_ESCAPES: Final = {"green": "32", "red": "31", "dim": "2", "bold": "1", "cyan": "36"}
MOST_LINES: Final = 60
MOST_CHARACTERS: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What a terminal bears.

    Attributes:
        has_colours: Escapes may be written.
        encoding: What lines are written in; characters that it lacks are written as escapes.
    """

    has_colours: bool = False
    encoding: str = "ascii"

    @classmethod
    def of(cls, stream: TextIO) -> Self:
        """What this stream bears: colours on a terminal only, unless ``NO_COLOR`` is set."""
        is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return cls(
            has_colours=stream.isatty() and not is_plain,
            encoding=getattr(stream, "encoding", None) or "ascii",
        )

    @property
    def has_signs(self) -> bool:
        """Ticks and crosses may be written; else words in their place."""
        try:
            "\u2713\u2717".encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def title(self, text: str, file: str) -> str:
        return f"{self._paint(visible(text), 'bold')}  {self._paint(visible(file), 'dim')}"

    def done(self, at_s: float, title: str, depth: int) -> str:
        sign = "\u2713" if self.has_signs else "ok"
        return self._line(at_s, self._paint(sign, "green"), title, depth)

    def heading(self, title: str, depth: int) -> str:
        return f"{'':13}{'  ' * depth}{self._paint(_one_line(title), 'bold')}"

    def skipped(self, title: str, depth: int) -> str:
        return f"{'':8}  -  {'  ' * depth}{self._paint(_one_line(title), 'dim')}"

    def failed(
        self, at_s: float, title: str, details: tuple[str, ...], line: int | None, depth: int
    ) -> list[str]:
        """The step, and below it how it differs."""
        sign = self._paint("\u2717" if self.has_signs else "NO", "red")
        place = f"  (line {line})" if line else ""
        shown = [self._line(at_s, sign, title, depth) + self._paint(place, "dim")]
        lines = [cut(visible(text)) for text in "\n".join(details).split("\n")]
        if len(lines) > MOST_LINES:
            lines = [*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES} lines more"]
        return shown + [f"{'':15}{'  ' * depth}{self._diff(text)}" for text in lines]

    def summary(self, played: int, failures: tuple[str, ...], skipped: int, after_s: float) -> str:
        counted = f"{played} steps in {after_s:.1f} s"
        rest = f", {skipped} not played" if skipped else ""
        if not failures:
            return self._paint(f"As the script says: {counted}{rest}.", "green")
        wrong = "1 thing" if len(failures) == 1 else f"{len(failures)} things"
        return self._paint(f"NOT as the script says: {wrong} wrong, {counted}{rest}.", "red")

    def fitting(self, line: str) -> str:
        """``line`` as the encoding can write it."""
        try:
            return line.encode(self.encoding, "backslashreplace").decode(self.encoding)
        except LookupError:
            return line.encode("ascii", "backslashreplace").decode("ascii")

    def _line(self, at_s: float, sign: str, title: str, depth: int) -> str:
        shown = _one_line(title)
        return f"{self._paint(f'{at_s:7.2f}s', 'dim')}  {sign}  {'  ' * depth}{shown}"

    def _diff(self, text: str) -> str:
        colour = {"- ": "green", "+ ": "red", "? ": "cyan"}.get(text[:2])
        return self._paint(text, colour) if colour else text

    def _paint(self, text: str, colour: str) -> str:
        if not self.has_colours or not text:
            return text
        return f"\x1b[{_ESCAPES[colour]}m{text}\x1b[0m"


def visible(text: str) -> str:
    r"""``text`` with what could command a terminal or turn it round written as ``\x1b``."""
    return "".join(
        c
        if c in _JOINERS or unicodedata.category(c) not in _COMMANDING
        else f"\\u{ord(c):04x}"
        if "\ud800" <= c <= "\udfff"
        else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def cut(text: str, most: int = MOST_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def _one_line(title: str) -> str:
    return cut(visible(title), 160)
