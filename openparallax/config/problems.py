"""What is wrong with a file: collected, so that all of it is told at once."""

import difflib
import re
from collections.abc import Iterable

from openparallax.errors import ConfigError

Where = tuple[str | int, ...]
"""The way to a setting, such as ``("pipeline", 0, "time_limit", "seconds")``."""

_MOST_NAMED = 2
_SHORTEST = 3
# A key that does not look like one may be a secret whose colon lost its space; it is not printed.
_PRINTABLE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}\Z")


def is_printable_key(key: str) -> bool:
    """Whether ``key`` looks like the name of a setting, so that a message may show it."""
    return _PRINTABLE_KEY.match(key) is not None


def dotted(where: Where) -> str:
    """The key as people write it: ``pipeline.0.time_limit.seconds``."""
    return ".".join(str(s) if isinstance(s, int) or is_printable_key(s) else "…" for s in where)


def suggest(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` where something known is near to ``word``, else nothing."""
    near = nearest(word, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """What may have been meant by ``word``: one name, sometimes two, mostly none.

    Near is a name that has the word as a part of it (two such are both named), one that is spelt
    much alike, or the only one that begins alike.
    """
    names = sorted(known)
    bare = word.lower().strip()
    near = [name for name in names if f"_{bare}_" in f"_{name}_"]
    if not 0 < len(near) <= _MOST_NAMED:
        near = difflib.get_close_matches(bare, names, n=1, cutoff=0.6)
    for beginning in (bare, bare.split("_")[0]):
        if not near and len(beginning) >= _SHORTEST:
            near = [name for name in names if name.startswith(beginning)]
            near = near if len(near) == 1 else []
    return near


class Problems:
    """Every problem found in one file; sentences without values."""

    def __init__(self, file: str) -> None:
        self.lines: dict[Where, int] = {}
        """The line of each key, counted from 1; filled while the file is parsed."""
        self.commented: set[Where] = set()
        """Settings without a value, with a comment where it would stand."""
        self._file = file
        self._found: dict[tuple[int, str], None] = {}
        self._faulty: set[Where] = set()

    def add(self, where: Where, sentence: str, *, line: int | None = None) -> None:
        """Note that the setting at ``where`` is wrong. A second finding of the same is dropped.

        Args:
            where: The setting; its line, or its nearest ancestor's, is looked up.
            sentence: What is wrong and what is meant; begins in the middle, after the key.
            line: Where not the setting itself but this line in it is wrong; other findings
                about the setting are then still told.
        """
        if line is None:
            self._faulty.add(where)
        line = line or self._line(where)
        key = f"{dotted(where)}: " if where else ""
        self._found[line, f"{self._file}:{line}: {key}{sentence}"] = None

    def blame(self, where: Where) -> None:
        """See that nothing more is said of ``where``; what is wrong there was said elsewhere."""
        self._faulty.add(where)

    def blames(self, where: Where) -> bool:
        """Whether something is known to be wrong with this setting itself."""
        return where in self._faulty

    def error(self) -> ConfigError:
        """All of it, in the order of the file."""
        return ConfigError([text for _, text in sorted(self._found, key=lambda found: found[0])])

    def raise_if_any(self) -> None:
        """Raise `ConfigError` if anything was found."""
        if self._found:
            raise self.error()

    def place(self, where: Where) -> str:
        """``file:line: key``, for what turns out to be wrong with a setting later on."""
        return f"{self._file}:{self._line(where)}: {dotted(where)}"

    def _line(self, where: Where) -> int:
        for length in range(len(where), 0, -1):
            if where[:length] in self.lines:
                return self.lines[where[:length]]
        return 1  # what is missing could stand anywhere
