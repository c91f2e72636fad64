"""Tables, which WhatsApp does not have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from openparallax.rendering.inline import read_lines, read_plain
from openparallax.rendering.marks import BOLD, Line, Span, render_line

_WIDEST = 30
"""Characters of fixed width that a small phone shows in one line of a bubble."""

_NO_WORDS = "\u2013"
_EVEN = frozenset("\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2026\u20ac\u2212\u2264\u2265\u00a0")
_MOST_LABELS = 20_000
"""Characters that the headers may take when they are said again in every row."""

_HEADER_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of inline children, the header first; all are as long as the header."""

    rows: list[list[Sequence[Token]]]
    is_right_aligned: list[bool]


def aligned(table: Table) -> str | None:
    """The table as columns of fixed width, or None where they would not stay columns.

    Where they fit, columns can be compared at a glance, which is what a table is for. They do not
    fit if a line would wrap, if there are addresses to tap, or if characters of other scripts,
    which no phone draws as wide as the Latin ones, would push the columns out of line.
    """
    cells = [[read_plain(cell) for cell in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if len(cells) < 2 or sum(widths) + 2 * (len(widths) - 1) > _WIDEST:
        return None
    if any(not _is_even(cell) for row in cells for cell in row) or _has_addresses(table):
        return None
    rows = [cells[0], ["-" * width for width in widths], *cells[1:]]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, table.is_right_aligned, strict=True)
        ).rstrip()
        for row in rows
    )


def listed(table: Table) -> Iterator[list[str]]:
    """The table row by row, each cell behind its header: what reads well on a narrow screen.

    A table of many rows under long headers would grow beyond measure: there the header comes once.
    """
    header, *rows = table.rows
    labels = [read_plain(cell).strip() for cell in header]
    if not rows or sum(map(len, labels)) * len(rows) > _MOST_LABELS:
        yield [_joined(header, mark=BOLD)]
        for row in rows:
            yield [_joined(row)]
        return
    for row in rows:
        yield [
            line
            for label, cell in zip(labels, row, strict=True)
            for line in _labelled(label, read_lines(cell))
        ]


def _labelled(label: str, lines: list[Line]) -> Iterator[str]:
    words = [render_line(line) for line in lines]
    if not any(words):
        words = [_NO_WORDS]
    if label:
        head = Line(f"{label}: ", [Span(BOLD, 0, len(label))])
        words[0] = render_line(head) + words[0]
    yield from words


def _joined(row: Sequence[Sequence[Token]], mark: str = "") -> str:
    cells = (" ".join(map(render_line, read_lines(cell, mark))) for cell in row)
    return _HEADER_SEPARATOR.join(cells)


def _is_even(cell: str) -> bool:
    return all(character < "\u0300" or character in _EVEN for character in cell)


def _has_addresses(table: Table) -> bool:
    return any(line.apart for row in table.rows for cell in row for line in read_lines(cell))
