"""What a person sees: tables that fit, times, and no character that would command the terminal."""

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

_COMMANDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_HARMLESS = "\u200c\u200d\u00ad"
"""Of the invisible ones those that join letters and emoji."""
_WIDE = frozenset({"W", "F"})
_LEAST = 6
_SENTENCE = 200
_MOST_CHARACTERS = 8
"""In one column, with marks above it and what joins emoji."""

config_option = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration; without it $OPENPARALLAX_CONFIG and the usual folders are tried.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
account_option = click.option(
    "--account", metavar="ID", help="Only with this number of ours (its phone number id)."
)


def escaped(text: str, *, keeps: str = "") -> str:
    r"""``text`` with what could command a terminal or turn it round written as ``\x1b``."""
    return "".join(
        c
        if c in keeps or c in _HARMLESS or unicodedata.category(c) not in _COMMANDING
        else c.encode("unicode_escape").decode("ascii")
        if not "\ud800" <= c <= "\udfff"
        else f"\\u{ord(c):04x}"
        for c in text
    )


def print_json(document: Mapping[str, Any]) -> None:
    """One document, its control characters escaped by JSON itself, each time beside it in ISO."""
    click.echo(json.dumps(_dated(document), indent=2))


def _dated(value: Any) -> Any:
    """Beside each ``…_at``, ``at``, ``since``, ``…until`` the same as ``…_iso``, in UTC."""
    if isinstance(value, list):
        return [_dated(one) for one in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, one in value.items():
        found[key] = _dated(one)
        is_time = key in {"at", "now", "since"} or key.endswith(("_at", "until"))
        if is_time and (
            one is None or (isinstance(one, int | float) and not isinstance(one, bool))
        ):
            found[f"{key}_iso"] = None if one is None else iso(one)
    return found


def iso(seconds: float | None) -> str:
    """Unix seconds as ``2026-11-20T10:00:00Z``; ``-`` for None, what no calendar has as it is."""
    if seconds is None:
        return "-"
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def when(seconds: float | None) -> str:
    """Unix seconds in the time of this machine, to the minute; ``-`` for None."""
    if not seconds:
        return "-"
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def lasting(seconds: float | None) -> str:
    """A length of time as people say it, such as ``3 min``; ``-`` for None."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def size(count: int | None) -> str:
    """Bytes as people say them, such as ``1.2 MB``."""
    if count is None:
        return "of unknown size"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:,.1f} MB"


def counted(count: int, thing: str) -> str:
    """``1 message``, ``2 messages``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def wrapped(text: str, *, indent: str = "", first: str = "") -> list[str]:
    """Lines that fit the terminal, colours left out of account; piped it stays one line."""
    if not sys.stdout.isatty():
        return [first + text]
    room = max(40, shutil.get_terminal_size().columns)
    lines, line, used = [], first, _width(click.unstyle(first))
    for word in text.split(" "):
        width = _width(click.unstyle(word))
        if line != first and used + 1 + width > room:
            lines.append(line.rstrip())
            line, used = indent, len(indent)
        gap = " " if line not in {first, indent} else ""
        line += gap + word
        used += len(gap) + width
    return [*lines, line]


class InOrder(click.Group):
    """Lists its commands as they were added: that is the order in which they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, but with each command's whole sentence: it wraps, and ends in no dots."""
        rows = [
            (name, one.get_short_help_str(limit=_SENTENCE))
            for name, one in self.commands.items()
            if not one.hidden
        ]
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def bold(text: str) -> str:
    """Bold on a terminal, unless ``NO_COLOR`` is set; plain elsewhere, since click strips it."""
    return text if os.environ.get("NO_COLOR") else click.style(text, bold=True)


def colour(text: str, name: str) -> str:
    """In colour on a terminal, unless ``NO_COLOR`` is set."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=name)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, gives_way: int) -> list[str]:
    """Lines of a table.

    On a terminal it is padded and fits, column ``gives_way`` being cut where it must be. Piped it
    has a tab between columns, no heading and nothing cut: for ``cut``, ``awk`` and ``grep``.
    """
    cells = [[escaped(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        return ["\t".join(row) for row in cells]
    widths = [max(_width(line[n]) for line in (heads, *cells)) for n in range(len(heads))]
    spare = shutil.get_terminal_size().columns - sum(widths) - 2 * (len(widths) - 1)
    if spare < 0:
        widths[gives_way] = max(_LEAST, widths[gives_way] + spare)
    lines = ["  ".join(_fit(c, w) for c, w in zip(row, widths, strict=True)) for row in cells]
    head = "  ".join(_fit(c, w) for c, w in zip(heads, widths, strict=True))
    return [bold(head.rstrip()), *(line.rstrip() for line in lines)]


def _width(text: str) -> int:
    return sum(map(_columns, text))


def _columns(c: str) -> int:
    if unicodedata.combining(c) or c in _HARMLESS:
        return 0
    return 1 + (unicodedata.east_asian_width(c) in _WIDE)


def _fit(text: str, width: int) -> str:
    """Padded or cut to ``width`` columns; also cut: very much of what has no width of its own."""
    if _width(text) > width or len(text) > _MOST_CHARACTERS * width:
        used = end = 0
        while end < _MOST_CHARACTERS * width and used + _columns(text[end]) < width:
            used += _columns(text[end])
            end += 1
        text = text[:end] + "…"
    return text + " " * (width - _width(text))
